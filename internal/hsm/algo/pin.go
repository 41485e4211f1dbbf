package algo

import (
	"crypto/cipher"
	"fmt"
)

// PIN is a clear PIN of 4 to 12 decimal digits. It prints as asterisks. The
// zero value is no PIN.
type PIN struct {
	digits [12]byte // ASCII
	n      uint8
}

// ParsePIN reads ASCII digits.
func ParsePIN(digits []byte) (PIN, error) {
	var p PIN
	if len(digits) < 4 || len(digits) > 12 {
		return PIN{}, ErrInput
	}
	for i, d := range digits {
		if d < '0' || d > '9' {
			return PIN{}, ErrInput
		}
		p.digits[i] = d
	}
	p.n = uint8(len(digits))
	return p, nil
}

// Len is the number of digits.
func (p *PIN) Len() int { return int(p.n) }

// Digits are the ASCII digits; they belong to p.
func (p *PIN) Digits() []byte { return p.digits[:p.n] }

// Format prints asterisks, whatever the verb.
func (p PIN) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("***")) }

// PINVerificationValue computes a Visa PVV: four ASCII digits (crypto.md §4;
// Visa PIN verification service). pvki is the key index 0 to 9, of which Visa
// uses 1 to 6. Only the first four digits of the PIN take part; pan has at
// least 12 digits.
func PINVerificationValue(pvk cipher.Block, pan string, pvki byte, pin *PIN) ([4]byte, error) {
	var out [4]byte
	if len(pan) < 12 || len(pan) > 19 || pvki > 9 || pin.n < 4 || pvk.BlockSize() != 8 {
		return out, ErrInput
	}
	var text [16]byte
	copy(text[:], pan[len(pan)-12:len(pan)-1])
	text[11] = '0' + pvki
	copy(text[12:], pin.digits[:4])
	buf := make([]byte, 8)
	if !packDigits(buf, text[:]) {
		return out, ErrInput
	}
	pvk.Encrypt(buf, buf)
	decimalise(out[:], buf)
	return out, nil
}

// DecimalisationTable is the customary table of the IBM 3624 method.
const DecimalisationTable = "0123456789012345"

// IBM3624Natural maps the n leftmost hexadecimal digits of an encrypted
// validation block through table: the natural PIN as ASCII digits (IBM 3624;
// crypto.md §4). n is 4 to 12; the table has 16 decimal digits.
func IBM3624Natural(cipherBlock [8]byte, table string, n int) (PIN, error) {
	if n < 4 || n > 12 || len(table) != 16 || !decimal(table) {
		return PIN{}, ErrInput
	}
	p := PIN{n: uint8(n)}
	for i := range n {
		d := cipherBlock[i/2] >> 4
		if i%2 == 1 {
			d = cipherBlock[i/2] & 0x0F
		}
		p.digits[i] = table[d]
	}
	return p, nil
}

// IBM3624Block encrypts validation data. The key is TDES, or single DES for
// data of old.
func IBM3624Block(pvk cipher.Block, validation [8]byte) ([8]byte, error) {
	if pvk.BlockSize() != 8 {
		return [8]byte{}, ErrKey
	}
	buf := validation[:]
	pvk.Encrypt(buf, buf)
	return validation, nil
}

// IBM3624Validation is the validation data this platform uses: the twelve
// rightmost digits of the PAN without its check digit, left-padded with zeros,
// then FFFF.
func IBM3624Validation(pan string) ([8]byte, error) {
	var out [8]byte
	digits, err := account12(pan)
	if err != nil {
		return out, err
	}
	copy(out[:], digits[:])
	out[6], out[7] = 0xFF, 0xFF
	return out, nil
}

// AddDigits adds two numbers digit by digit modulo 10 without carry: a natural
// PIN and an offset give the PIN.
func AddDigits(natural *PIN, offset string) (PIN, error) {
	if len(offset) != int(natural.n) || natural.n == 0 || !decimal(offset) {
		return PIN{}, ErrInput
	}
	p := PIN{n: natural.n}
	for i := range len(offset) {
		p.digits[i] = '0' + (natural.digits[i]-'0'+offset[i]-'0')%10
	}
	return p, nil
}

// Offset is the PIN less the natural PIN, digit by digit modulo 10.
func Offset(pin, natural *PIN) (string, error) {
	if pin.n != natural.n || pin.n == 0 {
		return "", ErrInput
	}
	out := make([]byte, pin.n)
	for i := range out {
		out[i] = '0' + (10+pin.digits[i]-natural.digits[i])%10
	}
	return string(out), nil
}

func decimal(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
