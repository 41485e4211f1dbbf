package hsm

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// CardValueKind is a member of the CVV family. It decides the service code
// that enters the computation.
type CardValueKind int

// The card values.
const (
	CVV  CardValueKind = 1 // on the stripe: the service code encoded there
	ICVV CardValueKind = 2 // in the chip's track 2 equivalent: service code 999
	CVV2 CardValueKind = 3 // shown to the cardholder: service code 000
)

// CardValueInput is what a card value is computed from.
//
// Expiry is YYMM for every kind and product, CVV2 included: the order fed to
// the algorithm is a convention of the issuer, and this is ours.
type CardValueInput struct {
	PAN         pan.PAN
	Expiry      string // YYMM
	ServiceCode string // three digits; read for CVV only
}

// CardValues computes and checks CVV, iCVV and CVV2 under a CVK (usage C0).
type CardValues interface {
	// CardValue computes the three-digit value.
	CardValue(ctx context.Context, cvk KeyRef, kind CardValueKind, in CardValueInput) (secret.Value, error)
	// VerifyCardValue compares got in constant time. A value that is not three
	// digits does not match; it is no error.
	VerifyCardValue(ctx context.Context, cvk KeyRef, kind CardValueKind, in CardValueInput, got secret.Value) (bool, error)
}
