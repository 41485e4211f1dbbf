package webhook

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/outbound"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// atOnce registers hooks side by side and returns how many were taken, and how
// many refused with code.
func (w *world) atOnce(n int, code fault.Code, in func(i int) NewHook) (taken, refused int64) {
	w.t.Helper()
	var yes, no atomic.Int64
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			_, _, err := w.Register(w.t.Context(), w.main, in(i))
			f, isFault := fault.As(err)
			switch {
			case err == nil:
				yes.Add(1)
			case isFault && f.Code == code:
				no.Add(1)
			default:
				w.t.Error(err)
			}
		})
	}
	wg.Wait()
	return yes.Load(), no.Load()
}

func TestRegister_ofManyAuthorizationHooksAtOnceOneIsTaken(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		taken, refused := w.atOnce(12, CodeConflict, func(int) NewHook {
			return NewHook{Type: TypeAuthorization, Name: "decisions", URL: "https://hooks.example.com/decide"}
		})
		if taken != 1 || refused != 11 {
			t.Errorf("%d were taken and %d refused, want 1 and 11", taken, refused)
		}
	})
}

func TestRegister_ofManyHooksAtOnceTwentyAreTaken(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		taken, refused := w.atOnce(26, CodeTooMany, func(i int) NewHook {
			return NewHook{Name: fmt.Sprint(i), URL: "https://hooks.example.com/", EventTypes: []string{"*"}}
		})
		if taken != 20 || refused != 6 {
			t.Errorf("%d were taken and %d refused, want 20 and 6", taken, refused)
		}
	})
}

func TestRegister_authorizationHooksOfDifferentProductsStandSideBySide(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		decide := func(active bool, products ...string) NewHook {
			return NewHook{Type: TypeAuthorization, Name: "d", URL: "https://hooks.example.com/", Filter: Filter{Products: products}, IsActive: &active}
		}
		first, _, err := w.Register(t.Context(), w.main, decide(true, "P1", "P2"))
		if err != nil {
			t.Fatal(err)
		}
		if first.Timeout != 2*time.Second || first.RetriesMax != 0 {
			t.Errorf("the standard is %s and %d retries", first.Timeout, first.RetriesMax)
		}
		if _, _, err := w.Register(t.Context(), w.main, decide(true, "P3")); err != nil {
			t.Error(err)
		}
		_, _, err = w.Register(t.Context(), w.main, decide(true, "P2", "P9"))
		wantFault(t, err, CodeConflict)
		_, _, err = w.Register(t.Context(), w.main, decide(true))
		wantFault(t, err, CodeConflict)
		asleep, _, err := w.Register(t.Context(), w.main, decide(false))
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Update(t.Context(), w.main, asleep.ID, decide(true))
		wantFault(t, err, CodeConflict)
		if _, err := w.Update(t.Context(), w.main, first.ID, decide(true, "P2")); err != nil {
			t.Error("a hook stands in its own way:", err)
		}
		_, err = w.Update(t.Context(), w.main, first.ID, NewHook{Name: "d", URL: "https://hooks.example.com/", EventTypes: []string{"*"}})
		if f, ok := fault.As(err); !ok || len(f.Fields) == 0 || f.Fields[0].Name != "webHookType" {
			t.Errorf("the type was changed: %v", err)
		}
		err = w.DB.View(t.Context(), func(tx db.Tx) error {
			h, found, err := w.hookFor(t.Context(), tx, w.main.Tenant, TypeAuthorization, "P2", "", "")
			if !found || h.ID != first.ID {
				t.Errorf("for P2 there is %v", h.ID)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestRegister_takesEveryType(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, kind := range []Type{TypeEvent, TypeAuthorization, TypeBalanceInquiry, TypeFeeDebit, TypeSMS, TypeEmail} {
			in := NewHook{Type: kind, Name: "h", URL: "https://hooks.example.com/"}
			if kind == TypeEvent {
				in.EventTypes = []string{"*"}
			}
			if _, _, err := w.Register(t.Context(), w.main, in); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		}
		if all, err := w.Hooks(t.Context(), w.main, "", nil); err != nil || len(all) != 6 {
			t.Errorf("there are %d hooks, want 6 (%v)", len(all), err)
		}
	})
}

// filteredEncoder says of each event which product it is about: its key.
type filteredEncoder struct{}

// EncodeEvent implements Encoder.
func (filteredEncoder) EncodeEvent(m Delivery) (Content, error) {
	c, err := plainEncoder{}.EncodeEvent(m)
	c.ProductCode = m.Key
	return c, err
}

func TestPublish_keepsBackWhatAFilterDoesNotAdmit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Encoder = filteredEncoder{}
		h, _, err := w.Register(t.Context(), w.main, NewHook{
			Name: "h", URL: "https://hooks.example.com/", EventTypes: []string{"*"}, Filter: Filter{Products: []string{"P1"}, Networks: []string{"Troy"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.raise(w.main, "card.created", "P2")
		w.raise(w.main, "card.created", "P1") // of no network: that keeps nothing out
		if err := w.relay.RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		if log := w.log(h); len(log) != 1 || log[0].Key != "P1" {
			t.Errorf("got %+v", log)
		}
	})
}

func TestSend_fetchesAnAccessTokenOnceAndAgainWhenItIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := newReceiver(t)
		var fetched atomic.Int64
		issuer := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
			n := fetched.Add(1)
			name, password, _ := in.BasicAuth()
			if in.FormValue("grant_type") != "client_credentials" || in.FormValue("scope") != "hooks" || name != "us" || password != "p%40ss" {
				out.WriteHeader(http.StatusBadRequest)
				return
			}
			_ = json.NewEncoder(out).Encode(map[string]any{"access_token": fmt.Sprint("token-", n), "token_type": "bearer", "expires_in": 3600})
		}))
		defer issuer.Close()
		h, _, err := w.Register(t.Context(), w.main, NewHook{
			Name: "h", URL: r.URL, EventTypes: []string{"*"}, Authentication: &Authentication{
				Type: OAuth2ClientCredentials, TokenURL: issuer.URL, ClientID: "us", ClientSecret: secret.FromString("p@ss"), Scope: "hooks",
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		send := func() string {
			w.raise(w.main, "customer.created", "1001")
			w.run()
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.got[len(r.got)-1].Header.Get("Authorization")
		}
		if a, b := send(), send(); a != "Bearer token-1" || b != "Bearer token-1" {
			t.Errorf("got %q and %q", a, b)
		}
		r.status = 401
		send()
		r.status = 200
		w.clock.Advance(time.Second)
		w.run()
		r.mu.Lock()
		if got := r.got[len(r.got)-1].Header.Get("Authorization"); got != "Bearer token-2" {
			t.Errorf("after a 401: got %q", got)
		}
		r.mu.Unlock()
		w.clock.Advance(2 * time.Hour)
		if got := send(); got != "Bearer token-3" {
			t.Errorf("after it expired: got %q", got)
		}
		if a := w.hook(h).Shown; a.ClientID != "us" || !a.ClientSecret.IsZero() || a.TokenURL != issuer.URL {
			t.Errorf("shown is %+v", a)
		}
	})
}

