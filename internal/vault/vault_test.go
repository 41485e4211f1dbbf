package vault

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

type world struct {
	*Service
	hsm     *soft.Backend
	clock   *clock.Fake
	access  *access.Service
	sandbox access.Caller
	live    access.Caller
	private *rsa.PrivateKey
	public  string
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		backend, err := soft.New(bytes.Repeat([]byte{7}, 32))
		if err != nil {
			t.Fatal(err)
		}
		c := clock.NewFake(time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC))
		w := &world{
			Service: New(d, backend, c), hsm: backend, clock: c, access: access.New(d, backend, c),
			private: private, public: base64.StdEncoding.EncodeToString(der),
		}
		for _, sandbox := range []bool{true, false} {
			tenant, who, err := w.access.CreateTenant(t.Context(), access.NewTenant{Name: "Acme", Sandbox: sandbox})
			if err != nil {
				t.Fatal(err)
			}
			caller := access.System(tenant)
			if caller.Client = who.ClientID; sandbox {
				w.sandbox = caller
			} else {
				w.live = caller
			}
		}
		f(t, w)
	})
}

func codeOf(err error) fault.Code {
	if f, ok := fault.As(err); ok {
		return f.Code
	}
	return ""
}

func (w *world) transport(t *testing.T, c access.Caller, keyID string, usage hsm.Usage) (hsm.KeyRef, error) {
	t.Helper()
	var ref hsm.KeyRef
	err := w.DB.View(t.Context(), func(tx db.Tx) (err error) {
		ref, err = TransportKey(t.Context(), tx, c, keyID, usage, w.clock.Now())
		return err
	})
	return ref, err
}

