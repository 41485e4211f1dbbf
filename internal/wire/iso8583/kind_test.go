package iso8583_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// Eight characters are looked at together: each must count alone, wherever it
// stands, whatever stands around the value.
func TestKind_looksAtEveryCharacter(t *testing.T) {
	const figures, capitals = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	const marks = " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
	letters := capitals + strings.ToLower(capitals)
	var all []byte
	for c := range 256 {
		all = append(all, byte(c))
	}
	for fieldType, allowed := range map[string]string{
		"n": figures, "a": letters + " ", "an": figures + letters + " ", "ans": figures + letters + marks,
		"ns": figures + marks, "z": figures + ":;<=>?D", "b": string(all),
	} {
		for size := 1; size <= 20; size++ {
			for at := range size {
				for _, behind := range []string{"", "\x00\xFF", strings.Repeat("\xFF", 9), strings.Repeat("0", 9)} {
					text := []byte("\x80" + strings.Repeat(allowed[:1], size) + behind)
					for c := range 256 {
						text[1+at] = byte(c)
						want := strings.IndexByte(allowed, byte(c)) >= 0
						if got := iso8583.Allows(fieldType, text, 1, 1+size); got != want {
							t.Fatalf("%s: %#x as character %d of %d before %q: got %v, want %v", fieldType, c, at+1, size, behind, got, want)
						}
					}
				}
			}
		}
		if !iso8583.Allows(fieldType, []byte{0xFF, 0xFF}, 1, 1) {
			t.Errorf("%s: nothing is not allowed", fieldType)
		}
	}
	for text, want := range map[string]bool{"C0123456789": true, "D0": true, "C": true, "": false, "00": false, "CC": false, "C123456789A": false, "c1": false} {
		padded := bytes.Repeat([]byte{0xFF}, 20)
		copy(padded, text)
		if got := iso8583.Allows("x+n", padded, 0, len(text)); got != want {
			t.Errorf("signed %q: got %v, want %v", text, got, want)
		}
	}
}
