// Package hsmtest is the conformance suite of HSM backends: what every
// implementation of hsm.Backend must do and refuse, alike.
package hsmtest

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/hsm/algo"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

const (
	tenant  = "tnnt_one"
	another = "tnnt_two"
	number  = "9792060000000017"
	other   = "9792060000000025"
)

// Exercise runs the suite on b, which it does not close. It makes keys of two
// tenants that it invents.
func Exercise(t *testing.T, b hsm.Backend) {
	s := suite{b}
	t.Run("keysWorkOnlyForWhatTheyAre", s.refusals)
	t.Run("keySpecsAreChecked", s.specs)
	t.Run("keyBlocksTravel", s.travel)
	t.Run("transportKeysReachTheClient", s.transport)
	t.Run("cardValuesAgreeWithTheAlgorithm", s.cardValues)
	t.Run("pinsVerifyInEveryFormat", s.pins)
	t.Run("weakPINsAreRefused", s.weakPINs)
	t.Run("randomPINsObeyRules", s.randomPINs)
	t.Run("keptPINsAreToldToTheGatewayOnly", s.keptPINs)
	t.Run("offsetsTravelToAnotherNumber", s.offsetTransfer)
	t.Run("keptPINsTravelToAnotherNumber", s.storedTransfer)
	t.Run("malformedPINBlocksLookAlike", s.malformedPINs)
	t.Run("cryptogramsAgreeWithTheAlgorithm", s.cryptograms)
	t.Run("scriptsAgreeWithTheAlgorithm", s.scripts)
	t.Run("macsRoundTrip", s.macs)
	t.Run("sealedValuesStayInTheirRow", s.sealing)
	t.Run("fieldsRoundTrip", s.fields)
	t.Run("cardsArePersonalizedForTheBureauOnly", s.personalization)
	t.Run("sandboxRefusesProductionKeys", s.sandbox)
	t.Run("manyCallersAtOnce", s.concurrency)
	t.Run("nothingClearIsPrinted", s.printing)
}

type suite struct{ b hsm.Backend }

// Spec is a fitting spec for a key of usage u, for tests that need one.
func Spec(id string, u hsm.Usage, test bool) hsm.KeySpec {
	s := hsm.KeySpec{ID: id, Usage: u, Algorithm: hsm.TDES, Bits: 128, Exportability: hsm.Exportable, Version: "01", Test: test}
	switch u {
	case hsm.UsageIMKAC, hsm.UsageIMKSMC, hsm.UsageIMKSMI, hsm.UsageIMKDAC, hsm.UsageIMKIDN:
		s.Mode = hsm.ModeDerive
	case hsm.UsageKEK, hsm.UsageKeyBlock, hsm.UsageField:
		s.Mode, s.Algorithm, s.Bits = hsm.ModeBoth, hsm.AES, 256
	case hsm.UsagePIN:
		s.Mode = hsm.ModeBoth
	case hsm.UsageHMAC:
		s.Mode, s.Algorithm, s.Bits = hsm.ModeMAC, hsm.HMAC, 256
	default:
		s.Mode = hsm.ModeMAC
	}
	return s
}

func (s suite) key(t *testing.T, spec hsm.KeySpec) hsm.KeyRef {
	t.Helper()
	return s.keyOf(t, tenant, spec)
}

func (s suite) keyOf(t *testing.T, of string, spec hsm.KeySpec) hsm.KeyRef {
	t.Helper()
	ref, err := s.b.GenerateKey(t.Context(), of, spec)
	if err != nil {
		t.Fatalf("generate %s key: %v", spec.Usage, err)
	}
	return ref
}

func (s suite) reveal(t *testing.T, ref hsm.KeyRef) []byte {
	t.Helper()
	v, err := s.b.RevealKey(t.Context(), ref)
	if err != nil {
		t.Fatalf("reveal %s key: %v", ref.Usage, err)
	}
	return bytes.Clone(v.Reveal())
}

