package issuing

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/program"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// ClearCard is everything on and in a test card, so that a tester can build the
// messages of a terminal.
type ClearCard struct {
	Number       pan.PAN
	Card         Card
	ProductCode  string
	CVV2         secret.Value
	CVV          secret.Value
	ICVV         secret.Value
	Track1       secret.Value
	Track2       secret.Value
	PVV          string       // empty while no PIN is set
	CVN          byte         // cryptogram version number
	DKI          byte         // derivation key index
	ICCMasterKey secret.Value // for application cryptograms
	ICCSMIKey    secret.Value // for the integrity of issuer scripts
	ICCSMCKey    secret.Value // for their confidentiality
	ZPK          secret.Value // TDES, for ISO formats 0, 1 and 3
	ZPKAES       secret.Value // AES, for ISO format 4
}

// RevealCard returns a test card in clear: the plastic of that sequence, 0 being
// the one in force. For a production tenant there is no
// such thing: every card is not found, and the HSM would refuse besides.
func (s *Service) RevealCard(ctx context.Context, c access.Caller, token string, sequence int) (ClearCard, error) {
	if !c.Sandbox {
		return ClearCard{}, errCardNotFound
	}
	u, err := s.openForUse(ctx, c, token, sequence)
	if err != nil {
		return ClearCard{}, err
	}
	out := ClearCard{Card: u.Card, ProductCode: u.product.Code, PVV: u.PIN.Value}
	if out.Number, err = s.openPAN(ctx, u.Card); err != nil {
		return ClearCard{}, err
	}
	in := cardValueInput(u.Card, out.Number)
	for _, v := range []struct {
		to   *secret.Value
		kind hsm.CardValueKind
	}{{&out.CVV, hsm.CVV}, {&out.ICVV, hsm.ICVV}, {&out.CVV2, hsm.CVV2}} {
		if *v.to, err = s.HSM.CardValue(ctx, u.keys.CVK, v.kind, in); err != nil {
			return ClearCard{}, fmt.Errorf("compute card value: %w", hsmFault(err))
		}
	}
	out.Track1 = secret.FromString(track1(out.Number, u.Card, out.CVV))
	out.Track2 = secret.FromString(track2(out.Number, u.Card, out.CVV))
	profile, err := program.ChipProfile(u.ChipProfile)
	if err != nil {
		return ClearCard{}, fmt.Errorf("card %s: %w", u.ID, err)
	}
	out.CVN = profile.CVN()
	dki, err := hex.DecodeString(u.KeyVersion)
	if err != nil || len(dki) != 1 {
		return ClearCard{}, fmt.Errorf("card %s: key version is not a derivation key index", u.ID)
	}
	out.DKI = dki[0]
	for _, k := range []struct {
		to  *secret.Value
		imk hsm.KeyRef
	}{{&out.ICCMasterKey, u.keys.IMKAC}, {&out.ICCSMIKey, u.keys.IMKSMI}, {&out.ICCSMCKey, u.keys.IMKSMC}} {
		if *k.to, err = s.HSM.ICCMasterKey(ctx, k.imk, out.Number, u.PSN, profile); err != nil {
			return ClearCard{}, fmt.Errorf("derive card key: %w", hsmFault(err))
		}
	}
	if out.ZPK, err = s.HSM.RevealKey(ctx, u.keys.ZPK); err != nil {
		return ClearCard{}, fmt.Errorf("reveal ZPK: %w", hsmFault(err))
	}
	if out.ZPKAES, err = s.HSM.RevealKey(ctx, u.keys.ZPKAES); err != nil {
		return ClearCard{}, fmt.Errorf("reveal ZPK: %w", hsmFault(err))
	}
	return out, nil
}

// HexKey writes a key the way testers' tools read it.
func HexKey(v secret.Value) string { return strings.ToUpper(hex.EncodeToString(v.Reveal())) }
