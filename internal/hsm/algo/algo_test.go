package algo

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestPINBlock_roundTrips(t *testing.T) {
	key, err := NewAES(unhex(t, "C1D0F8FB4958670DBA40AB1F3752EF0D"))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		pan := rapid.StringMatching(`[0-9]{12,19}`).Draw(t, "pan")
		pin, err := ParsePIN([]byte(rapid.StringMatching(`[0-9]{4,12}`).Draw(t, "pin")))
		if err != nil {
			t.Fatal(err)
		}
		for format := range 4 {
			b, err := EncodePINBlock(format, &pin, pan, rand.Reader)
			if err != nil {
				t.Fatalf("format %d: %v", format, err)
			}
			if got, err := DecodePINBlock(format, b[:], pan); err != nil || got != pin {
				t.Errorf("format %d: %v", format, err)
			}
		}
		b, err := EncipherPIN4(key, &pin, pan, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := DecipherPIN4(key, b[:], pan); err != nil || got != pin {
			t.Errorf("format 4: %v", err)
		}
	})
}

func TestOffset_isTheInverseOfAddDigits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(4, 12).Draw(t, "length")
		draw := func(name string) PIN {
			p, err := ParsePIN([]byte(rapid.StringMatching(fmt.Sprintf(`[0-9]{%d}`, n)).Draw(t, name)))
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		pin, natural := draw("pin"), draw("natural")
		offset, err := Offset(&pin, &natural)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := AddDigits(&natural, offset); err != nil || got != pin {
			t.Errorf("got another PIN: %v", err)
		}
	})
}

func TestKeyWrap_roundTripsAndRefusesChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kek, err := NewAES(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "kek"))
		if err != nil {
			t.Fatal(err)
		}
		key := rapid.SliceOfN(rapid.Byte(), 1, 80).Draw(t, "key")
		check := func(wrap, unwrap func(cipher.Block, []byte) ([]byte, error)) {
			wrapped, err := wrap(kek, key)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := unwrap(kek, wrapped); err != nil || !bytes.Equal(got, key) {
				t.Errorf("%d bytes: %v", len(key), err)
			}
			wrapped[rapid.IntRange(0, len(wrapped)-1).Draw(t, "at")] ^= 1
			if _, err := unwrap(kek, wrapped); !errors.Is(err, ErrKeyBlock) {
				t.Errorf("%d bytes changed: got %v", len(key), err)
			}
		}
		check(WrapAESPadded, UnwrapAESPadded)
		if len(key) >= 16 && len(key)%8 == 0 {
			check(WrapAES, UnwrapAES)
		}
	})
}

func TestKeyBlock_roundTripsInEveryVersion(t *testing.T) {
	for _, c := range []struct {
		version   byte
		kbpk      int
		algorithm byte
		key       int
	}{
		{'A', 16, 'T', 16}, {'A', 24, 'T', 24}, {'B', 16, 'T', 16}, {'B', 24, 'T', 24}, {'C', 16, 'D', 8}, {'C', 24, 'T', 16},
		{'D', 16, 'A', 16}, {'D', 24, 'A', 24}, {'D', 32, 'A', 32}, {'D', 32, 'T', 16}, {'D', 32, 'H', 64}, {'D', 32, 'R', 300},
	} {
		kbpk, key := make([]byte, c.kbpk), make([]byte, c.key)
		for _, b := range [][]byte{kbpk, key} {
			if _, err := rand.Read(b); err != nil {
				t.Fatal(err)
			}
		}
		h := KeyBlockHeader{Version: c.version, Usage: "C0", Algorithm: c.algorithm, Mode: 'C', KeyVersion: "01", Exportability: 'E'}
		for _, blocks := range [][]OptionalBlock{
			nil, {{"LB", "a label"}}, {{"KC", "00AABBCC"}, {"LB", ""}, {"T1", "x"}}, {{"CT", strings.Repeat("A", 300)}},
		} {
			h.Blocks = blocks
			text, err := WrapKeyBlock(kbpk, h, key, rand.Reader)
			if err != nil {
				t.Fatalf("%c: %v", c.version, err)
			}
			got, back, err := UnwrapKeyBlock(kbpk, text)
			if err != nil || !bytes.Equal(back, key) || fmt.Sprint(got.Blocks) != fmt.Sprint(blocks) && len(blocks) > 0 {
				t.Fatalf("%c: %v", c.version, err)
			}
			// No character may change, header and optional blocks included.
			for i := range text {
				for _, digit := range []byte{'0', 'B', '1'} {
					changed := text[:i] + string(rune(digit)) + text[i+1:]
					if changed == text {
						continue
					}
					if _, _, err := UnwrapKeyBlock(kbpk, changed); !errors.Is(err, ErrKeyBlock) {
						t.Fatalf("%c: character %d changed to %c: got %v", c.version, i, digit, err)
					}
				}
			}
			if len(text) > 400 {
				break
			}
		}
	}
}

