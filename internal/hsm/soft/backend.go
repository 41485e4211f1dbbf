package soft

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/sarraf-platform/sarraf/internal/hsm"
)

// Config says where the root key comes from: a file, or a passphrase.
type Config struct {
	// RootKeyFile holds the root key as 64 hexadecimal digits, mode 0600.
	RootKeyFile string
	// PassphraseFile, when set, holds a passphrase of at least 15 bytes instead;
	// mode 0600. A line end at its end does not count.
	PassphraseFile string
	// ParametersFile holds salt and cost of the passphrase's derivation. It is no
	// secret, but without it the passphrase is worth nothing.
	ParametersFile string
	// Create allows a missing RootKeyFile or ParametersFile to be made.
	Create bool
}

const (
	keyCacheSize = 8192  // unwrapped keys
	iccCacheSize = 16384 // derived card keys, about one kilobyte each
	purposeCache = 4096  // sealing and index keys
)

// Backend implements [hsm.Backend]. It is safe for concurrent use.
type Backend struct {
	closed atomic.Bool

	guard sync.RWMutex // of prk, which Close erases
	prk   []byte

	keys    *lru.Cache[string, *loaded]
	cards   *lru.Cache[cardKey, *iccKey]
	seals   *lru.Cache[purposeKey, *sealKey]
	indexes *lru.Cache[purposeKey, *indexKey]
}

var _ hsm.Backend = (*Backend)(nil)

// Open makes a backend from c. Errors are [ErrRootKeyMissing], [ErrRootKeyFile],
// [ErrPassphrase] or of the file system.
func Open(c Config) (*Backend, error) {
	var root []byte
	var err error
	if c.PassphraseFile != "" {
		var passphrase []byte
		if passphrase, err = readPrivate(c.PassphraseFile); err != nil {
			return nil, fmt.Errorf("read passphrase file %s: %w", c.PassphraseFile, err)
		}
		defer clear(passphrase)
		root, err = rootFromPassphrase(bytes.TrimRight(passphrase, "\r\n"), c.ParametersFile, c.Create)
	} else {
		root, err = rootFromFile(c.RootKeyFile, c.Create)
	}
	if err != nil {
		return nil, err
	}
	defer clear(root)
	return New(root)
}

// New makes a backend from a root key of 32 bytes, which it copies.
func New(root []byte) (*Backend, error) {
	if len(root) != rootLen {
		return nil, fmt.Errorf("open root key: %w", ErrRootKeyFile)
	}
	prk, err := extract(root)
	if err != nil {
		return nil, fmt.Errorf("open root key: %w", err)
	}
	b := &Backend{prk: prk}
	if b.keys, err = lru.New[string, *loaded](keyCacheSize); err != nil {
		return nil, err
	}
	if b.cards, err = lru.New[cardKey, *iccKey](iccCacheSize); err != nil {
		return nil, err
	}
	if b.seals, err = lru.New[purposeKey, *sealKey](purposeCache); err != nil {
		return nil, err
	}
	if b.indexes, err = lru.New[purposeKey, *indexKey](purposeCache); err != nil {
		return nil, err
	}
	return b, nil
}

// derive expands a key of 32 bytes.
func (b *Backend) derive(kind, purpose, tenant string) ([]byte, error) {
	if len(purpose) > 0xFFFF || tenant == "" || len(tenant) > 0xFFFF {
		return nil, hsm.ErrFormat
	}
	b.guard.RLock()
	defer b.guard.RUnlock()
	if b.prk == nil {
		return nil, hsm.ErrUnavailable
	}
	return hkdf.Expand(sha256.New, b.prk, derivationLabel(kind, purpose, tenant), 32)
}

// Random returns n random bytes; n is 0 to 65,536.
func (b *Backend) Random(_ context.Context, n int) ([]byte, error) {
	if b.closed.Load() {
		return nil, hsm.ErrUnavailable
	}
	if n < 0 || n > 1<<16 {
		return nil, fmt.Errorf("draw random bytes: %w", hsm.ErrFormat)
	}
	out := make([]byte, n)
	_, err := rand.Read(out)
	return out, err
}

// Health is nil until Close.
func (b *Backend) Health(context.Context) error {
	if b.closed.Load() {
		return hsm.ErrUnavailable
	}
	return nil
}

// Close erases the root and forgets all keys. It may be called twice.
func (b *Backend) Close() error {
	b.closed.Store(true)
	b.guard.Lock()
	clear(b.prk)
	b.prk = nil
	b.guard.Unlock()
	b.keys.Purge()
	b.cards.Purge()
	b.seals.Purge()
	b.indexes.Purge()
	return nil
}

// String hides everything.
func (b *Backend) String() string { return "software HSM" }

// GoString hides everything.
func (b *Backend) GoString() string { return b.String() }

// Format hides everything, whatever the verb.
func (b *Backend) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(b.String())) }
