package soft

import (
	"context"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"hash"
	"sync"

	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/hsm/algo"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// purposeKey names a derived key of data at rest.
type purposeKey struct{ tenant, purpose string }

// sealKey is AES-256-GCM with its random nonce in front. Random nonces of 96
// bits allow 2^32 messages for each tenant and purpose.
type sealKey struct{ aead cipher.AEAD }

// indexKey holds keyed hashes ready to use, because keying one costs two
// compressions.
type indexKey struct{ ready sync.Pool }

const gcmOverhead = 12 + 16

func (b *Backend) sealKey(tenant, purpose string) (*sealKey, error) {
	if b.closed.Load() {
		return nil, hsm.ErrUnavailable
	}
	name := purposeKey{tenant, purpose}
	if k, ok := b.seals.Get(name); ok {
		return k, nil
	}
	key, err := b.derive(kindSeal, purpose, tenant)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	block, err := algo.NewAES(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	k := &sealKey{aead}
	b.seals.Add(name, k)
	return k, nil
}

// Seal encrypts data at rest; see [hsm.Sealing].
func (b *Backend) Seal(_ context.Context, tenant, purpose string, plaintext, aad []byte) ([]byte, error) {
	k, err := b.sealKey(tenant, purpose)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	out := make([]byte, 1, 1+gcmOverhead+len(plaintext))
	out[0] = version
	return k.aead.Seal(out, nil, plaintext, aad), nil
}

// Open decrypts data at rest; see [hsm.Sealing].
func (b *Backend) Open(_ context.Context, tenant, purpose string, sealed, aad []byte) ([]byte, error) {
	k, err := b.sealKey(tenant, purpose)
	if err != nil {
		return nil, fmt.Errorf("open sealed value: %w", err)
	}
	if len(sealed) < 1+gcmOverhead || sealed[0] != version {
		return nil, fmt.Errorf("open sealed value: %w", hsm.ErrIntegrity)
	}
	plain, err := k.aead.Open(nil, nil, sealed[1:], aad)
	if err != nil {
		return nil, fmt.Errorf("open sealed value: %w", hsm.ErrIntegrity)
	}
	return plain, nil
}

// Index computes a keyed hash for look-ups; see [hsm.Sealing].
func (b *Backend) Index(_ context.Context, tenant, purpose string, value []byte) ([]byte, error) {
	if b.closed.Load() {
		return nil, hsm.ErrUnavailable
	}
	name := purposeKey{tenant, purpose}
	k, ok := b.indexes.Get(name)
	if !ok {
		key, err := b.derive(kindIndex, purpose, tenant)
		if err != nil {
			return nil, fmt.Errorf("index: %w", err)
		}
		k = &indexKey{ready: sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
		b.indexes.Add(name, k)
	}
	h := k.ready.Get().(hash.Hash) //nolint:forcetypeassert // the pool holds nothing else
	h.Reset()
	h.Write(value)
	out := h.Sum(make([]byte, 0, sha256.Size))
	h.Reset()
	k.ready.Put(h)
	return out, nil
}

// OpenField opens a JSON field of a client; see [hsm.Sealing].
func (b *Backend) OpenField(_ context.Context, key hsm.KeyRef, field, aad []byte) (secret.Value, error) {
	k, err := b.use(&key, hsm.ModeDecrypt, hsm.UsageField)
	if err != nil {
		return secret.Value{}, fmt.Errorf("open field: %w", err)
	}
	plain, err := k.field.Open(nil, nil, field, aad)
	if err != nil {
		return secret.Value{}, fmt.Errorf("open field: %w", hsm.ErrFormat)
	}
	defer clear(plain)
	return secret.New(plain), nil
}

// SealField makes a JSON field for a client; see [hsm.Sealing].
func (b *Backend) SealField(_ context.Context, key hsm.KeyRef, value secret.Value, aad []byte) ([]byte, error) {
	k, err := b.use(&key, hsm.ModeEncrypt, hsm.UsageField)
	if err != nil {
		return nil, fmt.Errorf("seal field: %w", err)
	}
	return k.field.Seal(nil, nil, value.Reveal(), aad), nil
}