func TestKeys_areStoredAsTheyAreAndFoundByTheirTenantOnly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		tenant := w.sandbox.Tenant
		for _, version := range []string{"00", "01"} {
			ref, err := w.hsm.GenerateKey(t.Context(), tenant.String(), hsm.KeySpec{
				ID: id.New[Key](w.clock.Now()).String(), Usage: hsm.UsageCVK, Algorithm: hsm.TDES, Bits: 128,
				Mode: hsm.ModeMAC, Exportability: hsm.NonExportable, Version: version, Test: true,
			})
			if err != nil {
				t.Fatal(err)
			}
			k := Key{Ref: ref, Label: "set_1/cvk", CreatedAt: w.clock.Now()}
			err = w.DB.InTx(t.Context(), func(tx db.Tx) error {
				if err := SaveKey(t.Context(), tx, tenant, k); err != nil {
					return err
				}
				got, found, err := FindKey(t.Context(), tx, tenant, ref.ID)
				if got != k || !found {
					t.Errorf("stored %v, read %v", k, got)
				}
				if _, found, _ := FindKey(t.Context(), tx, w.live.Tenant, ref.ID); found {
					t.Error("another tenant found the key")
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		err := w.DB.View(t.Context(), func(tx db.Tx) error {
			byLabel, err := KeysByLabel(t.Context(), tx, tenant, "set_1/cvk")
			if err != nil || len(byLabel) != 2 || byLabel[0].Ref.Version != "01" {
				t.Errorf("by label: %v, %v", byLabel, err)
			}
			for prefix, want := range map[string]int{"set_1/": 2, "setX1/": 0, "set%": 0, "set_10/": 0} {
				if got, err := KeysByLabelPrefix(t.Context(), tx, tenant, prefix); err != nil || len(got) != want {
					t.Errorf("prefix %s: %d keys, %v", prefix, len(got), err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestExchangeKey_givesTheClientAFieldKeyThatBothEndsCanUse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		x, err := w.ExchangeKey(t.Context(), w.sandbox, ForeignKey{PublicKey: w.public, Purpose: ForFields})
		if err != nil {
			t.Fatal(err)
		}
		key, err := rsa.DecryptOAEP(sha256.New(), nil, w.private, x.Wrapped, nil)
		if err != nil || len(key) != 32 || len(x.KCV) != 6 || x.KeyBlock != "" {
			t.Errorf("key of %d bytes, kcv %q, %v", len(key), x.KCV, err)
		}
		ref, err := w.transport(t, w.sandbox, x.Key.Ref.ID, hsm.UsageField)
		if err != nil {
			t.Fatal(err)
		}
		field, err := w.hsm.SealField(t.Context(), ref, secret.FromString("1234"), []byte("a"))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := w.hsm.OpenField(t.Context(), ref, field, []byte("a")); err != nil || string(got.Reveal()) != "1234" {
			t.Errorf("field came back as %v, %v", got, err)
		}
	})
}

func TestExchangeKey_givesTheClientAZPKInAKeyBlock(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, aes := range []bool{false, true} {
			x, err := w.ExchangeKey(t.Context(), w.sandbox, ForeignKey{PublicKey: w.public, Purpose: ForPINBlock, AES: aes})
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(x.KeyBlock, "D") || x.KeyBlock[5:7] != "P0" || (x.KeyBlock[7] == 'A') != aes {
				t.Errorf("key block %.16s", x.KeyBlock)
			}
			if key, err := rsa.DecryptOAEP(sha256.New(), nil, w.private, x.Wrapped, nil); err != nil || len(key) != 32 {
				t.Errorf("protection key of %d bytes, %v", len(key), err)
			}
			if _, err := w.transport(t, w.sandbox, x.Key.Ref.ID, hsm.UsagePIN); err != nil {
				t.Error(err)
			}
			if _, err := w.transport(t, w.sandbox, x.Key.Ref.ID, hsm.UsageField); codeOf(err) != CodeEncryptionKeyNotFound {
				t.Errorf("a ZPK as a field key: %v", err)
			}
		}
	})
}

func TestTransportKey_livesADayAndAnHourAfterRotation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		exchange := func() string {
			x, err := w.ExchangeKey(t.Context(), w.sandbox, ForeignKey{PublicKey: w.public, Purpose: ForFields})
			if err != nil {
				t.Fatal(err)
			}
			return x.Key.Ref.ID
		}
		is := func(keyID string, want fault.Code) {
			t.Helper()
			if _, err := w.transport(t, w.sandbox, keyID, hsm.UsageField); codeOf(err) != want || want == "" && err != nil {
				t.Errorf("%v, want %q", err, want)
			}
		}
		first := exchange()
		w.clock.Advance(time.Minute)
		second := exchange()
		w.clock.Advance(TransportOverlap - time.Second)
		is(first, "")
		w.clock.Advance(time.Second)
		is(first, CodeEncryptionKeyExpired)
		is(second, "")
		if keys, err := w.ExchangedKeys(t.Context(), w.sandbox); err != nil || len(keys) != 1 || keys[0].Ref.ID != second {
			t.Errorf("live keys %v, %v", keys, err)
		}
		w.clock.Advance(TransportLife - TransportOverlap)
		is(second, CodeEncryptionKeyExpired)
		w.clock.Advance(23 * time.Hour)
		if n, err := w.Sweep(t.Context()); err != nil || n != 1 {
			t.Errorf("swept %d, %v", n, err)
		}
		is(first, CodeEncryptionKeyNotFound)
		is(second, CodeEncryptionKeyExpired)
		// A key that has a day to go is not made to live longer by rotation.
		third := exchange()
		w.clock.Advance(TransportLife - time.Minute)
		exchange()
		w.clock.Advance(time.Minute)
		is(third, CodeEncryptionKeyExpired)
	})
}

func TestTransportKey_belongsToItsClient(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		x, err := w.ExchangeKey(t.Context(), w.sandbox, ForeignKey{PublicKey: w.public, Purpose: ForFields})
		if err != nil {
			t.Fatal(err)
		}
		stranger := w.sandbox
		stranger.Client = "sc_stranger"
		for _, c := range []access.Caller{stranger, w.live} {
			if _, err := w.transport(t, c, x.Key.Ref.ID, hsm.UsageField); codeOf(err) != CodeEncryptionKeyNotFound {
				t.Errorf("%s used the key: %v", c.Client, err)
			}
			if err := w.DropKey(t.Context(), c, x.Key.Ref.ID); codeOf(err) != CodeKeyNotFound {
				t.Errorf("%s dropped the key: %v", c.Client, err)
			}
		}
		if err := w.DropKey(t.Context(), w.sandbox, x.Key.Ref.ID); err != nil {
			t.Error(err)
		}
	})
}

