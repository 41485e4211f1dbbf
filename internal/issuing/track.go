package issuing

import (
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// The issuer's own digits on the tracks of our cards: one of PVKI and four of
// PVV, which stay zero because the host keeps them, and three of CVV (iCVV in
// the chip's copy of track 2).
const (
	pinField      = "00000"
	cardValueSize = 3
)

// CardValueOnTrack returns the CVV, or from a chip's track the iCVV, of one of
// our cards. It is zero for a track without one.
func CardValueOnTrack(t pan.Track2) secret.Value {
	d := t.Discretionary().Reveal()
	if len(d) < len(pinField)+cardValueSize {
		return secret.Value{}
	}
	return secret.New(d[len(pinField) : len(pinField)+cardValueSize])
}

// track2 is what the stripe of a card holds between its sentinels (ISO/IEC
// 7813).
func track2(p pan.PAN, c Card, cvv secret.Value) string {
	return p.Reveal() + "=" + c.Expires.YYMM() + c.ServiceCode + pinField + string(cvv.Reveal())
}

// track1 is the format B track with name.
func track1(p pan.PAN, c Card, cvv secret.Value) string {
	name := c.EmbossLine1
	if name == "" {
		name = "CARDHOLDER"
	}
	return "B" + p.Reveal() + "^" + name[:min(len(name), 26)] + "^" + c.Expires.YYMM() + c.ServiceCode + pinField +
		"00" + string(cvv.Reveal()) + "000000"
}

// ChipProfile returns the profile that a product's chipProfileCode names: CVN10,
// CVN18 and CVN22 after Visa's cryptogram versions, MCHIP16, MCHIP17, MCHIP20
// and MCHIP21 after Mastercard's.
func ChipProfile(code string) (hsm.Profile, error) {
	switch code {
	case "CVN10":
		return hsm.CVN10, nil
	case "CVN18":
		return hsm.CVN18, nil
	case "CVN22":
		return hsm.CVN22, nil
	case "MCHIP16":
		return hsm.MChip16, nil
	case "MCHIP17":
		return hsm.MChip17, nil
	case "MCHIP20":
		return hsm.MChip20, nil
	case "MCHIP21":
		return hsm.MChip21, nil
	}
	return 0, fmt.Errorf("read chip profile: %w", hsm.ErrNotSupported)
}
