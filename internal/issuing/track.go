package issuing

import (
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
