package app

import (
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// testConfig are the defaults in a directory of the test's own, on free ports.
func testConfig(t *testing.T) config.Loaded {
	t.Helper()
	l, err := config.Load(config.Source{Environ: []string{}, Flags: map[string]string{
		"data": t.TempDir(), "http.addr": "127.0.0.1:0", "network.addr": "127.0.0.1:0", "http.rate_limit": "0",
	}})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestStart_servesUntilStopAndLeavesNothingBehind(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	l := testConfig(t)
	p, err := Start(t.Context(), l.Config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/openapi.json": 200, "/nothing": 404} {
		resp, err := client.Get(p.APIURL() + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: got %d, want %d", path, resp.StatusCode, want)
		}
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(); err != nil {
		t.Errorf("stopping again: %v", err)
	}
	if _, err := client.Get(p.APIURL() + "/healthz"); err == nil {
		t.Error("it still answers")
	}
}

func TestStart_failsWholeWhenAPortIsTaken(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	l := testConfig(t)
	first, err := Start(t.Context(), l.Config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer first.Stop()
	c := testConfig(t).Config
	c.Network.Addr = first.NetworkAddr()
	if p, err := Start(t.Context(), c, slog.New(slog.DiscardHandler)); err == nil {
		p.Stop()
		t.Error("two platforms listen on one port")
	}
}

func TestOpenCore_refusesAnotherRootKeyThanTheDatabases(t *testing.T) {
	l := testConfig(t)
	log := slog.New(slog.DiscardHandler)
	k, err := openCore(t.Context(), l.Config, log, Migrating, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.close(); err != nil {
		t.Fatal(err)
	}
	if err := CreateTenant(t.Context(), l.Config, log, t.Output(), NewTenant{Name: "Anadolu Kart"}, true); err != nil {
		t.Fatal(err)
	}
	c := l.Config
	c.RootKeyFile = filepath.Join(t.TempDir(), "other.key")
	if k, err := openCore(t.Context(), c, log, AsItIs, nil); err == nil {
		k.close()
		t.Error("a new root key was made for a database that has another")
	}
	if err := os.WriteFile(c.RootKeyFile, []byte(strings.Repeat("0a", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if k, err := openCore(t.Context(), c, log, Migrating, nil); err == nil {
		k.close()
		t.Error("the root key of another database was taken")
	}
}

func TestSweep_removesEveryKindOfExpiredRow(t *testing.T) {
	l := testConfig(t)
	k, err := openCore(t.Context(), l.Config, slog.New(slog.DiscardHandler), Migrating, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = k.close() }()
	tenant, _, err := k.Access.CreateTenant(t.Context(), access.NewTenant{Name: "T", Sandbox: true})
	if err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-48 * time.Hour)
	err = k.DB.InTx(t.Context(), func(tx db.Tx) error {
		return vault.SaveKey(t.Context(), tx, tenant.ID, vault.Key{
			Ref: hsm.KeyRef{ID: "key_old", Tenant: tenant.ID.String(), Usage: hsm.UsageField}, ClientID: "c", CreatedAt: old, ExpiresAt: old,
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	p := &Platform{Core: k}
	for _, want := range []int{1, 0} {
		if rows, err := p.sweep(t.Context()); err != nil || rows != want {
			t.Errorf("swept %d rows (%v), want %d", rows, err, want)
		}
	}
}
