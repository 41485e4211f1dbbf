package hsm

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/pan"
)

// Profile is how a card computes cryptograms: derivation, input, padding and
// response method together (crypto.md §12). It follows from the card's product
// and cryptogram version number; what the sender claims never chooses it.
type Profile int

// The profiles. The number is the decimal name the field uses; the cryptogram
// version byte is in the comment.
const (
	CVN10      Profile = 1 // Visa, 0A
	CVN18      Profile = 2 // Visa, 12
	CVN22      Profile = 3 // Visa, 22 hexadecimal
	MChip16    Profile = 4 // Mastercard, 10
	MChip17    Profile = 5 // Mastercard, 11
	MChip20    Profile = 6 // Mastercard, 14
	MChip21    Profile = 7 // Mastercard, 15
	Interac133 Profile = 8 // Interac, 85
)

type profileRow struct {
	name   string
	cvn    byte
	format IADFormat
}

func (p Profile) row() (profileRow, bool) {
	switch p {
	case CVN10:
		return profileRow{"visa10", 0x0A, IADVisa013}, true
	case CVN18:
		return profileRow{"visa18", 0x12, IADVisa013}, true
	case CVN22:
		return profileRow{"visa22", 0x22, IADVisa24}, true
	case MChip16:
		return profileRow{"mc16", 0x10, IADMChip}, true
	case MChip17:
		return profileRow{"mc17", 0x11, IADMChip}, true
	case MChip20:
		return profileRow{"mc20", 0x14, IADMChip}, true
	case MChip21:
		return profileRow{"mc21", 0x15, IADMChip}, true
	case Interac133:
		return profileRow{"interac133", 0x85, IADUnknown}, true
	}
	return profileRow{}, false
}

// String is the profile's name: visa10, visa18, visa22, mc16, mc17, mc20,
// mc21, interac133.
func (p Profile) String() string {
	if r, ok := p.row(); ok {
		return r.name
	}
	return fmt.Sprintf("Profile(%d)", int(p))
}

// CVN is the cryptogram version number a card of this profile sends in its IAD.
func (p Profile) CVN() byte { r, _ := p.row(); return r.cvn }

// ParseProfile is the inverse of [Profile.String].
func ParseProfile(name string) (Profile, error) {
	for p := CVN10; p <= Interac133; p++ {
		if p.String() == name {
			return p, nil
		}
	}
	return 0, fmt.Errorf("parse card profile: %w", ErrFormat)
}

// ARQCInput is what a card signed: the values of the tags in their binary form.
type ARQCInput struct {
	Profile          Profile
	PAN              pan.PAN
	PSN              string  // 5F34, two digits; empty is "00"
	ATC              [2]byte // 9F36
	UN               [4]byte // 9F37
	AmountAuthorized [6]byte // 9F02, BCD
	AmountOther      [6]byte // 9F03, BCD
	Country          [2]byte // 9F1A
	TVR              [5]byte // 95
	Currency         [2]byte // 5F2A
	Date             [3]byte // 9A, YYMMDD BCD
	Type             byte    // 9C
	AIP              [2]byte // 82
	IAD              []byte  // 9F10, whole; the profile takes its part of it
	ARQC             [8]byte // 9F26
}

// ScriptInput is an issuer script command without its MAC (EMV Book 3, §10.10).
type ScriptInput struct {
	Profile  Profile
	PAN      pan.PAN
	PSN      string
	ATC      [2]byte // of the transaction whose answer carries the script
	ARQC     [8]byte // likewise
	Sequence int     // 0 for the first command of the answer; later ones count up
	Header   [4]byte // CLA INS P1 P2; Lc is computed
	Data     []byte  // command data without MAC; nil for PIN change
}

// ScriptKeys are the issuer master keys of secure messaging.
type ScriptKeys struct {
	AC  KeyRef // E0; only Visa's PIN block reads it
	SMI KeyRef // E2
	SMC KeyRef // E1
}

// EMV checks application cryptograms and speaks to the chip. ICC master keys
// and session keys never leave it.
type EMV interface {
	// VerifyARQC reports whether in.ARQC is the cryptogram of the other fields
	// under imk (usage E0). It checks neither counters nor amounts. An IAD that
	// does not fit the profile is ErrFormat.
	VerifyARQC(ctx context.Context, imk KeyRef, in ARQCInput) (bool, error)
	// ResponseCryptogram makes the value of tag 91 for in.ARQC. Method 1
	// profiles carry arc as it is: two ASCII characters of DE39, or the issuer's
	// own code. Method 2 profiles carry a card status update made from approved:
	// 00820000 (issuer approves, offline counters reset) or 00000000.
	ResponseCryptogram(ctx context.Context, imk KeyRef, in ARQCInput, arc [2]byte, approved bool) ([]byte, error)
	// ScriptMAC returns the whole command: header with final Lc, data, 8-byte MAC.
	ScriptMAC(ctx context.Context, smi KeyRef, in ScriptInput) ([]byte, error)
	// ScriptPINChange returns a PIN CHANGE/UNBLOCK command for the PIN inside
	// fresh. current is needed only where P2 of the header is 01 (Visa).
	ScriptPINChange(ctx context.Context, keys ScriptKeys, in ScriptInput, fresh PINBlock, current *PINBlock) ([]byte, error)
}
