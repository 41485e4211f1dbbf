package hsm

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// check asserts what holds for every result: the parts lie inside the input and
// do not overlap more than it is long.
func checkIAD(t *testing.T, b []byte) {
	t.Helper()
	d, err := ParseIAD(b)
	if err != nil {
		if d.Format != IADUnknown {
			t.Errorf("refused as %s", d.Format)
		}
		return
	}
	parts := [][]byte{d.CVR, d.DACIDN, d.Counters, d.LastOnlineATC, d.Discretionary}
	total := 0
	for _, p := range parts {
		total += len(p)
		if !bytes.Contains(b, p) {
			t.Error("a part is not in the input")
		}
	}
	// Markers take at most four bytes.
	if total > len(b) || total < len(b)-4 {
		t.Errorf("%s: parts have %d of %d bytes", d.Format, total, len(b))
	}
	for p := CVN10; p <= Interac133; p++ {
		if d.Fits(p) && p.CVN() != d.CVN {
			t.Errorf("%s fits another version", p)
		}
	}
	switch d.Format {
	case IADMChip:
		if _, err := ParseMChipCVR(d.CVR); err != nil {
			t.Error(err)
		}
	case IADVisa013:
		if _, err := ParseVisaCVR(d.CVR); err != nil {
			t.Error(err)
		}
	}
}

func FuzzParseIAD(f *testing.F) {
	for _, s := range []string{
		"0110250000044000DAC10000000000000000", "06011203000000", "06010A03A020000F04000000000000000000006232E4F9", "9383", "",
		"1F2201" + strings.Repeat("00", 29), "0FA501" + strings.Repeat("00", 13) + "0F" + strings.Repeat("00", 15),
		"0611250003044000DAC1" + strings.Repeat("00", 18), "06010A03A0200001", "06010A03A0200000",
	} {
		b, err := hex.DecodeString(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { checkIAD(t, b) })
}

func TestParseIAD_everyLengthIsSafe(t *testing.T) {
	for n := range 64 {
		for _, first := range []byte{0x00, 0x06, 0x0F, 0x1F} {
			b := bytes.Repeat([]byte{0x03}, n)
			if n > 0 {
				b[0] = first
			}
			checkIAD(t, b)
		}
	}
}

func TestParseIAD_tellsVisaFromMChip(t *testing.T) {
	for text, want := range map[string]IADFormat{
		"06011203A0B800":                         IADVisa013,
		"06011203A0B80000":                       IADVisa013,
		"06011203A0B80001":                       IADUnknown, // announces more than there is
		"0610250000044000DAC10000000000000000":   IADMChip,   // key index 6
		"0610250300044000DAC10000000000000000":   IADMChip,
		"0610250000044000DAC1000000000000000000": IADUnknown,
	} {
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if d, _ := ParseIAD(b); d.Format != want {
			t.Errorf("%s: got %s, want %s", text, d.Format, want)
		}
	}
}

func TestProfile_namesRoundTrip(t *testing.T) {
	for p := CVN10; p <= Interac133; p++ {
		if got, err := ParseProfile(p.String()); err != nil || got != p {
			t.Errorf("%s: got %v, %v", p, got, err)
		}
	}
	if _, err := ParseProfile("visa"); err == nil {
		t.Error("an unknown profile was accepted")
	}
}

func TestMode_allowsWhatItNames(t *testing.T) {
	all := []Mode{ModeDecrypt, ModeEncrypt, ModeGenerate, ModeVerify, ModeDerive}
	for mode, want := range map[Mode]string{
		ModeBoth: "DE", ModeMAC: "GV", ModeDecrypt: "D", ModeEncrypt: "E", ModeGenerate: "G", ModeVerify: "V", ModeDerive: "X",
		ModeUnlimited: "DEGVX", "": "", "Z": "",
	} {
		var got strings.Builder
		for _, w := range all {
			if mode.Allows(w) {
				got.WriteString(string(w))
			}
		}
		if got.String() != want {
			t.Errorf("mode %q allows %q, want %q", mode, got.String(), want)
		}
	}
	if ModeUnlimited.Allows("") {
		t.Error("nothing was allowed to be done")
	}
}

func TestPINBlock_printsNoBytes(t *testing.T) {
	b := PINBlock{Block: []byte{0xCA, 0xFE, 0xBA, 0xBE}, Format: ISO0}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%q"} {
		text := strings.ToLower(fmt.Sprintf(verb, b))
		if strings.Contains(text, "cafe") || strings.Contains(text, "202 254") || strings.Contains(text, "0xca") {
			t.Errorf("%s prints the block: %s", verb, text)
		}
	}
}

// Each layout tells of PINs in bits of its own; what is not told was not verified.
func TestIAD_PINVerified(t *testing.T) {
	for text, want := range map[string]bool{
		"06011203A00000":                       false, // Visa: nothing was compared
		"06011203A40000":                       true,
		"06011203A60000":                       false, // compared and found wrong
		"06011203A20000":                       false,
		"0114A5000300000000000000000000000000": true,  // M/Chip: compared, and found right
		"0114A4000300000000000000000000000000": false, // compared, and no word of how that ended
		"0114A4000310000000000000000000000000": false, // found wrong
		"0114A0000301000000000000000000000000": false, // the terminal thinks so, the chip has seen none
		"0114A5000301000000000000000000000000": false,
		"1F2201" + strings.Repeat("FF", 29):    false, // a layout whose results are not known
	} {
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		d, err := ParseIAD(b)
		if err != nil {
			t.Fatal(text, err)
		}
		if got := d.PINVerified(); got != want {
			t.Errorf("%s: got %t, want %t", text, got, want)
		}
	}
}
