package algo

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"

	"github.com/sarraf-platform/sarraf/internal/hsm"
)

// Names of the hsm interface that computations share with it, so that sim needs
// one import.
type (
	// Profile is [hsm.Profile].
	Profile = hsm.Profile
	// ARQCInput is [hsm.ARQCInput].
	ARQCInput = hsm.ARQCInput
)

// The profiles of hsm.
const (
	CVN10      = hsm.CVN10
	CVN18      = hsm.CVN18
	CVN22      = hsm.CVN22
	MChip16    = hsm.MChip16
	MChip17    = hsm.MChip17
	MChip20    = hsm.MChip20
	MChip21    = hsm.MChip21
	Interac133 = hsm.Interac133
)

// ParseProfile reads a profile's name, such as "visa18" or "mc17".
func ParseProfile(name string) (Profile, error) { return hsm.ParseProfile(name) }

// scheme is what a profile means (crypto.md §12).
type scheme struct {
	option   Option
	session  sessionMethod
	padding  Padding
	method   int  // ARPC method
	masterAC bool // method 1 under the ICC master key instead of the session key
	visaSM   bool // Visa secure messaging keys, else CSK over the ARQC
	script   ScriptEncryption
	bareMAC  bool // script MAC without ATC and ARQC
}

type sessionMethod int

const (
	sessionNone sessionMethod = iota
	sessionCSK
	sessionSKD
)

func schemeOf(p Profile) (scheme, error) {
	switch p {
	case CVN10:
		return scheme{option: OptionA, session: sessionNone, padding: Zeros, method: 1, masterAC: true, visaSM: true, script: ScriptVisa}, nil
	case CVN18:
		return scheme{option: OptionB, session: sessionCSK, padding: OneZeros, method: 2, visaSM: true, script: ScriptVisa}, nil
	case CVN22:
		return scheme{option: OptionB, session: sessionCSK, padding: OneZeros, method: 2, script: ScriptVisa}, nil
	case MChip16, MChip17:
		return scheme{option: OptionB, session: sessionSKD, padding: OneZeros, method: 1, masterAC: true, script: ScriptMastercard}, nil
	case MChip20, MChip21:
		return scheme{option: OptionB, session: sessionCSK, padding: OneZeros, method: 1, script: ScriptMastercard}, nil
	case Interac133:
		return scheme{option: OptionA, session: sessionSKD, padding: OneZeros, method: 1, script: ScriptMastercard, bareMAC: true}, nil
	}
	return scheme{}, ErrInput
}

// MasterKeyOption is the ICC master key derivation of a profile.
func MasterKeyOption(p Profile) (Option, error) {
	s, err := schemeOf(p)
	return s.option, err
}

// IADPart is the part of Issuer Application Data that a profile's cryptogram
// covers. It points into iad. Interac 133 covers what it is given.
func IADPart(p Profile, iad []byte) ([]byte, error) {
	if p == Interac133 {
		if len(iad) == 0 || len(iad) > 32 {
			return nil, ErrInput
		}
		return iad, nil
	}
	d, err := hsm.ParseIAD(iad)
	if err != nil || !d.Fits(p) {
		return nil, ErrInput
	}
	switch p {
	case CVN10, MChip16, MChip20:
		return d.CVR, nil
	case CVN18, CVN22:
		return iad, nil
	case MChip17, MChip21:
		// CVR and counters; DAC or IDN between them is left out.
		part := make([]byte, 0, len(d.CVR)+len(d.Counters))
		return append(append(part, d.CVR...), d.Counters...), nil
	}
	return nil, ErrInput
}

// AppendTransaction appends the values every profile signs first, in their
// order (EMV Book 2, §8.1.1): 9F02 9F03 9F1A 95 5F2A 9A 9C 9F37 82 9F36.
func AppendTransaction(dst []byte, in *ARQCInput) []byte {
	dst = append(dst, in.AmountAuthorized[:]...)
	dst = append(dst, in.AmountOther[:]...)
	dst = append(dst, in.Country[:]...)
	dst = append(dst, in.TVR[:]...)
	dst = append(dst, in.Currency[:]...)
	dst = append(dst, in.Date[:]...)
	dst = append(dst, in.Type)
	dst = append(dst, in.UN[:]...)
	dst = append(dst, in.AIP[:]...)
	return append(dst, in.ATC[:]...)
}

// AppendCryptogramInput appends all that a profile signs, unpadded: the
// transaction and its part of the IAD.
func AppendCryptogramInput(dst []byte, in *ARQCInput) ([]byte, error) {
	part, err := IADPart(in.Profile, in.IAD)
	if err != nil {
		return nil, err
	}
	return append(AppendTransaction(dst, in), part...), nil
}

// CryptogramPadding is the padding of a profile's cryptogram.
func CryptogramPadding(p Profile) (Padding, error) {
	s, err := schemeOf(p)
	return s.padding, err
}

