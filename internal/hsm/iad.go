package hsm

import "fmt"

// IADFormat is the layout of Issuer Application Data (tag 9F10).
type IADFormat int

// The layouts.
const (
	IADUnknown IADFormat = 0
	IADVisa013 IADFormat = 1 // 06 ‖ DKI ‖ CVN ‖ CVR (03 + 3 bytes) ‖ length and discretionary data
	IADVisa24  IADFormat = 2 // 1F ‖ CVN ‖ DKI ‖ CVR 5 ‖ discretionary data 24
	IADMChip   IADFormat = 3 // DKI ‖ CVN ‖ CVR 6 ‖ DAC or IDN 2 ‖ counters 8 or 16 ‖ last online ATC 0 or 2
	IADCCD     IADFormat = 4 // 0F ‖ CCI ‖ DKI ‖ CVR 5 ‖ counters 8 ‖ 0F ‖ discretionary data 15
)

// String is the layout's name in traces.
func (f IADFormat) String() string {
	switch f {
	case IADVisa013:
		return "visa_0_1_3"
	case IADVisa24:
		return "visa_2_4"
	case IADMChip:
		return "mchip"
	case IADCCD:
		return "ccd"
	}
	return "unknown"
}

// IAD is Issuer Application Data taken apart. The slices point into what was
// parsed. DKI is the derivation key index, CVN the cryptogram version number
// (the common core identifier in CCD).
type IAD struct {
	Format        IADFormat
	DKI, CVN      byte
	CVR           []byte // Visa 0/1/3: 4 bytes with the leading length 03
	DACIDN        []byte // M/Chip
	Counters      []byte // M/Chip and CCD
	LastOnlineATC []byte // M/Chip of 20 and 28 bytes
	Discretionary []byte // Visa 0/1/3: with its length byte
}

// ParseIAD recognises the layout by length and marker bytes and splits it. It
// accepts nothing it does not know ([ErrFormat]) and never reads past the end.
func ParseIAD(b []byte) (IAD, error) {
	switch n := len(b); {
	case n == 32 && b[0] == 0x1F:
		return IAD{Format: IADVisa24, CVN: b[1], DKI: b[2], CVR: b[3:8], Discretionary: b[8:]}, nil
	case n == 32 && b[0] == 0x0F && b[16] == 0x0F:
		return IAD{Format: IADCCD, CVN: b[1], DKI: b[2], CVR: b[3:8], Counters: b[8:16], Discretionary: b[17:]}, nil
	case n >= 7 && n <= 23 && b[0] == 0x06 && b[3] == 0x03 && (n == 7 || int(b[7]) == n-8):
		// A discretionary part announces its own length.
		return IAD{Format: IADVisa013, DKI: b[1], CVN: b[2], CVR: b[3:7], Discretionary: b[7:]}, nil
	case n == 18 || n == 20 || n == 26 || n == 28:
		counters := 8
		if n >= 26 {
			counters = 16
		}
		return IAD{
			Format: IADMChip, DKI: b[0], CVN: b[1], CVR: b[2:8], DACIDN: b[8:10],
			Counters: b[10 : 10+counters], LastOnlineATC: b[10+counters:],
		}, nil
	}
	return IAD{}, fmt.Errorf("parse issuer application data: %w", ErrFormat)
}

// Fits reports whether p computes its cryptogram over data of this layout and
// version. It is a plausibility check; the card's product decides the profile.
func (d IAD) Fits(p Profile) bool {
	r, ok := p.row()
	if !ok || r.cvn != d.CVN {
		return false
	}
	// CVN18 and CVN22 sign the whole field, so either Visa layout serves.
	visa := d.Format == IADVisa013 || d.Format == IADVisa24
	return r.format == d.Format || (visa && (p == CVN18 || p == CVN22))
}

// CryptogramType is what a card answered to a GENERATE AC command.
type CryptogramType int

// The answers.
const (
	AAC          CryptogramType = 0
	TC           CryptogramType = 1
	ARQC         CryptogramType = 2
	NotRequested CryptogramType = 3 // second GENERATE AC only; in the first it is a value the standards reserve
)

// String is the standard's abbreviation.
func (t CryptogramType) String() string {
	return [...]string{"AAC", "TC", "ARQC", "not_requested"}[t&3]
}

