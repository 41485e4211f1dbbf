package algo

import (
	"crypto/cipher"
	"crypto/subtle"
)

// ScriptEncryption is how a scheme enciphers the data of a script command.
type ScriptEncryption int

// The ways (crypto.md §6).
const (
	ScriptVisa       ScriptEncryption = 1 // length byte, 80 padding, ECB
	ScriptMastercard ScriptEncryption = 2 // 80 padding unless aligned, CBC
	ScriptEMV        ScriptEncryption = 3 // 80 padding always, CBC (CCD)
)

// EncryptScript enciphers command data under a secure messaging session key
// (EMV Book 2, §9.3, and the schemes' variants).
func EncryptScript(key cipher.Block, data []byte, e ScriptEncryption) ([]byte, error) {
	if key.BlockSize() != 8 || len(data) == 0 || len(data) > 240 {
		return nil, ErrInput
	}
	var buf []byte
	switch e {
	case ScriptVisa:
		buf = append(append(make([]byte, 0, len(data)+16), byte(len(data))), data...)
		buf = pad8(buf, len(buf), OneZeros)
	case ScriptMastercard, ScriptEMV:
		buf = append(make([]byte, 0, len(data)+16), data...)
		if e == ScriptEMV || len(data)%8 != 0 {
			buf = pad8(buf, len(buf), OneZeros)
		}
	default:
		return nil, ErrInput
	}
	if e == ScriptVisa {
		for rest := buf; len(rest) > 0; rest = rest[8:] {
			key.Encrypt(rest[:8], rest[:8])
		}
		return buf, nil
	}
	cipher.NewCBCEncrypter(key, make([]byte, 8)).CryptBlocks(buf, buf)
	return buf, nil
}

// ScriptEncryptionOf is the way of a profile.
func ScriptEncryptionOf(p Profile) (ScriptEncryption, error) {
	s, err := schemeOf(p)
	return s.script, err
}

// SignScript returns header ‖ data ‖ MAC. The MAC is algorithm 3 with 80
// padding over header ‖ extra ‖ data, 8 bytes (EMV Book 2, §9.2). header is the
// 5 bytes with final Lc; extra is ATC ‖ ARQC, or nothing.
func SignScript(key Pair, header [5]byte, extra, data []byte) ([]byte, error) {
	in := make([]byte, 0, 5+len(extra)+len(data)+8)
	in = append(append(append(in, header[:]...), extra...), data...)
	in = pad8(in, len(in), OneZeros)
	out := make([]byte, 0, 5+len(data)+8)
	out = append(append(out, header[:]...), data...)
	return append(out, retailMAC(key, in)...), nil
}

// Script builds a whole command from its first four header bytes: Lc counts
// data and MAC.
func Script(p Profile, smi Pair, header [4]byte, atc [2]byte, arqc [8]byte, data []byte) ([]byte, error) {
	s, err := schemeOf(p)
	if err != nil || len(data) > 240 {
		return nil, ErrInput
	}
	var extra []byte
	if !s.bareMAC {
		extra = append(append(make([]byte, 0, 10), atc[:]...), arqc[:]...)
	}
	h := [5]byte{header[0], header[1], header[2], header[3], byte(len(data) + 8)}
	return SignScript(smi, h, extra, data)
}

// PINBlockVisa is Visa's clear block for a PIN change: the PIN field xor the
// last four bytes of the left half of the card's AC master key, and xor the
// current PIN, left aligned, when there is one (crypto.md §6).
func PINBlockVisa(mkAC [16]byte, fresh, current *PIN) ([8]byte, error) {
	if fresh.n < 4 || fresh.n > 12 {
		return [8]byte{}, ErrInput
	}
	b := pinField(0, fresh)
	subtle.XORBytes(b[4:], b[4:], mkAC[4:8])
	if current != nil {
		if current.n < 4 || current.n > 12 {
			return [8]byte{}, ErrInput
		}
		for i := range int(current.n) {
			b[i/2] ^= (current.digits[i] - '0') << (4 * (1 - i%2))
		}
	}
	return b, nil
}

// pinField is control nibble, length, digits and F.
func pinField(control byte, pin *PIN) [8]byte {
	b := [8]byte{control<<4 | pin.n}
	for i := range 14 {
		d := byte(0x0F)
		if i < int(pin.n) {
			d = pin.digits[i] - '0'
		}
		b[1+i/2] |= d << (4 * (1 - i%2))
	}
	return b
}

// ChangePINBlock is the clear block a profile sends for a PIN change: format 2,
// or Visa's where the profile or a current PIN demands it.
func ChangePINBlock(p Profile, mkAC [16]byte, fresh, current *PIN) ([8]byte, error) {
	if fresh.n < 4 || fresh.n > 12 {
		return [8]byte{}, ErrInput
	}
	switch p {
	case CVN10, CVN18:
		return PINBlockVisa(mkAC, fresh, current)
	case CVN22:
		if current != nil {
			return PINBlockVisa(mkAC, fresh, current)
		}
	default:
		if current != nil {
			return [8]byte{}, ErrInput
		}
	}
	return pinField(2, fresh), nil
}