func TestSend_fetchesNoTokenFromInside(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, _, err := w.Register(t.Context(), w.live, NewHook{
			Name: "h", URL: "https://hooks.example.com/", EventTypes: []string{"*"}, Authentication: &Authentication{
				Type: OAuth2ClientCredentials, TokenURL: "https://169.254.169.254/token", ClientID: "us", ClientSecret: secret.FromString("x"),
			},
		})
		if f, ok := fault.As(err); !ok || len(f.Fields) != 1 || f.Fields[0].Name != "authentication.tokenUrl" {
			t.Errorf("got %v", err)
		}
	})
}

// pair is a certificate that signs itself, with its key, in PEM.
func pair(t *testing.T) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sarraf"}, NotBefore: time.Unix(0, 0),
		NotAfter: time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

func TestSend_showsItsCertificate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		certificate, key := pair(t)
		var subject atomic.Value
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, in *http.Request) {
			subject.Store(in.TLS.PeerCertificates[0].Subject.CommonName)
		}))
		server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
		server.StartTLS()
		defer server.Close()
		in := NewHook{
			Name: "h", URL: server.URL, EventTypes: []string{"*"}, Authentication: &Authentication{
				Type: MTLS, Certificate: secret.New(certificate), PrivateKey: secret.New(key),
			},
		}
		h, _, err := w.Register(t.Context(), w.main, in)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.hook(h).Shown.CertificateExpiresAt.Year(); got != 2040 {
			t.Errorf("it is shown to expire in %d", got)
		}
		keep, err := w.open(t.Context(), h)
		if err != nil {
			t.Fatal(err)
		}
		client, err := w.client(recipient{hook: h, keep: keep, reach: outbound.Loopback})
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AddCert(server.Certificate())
		client.Transport.(*http.Transport).TLSClientConfig.RootCAs = roots
		w.raise(w.main, "customer.created", "1001")
		w.run()
		if log := w.log(h); subject.Load() != "sarraf" || log[0].ResultCode != 200 {
			t.Errorf("the receiver saw %v, the log has %+v", subject.Load(), log[0])
		}
		in.Authentication.PrivateKey = secret.FromString(strings.ToLower(string(key)))
		_, _, err = w.Register(t.Context(), w.main, in)
		if f, ok := fault.As(err); !ok || f.Fields[0].Name != "authentication.clientCertificate" {
			t.Errorf("got %v", err)
		}
	})
}