// CVR is the part of the Card Verification Results that is common enough to
// decide on. What a layout does not tell is false or zero.
type CVR struct {
	FirstAC, SecondAC          CryptogramType
	OfflinePINPerformed        bool
	OfflinePINFailed           bool
	OfflinePINSuccessful       bool // M/Chip
	PINTryLimitExceeded        bool
	TerminalConsidersPINOK     bool // M/Chip: the terminal wrongly considers the PIN correct (wedge attack)
	UnableOnline               bool
	LastOnlineNotCompleted     bool
	IssuerAuthenticationFailed bool
	ScriptFailed               bool
	International, Domestic    bool // M/Chip
	LowerConsecutiveExceeded   bool // M/Chip
	UpperConsecutiveExceeded   bool // M/Chip
	LowerCumulativeExceeded    bool // M/Chip
	UpperCumulativeExceeded    bool // M/Chip
	VelocityExceeded           bool // Visa
	ScriptCounter              int  // 0–15
	PINTryCounter              int  // M/Chip: tries left, 0–15
}

// ParseMChipCVR reads the six bytes of an M/Chip CVR.
func ParseMChipCVR(b []byte) (CVR, error) {
	if len(b) != 6 {
		return CVR{}, fmt.Errorf("parse card verification results: %w", ErrFormat)
	}
	return CVR{
		SecondAC:                   secondAC(b[0]),
		FirstAC:                    CryptogramType(b[0] >> 4 & 3),
		OfflinePINPerformed:        b[0]&0x04 != 0,
		OfflinePINSuccessful:       b[0]&0x01 != 0,
		ScriptCounter:              int(b[2] >> 4),
		PINTryCounter:              int(b[2] & 0x0F),
		LastOnlineNotCompleted:     b[3]&0x80 != 0,
		UnableOnline:               b[3]&0x40 != 0,
		OfflinePINFailed:           b[3]&0x10 != 0,
		PINTryLimitExceeded:        b[3]&0x08 != 0,
		International:              b[3]&0x04 != 0,
		Domestic:                   b[3]&0x02 != 0,
		TerminalConsidersPINOK:     b[3]&0x01 != 0,
		LowerConsecutiveExceeded:   b[4]&0x80 != 0,
		UpperConsecutiveExceeded:   b[4]&0x40 != 0,
		LowerCumulativeExceeded:    b[4]&0x20 != 0,
		UpperCumulativeExceeded:    b[4]&0x10 != 0,
		IssuerAuthenticationFailed: b[4]&0x04 != 0,
		ScriptFailed:               b[4]&0x01 != 0,
	}, nil
}

// ParseVisaCVR reads the four bytes (03 and three more) of a Visa CVR of IAD
// formats 0, 1 and 3.
func ParseVisaCVR(b []byte) (CVR, error) {
	if len(b) != 4 || b[0] != 0x03 {
		return CVR{}, fmt.Errorf("parse card verification results: %w", ErrFormat)
	}
	return CVR{
		SecondAC:                   secondAC(b[1]),
		FirstAC:                    CryptogramType(b[1] >> 4 & 3),
		IssuerAuthenticationFailed: b[1]&0x08 != 0 || b[2]&0x08 != 0,
		OfflinePINPerformed:        b[1]&0x04 != 0,
		OfflinePINFailed:           b[1]&0x02 != 0,
		UnableOnline:               b[1]&0x01 != 0,
		LastOnlineNotCompleted:     b[2]&0x80 != 0,
		PINTryLimitExceeded:        b[2]&0x40 != 0,
		VelocityExceeded:           b[2]&0x20 != 0,
		ScriptCounter:              int(b[3] >> 4),
		ScriptFailed:               b[3]&0x08 != 0,
	}, nil
}

// Results are the Card Verification Results, where their layout is known.
func (d IAD) Results() (r CVR, known bool) {
	var err error
	switch d.Format {
	case IADVisa013:
		r, err = ParseVisaCVR(d.CVR)
	case IADMChip:
		r, err = ParseMChipCVR(d.CVR)
	default:
		return r, false
	}
	return r, err == nil
}

// PINVerified reports whether the card says that it compared a PIN itself and
// found it right. What a layout does not tell was not verified. Only under a
// right cryptogram is it the card that says so.
func (d IAD) PINVerified() bool {
	r, known := d.Results()
	return known && r.OfflinePINPerformed && !r.OfflinePINFailed && !r.TerminalConsidersPINOK &&
		(r.OfflinePINSuccessful || d.Format != IADMChip)
}

// secondAC reads bits 8 and 7: 00 AAC, 01 TC, 10 not requested.
func secondAC(b byte) CryptogramType {
	switch b >> 6 {
	case 0:
		return AAC
	case 1:
		return TC
	}
	return NotRequested
}
