package soft

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/hsm/algo"
)

// TransferOffset makes an offset for another card number; see
// [hsm.PINTransfer].
func (b *Backend) TransferOffset(_ context.Context, t hsm.OffsetTransfer) (hsm.Verifier, error) {
	v, err := b.transferOffset(&t)
	if err != nil {
		return hsm.Verifier{}, fmt.Errorf("transfer PIN offset: %w", err)
	}
	return v, nil
}

func (b *Backend) transferOffset(t *hsm.OffsetTransfer) (hsm.Verifier, error) {
	from, method, err := b.pvk(&t.From, hsm.ModeVerify)
	if err != nil {
		return hsm.Verifier{}, err
	}
	to, fresh, err := b.pvk(&t.To, hsm.ModeGenerate)
	if err != nil {
		return hsm.Verifier{}, err
	}
	if err := belongTogether(&t.From, &t.To); err != nil {
		return hsm.Verifier{}, err
	}
	if method != hsm.IBM3624 || fresh != hsm.IBM3624 || t.Offset.Method != hsm.IBM3624 {
		return hsm.Verifier{}, hsm.ErrKeyUsage
	}
	if t.Old.IsZero() || t.New.IsZero() {
		return hsm.Verifier{}, hsm.ErrFormat
	}
	n := len(t.Offset.Value)
	if n < 4 || n > 12 {
		return hsm.Verifier{}, hsm.ErrIntegrity // it was stored so
	}
	natural, err := naturalPIN(from, t.Old.Reveal(), n)
	if err != nil {
		return hsm.Verifier{}, hsm.ErrFormat
	}
	pin, err := algo.AddDigits(&natural, t.Offset.Value)
	if err != nil {
		return hsm.Verifier{}, hsm.ErrIntegrity
	}
	value, err := verifierOf(to, hsm.IBM3624, 0, t.New.Reveal(), &pin)
	if err != nil {
		return hsm.Verifier{}, hsm.ErrFormat
	}
	return hsm.Verifier{Method: hsm.IBM3624, Value: value}, nil
}

// TransferPIN takes a kept PIN to another card number; see [hsm.PINTransfer].
func (b *Backend) TransferPIN(_ context.Context, t hsm.StoredTransfer) (hsm.Verifier, hsm.PINBlock, error) {
	v, kept, err := b.transferPIN(&t)
	if err != nil {
		return hsm.Verifier{}, hsm.PINBlock{}, fmt.Errorf("transfer PIN: %w", err)
	}
	return v, kept, nil
}

func (b *Backend) transferPIN(t *hsm.StoredTransfer) (v hsm.Verifier, kept hsm.PINBlock, err error) {
	to, method, err := b.pvk(&t.To, hsm.ModeGenerate)
	if err != nil {
		return v, kept, err
	}
	for _, key := range []*hsm.KeyRef{&t.To, &t.Store} {
		if err := belongTogether(&t.Stored.Key, key); err != nil {
			return v, kept, err
		}
	}
	if t.Stored.PAN.IsZero() || t.New.IsZero() {
		return v, kept, hsm.ErrFormat
	}
	n, err := pinLength(method, &hsm.PINRules{Length: t.Length})
	if err != nil {
		return v, kept, err
	}
	pin, _, err := b.openStored(&t.Stored)
	if err != nil {
		return v, kept, err
	}
	if pin.Len() != n {
		return v, kept, hsm.ErrPINLength
	}
	if kept, err = b.keep(&t.Store, t.New, &pin); err != nil {
		return v, kept, err
	}
	v, err = newVerifierOf(to, method, t.New.Reveal(), &pin)
	return v, kept, err
}
