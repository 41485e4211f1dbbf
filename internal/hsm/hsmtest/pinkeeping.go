package hsmtest

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/hsm"
)

// StorageSpec is a fitting spec for a key under which PINs are kept.
func StorageSpec(test bool) hsm.KeySpec {
	return hsm.KeySpec{
		ID: "store", Usage: hsm.UsagePIN, Algorithm: hsm.AES, Bits: 256, Mode: hsm.ModeBoth,
		Exportability: hsm.NonExportable, Version: "01", Test: test,
	}
}

// OpenCompact opens a compact JWE as a gateway does.
func OpenCompact(t *testing.T, text string, key *rsa.PrivateKey) map[string]string {
	t.Helper()
	parts := strings.Split(text, ".")
	if len(parts) != 5 {
		t.Fatalf("a compact JWE of %d parts", len(parts))
	}
	raw := make([][]byte, len(parts))
	for i, p := range parts {
		var err error
		if raw[i], err = base64.RawURLEncoding.DecodeString(p); err != nil {
			t.Fatalf("part %d: %v", i, err)
		}
	}
	var header map[string]string
	if err := json.Unmarshal(raw[0], &header); err != nil || header["alg"] != "RSA-OAEP-256" || header["enc"] != "A256GCM" {
		t.Fatalf("header %s: %v", raw[0], err)
	}
	cek, err := rsa.DecryptOAEP(sha256.New(), nil, key, raw[1], nil)
	if err != nil {
		t.Fatalf("the gateway cannot unwrap: %v", err)
	}
	block, err := aes.NewCipher(cek)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := aead.Open(nil, raw[2], append(bytes.Clone(raw[3]), raw[4]...), []byte(parts[0]))
	if err != nil {
		t.Fatalf("the gateway cannot open: %v", err)
	}
	var members map[string]string
	if err := json.Unmarshal(plain, &members); err != nil {
		t.Fatal("the message is no JSON object of texts")
	}
	return members
}

func (s suite) keptPINs(t *testing.T) {
	ctx := t.Context()
	card := mustPAN(t, number)
	gateway, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	n := hsm.PINNotice{Reference: "ntf_1", To: "+905321234567", Text: "PIN: {pin}."}
	pvk, store := s.key(t, Spec("pvk", hsm.UsagePVKVisa, true)), s.key(t, StorageSpec(true))
	for _, p := range s.settings(t) {
		in := s.block(t, p, number, "2580")
		kept, err := s.b.StorePIN(ctx, store, in)
		if err != nil {
			t.Fatalf("%s: store: %v", p.format, err)
		}
		message, err := s.b.PINMessage(ctx, kept, n, &gateway.PublicKey)
		if err != nil {
			t.Fatalf("%s: message: %v", p.format, err)
		}
		got := OpenCompact(t, message, gateway)
		if got["text"] != "PIN: 2580." || got["to"] != n.To || got["reference"] != n.Reference {
			t.Errorf("%s: the gateway reads another message", p.format)
		}
		if ok, err := s.b.PINMessage(ctx, in, n, &gateway.PublicKey); err == nil {
			t.Errorf("%s: a block that was not kept is told: %d bytes", p.format, len(ok))
		}
	}
	v, kept, err := s.b.RandomPIN(ctx, pvk, store, card, hsm.PINRules{})
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := s.b.VerifyPIN(ctx, pvk, kept, v); !ok || err != nil {
		t.Errorf("the kept PIN is not the one of its verifier: %v", err)
	}
	moved := kept
	moved.PAN = mustPAN(t, other)
	if ok, _ := s.b.VerifyPIN(ctx, pvk, moved, v); ok {
		t.Error("a kept PIN serves another card number")
	}
	aad := []byte("ntf_1")
	sealed, err := s.b.InboxMessage(ctx, kept, n, aad)
	if err != nil {
		t.Fatal(err)
	}
	text, err := s.b.Open(ctx, tenant, hsm.InboxPurpose, sealed, aad)
	digits := strings.TrimSuffix(strings.TrimPrefix(string(text), "PIN: "), ".")
	if err != nil || len(digits) != 4 {
		t.Errorf("the inbox reads %d bytes: %v", len(text), err)
	}
	s.keptRefusals(t, kept, gateway)
}

func (s suite) keptRefusals(t *testing.T, kept hsm.PINBlock, gateway *rsa.PrivateKey) {
	ctx := t.Context()
	card := mustPAN(t, number)
	for _, text := range []string{"", "no place", "{pin} and {pin}"} {
		_, err := s.b.PINMessage(ctx, kept, hsm.PINNotice{To: "+90", Text: text}, &gateway.PublicKey)
		want(t, "a text without one place", err, hsm.ErrFormat)
	}
	n := hsm.PINNotice{To: "+90", Text: "{pin}"}
	_, err := s.b.PINMessage(ctx, kept, n, nil)
	want(t, "no gateway key", err, hsm.ErrKeyPolicy)
	spec := StorageSpec(true)
	spec.Exportability = hsm.Exportable
	_, err = s.b.StorePIN(ctx, s.key(t, spec), kept)
	want(t, "an exportable storage key", err, hsm.ErrKeyPolicy)
	_, err = s.b.StorePIN(ctx, s.keyOf(t, another, StorageSpec(true)), kept)
	want(t, "a storage key of another tenant", err, hsm.ErrKeyPolicy)
	_, err = s.b.StorePIN(ctx, s.key(t, Spec("zpk", hsm.UsagePIN, true)), kept)
	want(t, "a TDES storage key", err, hsm.ErrKeyUsage)
	live := s.key(t, StorageSpec(false))
	_, err = s.b.StorePIN(ctx, live, kept)
	want(t, "a test PIN under a production key", err, hsm.ErrKeyPolicy)
	_, real, err := s.b.RandomPIN(ctx, s.key(t, Spec("pvk", hsm.UsagePVKVisa, false)), live, card, hsm.PINRules{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.b.InboxMessage(ctx, real, n, nil)
	want(t, "a production PIN in an inbox", err, hsm.ErrKeyPolicy)
}