func TestKeyBlock_lengthHidesTheKey(t *testing.T) {
	kbpk := bytes.Repeat([]byte{1, 2, 3, 4}, 8)
	length := map[int]bool{}
	for _, n := range []int{16, 24, 32} {
		h := KeyBlockHeader{Version: 'D', Usage: "D0", Algorithm: 'A', Mode: 'B', KeyVersion: "00", Exportability: 'N'}
		text, err := WrapKeyBlock(kbpk, h, make([]byte, n), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		length[len(text)] = true
	}
	if len(length) != 1 {
		t.Errorf("blocks of three key lengths have %d lengths, want 1", len(length))
	}
}

func TestCheckTDES_refusesDisguisesOfSingleDES(t *testing.T) {
	a, b, c := "6786D3D6F2266E19", "B67302438ACE7551", "0123456789ABCDEF"
	for key, ok := range map[string]bool{
		a + b: true, a + b + c: true, a + b + a: true, a + a: false, a + a + b: false, a + b + b: false, a: false,
		// The same half with other parity bits.
		"6786D3D6F2266E19" + "6687D2D7F3276F18": false,
		"0101010101010101" + b:                  false,
		"0000000000000000" + b:                  false,
		a + "FEFEFEFEFEFEFEFE":                  false,
		a + "1FFE1FFE0EFE0EFE":                  false,
	} {
		if err := CheckTDES(unhex(t, key)); (err == nil) != ok {
			t.Errorf("%s: got %v, want accepted %t", key, err, ok)
		}
	}
}

func TestCombine_refusesWeakResults(t *testing.T) {
	a := unhex(t, "6786D3D6F2266E19B67302438ACE7551")
	for name, c := range map[string][][]byte{
		"one":           {a},
		"none":          nil,
		"equal pair":    {a, a},
		"lengths":       {a, a[:8]},
		"single DES":    {a[:8], unhex(t, "0123456789ABCDEF")},
		"equal halves":  {a, unhex(t, "0000000000000000D1F5D195"+"78E81B48")},
		"length of AES": {append(bytes.Clone(a), a...), make([]byte, 32)},
	} {
		if _, err := Combine(c, true); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := Combine([][]byte{append(bytes.Clone(a), a...), make([]byte, 32)}, false); err != nil {
		t.Errorf("AES-256: %v", err)
	}
}

func TestPubliclyKnown_knowsTestKeys(t *testing.T) {
	for key, want := range map[string]bool{
		"0123456789ABCDEFFEDCBA9876543210":                                 true,
		"0022446689ABCDEFFEDCBA9876543210":                                 true, // parity bits changed
		"FEDCBA9876543210F1F1F1F1F1F1F1F1":                                 true,
		"13345779133457791334577913345779":                                 true,
		"AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBB":                                 true,
		"4141414141414141414141414141414141414141414141414141414141414141": true,
		"000102030405060708090A0B0C0D0E0F":                                 true,
		"00112233445566778899AABBCCDDEEFF":                                 true,
		"5F3C91D7A04E88B2136D0FC97E25BA44":                                 false,
	} {
		if got := PubliclyKnown(unhex(t, key)); got != want {
			t.Errorf("%s: got %t, want %t", key, got, want)
		}
	}
}

func TestOddParity_leavesOddBytes(t *testing.T) {
	for i := range 256 {
		b := []byte{byte(i)}
		OddParity(b)
		ones := 0
		for j := range 8 {
			ones += int(b[0] >> j & 1)
		}
		if ones%2 != 1 || b[0]>>1 != byte(i)>>1 {
			t.Errorf("%02X became %02X", i, b[0])
		}
	}
}

// TestDouble_multipliesInTheField compares with polynomials in math/big.
func TestDouble_multipliesInTheField(t *testing.T) {
	for n, poly := range map[int]int64{8: 0x1B, 16: 0x87} {
		for range 100 {
			b := make([]byte, n)
			if _, err := rand.Read(b); err != nil {
				t.Fatal(err)
			}
			want := new(big.Int).Lsh(new(big.Int).SetBytes(b), 1)
			if want.Bit(8*n) == 1 {
				want.SetBit(want, 8*n, 0).Xor(want, big.NewInt(poly))
			}
			double(b)
			if new(big.Int).SetBytes(b).Cmp(want) != 0 {
				t.Fatalf("%d bytes: wrong product", n)
			}
		}
	}
}

func TestEncodePINBlock_format3FillsWithLettersOnly(t *testing.T) {
	pin, err := ParsePIN([]byte("2580"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[byte]bool{}
	for range 200 {
		b, err := EncodePINBlock(3, &pin, "000000000000", rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range b[3:] {
			for _, d := range []byte{x >> 4, x & 15} {
				if d < 10 {
					t.Fatalf("fill %X", d)
				}
				seen[d] = true
			}
		}
	}
	if len(seen) != 6 {
		t.Errorf("%d different letters, want 6", len(seen))
	}
	if _, err := EncodePINBlock(3, &pin, "000000000000", ones{}); err != nil {
		t.Error(err)
	}
}

func TestNetwork_prefersTheLongestPrefix(t *testing.T) {
	for pan, want := range map[string]string{
		"9792060000000017": "troy", "6011000991543426": "discover", "378282246310005": "amex", "2203000000000000": "mir",
		"5100000000000000": "mastercard", "1000000000000000": "", "4000000000000000": "visa", "400000000000000": "", "40000000000000001": "",
	} {
		if got, ok := Network(pan); got != want || ok != (want != "") {
			t.Errorf("%s: got %q, want %q", pan[:4], got, want)
		}
	}
}

func TestPIN_neverPrints(t *testing.T) {
	pin, err := ParsePIN([]byte("2580"))
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		if got := fmt.Sprintf(verb, pin) + fmt.Sprintf(verb, &pin); got != "******" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

// TestApplicationCryptogram_takesItsPartOfTheIAD ties whole fields to the parts
// the vectors give.
func TestApplicationCryptogram_takesItsPartOfTheIAD(t *testing.T) {
	for p, c := range map[Profile][2]string{
		CVN10:   {"06010A03A06010", "03A06010"},
		CVN18:   {"06011203A0B800", "06011203A0B800"},
		MChip16: {"0110A00003220000DAC10000000000000000", "A00003220000"},
		MChip20: {"0114A00003220000DAC10000000000000000", "A00003220000"},
		MChip17: {"0111A50003220000DAC100000000000000FF", "A5000322000000000000000000FF"},
		MChip21: {"0115A50003220000DAC100000000000000FF0001", "A5000322000000000000000000FF"},
	} {
		part, err := IADPart(p, unhex(t, c[0]))
		if err != nil || !bytes.Equal(part, unhex(t, c[1])) {
			t.Errorf("%s: got %X, %v, want %s", p, part, err, c[1])
		}
	}
}
