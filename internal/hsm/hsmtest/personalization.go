package hsmtest

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/hsm/algo"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// bureau is the other side of a personalisation file: it holds the transport
// key and opens with it what the file's keys are wrapped in.
type bureau struct {
	t         *testing.T
	transport []byte
	data, pin []byte
}

func (b bureau) unwrap(usage, block string) []byte {
	b.t.Helper()
	h, key, err := algo.UnwrapKeyBlock(b.transport, block)
	if err != nil || h.Version != 'D' || h.Usage != usage {
		b.t.Fatalf("the bureau cannot open its %s block: %v", usage, err)
	}
	return key
}

// open opens an encrypted part at its place.
func (b bureau) open(field []byte, aad string) string {
	b.t.Helper()
	block, err := aes.NewCipher(b.data)
	if err != nil {
		b.t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		b.t.Fatal(err)
	}
	plain, err := aead.Open(nil, field[:12], field[12:], []byte(aad))
	if err != nil {
		b.t.Fatalf("the bureau cannot open %s", aad)
	}
	return string(plain)
}

// order is a card order with the keys of both sides.
type order struct {
	issuer hsm.IssuerKeys
	bureau hsm.BureauKeys
	in     hsm.CardOrder
	there  bureau
}

func (s suite) newOrder(t *testing.T, of string, test bool) order {
	t.Helper()
	ctx := t.Context()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := s.b.GenerateTransportKey(ctx, of, "bureau", &rsaKey.PublicKey, hsm.KeyBlocks, test)
	if err != nil {
		t.Fatal(err)
	}
	o := order{there: bureau{t: t}}
	if o.there.transport, err = rsa.DecryptOAEP(sha256.New(), nil, rsaKey, transport.Wrapped, nil); err != nil {
		t.Fatal(err)
	}
	pinKey := Spec("pinkey", hsm.UsagePIN, test)
	pinKey.Algorithm, pinKey.Bits = hsm.AES, 256
	o.bureau = hsm.BureauKeys{
		Transport: transport.Ref, Data: s.keyOf(t, of, Spec("data", hsm.UsageField, test)), PIN: s.keyOf(t, of, pinKey),
	}
	export := func(usage string, key hsm.KeyRef) []byte {
		block, err := s.b.ExportKeyBlock(ctx, transport.Ref, key)
		if err != nil {
			t.Fatalf("export %s key of a file: %v", usage, err)
		}
		return o.there.unwrap(usage, block)
	}
	o.there.data, o.there.pin = export("D0", o.bureau.Data), export("P0", o.bureau.PIN)
	o.issuer = hsm.IssuerKeys{
		CVK: s.keyOf(t, of, Spec("cvk", hsm.UsageCVK, test)), IMKAC: s.keyOf(t, of, Spec("ac", hsm.UsageIMKAC, test)),
		IMKSMI: s.keyOf(t, of, Spec("smi", hsm.UsageIMKSMI, test)), IMKSMC: s.keyOf(t, of, Spec("smc", hsm.UsageIMKSMC, test)),
	}
	aad := []byte("card|1")
	sealed, err := s.b.Seal(ctx, of, "pan", []byte(number), aad)
	if err != nil {
		t.Fatal(err)
	}
	o.in = hsm.CardOrder{
		PAN: hsm.SealedValue{Purpose: "pan", Sealed: sealed, AAD: aad}, PSN: "01", Expiry: "3111", ServiceCode: "201",
		Name: "YILMAZ/AYSE", PINField: "00000", Profile: hsm.CVN18, Stripe: true, Place: []byte("file|order"),
	}
	return o
}

