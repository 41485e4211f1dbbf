package app

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

func TestRegisterClientKey_worksWhileThePlatformServes(t *testing.T) {
	l := testConfig(t)
	log := slog.New(slog.DiscardHandler)
	p, err := Start(t.Context(), l.Config, log)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	var out bytes.Buffer
	if err := CreateTenant(t.Context(), l.Config, log, &out, NewTenant{Name: "Anadolu Kart"}, true); err != nil {
		t.Fatal(err)
	}
	var made struct{ ClientID, ClientSecret string }
	if err := json.Unmarshal(out.Bytes(), &made); err != nil {
		t.Fatal(err)
	}
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))

	tokens, err := p.Access.Token(t.Context(), access.Grant{ClientID: made.ClientID, ClientSecret: secret.FromString(made.ClientSecret)})
	if err != nil {
		t.Fatal(err)
	}
	caller, err := p.Access.Authenticate(t.Context(), access.Platform, tokens.Access, access.Origin{})
	if err != nil {
		t.Fatal(err)
	}
	exchange := func() error {
		_, err := p.Vault.ExchangeKey(t.Context(), caller, vault.ForeignKey{PublicKey: text, Purpose: vault.ForPINBlock})
		return err
	}
	if f, ok := fault.As(exchange()); !ok || f.Code != vault.CodeClientKeyNotRegistered {
		t.Errorf("before it was registered: %v", f)
	}
	for _, file := range []string{text, string(der)} {
		if err := RegisterClientKey(t.Context(), l.Config, log, strings.NewReader(file), t.Output(), made.ClientID, "-", false); err != nil {
			t.Fatal(err)
		}
	}
	if err := exchange(); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	var keys []clientKey
	out.Reset()
	if err := ListClientKeys(t.Context(), l.Config, log, &out, made.ClientID, true); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out.Bytes(), &keys); err != nil || len(keys) != 1 || len(keys[0].Fingerprint) != 64 {
		t.Errorf("got %s, %v", &out, err)
	}
}
