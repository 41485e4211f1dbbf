package algo

import (
	"crypto/cipher"
	"crypto/subtle"
	"io"
)

// account12 packs the twelve rightmost digits of pan without its check digit,
// left-padded with zeros (ISO 9564-1, §9.3.2.3).
func account12(pan string) ([6]byte, error) {
	var out [6]byte
	if len(pan) < 12 || len(pan) > 19 {
		return out, ErrInput
	}
	text := [12]byte{'0', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0'}
	body := pan[:len(pan)-1]
	if len(body) > 12 {
		body = body[len(body)-12:]
	}
	copy(text[12-len(body):], body)
	if !packDigits(out[:], text[:]) {
		return out, ErrInput
	}
	return out, nil
}

// EncodePINBlock builds the clear PIN block of format 0, 1, 2 or 3 (ISO
// 9564-1, §9.3). Formats 0 and 3 are bound to pan (12 to 19 digits); 1 and 3
// draw their fill from random, which formats 0 and 2 do not read.
func EncodePINBlock(format int, pin *PIN, pan string, random io.Reader) ([8]byte, error) {
	var b [8]byte
	if pin.n < 4 || pin.n > 12 {
		return b, ErrInput
	}
	n := int(pin.n)
	var nibbles [16]byte
	nibbles[0], nibbles[1] = byte(format), pin.n
	for i := range n {
		nibbles[2+i] = pin.digits[i] - '0'
	}
	fill := nibbles[2+n:]
	switch format {
	case 0, 2:
		for i := range fill {
			fill[i] = 0x0F
		}
	case 1:
		raw := make([]byte, (len(fill)+1)/2)
		if _, err := io.ReadFull(random, raw); err != nil {
			return b, err
		}
		for i := range fill {
			fill[i] = raw[i/2] >> (4 * (1 - i%2)) & 0x0F
		}
	case 3:
		if err := fillLetters(fill, random); err != nil {
			return b, err
		}
	default:
		return b, ErrInput
	}
	for i := range b {
		b[i] = nibbles[2*i]<<4 | nibbles[2*i+1]
	}
	if format == 0 || format == 3 {
		account, err := account12(pan)
		if err != nil {
			return [8]byte{}, err
		}
		subtle.XORBytes(b[2:], b[2:], account[:])
	}
	return b, nil
}

// fillLetters draws nibbles A–F, each with equal chance, by rejection.
func fillLetters(dst []byte, random io.Reader) error {
	raw := make([]byte, 16)
	for n := 0; n < len(dst); {
		if _, err := io.ReadFull(random, raw); err != nil {
			return err
		}
		for i := 0; i < 2*len(raw) && n < len(dst); i++ {
			if d := raw[i/2] >> (4 * (1 - i%2)) & 0x0F; d >= 0x0A {
				dst[n] = d
				n++
			}
		}
	}
	return nil
}

// DecodePINBlock reads the clear PIN block of format 0, 1, 2 or 3, checking
// control nibble, length, digits and fill. All checks run before the one
// answer, [ErrPINBlock]. pan is read for formats 0 and 3.
func DecodePINBlock(format int, block []byte, pan string) (PIN, error) {
	if len(block) != 8 || format < 0 || format > 3 {
		return PIN{}, ErrPINBlock
	}
	var b [8]byte
	copy(b[:], block)
	defer clear(b[:])
	bad := byte(0)
	if format == 0 || format == 3 {
		account, err := account12(pan)
		if err != nil {
			return PIN{}, ErrPINBlock
		}
		subtle.XORBytes(b[2:], b[2:], account[:])
	}
	if b[0]>>4 != byte(format) {
		bad = 1
	}
	n := b[0] & 0x0F
	if n < 4 || n > 12 {
		bad, n = 1, 4
	}
	p := PIN{n: n}
	for i := range 14 {
		d := b[1+i/2] >> (4 * (1 - i%2)) & 0x0F
		switch {
		case i < int(n):
			if d > 9 {
				bad = 1
			}
			p.digits[i] = '0' + d
		case format == 3 && d < 0x0A, (format == 0 || format == 2) && d != 0x0F:
			bad = 1
		}
	}
	if bad != 0 {
		return PIN{}, ErrPINBlock
	}
	return p, nil
}

// PANField4 is the PAN field of format 4 (ISO 9564-1, §9.4.2.3): the number of
// digits beyond twelve, the whole PAN left-padded to twelve, zeros.
func PANField4(pan string) ([16]byte, error) {
	var out [16]byte
	if len(pan) < 1 || len(pan) > 19 || !decimal(pan) {
		return out, ErrInput
	}
	var text [32]byte
	for i := range text {
		text[i] = '0'
	}
	if len(pan) > 12 {
		text[0] = '0' + byte(len(pan)-12)
		copy(text[1:], pan)
	} else {
		copy(text[13-len(pan):], pan)
	}
	packDigits(out[:], text[:])
	return out, nil
}

// EncipherPIN4 builds and encrypts a format 4 PIN block under an AES key (ISO
// 9564-1, §9.4). It reads 8 bytes from random.
func EncipherPIN4(key cipher.Block, pin *PIN, pan string, random io.Reader) ([16]byte, error) {
	var out [16]byte
	if pin.n < 4 || pin.n > 12 || key.BlockSize() != 16 {
		return out, ErrInput
	}
	field, err := PANField4(pan)
	if err != nil {
		return out, err
	}
	b := make([]byte, 16)
	defer clear(b)
	b[0] = 0x40 | pin.n
	for i := range 14 {
		d := byte(0x0A)
		if i < int(pin.n) {
			d = pin.digits[i] - '0'
		}
		b[1+i/2] |= d << (4 * (1 - i%2))
	}
	if _, err := io.ReadFull(random, b[8:]); err != nil {
		return out, err
	}
	key.Encrypt(b, b)
	subtle.XORBytes(b, b, field[:])
	key.Encrypt(b, b)
	copy(out[:], b)
	return out, nil
}

// DecipherPIN4 decrypts and reads a format 4 PIN block. All checks run before
// the one answer, [ErrPINBlock].
func DecipherPIN4(key cipher.Block, block []byte, pan string) (PIN, error) {
	if len(block) != 16 || key.BlockSize() != 16 {
		return PIN{}, ErrPINBlock
	}
	field, err := PANField4(pan)
	if err != nil {
		return PIN{}, ErrPINBlock
	}
	b := make([]byte, 16)
	defer clear(b)
	key.Decrypt(b, block)
	subtle.XORBytes(b, b, field[:])
	key.Decrypt(b, b)
	bad := byte(0)
	if b[0]>>4 != 4 {
		bad = 1
	}
	n := b[0] & 0x0F
	if n < 4 || n > 12 {
		bad, n = 1, 4
	}
	p := PIN{n: n}
	for i := range 14 {
		d := b[1+i/2] >> (4 * (1 - i%2)) & 0x0F
		if i < int(n) {
			if d > 9 {
				bad = 1
			}
			p.digits[i] = '0' + d
		} else if d != 0x0A {
			bad = 1
		}
	}
	if bad != 0 {
		return PIN{}, ErrPINBlock
	}
	return p, nil
}

// MayTranslate reports whether a PIN in one block format may be put into
// another (PCI PIN v3.1, requirement 3-3): 0, 3 and 4 among each other while
// the PAN stays, 1 to any of them, 1 to 1. Format 2 belongs to the chip.
func MayTranslate(from, to int, panChanges bool) bool {
	bound := func(f int) bool { return f == 0 || f == 3 || f == 4 }
	switch {
	case bound(from) && bound(to):
		return !panChanges
	case from == 1 && bound(to), from == 1 && to == 1:
		return true
	}
	return false
}
