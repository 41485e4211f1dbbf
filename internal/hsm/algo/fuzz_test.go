package algo

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"
)

// zeros is an endless source of zeros.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// ones is an endless source of ones, which format 3 needs to find letters.
type ones struct{}

func (ones) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 0xFF
	}
	return len(p), nil
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func FuzzUnwrapKeyBlock(f *testing.F) {
	for _, s := range []string{
		"A0072K0TN00N0000F40D5672C6D0EC86F860BA88D44D00F0CA9A8CE8CD2F640287A9A9EB",
		"B0080P0TE00E000094B420079CC80BA3461F86FE26EFC4A3B8E4FA4C5F5341176EED7B727B8A248E",
		"B0104B0TX12S0100KS1800604B120F9292800000BB68BE8680A400D9191AD4ECE45B6E6C0D21C4738A52190E248719E24B433627",
		"D0112B0TN00N000037DB9B046B7B0048785690759580ABC3B9842AB4BB7717B49E92528E575785D8123559376A2553B27BE94F054F4E971C",
		"B0000P0TE00N0400KS1800604B120F9292800000T104T20600PB0600", "B0000P0TE00N0100KS0000", "B0000P0TE00N0100KS00020A000000", "",
		"D0000P0AE00N0100CT0004001A0123456789ABCDEF",
	} {
		f.Add(s)
	}
	key := bytes.Repeat([]byte{0x41, 0x42}, 16)
	f.Fuzz(func(t *testing.T, block string) {
		h, n, err := ParseKeyBlockHeader(block)
		if err != nil && !errors.Is(err, ErrKeyBlock) {
			t.Errorf("header refused with %v", err)
		}
		if err == nil && (n < headerLen || n > len(block)) {
			t.Errorf("header takes %d of %d", n, len(block))
		}
		for _, kbpk := range [][]byte{key, key[:24], key[:16], nil} {
			if _, _, err := UnwrapKeyBlock(kbpk, block); err != nil && !errors.Is(err, ErrKeyBlock) {
				t.Errorf("refused with %v", err)
			}
		}
		if err != nil {
			return
		}
		// What parses can be written, and reads back alike.
		kbpk := key[:24]
		if h.Version == 'D' {
			kbpk = key
		}
		h.Length = 0
		clear := bytes.Repeat([]byte{7}, 16)
		if h.Algorithm == 'D' {
			clear = clear[:8]
		}
		text, err := WrapKeyBlock(kbpk, h, clear, zeros{})
		if err != nil {
			return // too long, or more blocks than two digits count
		}
		got, back, err := UnwrapKeyBlock(kbpk, text)
		if err != nil || !bytes.Equal(back, clear) || got.Usage != h.Usage || len(got.Blocks) != len(h.Blocks) {
			t.Errorf("round trip: %v", err)
		}
		for i, b := range got.Blocks {
			if b != h.Blocks[i] {
				t.Errorf("optional block %d differs", i)
			}
		}
	})
}

func FuzzDecodePINBlock(f *testing.F) {
	f.Add(0, unhex(f, "091261032D8DCBA9"), "5555555551234567")
	f.Add(1, unhex(f, "141234FFFFFFFFFF"), "")
	f.Add(2, unhex(f, "2A1234567890FFFF"), "")
	f.Add(3, unhex(f, "341261AAAAEDCBA9"), "5555555551234567")
	f.Add(4, unhex(f, "CC17F65586BFD0953010226C4FC5B3CA"), "432198765432109870")
	f.Add(0, []byte{}, "1")
	aes, err := NewAES(unhex(f, "C1D0F8FB4958670DBA40AB1F3752EF0D"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, format int, block []byte, pan string) {
		var pin PIN
		var err error
		if format == 4 {
			pin, err = DecipherPIN4(aes, block, pan)
		} else {
			pin, err = DecodePINBlock(format, block, pan)
		}
		if err != nil {
			if !errors.Is(err, ErrPINBlock) || pin.Len() != 0 {
				t.Errorf("refused with %v and a PIN of %d digits", err, pin.Len())
			}
			return
		}
		if again, err := ParsePIN(pin.Digits()); err != nil || again != pin {
			t.Errorf("decoded what is no PIN: %v", err)
		}
		if format == 0 || format == 2 {
			b, err := EncodePINBlock(format, &pin, pan, zeros{})
			if err != nil || !bytes.Equal(b[:], block) {
				t.Errorf("encoded again it differs: %v", err)
			}
		}
	})
}
