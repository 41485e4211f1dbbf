package soft

import (
	"context"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/hsm/algo"
)

// Conceal encrypts 16 bytes so that equal ones look equal; see [hsm.Sealing].
func (b *Backend) Conceal(_ context.Context, tenant, purpose string, plaintext [16]byte, aad []byte) (out [32]byte, err error) {
	tag, err := b.concealTag(tenant, purpose, plaintext, aad)
	if err != nil {
		return out, fmt.Errorf("conceal: %w", err)
	}
	copy(out[:16], tag)
	if err := b.concealXOR(tenant, purpose, tag, out[16:], plaintext[:]); err != nil {
		return [32]byte{}, fmt.Errorf("conceal: %w", err)
	}
	return out, nil
}

// Unveil reverses Conceal; see [hsm.Sealing].
func (b *Backend) Unveil(_ context.Context, tenant, purpose string, concealed [32]byte, aad []byte) (plain [16]byte, err error) {
	if err := b.concealXOR(tenant, purpose, concealed[:16], plain[:], concealed[16:]); err != nil {
		return [16]byte{}, fmt.Errorf("unveil: %w", err)
	}
	tag, err := b.concealTag(tenant, purpose, plain, aad)
	if err != nil {
		return [16]byte{}, fmt.Errorf("unveil: %w", err)
	}
	if subtle.ConstantTimeCompare(tag, concealed[:16]) != 1 {
		return [16]byte{}, fmt.Errorf("unveil: %w", hsm.ErrIntegrity)
	}
	return plain, nil
}

func (b *Backend) concealTag(tenant, purpose string, plaintext [16]byte, aad []byte) ([]byte, error) {
	if b.closed.Load() {
		return nil, hsm.ErrUnavailable
	}
	key, err := b.derive(kindTag, purpose, tenant)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	h := hmac.New(sha256.New, key)
	h.Write(aad)
	h.Write(plaintext[:])
	return h.Sum(nil)[:16], nil
}

// concealXOR applies the key stream that begins at the tag.
func (b *Backend) concealXOR(tenant, purpose string, tag, out, in []byte) error {
	if b.closed.Load() {
		return hsm.ErrUnavailable
	}
	key, err := b.derive(kindConceal, purpose, tenant)
	if err != nil {
		return err
	}
	defer clear(key)
	block, err := algo.NewAES(key)
	if err != nil {
		return err
	}
	cipher.NewCTR(block, tag).XORKeyStream(out, in)
	return nil
}