// ACKey is the key of a profile's application cryptogram for one transaction:
// the ICC master key itself, or a session key of it (EMV Book 2, annex A1.3).
func ACKey(p Profile, mk Pair, atc [2]byte, un [4]byte) (Pair, error) {
	s, err := schemeOf(p)
	if err != nil {
		return Pair{}, err
	}
	if s.session == sessionNone {
		return mk, nil
	}
	r := [8]byte{atc[0], atc[1]}
	if s.session == sessionSKD {
		copy(r[4:], un[:])
	}
	key, err := SessionKey(mk.triple, r)
	if err != nil {
		return Pair{}, err
	}
	defer clear(key[:])
	return NewPair(key[:])
}

// Cryptogram is the MAC of an application cryptogram under its key (EMV Book 2,
// §8.1.2): MAC algorithm 3, 8 bytes.
func Cryptogram(key Pair, data []byte, p Padding) ([8]byte, error) {
	var ac [8]byte
	m, err := MAC3(key, data, p)
	if err != nil {
		return ac, err
	}
	copy(ac[:], m)
	return ac, nil
}

// ApplicationCryptogram computes the ARQC of a transaction under the ICC master
// key mk of its card. The ARQC in it is ignored.
func ApplicationCryptogram(mk Pair, in *ARQCInput) ([8]byte, error) {
	var ac [8]byte
	s, err := schemeOf(in.Profile)
	if err != nil {
		return ac, err
	}
	key, err := ACKey(in.Profile, mk, in.ATC, in.UN)
	if err != nil {
		return ac, err
	}
	// 33 bytes of transaction, at most 32 of IAD, padding.
	buf, err := AppendCryptogramInput(make([]byte, 0, 80), in)
	if err != nil {
		return ac, err
	}
	buf = pad8(buf, len(buf), s.padding)
	copy(ac[:], retailMAC(key, buf))
	return ac, nil
}

// ARPC1 is response cryptogram method 1 (EMV Book 2, §8.2.1): 8 bytes.
func ARPC1(key cipher.Block, arqc [8]byte, arc [2]byte) ([8]byte, error) {
	if key.BlockSize() != 8 {
		return [8]byte{}, ErrKey
	}
	arqc[0] ^= arc[0]
	arqc[1] ^= arc[1]
	buf := arqc[:]
	key.Encrypt(buf, buf)
	return arqc, nil
}

// ARPC2 is response cryptogram method 2 (EMV Book 2, §8.2.2): the 4 leftmost
// bytes of MAC algorithm 3 over ARQC, card status update and proprietary data
// of 0 to 8 bytes.
func ARPC2(key Pair, arqc [8]byte, csu [4]byte, proprietary []byte) ([4]byte, error) {
	var out [4]byte
	if len(proprietary) > 8 {
		return out, ErrInput
	}
	buf := make([]byte, 0, 24)
	buf = append(append(append(buf, arqc[:]...), csu[:]...), proprietary...)
	buf = pad8(buf, len(buf), OneZeros)
	copy(out[:], retailMAC(key, buf))
	return out, nil
}

// CardStatusUpdate is what method 2 profiles tell the card: issuer approves
// online and resets the offline counters, or nothing (EMV Book 3, annex C8).
func CardStatusUpdate(approved bool) [4]byte {
	if approved {
		return [4]byte{0x00, 0x82, 0x00, 0x00}
	}
	return [4]byte{}
}

// Response computes the response cryptogram of in.ARQC and returns the value of
// tag 91: ARPC ‖ arc for method 1, ARPC ‖ csu for method 2.
func Response(mk Pair, in *ARQCInput, arc [2]byte, csu [4]byte) ([]byte, error) {
	s, err := schemeOf(in.Profile)
	if err != nil {
		return nil, err
	}
	key := mk
	if !s.masterAC {
		if key, err = ACKey(in.Profile, mk, in.ATC, in.UN); err != nil {
			return nil, err
		}
	}
	if s.method == 1 {
		out := make([]byte, 10)
		arpc := out[:8]
		copy(arpc, in.ARQC[:])
		subtle.XORBytes(arpc, arpc[:2], arc[:])
		key.triple.Encrypt(arpc, arpc)
		copy(out[8:], arc[:])
		return out, nil
	}
	arpc, err := ARPC2(key, in.ARQC, csu, nil)
	if err != nil {
		return nil, err
	}
	return append(arpc[:], csu[:]...), nil
}

// ScriptKey derives the secure messaging session key of a profile from an ICC
// master key: Visa's, or CSK over the ARQC counted up by sequence, modulo 2^64.
func ScriptKey(p Profile, mk [16]byte, atc [2]byte, arqc [8]byte, sequence int) ([16]byte, error) {
	s, err := schemeOf(p)
	if err != nil || sequence < 0 {
		return [16]byte{}, ErrInput
	}
	if s.visaSM {
		return VisaSMKey(mk, atc), nil
	}
	b, err := NewTDES(mk[:])
	if err != nil {
		return [16]byte{}, err
	}
	binary.BigEndian.PutUint64(arqc[:], binary.BigEndian.Uint64(arqc[:])+uint64(sequence))
	return SessionKey(b, arqc)
}
