package algo

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
)

// Padding is a padding method of ISO/IEC 9797-1, §6.3.
type Padding int

// The methods. Zeros adds nothing to an aligned message and one block to an
// empty one; it is forgeable when lengths vary.
const (
	Zeros    Padding = 1
	OneZeros Padding = 2 // 80, then zeros; always at least one byte
	Length   Padding = 3 // zeros, and a first block with the length in bits
)

// Pad returns data padded for blocks of 8 bytes, in fresh memory.
func Pad(data []byte, p Padding) ([]byte, error) {
	switch p {
	case Zeros, OneZeros, Length:
		return appendPadded(make([]byte, 0, len(data)+24), data, p), nil
	}
	return nil, ErrInput
}

func appendPadded(dst, data []byte, p Padding) []byte {
	if p == Length {
		dst = binary.BigEndian.AppendUint64(dst, uint64(len(data))*8)
	}
	dst = append(dst, data...)
	return pad8(dst, len(data), p)
}

// pad8 completes dst, whose last n bytes are the message. The start of the
// message is aligned in dst.
func pad8(dst []byte, n int, p Padding) []byte {
	if p == OneZeros {
		dst = append(dst, 0x80)
		n++
	}
	for n%8 != 0 || n == 0 {
		dst = append(dst, 0)
		n++
	}
	return dst
}

// cbcMAC is MAC algorithm 1 of ISO/IEC 9797-1 over a message already padded to
// blocks of b. It works in buf, which is overwritten: the MAC is its last block.
func cbcMAC(b cipher.Block, buf []byte) []byte {
	n := b.BlockSize()
	prev := buf[:n]
	b.Encrypt(prev, prev)
	for rest := buf[n:]; len(rest) >= n; rest = rest[n:] {
		subtle.XORBytes(rest[:n], rest[:n], prev)
		b.Encrypt(rest[:n], rest[:n])
		prev = rest[:n]
	}
	return prev
}

// MAC1 is MAC algorithm 1 of ISO/IEC 9797-1 (CBC-MAC) under a TDES key: 8 bytes.
func MAC1(tdes cipher.Block, data []byte, p Padding) ([]byte, error) {
	if tdes.BlockSize() != 8 {
		return nil, ErrKey
	}
	buf, err := Pad(data, p)
	if err != nil {
		return nil, err
	}
	return cbcMAC(tdes, buf), nil
}

// MAC3 is MAC algorithm 3 of ISO/IEC 9797-1, the retail MAC of ANSI X9.19:
// single DES under the left half, TDES for the last block; 8 bytes.
func MAC3(k Pair, data []byte, p Padding) ([]byte, error) {
	buf, err := Pad(data, p)
	if err != nil {
		return nil, err
	}
	return retailMAC(k, buf), nil
}

// retailMAC works in buf, which is padded and gets overwritten.
func retailMAC(k Pair, buf []byte) []byte {
	last := buf[len(buf)-8:]
	if len(buf) > 8 {
		prev := cbcMAC(k.single, buf[:len(buf)-8])
		subtle.XORBytes(last, last, prev)
	}
	k.triple.Encrypt(last, last)
	return last
}

// CMAC is the block cipher MAC of NIST SP 800-38B, §6.2, for ciphers with
// blocks of 8 (TDES) or 16 bytes (AES). The result has one block.
func CMAC(b cipher.Block, data []byte) []byte {
	n := b.BlockSize()
	sub := make([]byte, n)
	b.Encrypt(sub, sub)
	double(sub) // K1
	buf := make([]byte, 0, len(data)+n)
	buf = append(buf, data...)
	if len(buf) == 0 || len(buf)%n != 0 {
		double(sub) // K2
		buf = append(buf, 0x80)
		for len(buf)%n != 0 {
			buf = append(buf, 0)
		}
	}
	last := buf[len(buf)-n:]
	subtle.XORBytes(last, last, sub)
	return cbcMAC(b, buf)
}

// double multiplies by x in GF(2^64) or GF(2^128) (SP 800-38B, §5.3).
func double(b []byte) {
	r := byte(0x87)
	if len(b) == 8 {
		r = 0x1B
	}
	carry := b[0] >> 7
	for i := range b {
		next := byte(0)
		if i+1 < len(b) {
			next = b[i+1] >> 7
		}
		b[i] = b[i]<<1 | next
	}
	b[len(b)-1] ^= r & -carry
}

// HMAC256 is HMAC-SHA-256 (FIPS 198-1): 32 bytes.
func HMAC256(key, data []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(data)
	return h.Sum(nil)
}
