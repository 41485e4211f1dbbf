package algo

import (
	"bytes"
	"crypto/cipher"
	"crypto/subtle"
)

// KCVZeros is the legacy key check value: the n leftmost bytes of one zero
// block encrypted (X9.24-1, annex A.2). Never show more than 3 bytes of it.
func KCVZeros(b cipher.Block, n int) ([]byte, error) {
	if n < 1 || n > b.BlockSize() {
		return nil, ErrInput
	}
	z := make([]byte, b.BlockSize())
	b.Encrypt(z, z)
	return z[:n], nil
}

// KCVCMAC is the key check value of X9.24-1:2017, annex A.3: the n leftmost
// bytes of the CMAC over one zero block. Never show more than 5 bytes of it.
func KCVCMAC(b cipher.Block, n int) ([]byte, error) {
	if n < 1 || n > b.BlockSize() {
		return nil, ErrInput
	}
	return CMAC(b, make([]byte, b.BlockSize()))[:n], nil
}

// Combine xors full-length key components into a key (PCI PIN requirement 6).
// There must be two or more of one length; with tdes the result gets odd parity
// and may not be weak. A result of zeros, as two equal components give, is
// [ErrKey].
func Combine(components [][]byte, tdes bool) ([]byte, error) {
	if len(components) < 2 {
		return nil, ErrInput
	}
	key := make([]byte, len(components[0]))
	for _, c := range components {
		if len(c) != len(key) {
			return nil, ErrInput
		}
		subtle.XORBytes(key, key, c)
	}
	if len(key) != 16 && len(key) != 24 && (tdes || len(key) != 32) {
		return nil, ErrKey
	}
	if bytes.Equal(key, make([]byte, len(key))) {
		return nil, ErrKey
	}
	if tdes {
		OddParity(key)
		if err := CheckTDES(key); err != nil {
			return nil, err
		}
	}
	return key, nil
}