func TestExchangeKey_takesOnlyRegisteredKeysInProduction(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		in := ForeignKey{PublicKey: w.public, Purpose: ForFields}
		if _, err := w.ExchangeKey(t.Context(), w.live, in); codeOf(err) != CodeClientKeyNotRegistered {
			t.Fatalf("not registered: %v", err)
		}
		der, err := base64.StdEncoding.DecodeString(w.public)
		if err != nil {
			t.Fatal(err)
		}
		text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
		var want ClientKey
		for range 2 { // again changes nothing
			if want, err = w.RegisterClientKey(t.Context(), w.live.Client, text); err != nil {
				t.Fatal(err)
			}
			w.clock.Advance(time.Minute)
		}
		sum := sha256.Sum256(der)
		if want.Fingerprint != hex.EncodeToString(sum[:]) || want.Tenant != w.live.Tenant {
			t.Errorf("registered %+v", want)
		}
		if keys, err := w.ClientKeys(t.Context(), w.live.Client); err != nil || !slices.Equal(keys, []ClientKey{want}) {
			t.Errorf("got %+v, %v, want %+v", keys, err, want)
		}
		x, err := w.ExchangeKey(t.Context(), w.live, in)
		if err != nil || x.Key.Ref.Test {
			t.Errorf("registered: %v, %v", x.Key, err)
		}
		stranger := w.live
		stranger.Client = "sc_stranger"
		if _, err := w.ExchangeKey(t.Context(), stranger, in); codeOf(err) != CodeClientKeyNotRegistered {
			t.Errorf("another client: %v", err)
		}
		if _, err := w.RegisterClientKey(t.Context(), stranger.Client, text); codeOf(err) != access.CodeClientNotFound {
			t.Errorf("a key for nobody: %v", err)
		}
		if _, err := w.ClientKeys(t.Context(), stranger.Client); codeOf(err) != access.CodeClientNotFound {
			t.Errorf("the keys of nobody: %v", err)
		}
		if keys, err := w.ClientKeys(t.Context(), w.sandbox.Client); err != nil || len(keys) != 0 {
			t.Errorf("the sandbox's client has %v, %v", keys, err)
		}
		short, err := rsa.GenerateKey(rand.Reader, 1024)
		if err != nil {
			t.Fatal(err)
		}
		if der, err = x509.MarshalPKIXPublicKey(&short.PublicKey); err != nil {
			t.Fatal(err)
		}
		if _, err := w.RegisterClientKey(t.Context(), w.live.Client, base64.StdEncoding.EncodeToString(der)); codeOf(err) != access.CodeInvalid {
			t.Errorf("1024 bits: %v", err)
		}
	})
}

func TestExchangeKey_givesAClientSoManyAndNoMore(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		in := ForeignKey{PublicKey: w.public, Purpose: ForFields}
		var taken, refused atomic.Int64
		var group sync.WaitGroup
		for range KeysMax + 4 {
			group.Go(func() {
				_, err := w.ExchangeKey(t.Context(), w.sandbox, in)
				f, isFault := fault.As(err)
				switch {
				case err == nil:
					taken.Add(1)
				case isFault && f.Code == CodeTooManyKeys:
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		group.Wait()
		if taken.Load() != KeysMax || refused.Load() != 4 {
			t.Fatalf("%d were given and %d refused, want %d and 4", taken.Load(), refused.Load(), KeysMax)
		}
		other := w.sandbox
		other.Client = "another"
		if _, err := w.ExchangeKey(t.Context(), other, in); err != nil {
			t.Errorf("another client: %v", err)
		}
		keys, err := w.ExchangedKeys(t.Context(), w.sandbox)
		if err != nil || len(keys) != KeysMax {
			t.Fatalf("there are %d keys (%v)", len(keys), err)
		}
		if err := w.DropKey(t.Context(), w.sandbox, keys[0].Ref.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := w.ExchangeKey(t.Context(), w.sandbox, in); err != nil {
			t.Errorf("after one was dropped: %v", err)
		}
		w.clock.Advance(TransportOverlap + time.Second)
		if _, err := w.ExchangeKey(t.Context(), w.sandbox, in); err != nil {
			t.Errorf("after the others expired: %v", err)
		}
	})
}

func TestExchangeKey_saysWhenTheHSMIsGone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if err := w.hsm.Close(); err != nil {
			t.Fatal(err)
		}
		_, err := w.ExchangeKey(t.Context(), w.sandbox, ForeignKey{PublicKey: w.public, Purpose: ForFields})
		if codeOf(err) != CodeHSMUnavailable {
			t.Error(err)
		}
	})
}
