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
