package algo

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
)

// WrapAES is AES key wrap (RFC 3394, §2.2.1). key has 16 or more bytes, a
// multiple of 8.
func WrapAES(kek cipher.Block, key []byte) ([]byte, error) {
	if kek.BlockSize() != 16 || len(key) < 16 || len(key)%8 != 0 {
		return nil, ErrInput
	}
	return wrapW(kek, 0xA6A6A6A6A6A6A6A6, key), nil
}

// UnwrapAES reverses [WrapAES] (RFC 3394, §2.2.2).
func UnwrapAES(kek cipher.Block, wrapped []byte) ([]byte, error) {
	if kek.BlockSize() != 16 || len(wrapped) < 24 || len(wrapped)%8 != 0 {
		return nil, ErrKeyBlock
	}
	iv, key := unwrapW(kek, wrapped)
	var a, want [8]byte
	binary.BigEndian.PutUint64(a[:], iv)
	binary.BigEndian.PutUint64(want[:], 0xA6A6A6A6A6A6A6A6)
	if subtle.ConstantTimeCompare(a[:], want[:]) != 1 {
		clear(key)
		return nil, ErrKeyBlock
	}
	return key, nil
}

// WrapAESPadded is AES key wrap with padding (RFC 5649, §4.1) for any length
// from 1 byte on.
func WrapAESPadded(kek cipher.Block, key []byte) ([]byte, error) {
	if kek.BlockSize() != 16 || len(key) < 1 || len(key) > 1<<16 {
		return nil, ErrInput
	}
	padded := make([]byte, (len(key)+7)/8*8)
	defer clear(padded)
	copy(padded, key)
	iv := uint64(0xA65959A6)<<32 | uint64(len(key))
	if len(padded) == 8 {
		out := make([]byte, 16)
		binary.BigEndian.PutUint64(out, iv)
		copy(out[8:], padded)
		kek.Encrypt(out, out)
		return out, nil
	}
	return wrapW(kek, iv, padded), nil
}

// UnwrapAESPadded reverses [WrapAESPadded] (RFC 5649, §4.2).
func UnwrapAESPadded(kek cipher.Block, wrapped []byte) ([]byte, error) {
	if kek.BlockSize() != 16 || len(wrapped) < 16 || len(wrapped)%8 != 0 {
		return nil, ErrKeyBlock
	}
	var iv uint64
	var key []byte
	if len(wrapped) == 16 {
		b := make([]byte, 16)
		kek.Decrypt(b, wrapped)
		iv, key = binary.BigEndian.Uint64(b), b[8:]
	} else {
		iv, key = unwrapW(kek, wrapped)
	}
	n := int(uint32(iv))
	bad := subtle.ConstantTimeEq(int32(uint32(iv>>32)), -0x59A6A65A) ^ 1 // A65959A6
	if n < 1 || n > len(key) || n <= len(key)-8 {
		bad, n = 1, len(key)
	}
	for _, b := range key[n:] {
		bad |= subtle.ConstantTimeByteEq(b, 0) ^ 1
	}
	if bad != 0 {
		clear(key)
		return nil, ErrKeyBlock
	}
	return key[:n], nil
}

func wrapW(kek cipher.Block, iv uint64, key []byte) []byte {
	out := make([]byte, 8+len(key))
	copy(out[8:], key)
	b := make([]byte, 16)
	n := len(key) / 8
	for j := range 6 {
		for i := 1; i <= n; i++ {
			binary.BigEndian.PutUint64(b, iv)
			copy(b[8:], out[8*i:8*i+8])
			kek.Encrypt(b, b)
			iv = binary.BigEndian.Uint64(b) ^ uint64(n*j+i)
			copy(out[8*i:], b[8:])
		}
	}
	binary.BigEndian.PutUint64(out, iv)
	clear(b)
	return out
}

func unwrapW(kek cipher.Block, wrapped []byte) (uint64, []byte) {
	iv := binary.BigEndian.Uint64(wrapped)
	key := append([]byte(nil), wrapped[8:]...)
	b := make([]byte, 16)
	n := len(key) / 8
	for j := 5; j >= 0; j-- {
		for i := n; i >= 1; i-- {
			binary.BigEndian.PutUint64(b, iv^uint64(n*j+i))
			copy(b[8:], key[8*i-8:8*i])
			kek.Decrypt(b, b)
			iv = binary.BigEndian.Uint64(b)
			copy(key[8*i-8:], b[8:])
		}
	}
	clear(b)
	return iv, key
}
