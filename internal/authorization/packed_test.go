package authorization

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

func TestPacked_comesBackAsItWas(t *testing.T) {
	for _, text := range []string{"", "x", "version=5\nflow=AuthorizationRequest\n", strings.Repeat("şığ|", 1<<16), string(decisionDictionary)} {
		stored, err := Packed(text).Value()
		if err != nil {
			t.Fatal(err)
		}
		var back Packed
		if err := back.Scan(stored); err != nil || string(back) != text {
			t.Errorf("%d bytes came back as %d: %v", len(text), len(back), err)
		}
	}
}

// What is in databases must be readable for ever: the dictionary may not change.
func TestPacked_readsWhatWasEverStored(t *testing.T) {
	const text = "version=5\nflow=AuthorizationRequest\nlink=generic\nmti=0100\nstan=000123\ncard.policies_off=OfflineTransaction\nstate.posted=10000 TRY\n"
	stored, err := hex.DecodeString("0182011100a2d80a22c80a287374616e3d3030303132334ac3084a9a08a17c150004183030205452590a")
	if err != nil {
		t.Fatal(err)
	}
	var back Packed
	if err := back.Scan(stored); err != nil || string(back) != text {
		fresh, _ := Packed(text).Value()
		t.Errorf("it reads %q, %v; now it is stored as %x", back, err, fresh)
	}
}

// A change of the dictionary, or of where it is looked into first, would let what is
// stored read as something else: S2 has no checksum.
func TestPacked_dictionaryNeverChanges(t *testing.T) {
	const want = "6f30f3469e54963261d4e01ee16b7cf4cac39629b2dc4a40e390ce3b5f3da454"
	if got := fmt.Sprintf("%x", sha256.Sum256(packing.Bytes())); got != want {
		t.Errorf("the first dictionary is %s, and what is stored was packed with %s", got, want)
	}
	if !bytes.HasPrefix(decisionDictionary[packedFirst:], []byte("version=")) {
		t.Error("no record begins where it is looked into first")
	}
}

// What is stored can be read, and what somebody else stored takes little memory.
func TestPacked_storesOnlyWhatItReads(t *testing.T) {
	if _, err := Packed(strings.Repeat("a", unpackedMax+1)).Value(); err == nil {
		t.Error("what cannot be read is stored")
	}
	bomb := packing.Encode(nil, bytes.Repeat([]byte("a"), unpackedMax+1))
	if _, err := unpack(append([]byte{packedBy}, bomb...)); err == nil {
		t.Errorf("%d bytes became more than a text may have", len(bomb))
	}
}

func FuzzPacked(f *testing.F) {
	for _, text := range []string{"", "version=5\n", string(decisionDictionary)} {
		stored, err := Packed(text).Value()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(stored.([]byte))
	}
	f.Add([]byte{packedBy, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x00})
	f.Fuzz(func(t *testing.T, stored []byte) {
		var text Packed
		if text.Scan(stored) != nil {
			return
		}
		again, err := text.Value()
		if err != nil {
			t.Fatal(err)
		}
		var back Packed
		if err := back.Scan(again); err != nil || back != text {
			t.Errorf("%q came back as %q: %v", text, back, err)
		}
	})
}
