package algo

import (
	"crypto/cipher"
	"crypto/sha1" //nolint:gosec // EMV Book 2, annex A1.4.2 prescribes it
	"crypto/subtle"
	"encoding/binary"
)

// Option is a way to derive ICC master keys (EMV Book 2, annex A1.4).
type Option byte

// The options. B hashes PAN and sequence when the PAN has more than 16 digits
// and equals A otherwise.
const (
	OptionA Option = 'A'
	OptionB Option = 'B'
)

// ICCMasterKey derives a card's master key from an issuer master key (EMV Book
// 2, annex A1.4.1 and A1.4.2). The result has odd parity. pan has 1 to 19
// digits; psn is two digits, or empty for 00.
func ICCMasterKey(imk cipher.Block, pan, psn string, o Option) ([16]byte, error) {
	var key [16]byte
	if psn == "" {
		psn = "00"
	}
	if imk.BlockSize() != 8 || len(pan) < 1 || len(pan) > 19 || len(psn) != 2 || !decimal(pan) || !decimal(psn) {
		return key, ErrInput
	}
	var text [22]byte
	s := append(append(text[:0], pan...), psn...)
	var x [16]byte
	switch {
	case o == OptionB && len(pan) > 16:
		if len(s)%2 != 0 {
			s = append([]byte{'0'}, s...)
		}
		bcd := make([]byte, len(s)/2)
		packDigits(bcd, s)
		h := sha1.Sum(bcd) //nolint:gosec // see import
		decimalise(x[:], h[:])
	case o == OptionA, o == OptionB:
		for i := range x {
			x[i] = '0'
		}
		if len(s) > 16 {
			s = s[len(s)-16:]
		}
		copy(x[16-len(s):], s)
	default:
		return key, ErrInput
	}
	buf := make([]byte, 16)
	packDigits(buf[:8], x[:])
	for i := range 8 {
		buf[8+i] = ^buf[i]
	}
	imk.Encrypt(buf[:8], buf[:8])
	imk.Encrypt(buf[8:], buf[8:])
	OddParity(buf)
	copy(key[:], buf)
	clear(buf)
	return key, nil
}

// SessionKey is the EMV common session key derivation (EMV Book 2, annex
// A1.3.1), also Mastercard's SKD: two encryptions of r under the ICC master
// key with its third byte F0 and 0F. The result has odd parity.
//
// r is ATC ‖ 000000000000 for application cryptograms, ATC ‖ 0000 ‖ UN for SKD,
// the ARQC for secure messaging.
func SessionKey(mk cipher.Block, r [8]byte) ([16]byte, error) {
	var key [16]byte
	if mk.BlockSize() != 8 {
		return key, ErrKey
	}
	buf := make([]byte, 16)
	copy(buf, r[:])
	copy(buf[8:], r[:])
	buf[2], buf[10] = 0xF0, 0x0F
	mk.Encrypt(buf[:8], buf[:8])
	mk.Encrypt(buf[8:], buf[8:])
	OddParity(buf)
	copy(key[:], buf)
	clear(buf)
	return key, nil
}

// VisaSMKey derives Visa's secure messaging session key: the last two bytes of
// the left half xor ATC, of the right half xor the complement of ATC. The
// result has odd parity.
func VisaSMKey(mk [16]byte, atc [2]byte) [16]byte {
	mk[6] ^= atc[0]
	mk[7] ^= atc[1]
	mk[14] ^= ^atc[0]
	mk[15] ^= ^atc[1]
	OddParity(mk[:])
	return mk
}

// EMV2000Key derives a session key by the tree of EMV 2000 (EMV 4.1 Book 2,
// annex A1.3; withdrawn, for old cards). height and branch are 8 and 4 or 16
// and 2; the tree must have a leaf for every counter. The result has odd parity.
func EMV2000Key(mk [16]byte, atc [2]byte, height, branch int, iv [16]byte) ([16]byte, error) {
	leaves := 1
	for range height {
		if leaves *= branch; leaves > 1<<17 || leaves < 1 {
			break
		}
	}
	if height < 2 || height > 16 || branch < 2 || branch > 4 || leaves < 1<<16 {
		return [16]byte{}, ErrInput
	}
	counter := int(binary.BigEndian.Uint16(atc[:]))
	parent, grandparent := mk, iv
	for level := 1; ; level++ {
		j := counter // index of the ancestor at this level
		for range height - level {
			j /= branch
		}
		child, err := treeChild(parent, grandparent, byte(j%branch))
		if err != nil {
			return [16]byte{}, err
		}
		if level == height {
			subtle.XORBytes(child[:], child[:], grandparent[:])
			OddParity(child[:])
			return child, nil
		}
		grandparent, parent = parent, child
	}
}

// treeChild is the function Φ of the tree.
func treeChild(x, y [16]byte, j byte) ([16]byte, error) {
	b, err := NewTDES(x[:])
	if err != nil {
		return [16]byte{}, err
	}
	buf := y[:]
	buf[7] ^= j
	buf[15] ^= j ^ 0xF0
	b.Encrypt(buf[:8], buf[:8])
	b.Encrypt(buf[8:], buf[8:])
	return y, nil
}
