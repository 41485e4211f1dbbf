package soft

import (
	"context"
	"crypto/subtle"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/hsm/algo"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// CardValue computes CVV, iCVV or CVV2; see [hsm.CardValues].
func (b *Backend) CardValue(_ context.Context, cvk hsm.KeyRef, kind hsm.CardValueKind, in hsm.CardValueInput) (secret.Value, error) {
	v, err := b.cardValue(&cvk, hsm.ModeGenerate, kind, &in)
	if err != nil {
		return secret.Value{}, fmt.Errorf("compute card value: %w", err)
	}
	return secret.New(v[:]), nil
}

// VerifyCardValue compares in constant time; see [hsm.CardValues].
func (b *Backend) VerifyCardValue(_ context.Context, cvk hsm.KeyRef, kind hsm.CardValueKind, in hsm.CardValueInput, got secret.Value) (bool, error) {
	want, err := b.cardValue(&cvk, hsm.ModeVerify, kind, &in)
	if err != nil {
		return false, fmt.Errorf("verify card value: %w", err)
	}
	return subtle.ConstantTimeCompare(want[:], got.Reveal()) == 1, nil
}

func (b *Backend) cardValue(cvk *hsm.KeyRef, mode hsm.Mode, kind hsm.CardValueKind, in *hsm.CardValueInput) ([3]byte, error) {
	k, err := b.use(cvk, mode, hsm.UsageCVK)
	if err != nil {
		return [3]byte{}, err
	}
	service := in.ServiceCode
	switch kind {
	case hsm.CVV:
	case hsm.ICVV:
		service = "999"
	case hsm.CVV2:
		service = "000"
	default:
		return [3]byte{}, hsm.ErrFormat
	}
	if in.PAN.IsZero() {
		return [3]byte{}, hsm.ErrFormat
	}
	v, err := algo.CVV(k.pair, in.PAN.Reveal(), in.Expiry, service)
	if err != nil {
		return [3]byte{}, hsm.ErrFormat
	}
	return v, nil
}