func (s suite) personalization(t *testing.T) {
	ctx := t.Context()
	card := mustPAN(t, number)
	for _, test := range []bool{true, false} {
		o := s.newOrder(t, tenant, test)
		got, err := s.b.PersonalizeCard(ctx, o.issuer, o.bureau, o.in)
		if err != nil {
			t.Fatalf("personalize: %v", err)
		}
		value := func(kind hsm.CardValueKind) string {
			v, err := s.b.CardValue(ctx, o.issuer.CVK, kind, hsm.CardValueInput{PAN: card, Expiry: "3111", ServiceCode: "201"})
			if err != nil {
				t.Fatal(err)
			}
			return string(v.Reveal())
		}
		for part, pair := range map[string][2]string{
			"number": {o.there.open(got.Number, "file|order|number"), "9792 0600 0000 0017"},
			"cvv2":   {o.there.open(got.CVV2, "file|order|cvv2"), value(hsm.CVV2)},
			"track2": {o.there.open(got.Track2, "file|order|track2"), number + "=311120100000" + value(hsm.CVV)},
			"track1": {o.there.open(got.Track1, "file|order|track1"), "B" + number + "^YILMAZ/AYSE^31112010000000" + value(hsm.CVV) + "000000"},
			"chip": {
				strings.ToUpper(hex.EncodeToString([]byte(o.there.open(got.Chip, "file|order|chip")))),
				"5A08" + number + "5710" + number + "D311120100000" + value(hsm.ICVV) + "5F200B" + strings.ToUpper(hex.EncodeToString([]byte("YILMAZ/AYSE"))),
			},
		} {
			if pair[0] != pair[1] {
				t.Errorf("%s: the bureau reads another text", part)
			}
		}
		s.chipKeys(t, o, got)
		if got.PINBlock != nil {
			t.Error("an order without a PIN has a PIN block")
		}
		o.in.Stripe = false
		if got, err = s.b.PersonalizeCard(ctx, o.issuer, o.bureau, o.in); err != nil || got.Track1 != nil || got.Track2 != nil {
			t.Errorf("a card without stripe has tracks: %v", err)
		}
	}
	s.personalizedPIN(t)
	s.personalizationRefusals(t)
}

// chipKeys lets the ordered chip sign a transaction, which the issuer then
// takes for its own.
func (s suite) chipKeys(t *testing.T, o order, got hsm.PersonalizedCard) {
	t.Helper()
	ac, smi, smc := o.there.unwrap("E0", got.KeyAC), o.there.unwrap("E2", got.KeySMI), o.there.unwrap("E1", got.KeySMC)
	if bytes.Equal(ac, smi) || bytes.Equal(smi, smc) || bytes.Equal(ac, smc) {
		t.Error("two keys of a chip are one")
	}
	pair, err := algo.NewPair(ac)
	if err != nil {
		t.Fatal(err)
	}
	in := sample(hsm.CVN18, mustPAN(t, number))
	if in.ARQC, err = algo.ApplicationCryptogram(pair, &in); err != nil {
		t.Fatal(err)
	}
	if ok, err := s.b.VerifyARQC(t.Context(), o.issuer.IMKAC, in); !ok || err != nil {
		t.Errorf("the issuer does not know its chip's cryptogram: %v", err)
	}
}