func mustPAN(t *testing.T, digits string) pan.PAN {
	t.Helper()
	p, err := pan.Parse(digits)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func want(t *testing.T, what string, got, class error) {
	t.Helper()
	if !errors.Is(got, class) {
		t.Errorf("%s: got %v, want %v", what, got, class)
	}
}

func (s suite) refusals(t *testing.T) {
	ctx := t.Context()
	cvk := s.key(t, Spec("cvk", hsm.UsageCVK, true))
	in := hsm.CardValueInput{PAN: mustPAN(t, number), Expiry: "2911"}
	use := func(ref hsm.KeyRef) error {
		_, err := s.b.CardValue(ctx, ref, hsm.CVV2, in)
		return err
	}
	if err := use(cvk); err != nil {
		t.Fatalf("a fitting key was refused: %v", err)
	}
	want(t, "no key", use(hsm.KeyRef{}), hsm.ErrKeyNotFound)

	for name, change := range map[string]func(*hsm.KeyRef){
		"tenant":        func(r *hsm.KeyRef) { r.Tenant = another },
		"id":            func(r *hsm.KeyRef) { r.ID = "imk" },
		"usage":         func(r *hsm.KeyRef) { r.Usage = hsm.UsagePVKVisa },
		"algorithm":     func(r *hsm.KeyRef) { r.Algorithm = hsm.AES },
		"mode":          func(r *hsm.KeyRef) { r.Mode = hsm.ModeUnlimited },
		"exportability": func(r *hsm.KeyRef) { r.Exportability = hsm.NonExportable },
		"version":       func(r *hsm.KeyRef) { r.Version = "02" },
		"KCV":           func(r *hsm.KeyRef) { r.KCV = "000000" },
		"test mark":     func(r *hsm.KeyRef) { r.Test = false },
		"a block's end": func(r *hsm.KeyRef) { r.Block = flip(r.Block, len(r.Block)-1) },
		"a block's key": func(r *hsm.KeyRef) { r.Block = flip(r.Block, len(r.Block)-40) },
		"a header mode": func(r *hsm.KeyRef) { r.Block = r.Block[:8] + "N" + r.Block[9:]; r.Mode = "N" },
		"a cut block":   func(r *hsm.KeyRef) { r.Block = r.Block[:len(r.Block)-32] },
	} {
		changed := cvk
		change(&changed)
		want(t, "reference with another "+name, use(changed), hsm.ErrIntegrity)
	}

	for _, u := range []hsm.Usage{hsm.UsagePVKVisa, hsm.UsageMAC3, hsm.UsagePIN, hsm.UsageIMKAC, hsm.UsageKEK} {
		want(t, "card value under usage "+string(u), use(s.key(t, Spec("k", u, true))), hsm.ErrKeyUsage)
	}
	spec := Spec("verify-only", hsm.UsageCVK, true)
	spec.Mode = hsm.ModeVerify
	want(t, "generation under a verification key", use(s.key(t, spec)), hsm.ErrKeyUsage)
	spec.Mode = hsm.ModeGenerate
	_, err := s.b.VerifyCardValue(ctx, s.key(t, spec), hsm.CVV2, in, secret.FromString("123"))
	want(t, "verification under a generation key", err, hsm.ErrKeyUsage)

	zpk, aes := s.key(t, Spec("zpk", hsm.UsagePIN, true)), Spec("zpk4", hsm.UsagePIN, true)
	aes.Algorithm = hsm.AES
	zpk4 := s.key(t, aes)
	pin := secret.FromString("2580")
	_, err = s.b.EncodePIN(ctx, zpk, hsm.ISO4, mustPAN(t, number), pin)
	want(t, "format 4 under TDES", err, hsm.ErrKeyUsage)
	for _, f := range []hsm.PINFormat{hsm.ISO0, hsm.ISO1, hsm.ISO3} {
		_, err = s.b.EncodePIN(ctx, zpk4, f, mustPAN(t, number), pin)
		want(t, f.String()+" under AES", err, hsm.ErrKeyUsage)
	}

	block, err := s.b.EncodePIN(ctx, zpk, hsm.ISO0, mustPAN(t, number), pin)
	if err != nil {
		t.Fatal(err)
	}
	foreign := s.keyOf(t, another, Spec("pvk", hsm.UsagePVKVisa, true))
	_, err = s.b.NewVerifier(ctx, foreign, hsm.PINBlock{Block: block, Format: hsm.ISO0, PAN: mustPAN(t, number), Key: zpk}, hsm.PINRules{})
	want(t, "PIN keys of two tenants", err, hsm.ErrKeyPolicy)
	production := s.key(t, Spec("pvk", hsm.UsagePVKVisa, false))
	_, err = s.b.NewVerifier(ctx, production, hsm.PINBlock{Block: block, Format: hsm.ISO0, PAN: mustPAN(t, number), Key: zpk}, hsm.PINRules{})
	want(t, "a test ZPK with a production PVK", err, hsm.ErrKeyPolicy)
}

// flip changes one hexadecimal digit.
func flip(text string, i int) string {
	c := byte('0')
	if text[i] == c {
		c = '1'
	}
	return text[:i] + string(rune(c)) + text[i+1:]
}

func (s suite) specs(t *testing.T) {
	good := Spec("k", hsm.UsageCVK, true)
	for name, c := range map[string]struct {
		change func(*hsm.KeySpec)
		class  error
	}{
		"unknown usage":         {func(k *hsm.KeySpec) { k.Usage = "ZZ" }, hsm.ErrKeyUsage},
		"usage and algorithm":   {func(k *hsm.KeySpec) { k.Algorithm, k.Bits = hsm.AES, 128 }, hsm.ErrKeyUsage},
		"usage and mode":        {func(k *hsm.KeySpec) { k.Mode = hsm.ModeDerive }, hsm.ErrKeyUsage},
		"no mode":               {func(k *hsm.KeySpec) { k.Mode = "" }, hsm.ErrKeyUsage},
		"two modes":             {func(k *hsm.KeySpec) { k.Mode = "GV" }, hsm.ErrKeyUsage},
		"length":                {func(k *hsm.KeySpec) { k.Bits = 64 }, hsm.ErrKeyUsage},
		"exportability":         {func(k *hsm.KeySpec) { k.Exportability = "" }, hsm.ErrFormat},
		"version":               {func(k *hsm.KeySpec) { k.Version = "1" }, hsm.ErrFormat},
		"version in lower case": {func(k *hsm.KeySpec) { k.Version = "a1" }, hsm.ErrFormat},
		"empty id":              {func(k *hsm.KeySpec) { k.ID = "" }, hsm.ErrFormat},
		"id with a bar":         {func(k *hsm.KeySpec) { k.ID = "a|b" }, hsm.ErrFormat},
		"long id":               {func(k *hsm.KeySpec) { k.ID = strings.Repeat("k", 65) }, hsm.ErrFormat},
	} {
		spec := good
		c.change(&spec)
		_, err := s.b.GenerateKey(t.Context(), tenant, spec)
		want(t, name, err, c.class)
	}
	for _, of := range []string{"", "a|b", "a b"} {
		_, err := s.b.GenerateKey(t.Context(), of, good)
		want(t, "tenant", err, hsm.ErrFormat)
	}
	for _, u := range []hsm.Usage{
		hsm.UsageCVK, hsm.UsageField, hsm.UsageIMKAC, hsm.UsageIMKSMC, hsm.UsageIMKSMI, hsm.UsageIMKDAC, hsm.UsageIMKIDN, hsm.UsageKEK,
		hsm.UsageKeyBlock, hsm.UsageMAC1, hsm.UsageMAC3, hsm.UsageCMAC, hsm.UsageHMAC, hsm.UsagePIN, hsm.UsagePVKIBM3624, hsm.UsagePVKVisa,
	} {
		ref := s.key(t, Spec("k", u, true))
		if len(ref.KCV) != 6 || ref.Version != "01" || ref.Tenant != tenant || ref.Block == "" || ref.Block[0] != 'D' {
			t.Errorf("%s: %v is incomplete", u, ref)
		}
		key := s.reveal(t, ref)
		if len(key) != Spec("k", u, true).Bits/8 {
			t.Errorf("%s: key has %d bytes", u, len(key))
		}
		if ref.Algorithm == hsm.TDES && algo.CheckTDES(key) != nil {
			t.Errorf("%s: a weak key was made", u)
		}
	}
}

func (s suite) travel(t *testing.T) {
	ctx := t.Context()
	tdesKEK := Spec("zmk", hsm.UsageKEK, true)
	tdesKEK.Algorithm, tdesKEK.Bits = hsm.TDES, 128
	strong := Spec("kek", hsm.UsageKeyBlock, true)
	for name, kek := range map[string]hsm.KeyRef{"AES": s.key(t, strong), "TDES": s.key(t, tdesKEK)} {
		key := s.key(t, Spec("zpk", hsm.UsagePIN, true))
		block, err := s.b.ExportKeyBlock(ctx, kek, key)
		if err != nil {
			t.Fatalf("%s: export: %v", name, err)
		}
		if v := map[string]byte{"AES": 'D', "TDES": 'B'}[name]; block[0] != v {
			t.Errorf("%s: block of version %c, want %c", name, block[0], v)
		}
		h, clearKey, err := algo.UnwrapKeyBlock(s.reveal(t, kek), block)
		if err != nil || h.Usage != "P0" || !bytes.Equal(clearKey, s.reveal(t, key)) {
			t.Errorf("%s: the partner cannot open the block: %v", name, err)
		}
		spec := Spec("zpk-back", hsm.UsagePIN, true)
		back, err := s.b.ImportKeyBlock(ctx, tenant, kek, block, spec)
		if err != nil {
			t.Fatalf("%s: import: %v", name, err)
		}
		if back.KCV != key.KCV || back.ID != "zpk-back" {
			t.Errorf("%s: imported %v, want the key check value of %v", name, back, key)
		}

		spec.Usage = hsm.UsagePVKVisa
		_, err = s.b.ImportKeyBlock(ctx, tenant, kek, block, spec)
		want(t, "import for another usage", err, hsm.ErrKeyUsage)
		spec = Spec("zpk-back", hsm.UsagePIN, true)
		spec.Version = "07"
		_, err = s.b.ImportKeyBlock(ctx, tenant, kek, block, spec)
		want(t, "import with another version", err, hsm.ErrKeyUsage)
		_, err = s.b.ImportKeyBlock(ctx, another, kek, block, Spec("k", hsm.UsagePIN, true))
		want(t, "import for another tenant", err, hsm.ErrKeyPolicy)
		_, err = s.b.ImportKeyBlock(ctx, tenant, kek, block, Spec("k", hsm.UsagePIN, false))
		want(t, "import of a test key as production", err, hsm.ErrKeyPolicy)
		_, err = s.b.ImportKeyBlock(ctx, tenant, kek, flip(block, len(block)-1), Spec("k", hsm.UsagePIN, true))
		want(t, "import of a changed block", err, hsm.ErrFormat)
		_, err = s.b.ImportKeyBlock(ctx, tenant, kek, "", Spec("k", hsm.UsagePIN, true))
		want(t, "import of nothing", err, hsm.ErrFormat)
		_, err = s.b.ImportKeyBlock(ctx, tenant, key, block, Spec("k", hsm.UsagePIN, true))
		want(t, "import under a key that is no KEK", err, hsm.ErrKeyUsage)

		fixed := Spec("fixed", hsm.UsageCVK, true)
		fixed.Exportability = hsm.NonExportable
		_, err = s.b.ExportKeyBlock(ctx, kek, s.key(t, fixed))
		want(t, "export of a key that may not leave", err, hsm.ErrKeyPolicy)
		_, err = s.b.ExportKeyBlock(ctx, kek, s.keyOf(t, another, Spec("k", hsm.UsageCVK, true)))
		want(t, "export under another tenant's key", err, hsm.ErrKeyPolicy)
		_, err = s.b.ExportKeyBlock(ctx, kek, s.key(t, Spec("k", hsm.UsageCVK, false)))
		want(t, "export of a production key under a test key", err, hsm.ErrKeyPolicy)
	}
	aes := Spec("zpk4", hsm.UsagePIN, true)
	aes.Algorithm = hsm.AES
	_, err := s.b.ExportKeyBlock(ctx, s.key(t, tdesKEK), s.key(t, aes))
	want(t, "export of AES under TDES", err, hsm.ErrKeyPolicy)
}

func (s suite) transport(t *testing.T) {
	ctx := t.Context()
	client, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for use, usage := range map[hsm.TransportUse]hsm.Usage{hsm.Fields: hsm.UsageField, hsm.KeyBlocks: hsm.UsageKeyBlock} {
		for _, test := range []bool{true, false} {
			k, err := s.b.GenerateTransportKey(ctx, tenant, "xchg_1", &client.PublicKey, use, test)
			if err != nil {
				t.Fatalf("transport key: %v", err)
			}
			key, err := rsa.DecryptOAEP(sha256.New(), nil, client, k.Wrapped, nil)
			if err != nil || len(key) != 32 {
				t.Fatalf("the client cannot unwrap its key: %v", err)
			}
			c, err := algo.NewAES(key)
			if err != nil {
				t.Fatal(err)
			}
			check, err := algo.KCVCMAC(c, 3)
			if err != nil {
				t.Fatal(err)
			}
			if k.KCV != strings.ToUpper(hex.EncodeToString(check)) || k.Ref.KCV != k.KCV || k.Ref.Usage != usage || k.Ref.Test != test {
				t.Errorf("transport key %v with KCV %s, want %s of usage %s", k.Ref, k.KCV, hex.EncodeToString(check), usage)
			}
			if use == hsm.KeyBlocks {
				zpk := s.key(t, Spec("zpk", hsm.UsagePIN, test))
				block, err := s.b.ExportKeyBlock(ctx, k.Ref, zpk)
				if err != nil {
					t.Fatalf("export a ZPK to the client: %v", err)
				}
				if h, _, err := algo.UnwrapKeyBlock(key, block); err != nil || h.Version != 'D' || h.Usage != "P0" {
					t.Errorf("the client cannot open its ZPK: %v", err)
				}
				// Only the client can write under its key: known and weak keys are
				// tried here, where a production KEK's bytes are known.
				s.importWeak(t, k.Ref, key, test)
			}
		}
	}
	if _, err := s.b.GenerateTransportKey(ctx, tenant, "x", nil, hsm.Fields, true); !errors.Is(err, hsm.ErrKeyPolicy) {
		t.Errorf("no client key: got %v, want %v", err, hsm.ErrKeyPolicy)
	}
	short := client.PublicKey
	short.N = short.N.Rsh(client.PublicKey.N, 1) // 2047 bits
	_, err = s.b.GenerateTransportKey(ctx, tenant, "x", &short, hsm.Fields, true)
	want(t, "short client key", err, hsm.ErrKeyPolicy)
	short.N = nil
	_, err = s.b.GenerateTransportKey(ctx, tenant, "x", &short, hsm.Fields, true)
	want(t, "empty client key", err, hsm.ErrKeyPolicy)
}

func (s suite) importWeak(t *testing.T, kek hsm.KeyRef, kekBytes []byte, test bool) {
	t.Helper()
	for name, text := range map[string]string{
		"known":        "0123456789ABCDEFFEDCBA9876543210",
		"known parity": "0022446689ABCDEFFEDCBA9876543210",
		"repeated":     "AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBB",
		"equal halves": "6786D3D6F2266E196786D3D6F2266E19",
		"weak half":    "01010101010101016786D3D6F2266E19",
	} {
		key, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		h := algo.KeyBlockHeader{Version: 'D', Usage: "C0", Algorithm: 'T', Mode: 'C', KeyVersion: "01", Exportability: 'E'}
		block, err := algo.WrapKeyBlock(kekBytes, h, key, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.b.ImportKeyBlock(t.Context(), tenant, kek, block, Spec("k", hsm.UsageCVK, test))
		if test && err != nil {
			t.Errorf("%s key: refused as a test key: %v", name, err)
		}
		if !test {
			want(t, name+" key in production", err, hsm.ErrKeyPolicy)
		}
	}
}

func (s suite) cardValues(t *testing.T) {
	ctx := t.Context()
	cvk := s.key(t, Spec("cvk", hsm.UsageCVK, true))
	pair, err := algo.NewPair(s.reveal(t, cvk))
	if err != nil {
		t.Fatal(err)
	}
	in := hsm.CardValueInput{PAN: mustPAN(t, number), Expiry: "2911", ServiceCode: "201"}
	for kind, service := range map[hsm.CardValueKind]string{hsm.CVV: "201", hsm.ICVV: "999", hsm.CVV2: "000"} {
		expect, err := algo.CVV(pair, number, "2911", service)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.b.CardValue(ctx, cvk, kind, in)
		if err != nil || !bytes.Equal(got.Reveal(), expect[:]) {
			t.Errorf("kind %d: the value differs from the algorithm's (%v)", kind, err)
		}
		for value, match := range map[string]bool{string(expect[:]): true, string(expect[:]) + "0": false, string(expect[:2]): false, "": false} {
			ok, err := s.b.VerifyCardValue(ctx, cvk, kind, in, secret.FromString(value))
			if err != nil || ok != match {
				t.Errorf("kind %d: a value of %d digits: got %t, %v, want %t", kind, len(value), ok, err, match)
			}
		}
		wrong := expect
		wrong[2] = '0' + (wrong[2]-'0'+1)%10
		if ok, err := s.b.VerifyCardValue(ctx, cvk, kind, in, secret.New(wrong[:])); ok || err != nil {
			t.Errorf("kind %d: a wrong value: got %t, %v", kind, ok, err)
		}
	}
	for name, change := range map[string]func(*hsm.CardValueInput){
		"expiry of 5": func(i *hsm.CardValueInput) { i.Expiry = "29111" }, "letters": func(i *hsm.CardValueInput) { i.Expiry = "29AB" },
		"no PAN": func(i *hsm.CardValueInput) { i.PAN = pan.PAN{} },
	} {
		changed := in
		change(&changed)
		_, err := s.b.CardValue(ctx, cvk, hsm.CVV2, changed)
		want(t, name, err, hsm.ErrFormat)
	}
	_, err = s.b.CardValue(ctx, cvk, 0, in)
	want(t, "unknown kind", err, hsm.ErrFormat)
}

// pinSetting is one way for a PIN to arrive.
type pinSetting struct {
	format hsm.PINFormat
	key    hsm.KeyRef
}

func (s suite) settings(t *testing.T) []pinSetting {
	t.Helper()
	aes := Spec("zpk4", hsm.UsagePIN, true)
	aes.Algorithm = hsm.AES
	zpk := s.key(t, Spec("zpk", hsm.UsagePIN, true))
	return []pinSetting{{hsm.ISO0, zpk}, {hsm.ISO1, zpk}, {hsm.ISO3, zpk}, {hsm.ISO4, s.key(t, aes)}, {hsm.Field, s.key(t, Spec("field", hsm.UsageField, true))}}
}

// block makes a PIN block, or field, of digits.
func (s suite) block(t *testing.T, p pinSetting, of, digits string) hsm.PINBlock {
	t.Helper()
	out := hsm.PINBlock{Format: p.format, PAN: mustPAN(t, of), Key: p.key, AAD: []byte(tenant + "|token|pin")}
	var err error
	if p.format == hsm.Field {
		out.Block, err = s.b.SealField(t.Context(), p.key, secret.FromString(digits), out.AAD)
	} else {
		out.Block, err = s.b.EncodePIN(t.Context(), p.key, p.format, out.PAN, secret.FromString(digits))
	}
	if err != nil {
		t.Fatalf("%s: encode: %v", p.format, err)
	}
	return out
}

func (s suite) pins(t *testing.T) {
	ctx := t.Context()
	for _, u := range []hsm.Usage{hsm.UsagePVKVisa, hsm.UsagePVKIBM3624} {
		pvk := s.key(t, Spec("pvk", u, true))
		for _, p := range s.settings(t) {
			for _, digits := range []string{"2580", "738194", "918273645019"} {
				if u == hsm.UsagePVKVisa && len(digits) != 4 {
					continue
				}
				in := s.block(t, p, number, digits)
				if got, err := s.b.DecodePIN(ctx, in); err != nil || string(got.Reveal()) != digits {
					t.Errorf("%s: decode of %d digits: %v", p.format, len(digits), err)
				}
				v, err := s.b.NewVerifier(ctx, pvk, in, hsm.PINRules{Length: len(digits)})
				if err != nil {
					t.Fatalf("%s %s: new verifier: %v", u, p.format, err)
				}
				if v.Value == digits || (u == hsm.UsagePVKVisa && v.PVKI != 1) {
					t.Errorf("%s %s: unlikely verifier with index %d", u, p.format, v.PVKI)
				}
				if ok, err := s.b.VerifyPIN(ctx, pvk, in, v); !ok || err != nil {
					t.Errorf("%s %s: right PIN: got %t, %v", u, p.format, ok, err)
				}
				wrong := "8520" + digits[4:]
				if ok, err := s.b.VerifyPIN(ctx, pvk, s.block(t, p, number, wrong), v); ok || err != nil {
					t.Errorf("%s %s: wrong PIN: got %t, %v", u, p.format, ok, err)
				}
				if ok, _ := s.b.VerifyPIN(ctx, pvk, s.block(t, p, other, digits), v); ok {
					t.Errorf("%s %s: another card's PIN matches", u, p.format)
				}
				if len(digits) < 12 {
					// Longer PINs that begin alike must not pass.
					if ok, err := s.b.VerifyPIN(ctx, pvk, s.block(t, p, number, digits+"1"), v); ok || err != nil {
						t.Errorf("%s %s: longer PIN: got %t, %v", u, p.format, ok, err)
					}
				}
			}
		}
	}
	pvk := s.key(t, Spec("pvk", hsm.UsagePVKVisa, true))
	in := s.block(t, s.settings(t)[0], number, "2580")
	_, err := s.b.VerifyPIN(ctx, pvk, in, hsm.Verifier{Method: hsm.IBM3624, Value: "1234"})
	want(t, "an offset under a PVV key", err, hsm.ErrKeyUsage)
	_, err = s.b.VerifyPIN(ctx, pvk, in, hsm.Verifier{Method: hsm.PVV, PVKI: 1, Value: "12"})
	want(t, "a short PVV", err, hsm.ErrIntegrity)

	// The stored value is the published algorithm's.
	c, err := algo.NewTDES(s.reveal(t, pvk))
	if err != nil {
		t.Fatal(err)
	}
	pin, err := algo.ParsePIN([]byte("2580"))
	if err != nil {
		t.Fatal(err)
	}
	expect, err := algo.PINVerificationValue(c, number, 1, &pin)
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.b.NewVerifier(ctx, pvk, in, hsm.PINRules{})
	if err != nil || v.Value != string(expect[:]) {
		t.Errorf("the PVV differs from the algorithm's: %v", err)
	}
}

func (s suite) weakPINs(t *testing.T) {
	ctx := t.Context()
	pvk := s.key(t, Spec("pvk", hsm.UsagePVKIBM3624, true))
	p := s.settings(t)[0]
	rules := hsm.PINRules{Forbidden: []string{"0017", "1129", "2911", "15081990", "12", ""}}
	for _, digits := range []string{"0000", "1234", "9876", "7771", "1777", "0017", "1129", "1990", "1508", "0819"} {
		_, err := s.b.NewVerifier(ctx, pvk, s.block(t, p, number, digits), rules)
		want(t, "PIN no. "+fmt.Sprint(len(digits)), err, hsm.ErrWeakPIN)
	}
	for _, digits := range []string{"2580", "1122", "1990"} {
		r := rules
		if digits == "1990" {
			r.Forbidden = nil
		}
		if _, err := s.b.NewVerifier(ctx, pvk, s.block(t, p, number, digits), r); err != nil {
			t.Errorf("an allowed PIN was refused: %v", err)
		}
	}
	rules.Length = 6
	_, err := s.b.NewVerifier(ctx, pvk, s.block(t, p, number, "250017"), rules)
	want(t, "a forbidden string inside", err, hsm.ErrWeakPIN)
	_, err = s.b.NewVerifier(ctx, pvk, s.block(t, p, number, "2580"), rules)
	want(t, "short PIN", err, hsm.ErrPINLength)
	rules.Length = 13
	_, err = s.b.NewVerifier(ctx, pvk, s.block(t, p, number, "2580"), rules)
	want(t, "impossible length", err, hsm.ErrPINLength)
	_, err = s.b.NewVerifier(ctx, s.key(t, Spec("pvk", hsm.UsagePVKVisa, true)), s.block(t, p, number, "258036"), hsm.PINRules{Length: 6})
	want(t, "six digits under a PVV", err, hsm.ErrPINLength)

	current, err := s.b.NewVerifier(ctx, pvk, s.block(t, p, number, "2580"), hsm.PINRules{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.b.NewVerifier(ctx, pvk, s.block(t, p, number, "2580"), hsm.PINRules{Current: &current})
	want(t, "the current PIN again", err, hsm.ErrWeakPIN)
	if _, err = s.b.NewVerifier(ctx, pvk, s.block(t, p, number, "2581"), hsm.PINRules{Current: &current}); err != nil {
		t.Errorf("another PIN than the current one: %v", err)
	}
}

func (s suite) randomPINs(t *testing.T) {
	ctx := t.Context()
	for _, u := range []hsm.Usage{hsm.UsagePVKVisa, hsm.UsagePVKIBM3624} {
		pvk := s.key(t, Spec("pvk", u, true))
		seen := map[string]bool{}
		for range 20 {
			v, err := s.b.RandomVerifier(ctx, pvk, mustPAN(t, number), hsm.PINRules{})
			if err != nil || len(v.Value) != 4 {
				t.Fatalf("%s: %v", u, err)
			}
			seen[v.Value] = true
		}
		if len(seen) < 10 {
			t.Errorf("%s: %d different verifiers of 20", u, len(seen))
		}
	}
}

func (s suite) malformedPINs(t *testing.T) {
	ctx := t.Context()
	pvk := s.key(t, Spec("pvk", hsm.UsagePVKVisa, true))
	v := hsm.Verifier{Method: hsm.PVV, PVKI: 1, Value: "1234"}
	var texts []string
	for _, p := range s.settings(t) {
		good := s.block(t, p, number, "2580")
		for _, block := range [][]byte{
			nil, {}, good.Block[:len(good.Block)-1], append(bytes.Clone(good.Block), 0), bytes.Repeat([]byte{0xFF}, len(good.Block)),
			make([]byte, len(good.Block)),
		} {
			bad := good
			bad.Block = block
			ok, err := s.b.VerifyPIN(ctx, pvk, bad, v)
			if ok {
				t.Errorf("%s: a malformed block matches", p.format)
			}
			want(t, p.format.String()+" malformed", err, hsm.ErrFormat)
			texts = append(texts, err.Error())
		}
		if p.format == hsm.Field {
			moved := good
			moved.AAD = []byte(tenant + "|another|pin")
			_, err := s.b.VerifyPIN(ctx, pvk, moved, v)
			want(t, "a field of another card", err, hsm.ErrFormat)
			texts = append(texts, err.Error())
		}
	}
	slices.Sort(texts)
	if texts = slices.Compact(texts); len(texts) != 1 {
		t.Errorf("malformed blocks can be told apart: %q", texts)
	}
}

func iadOf(p hsm.Profile) []byte {
	switch p {
	case hsm.CVN10:
		return []byte{0x06, 0x01, 0x0A, 0x03, 0xA0, 0x60, 0x10}
	case hsm.CVN18:
		return []byte{0x06, 0x01, 0x12, 0x03, 0xA0, 0xB8, 0x00}
	case hsm.CVN22:
		return append([]byte{0x1F, 0x22, 0x01}, make([]byte, 29)...)
	case hsm.MChip16, hsm.MChip17, hsm.MChip20, hsm.MChip21:
		return append([]byte{0x01, p.CVN(), 0xA0, 0x00, 0x03, 0x22, 0x00, 0x00, 0xDA, 0xC1}, 0, 0, 0, 0, 0, 0, 0x29, 0xFF)
	}
	return []byte{0x0F, 0x01, 0x85, 0x00}
}

func sample(p hsm.Profile, number pan.PAN) hsm.ARQCInput {
	return hsm.ARQCInput{
		Profile: p, PAN: number, PSN: "01", ATC: [2]byte{0, 0x1C}, UN: [4]byte{0x52, 0xBF, 0x45, 0x85},
		AmountAuthorized: [6]byte{0, 0, 0, 0, 0x40, 0}, Country: [2]byte{0x07, 0x92}, TVR: [5]byte{0x80, 0, 4, 0x80, 0},
		Currency: [2]byte{0x09, 0x49}, Date: [3]byte{0x26, 0x11, 0x21}, AIP: [2]byte{0x18, 0}, IAD: iadOf(p),
	}
}

func (s suite) cryptograms(t *testing.T) {
	ctx := t.Context()
	imk := s.key(t, Spec("imk", hsm.UsageIMKAC, true))
	for _, digits := range []string{number, "9792060000000000017"} {
		for p := hsm.CVN10; p <= hsm.Interac133; p++ {
			card := mustPAN(t, digits)
			mk, err := s.b.ICCMasterKey(ctx, imk, card, "01", p)
			if err != nil {
				t.Fatalf("%s: %v", p, err)
			}
			pair, err := algo.NewPair(mk.Reveal())
			if err != nil {
				t.Fatal(err)
			}
			in := sample(p, card)
			if in.ARQC, err = algo.ApplicationCryptogram(pair, &in); err != nil {
				t.Fatalf("%s: %v", p, err)
			}
			if ok, err := s.b.VerifyARQC(ctx, imk, in); !ok || err != nil {
				t.Errorf("%s: right cryptogram: got %t, %v", p, ok, err)
			}
			for name, change := range map[string]func(*hsm.ARQCInput){
				"amount":   func(i *hsm.ARQCInput) { i.AmountAuthorized[5] ^= 1 },
				"ATC":      func(i *hsm.ARQCInput) { i.ATC[1]++ },
				"UN":       func(i *hsm.ARQCInput) { i.UN[0]++ },
				"IAD":      func(i *hsm.ARQCInput) { i.IAD = bytes.Clone(i.IAD); i.IAD[3+len(i.IAD)/8] ^= 0x04 },
				"PSN":      func(i *hsm.ARQCInput) { i.PSN = "" },
				"PAN":      func(i *hsm.ARQCInput) { i.PAN = mustPAN(t, other) },
				"ARQC":     func(i *hsm.ARQCInput) { i.ARQC[7] ^= 1 },
				"currency": func(i *hsm.ARQCInput) { i.Currency[0] ^= 1 },
			} {
				changed := in
				change(&changed)
				if ok, err := s.b.VerifyARQC(ctx, imk, changed); ok || err != nil && !errors.Is(err, hsm.ErrFormat) {
					t.Errorf("%s: another %s: got %t, %v", p, name, ok, err)
				}
			}
			for _, approved := range []bool{true, false} {
				expect, err := algo.Response(pair, &in, [2]byte{'0', '0'}, algo.CardStatusUpdate(approved))
				if err != nil {
					t.Fatal(err)
				}
				got, err := s.b.ResponseCryptogram(ctx, imk, in, [2]byte{'0', '0'}, approved)
				if err != nil || !bytes.Equal(got, expect) {
					t.Errorf("%s: response %X, %v, want %X", p, got, err, expect)
				}
			}
		}
	}
	in := sample(hsm.CVN18, mustPAN(t, number))
	in.IAD = iadOf(hsm.CVN10)
	_, err := s.b.VerifyARQC(ctx, imk, in)
	want(t, "an IAD of another version", err, hsm.ErrFormat)
	in.Profile = 0
	_, err = s.b.VerifyARQC(ctx, imk, in)
	want(t, "no profile", err, hsm.ErrFormat)
	_, err = s.b.VerifyARQC(ctx, s.key(t, Spec("smi", hsm.UsageIMKSMI, true)), sample(hsm.CVN18, mustPAN(t, number)))
	want(t, "another issuer master key", err, hsm.ErrKeyUsage)
}

func (s suite) scripts(t *testing.T) {
	ctx := t.Context()
	keys := hsm.ScriptKeys{
		AC: s.key(t, Spec("ac", hsm.UsageIMKAC, true)), SMI: s.key(t, Spec("smi", hsm.UsageIMKSMI, true)), SMC: s.key(t, Spec("smc", hsm.UsageIMKSMC, true)),
	}
	zpk := s.settings(t)[0]
	for p := hsm.CVN10; p <= hsm.Interac133; p++ {
		card := mustPAN(t, number)
		in := hsm.ScriptInput{Profile: p, PAN: card, PSN: "01", ATC: [2]byte{0, 0x1C}, ARQC: [8]byte{1, 2, 3, 4, 5, 6, 7, 8}, Sequence: 1, Header: [4]byte{0x84, 0x18, 0, 0}}
		master := func(ref hsm.KeyRef) (raw [16]byte) {
			v, err := s.b.ICCMasterKey(ctx, ref, card, "01", p)
			if err != nil {
				t.Fatal(err)
			}
			copy(raw[:], v.Reveal())
			return raw
		}
		session := func(ref hsm.KeyRef) algo.Pair {
			sk, err := algo.ScriptKey(p, master(ref), in.ATC, in.ARQC, 1)
			if err != nil {
				t.Fatal(err)
			}
			pair, err := algo.NewPair(sk[:])
			if err != nil {
				t.Fatal(err)
			}
			return pair
		}
		expect, err := algo.Script(p, session(keys.SMI), in.Header, in.ATC, in.ARQC, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.b.ScriptMAC(ctx, keys.SMI, in)
		if err != nil || !bytes.Equal(got, expect) || len(got) != 13 {
			t.Errorf("%s: command %X, %v, want %X", p, got, err, expect)
		}

		in.Header = [4]byte{0x84, 0x24, 0, 0x02}
		pin, err := algo.ParsePIN([]byte("2580"))
		if err != nil {
			t.Fatal(err)
		}
		block, err := algo.ChangePINBlock(p, master(keys.AC), &pin, nil)
		if err != nil {
			t.Fatal(err)
		}
		way, err := algo.ScriptEncryptionOf(p)
		if err != nil {
			t.Fatal(err)
		}
		data, err := algo.EncryptScript(session(keys.SMC).TDES(), block[:], way)
		if err != nil {
			t.Fatal(err)
		}
		if expect, err = algo.Script(p, session(keys.SMI), in.Header, in.ATC, in.ARQC, data); err != nil {
			t.Fatal(err)
		}
		got, err = s.b.ScriptPINChange(ctx, keys, in, s.block(t, zpk, number, "2580"), nil)
		if err != nil || !bytes.Equal(got, expect) {
			t.Errorf("%s: PIN change %X, %v, want %X", p, got, err, expect)
		}
		_, err = s.b.ScriptPINChange(ctx, keys, in, s.block(t, zpk, other, "2580"), nil)
		want(t, "another card's PIN to the chip", err, hsm.ErrKeyPolicy)
		current := s.block(t, zpk, number, "1357")
		_, err = s.b.ScriptPINChange(ctx, keys, in, s.block(t, zpk, number, "2580"), &current)
		want(t, "a current PIN the command does not announce", err, hsm.ErrFormat)
		in.Header[3] = 0x01
		if _, err = s.b.ScriptPINChange(ctx, keys, in, s.block(t, zpk, number, "2580"), &current); p <= hsm.CVN22 && err != nil {
			t.Errorf("%s: PIN change with the current PIN: %v", p, err)
		}
		swapped := keys
		swapped.SMI, swapped.SMC = keys.SMC, keys.SMI
		_, err = s.b.ScriptPINChange(ctx, swapped, in, s.block(t, zpk, number, "2580"), &current)
		want(t, "swapped keys", err, hsm.ErrKeyUsage)
	}
}

func (s suite) macs(t *testing.T) {
	ctx := t.Context()
	data := []byte("0800 82200000000000000400000000000000")
	for alg, u := range map[hsm.MACAlgorithm]hsm.Usage{
		hsm.ISO9797Alg1Pad1: hsm.UsageMAC1, hsm.ISO9797Alg1Pad2: hsm.UsageMAC1, hsm.ISO9797Alg1Pad3: hsm.UsageMAC1,
		hsm.ISO9797Alg3Pad1: hsm.UsageMAC3, hsm.ISO9797Alg3Pad2: hsm.UsageMAC3, hsm.ISO9797Alg3Pad3: hsm.UsageMAC3,
		hsm.CMAC: hsm.UsageCMAC, hsm.HMACSHA256: hsm.UsageHMAC,
	} {
		key := s.key(t, Spec("mac", u, true))
		m, err := s.b.GenerateMAC(ctx, key, alg, data, 8)
		if err != nil || len(m) != 8 {
			t.Fatalf("algorithm %d: %v", alg, err)
		}
		if ok, err := s.b.VerifyMAC(ctx, key, alg, data, m, 8); !ok || err != nil {
			t.Errorf("algorithm %d: right MAC: got %t, %v", alg, ok, err)
		}
		for _, bad := range [][]byte{nil, {}, m[:4], m[:7], append(bytes.Clone(m), 0), bytes.Repeat([]byte{1}, 8)} {
			if ok, err := s.b.VerifyMAC(ctx, key, alg, data, bad, 8); ok || err != nil {
				t.Errorf("algorithm %d: a MAC of %d bytes: got %t, %v", alg, len(bad), ok, err)
			}
		}
		for _, n := range []int{-1, 0, 3, 33} {
			_, err := s.b.GenerateMAC(ctx, key, alg, data, n)
			want(t, "MAC length", err, hsm.ErrFormat)
		}
		_, err = s.b.GenerateMAC(ctx, s.key(t, Spec("cvk", hsm.UsageCVK, true)), alg, data, 8)
		want(t, "MAC under a CVK", err, hsm.ErrKeyUsage)
	}
	_, err := s.b.GenerateMAC(ctx, s.key(t, Spec("mac", hsm.UsageMAC3, true)), 0, data, 8)
	want(t, "unknown algorithm", err, hsm.ErrNotSupported)
}

func (s suite) sealing(t *testing.T) {
	ctx := t.Context()
	row := []byte("card|pan|card_1")
	plain := []byte("canary-4242")
	sealed, err := s.b.Seal(ctx, tenant, "pan", plain, row)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.b.Open(ctx, tenant, "pan", sealed, row); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("open: got %q, %v", got, err)
	}
	again, err := s.b.Seal(ctx, tenant, "pan", plain, row)
	if err != nil || bytes.Equal(sealed, again) {
		t.Errorf("two seals of one value are equal (%v)", err)
	}
	if bytes.Contains(sealed, plain) {
		t.Error("the sealed value shows its content")
	}
	type place struct {
		tenant, purpose string
		row             []byte
	}
	for _, p := range []place{{another, "pan", row}, {tenant, "name", row}, {tenant, "pan", []byte("card|pan|card_2")}, {tenant, "pan", nil}} {
		_, err := s.b.Open(ctx, p.tenant, p.purpose, sealed, p.row)
		want(t, "a sealed value elsewhere", err, hsm.ErrIntegrity)
	}
	for _, i := range []int{0, 1, 13, len(sealed) - 1} {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		_, err := s.b.Open(ctx, tenant, "pan", changed, row)
		want(t, "a changed sealed value", err, hsm.ErrIntegrity)
	}
	for _, n := range []int{0, 1, 12, 28} {
		_, err := s.b.Open(ctx, tenant, "pan", sealed[:n], row)
		want(t, "a cut sealed value", err, hsm.ErrIntegrity)
	}

	index := func(of, purpose string, value string) string {
		i, err := s.b.Index(ctx, of, purpose, []byte(value))
		if err != nil || len(i) != 32 {
			t.Fatalf("index: %d bytes, %v", len(i), err)
		}
		return string(i)
	}
	if first, again := index(tenant, "pan", number), index(tenant, "pan", number); first != again {
		t.Error("equal values have different indexes")
	}
	different := []string{index(tenant, "pan", number), index(tenant, "pan", other), index(another, "pan", number), index(tenant, "name", number)}
	slices.Sort(different)
	if len(slices.Compact(different)) != 4 {
		t.Error("indexes of different values, tenants or purposes are equal")
	}
}

func (s suite) fields(t *testing.T) {
	ctx := t.Context()
	key := s.key(t, Spec("field", hsm.UsageField, true))
	aad := []byte("tenant|token|pan")
	sealed, err := s.b.SealField(ctx, key, secret.FromString("hello"), aad)
	if err != nil || len(sealed) != 12+5+16 {
		t.Fatalf("seal field: %d bytes, %v", len(sealed), err)
	}
	// The contract's layout: IV, ciphertext, tag.
	c, err := algo.NewAES(s.reveal(t, key))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := algo.OpenGCM(c, sealed[:12], sealed[12:], aad); err != nil || string(plain) != "hello" {
		t.Errorf("the client cannot open the field: %v", err)
	}
	if got, err := s.b.OpenField(ctx, key, sealed, aad); err != nil || string(got.Reveal()) != "hello" {
		t.Errorf("open field: %v", err)
	}
	for _, bad := range [][]byte{nil, sealed[:27], sealed[:32], append(bytes.Clone(sealed), 0)} {
		_, err := s.b.OpenField(ctx, key, bad, aad)
		want(t, "a malformed field", err, hsm.ErrFormat)
	}
	_, err = s.b.OpenField(ctx, key, sealed, []byte("tenant|another|pan"))
	want(t, "a moved field", err, hsm.ErrFormat)
	_, err = s.b.OpenField(ctx, s.key(t, Spec("zpk", hsm.UsagePIN, true)), sealed, aad)
	want(t, "a field under a ZPK", err, hsm.ErrKeyUsage)
}

func (s suite) sandbox(t *testing.T) {
	ctx := t.Context()
	card := mustPAN(t, number)
	zpk, imk := s.key(t, Spec("zpk", hsm.UsagePIN, false)), s.key(t, Spec("imk", hsm.UsageIMKAC, false))
	_, err := s.b.RevealKey(ctx, zpk)
	want(t, "reveal", err, hsm.ErrKeyPolicy)
	_, err = s.b.ICCMasterKey(ctx, imk, card, "00", hsm.CVN18)
	want(t, "ICC master key", err, hsm.ErrKeyPolicy)
	_, err = s.b.EncodePIN(ctx, zpk, hsm.ISO0, card, secret.FromString("2580"))
	want(t, "encode PIN", err, hsm.ErrKeyPolicy)
	for _, block := range [][]byte{make([]byte, 8), bytes.Repeat([]byte{7}, 8)} {
		_, err = s.b.DecodePIN(ctx, hsm.PINBlock{Block: block, Format: hsm.ISO1, PAN: card, Key: zpk})
		want(t, "decode PIN", err, hsm.ErrKeyPolicy)
	}
	zpk.Test = true
	_, err = s.b.RevealKey(ctx, zpk)
	want(t, "reveal with a forged mark", err, hsm.ErrIntegrity)

	test := s.key(t, Spec("zpk", hsm.UsagePIN, true))
	_, err = s.b.EncodePIN(ctx, test, hsm.Field, card, secret.FromString("2580"))
	want(t, "encode a field", err, hsm.ErrNotSupported)
	for _, digits := range []string{"", "123", "12A4", "1234567890123"} {
		_, err = s.b.EncodePIN(ctx, test, hsm.ISO0, card, secret.FromString(digits))
		want(t, "encode what is no PIN", err, hsm.ErrFormat)
	}
}

func (s suite) concurrency(t *testing.T) {
	ctx := t.Context()
	imk := s.key(t, Spec("imk", hsm.UsageIMKAC, true))
	card := mustPAN(t, number)
	mk, err := s.b.ICCMasterKey(ctx, imk, card, "01", hsm.CVN18)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := algo.NewPair(mk.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	in := sample(hsm.CVN18, card)
	if in.ARQC, err = algo.ApplicationCryptogram(pair, &in); err != nil {
		t.Fatal(err)
	}
	index, err := s.b.Index(ctx, tenant, "pan", []byte(number))
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 20 {
				if ok, err := s.b.VerifyARQC(ctx, imk, in); !ok || err != nil {
					t.Errorf("verify: got %t, %v", ok, err)
				}
				if i, err := s.b.Index(ctx, tenant, "pan", []byte(number)); err != nil || !bytes.Equal(i, index) {
					t.Errorf("index differs: %v", err)
				}
			}
		})
	}
	wait.Wait()
}

// printing prints everything that holds something, every way, and looks for
// key and PIN.
func (s suite) printing(t *testing.T) {
	ctx := t.Context()
	cvk, zpk := s.key(t, Spec("cvk", hsm.UsageCVK, true)), s.key(t, Spec("zpk", hsm.UsagePIN, true))
	pvk := s.key(t, Spec("pvk", hsm.UsagePVKVisa, true))
	card := mustPAN(t, number)
	in := s.block(t, pinSetting{hsm.ISO0, zpk}, number, "2580")
	v, err := s.b.NewVerifier(ctx, pvk, in, hsm.PINRules{})
	if err != nil {
		t.Fatal(err)
	}
	clearKey := s.reveal(t, cvk)
	var printed strings.Builder
	for _, x := range []any{s.b, cvk, &cvk, in, v, &v, struct{ K hsm.KeyRef }{cvk}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%q"} {
			fmt.Fprintf(&printed, verb+"\n", x)
		}
	}
	broken := cvk
	broken.Block = flip(cvk.Block, len(cvk.Block)-1)
	for _, call := range []func() error{
		func() error {
			_, err := s.b.CardValue(ctx, broken, hsm.CVV2, hsm.CardValueInput{PAN: card, Expiry: "2911"})
			return err
		},
		func() error {
			_, err := s.b.CardValue(ctx, cvk, hsm.CVV2, hsm.CardValueInput{PAN: card, Expiry: "canary"})
			return err
		},
		func() error {
			_, err := s.b.EncodePIN(ctx, zpk, hsm.ISO0, card, secret.FromString("25800000000000"))
			return err
		},
		func() error { _, err := s.b.NewVerifier(ctx, pvk, in, hsm.PINRules{Length: 6}); return err },
		func() error { _, err := s.b.ImportKeyBlock(ctx, tenant, cvk, cvk.Block, hsm.KeySpec{}); return err },
		func() error { _, err := s.b.Open(ctx, tenant, "pan", []byte("canary"), nil); return err },
	} {
		err := call()
		if err == nil {
			t.Error("a call that must fail did not")
			continue
		}
		fmt.Fprintf(&printed, "%v %+v %#v\n", err, err, err)
	}
	text := strings.ToUpper(printed.String())
	for name, canary := range map[string]string{
		"the key": hex.EncodeToString(clearKey), "the key's left half": hex.EncodeToString(clearKey[:8]), "the key as bytes": string(clearKey),
		"a PAN": number, "the PIN block": hex.EncodeToString(in.Block), "the key block": cvk.Block, "a long PIN": "25800000000000", "input": "canary",
	} {
		if strings.Contains(text, strings.ToUpper(canary)) {
			t.Errorf("%s was printed", name)
		}
	}
	if strings.Contains(fmt.Sprintf("%v %+v %#v", v, v, v), v.Value) {
		t.Error("the verifier was printed")
	}
}
