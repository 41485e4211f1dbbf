package algo

import "crypto/subtle"

// CVV computes a card verification value: three ASCII digits (the Visa and
// Mastercard algorithm, crypto.md §2). The caller chooses the member of the
// family by expiry order and service code: 999 is iCVV, 000 is CVV2.
//
// pan has 12 to 19 digits, expiry exactly 4, service 3.
func CVV(cvk Pair, pan, expiry, service string) ([3]byte, error) {
	var out [3]byte
	if len(pan) < 12 || len(pan) > 19 || len(expiry) != 4 || len(service) != 3 {
		return out, ErrInput
	}
	var text [32]byte
	for i := range text {
		text[i] = '0'
	}
	n := copy(text[:], pan)
	n += copy(text[n:], expiry)
	n += copy(text[n:], service)
	buf := make([]byte, 16)
	if !packDigits(buf, text[:]) {
		return out, ErrInput
	}
	b1, b2 := buf[:8], buf[8:]
	cvk.single.Encrypt(b1, b1)
	subtle.XORBytes(b1, b1, b2)
	cvk.triple.Encrypt(b1, b1)
	decimalise(out[:], b1)
	return out, nil
}

// packDigits packs ASCII digits two to a byte. It reports whether all were
// digits and dst was filled exactly.
func packDigits(dst []byte, digits []byte) bool {
	if len(digits) != 2*len(dst) {
		return false
	}
	bad := byte(0)
	for i := range dst {
		hi, lo := digits[2*i]-'0', digits[2*i+1]-'0'
		if hi > 9 || lo > 9 {
			bad = 1
		}
		dst[i] = hi<<4 | lo&0x0F
	}
	return bad == 0
}

// decimalise fills dst with ASCII digits taken from the hexadecimal digits of
// src: first those that are decimal, then, in a second pass, A–F less ten. What
// remains of dst, which cannot happen for 16 hexadecimal digits and the lengths
// used here, is '0'.
func decimalise(dst []byte, src []byte) {
	n := 0
	for _, second := range [2]bool{false, true} {
		for i := 0; i < 2*len(src) && n < len(dst); i++ {
			d := src[i/2] >> 4
			if i%2 == 1 {
				d = src[i/2] & 0x0F
			}
			if (d > 9) != second {
				continue
			}
			if second {
				d -= 10
			}
			dst[n] = '0' + d
			n++
		}
	}
	for ; n < len(dst); n++ {
		dst[n] = '0'
	}
}