func (s suite) personalizedPIN(t *testing.T) {
	ctx := t.Context()
	o := s.newOrder(t, tenant, true)
	read := func(block []byte) string {
		t.Helper()
		c, err := algo.NewAES(o.there.pin)
		if err != nil {
			t.Fatal(err)
		}
		pin, err := algo.DecipherPIN4(c, block, number)
		if err != nil {
			t.Fatal("the bureau cannot open its PIN block")
		}
		return string(pin.Digits())
	}
	in := s.block(t, s.settings(t)[0], number, "738194")
	pvk := s.key(t, Spec("pvk", hsm.UsagePVKIBM3624, true))
	v, err := s.b.NewVerifier(ctx, pvk, in, hsm.PINRules{Length: 6})
	if err != nil {
		t.Fatal(err)
	}
	o.in.Offset, o.in.PVK = &v, pvk
	got, err := s.b.PersonalizeCard(ctx, o.issuer, o.bureau, o.in)
	if err != nil || read(got.PINBlock) != "738194" {
		t.Fatalf("the offset leads to another PIN: %v", err)
	}
	kept, err := s.b.StorePIN(ctx, s.key(t, StorageSpec(true)), s.block(t, s.settings(t)[0], number, "2580"))
	if err != nil {
		t.Fatal(err)
	}
	o.in.Offset, o.in.PIN = nil, &kept
	if got, err = s.b.PersonalizeCard(ctx, o.issuer, o.bureau, o.in); err != nil || read(got.PINBlock) != "2580" {
		t.Fatalf("the kept PIN is another one: %v", err)
	}
	unnamed := kept
	unnamed.PAN = pan.PAN{}
	o.in.PIN = &unnamed
	if got, err = s.b.PersonalizeCard(ctx, o.issuer, o.bureau, o.in); err != nil || read(got.PINBlock) != "2580" {
		t.Fatalf("the kept PIN of the order's own card is another one: %v", err)
	}
	moved := kept
	moved.PAN = mustPAN(t, other)
	o.in.PIN = &moved
	_, err = s.b.PersonalizeCard(ctx, o.issuer, o.bureau, o.in)
	want(t, "a PIN of another card", err, hsm.ErrKeyPolicy)
	o.in.PIN = &in
	if _, err = s.b.PersonalizeCard(ctx, o.issuer, o.bureau, o.in); err == nil {
		t.Error("a client's block goes to the bureau")
	}
	pvv := hsm.Verifier{Method: hsm.PVV, PVKI: 1, Value: "1234"}
	o.in.PIN, o.in.Offset = nil, &pvv
	_, err = s.b.PersonalizeCard(ctx, o.issuer, o.bureau, o.in)
	want(t, "a PVV for a PIN", err, hsm.ErrNotSupported)
	o.in.Offset, o.bureau.PIN = &v, hsm.KeyRef{}
	if _, err = s.b.PersonalizeCard(ctx, o.issuer, o.bureau, o.in); err == nil {
		t.Error("a PIN goes out without a key for it")
	}
}

func (s suite) personalizationRefusals(t *testing.T) {
	ctx := t.Context()
	weak := Spec("weak", hsm.UsageKEK, true)
	weak.Algorithm, weak.Bits = hsm.TDES, 128
	own := Spec("own", hsm.UsageIMKAC, true)
	own.Exportability = hsm.NonExportable
	foreign, live := s.newOrder(t, another, true), s.newOrder(t, tenant, false)
	for name, c := range map[string]struct {
		change func(*order)
		class  error
	}{
		"a data key of another tenant":        {func(o *order) { o.bureau.Data = foreign.bureau.Data }, hsm.ErrKeyPolicy},
		"a production card for a test bureau": {func(o *order) { o.issuer = live.issuer }, hsm.ErrKeyPolicy},
		"a test card for a production bureau": {func(o *order) { o.bureau = live.bureau }, hsm.ErrKeyPolicy},
		"a transport key for fields":          {func(o *order) { o.bureau.Transport = o.bureau.Data }, hsm.ErrKeyUsage},
		"a data key for key blocks":           {func(o *order) { o.bureau.Data = o.bureau.Transport }, hsm.ErrKeyUsage},
		"no transport key":                    {func(o *order) { o.bureau.Transport = hsm.KeyRef{} }, hsm.ErrKeyNotFound},
		"an issuer key that stays here":       {func(o *order) { o.issuer.IMKAC = s.key(t, own) }, hsm.ErrKeyPolicy},
		"the keys of the chip exchanged":      {func(o *order) { o.issuer.IMKAC = o.issuer.IMKSMI }, hsm.ErrKeyUsage},
		"a number of another row":             {func(o *order) { o.in.PAN.AAD = []byte("card|2") }, hsm.ErrIntegrity},
		"a name that ends its field":          {func(o *order) { o.in.Name = "A^B" }, hsm.ErrFormat},
		"a name with letters no track has":    {func(o *order) { o.in.Name = "\u00c7ELIK" }, hsm.ErrFormat},
		"a PIN field of letters":              {func(o *order) { o.in.PINField = "1234A" }, hsm.ErrFormat},
		"an expiry of three digits":           {func(o *order) { o.in.Expiry = "311" }, hsm.ErrFormat},
		"a profile nobody has":                {func(o *order) { o.in.Profile = 99 }, hsm.ErrFormat},
	} {
		o := s.newOrder(t, tenant, true)
		c.change(&o)
		got, err := s.b.PersonalizeCard(ctx, o.issuer, o.bureau, o.in)
		want(t, name, err, c.class)
		if got.Number != nil || got.KeyAC != "" {
			t.Errorf("%s: something comes out", name)
		}
	}
}
