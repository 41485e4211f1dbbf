package algo

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des" //nolint:gosec // card schemes and PCI PIN still prescribe it
	"crypto/subtle"
	"math/bits"
)

// NewTDES expands a TDES key of 16 bytes (K3 = K1) or 24 bytes (ISO/IEC
// 18033-3, §4.2). It accepts weak keys; see [CheckTDES].
func NewTDES(key []byte) (cipher.Block, error) {
	var k [24]byte
	switch len(key) {
	case 16:
		copy(k[:], key)
		copy(k[16:], key[:8])
	case 24:
		copy(k[:], key)
	default:
		return nil, ErrKey
	}
	b, err := des.NewTripleDESCipher(k[:])
	clear(k[:])
	if err != nil {
		return nil, ErrKey
	}
	return b, nil
}

// NewAES expands an AES key of 16, 24 or 32 bytes.
func NewAES(key []byte) (cipher.Block, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, ErrKey
	}
	return b, nil
}

// Pair is a double-length DES key KA ‖ KB in the two expanded forms that card
// values, retail MACs and EMV need: single DES under KA, and TDES. It is
// immutable and safe for concurrent use.
type Pair struct {
	single, triple cipher.Block
}

// NewPair expands a key of 16 bytes.
func NewPair(key []byte) (Pair, error) {
	if len(key) != 16 {
		return Pair{}, ErrKey
	}
	s, err := des.NewCipher(key[:8])
	if err != nil {
		return Pair{}, ErrKey
	}
	t, err := NewTDES(key)
	if err != nil {
		return Pair{}, err
	}
	return Pair{single: s, triple: t}, nil
}

// IsZero reports whether p holds no key.
func (p Pair) IsZero() bool { return p.triple == nil }

// TDES is the pair as one TDES key.
func (p Pair) TDES() cipher.Block { return p.triple }

// OddParity sets the last bit of each byte so that the byte has an odd number
// of ones (ANSI X3.92). It changes no result of DES.
func OddParity(key []byte) {
	for i, b := range key {
		key[i] = b&0xFE | byte(bits.OnesCount8(b>>1)+1)&1
	}
}

// weak and semi-weak DES keys with odd parity (NIST SP 800-67, §3.3.2).
var weakDES = [16][8]byte{
	{0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01},
	{0xFE, 0xFE, 0xFE, 0xFE, 0xFE, 0xFE, 0xFE, 0xFE},
	{0xE0, 0xE0, 0xE0, 0xE0, 0xF1, 0xF1, 0xF1, 0xF1},
	{0x1F, 0x1F, 0x1F, 0x1F, 0x0E, 0x0E, 0x0E, 0x0E},
	{0x01, 0x1F, 0x01, 0x1F, 0x01, 0x0E, 0x01, 0x0E},
	{0x1F, 0x01, 0x1F, 0x01, 0x0E, 0x01, 0x0E, 0x01},
	{0x01, 0xE0, 0x01, 0xE0, 0x01, 0xF1, 0x01, 0xF1},
	{0xE0, 0x01, 0xE0, 0x01, 0xF1, 0x01, 0xF1, 0x01},
	{0x01, 0xFE, 0x01, 0xFE, 0x01, 0xFE, 0x01, 0xFE},
	{0xFE, 0x01, 0xFE, 0x01, 0xFE, 0x01, 0xFE, 0x01},
	{0x1F, 0xE0, 0x1F, 0xE0, 0x0E, 0xF1, 0x0E, 0xF1},
	{0xE0, 0x1F, 0xE0, 0x1F, 0xF1, 0x0E, 0xF1, 0x0E},
	{0x1F, 0xFE, 0x1F, 0xFE, 0x0E, 0xFE, 0x0E, 0xFE},
	{0xFE, 0x1F, 0xFE, 0x1F, 0xFE, 0x0E, 0xFE, 0x0E},
	{0xE0, 0xFE, 0xE0, 0xFE, 0xF1, 0xFE, 0xF1, 0xFE},
	{0xFE, 0xE0, 0xFE, 0xE0, 0xFE, 0xF1, 0xFE, 0xF1},
}

// CheckTDES refuses, with [ErrKey], a TDES key of a wrong length, one with a
// weak or semi-weak third, and one that is single DES or two-key TDES in
// disguise: equal neighbours, or three thirds of which K1 = K2 or K2 = K3.
// Parity does not matter.
func CheckTDES(key []byte) error {
	if len(key) != 16 && len(key) != 24 {
		return ErrKey
	}
	k := bytes.Clone(key)
	defer clear(k)
	OddParity(k)
	for i := 0; i < len(k); i += 8 {
		for _, w := range weakDES {
			if subtle.ConstantTimeCompare(k[i:i+8], w[:]) == 1 {
				return ErrKey
			}
		}
		if i > 0 && subtle.ConstantTimeCompare(k[i-8:i], k[i:i+8]) == 1 {
			return ErrKey
		}
	}
	return nil
}
