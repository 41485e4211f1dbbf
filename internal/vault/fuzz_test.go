package vault

import (
	"testing"

	"github.com/sarraf-platform/sarraf/internal/fault"
)

// A public key that is taken has 2048 to 8192 bits and a fingerprint; anything
// else is the caller's mistake.
func FuzzParsePublicKey(f *testing.F) {
	f.Add("")
	f.Add("bm90IGEga2V5")
	f.Add("-----BEGIN PUBLIC KEY-----\nMFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAJ\n-----END PUBLIC KEY-----")
	f.Fuzz(func(t *testing.T, text string) {
		key, fingerprint, err := parsePublicKey(text)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("%v is no fault of the caller", err)
			}
			return
		}
		if bits := key.N.BitLen(); bits < 2048 || bits > 8192 || len(fingerprint) != 64 {
			t.Fatalf("took a key of %d bits", bits)
		}
	})
}
