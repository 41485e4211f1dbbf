package algo

import "crypto/cipher"

// SealGCM is AES-GCM (NIST SP 800-38D) with a 12-byte iv and a 16-byte tag,
// which follows the ciphertext. An iv must never repeat under one key.
func SealGCM(key cipher.Block, iv, plaintext, aad []byte) ([]byte, error) {
	g, err := newGCM(key, iv)
	if err != nil {
		return nil, err
	}
	return g.Seal(nil, iv, plaintext, aad), nil
}

// OpenGCM reverses [SealGCM].
func OpenGCM(key cipher.Block, iv, sealed, aad []byte) ([]byte, error) {
	g, err := newGCM(key, iv)
	if err != nil {
		return nil, err
	}
	out, err := g.Open(nil, iv, sealed, aad)
	if err != nil {
		return nil, ErrInput
	}
	return out, nil
}

func newGCM(key cipher.Block, iv []byte) (cipher.AEAD, error) {
	if key.BlockSize() != 16 || len(iv) != 12 {
		return nil, ErrInput
	}
	g, err := cipher.NewGCM(key)
	if err != nil {
		return nil, ErrKey
	}
	return g, nil
}
