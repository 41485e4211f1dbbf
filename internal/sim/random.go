package sim

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"sync"
)

// Random is the source of unpredictable numbers of the simulated world: the
// same for the same seed. Seed 0 means the system's generator. It is safe for
// concurrent use, though the order of draws is then not repeatable.
func Random(seed uint64) io.Reader {
	if seed == 0 {
		return rand.Reader
	}
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], seed)
	key := sha256.Sum256(b[:])
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // 32 bytes are an AES key
	}
	return &keyStream{stream: cipher.NewCTR(block, make([]byte, aes.BlockSize))}
}

type keyStream struct {
	mu     sync.Mutex
	stream cipher.Stream
}

func (k *keyStream) Read(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(p)
	k.stream.XORKeyStream(p, p)
	return len(p), nil
}
