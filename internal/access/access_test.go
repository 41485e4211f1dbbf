package access

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// seal is a Sealer that is no secret: it turns the bytes over and checks where
// they were put.
type seal struct{}

func (seal) Seal(_ context.Context, tenant, purpose string, plain, aad []byte) ([]byte, error) {
	out := fmt.Appendf(nil, "%s|%s|%s|", tenant, purpose, aad)
	for _, b := range plain {
		out = append(out, ^b)
	}
	return out, nil
}

func (seal) Open(_ context.Context, tenant, purpose string, sealed, aad []byte) ([]byte, error) {
	rest, ok := bytes.CutPrefix(sealed, fmt.Appendf(nil, "%s|%s|%s|", tenant, purpose, aad))
	if !ok {
		return nil, errors.New("not sealed for this place")
	}
	out := make([]byte, len(rest))
	for i, b := range rest {
		out[i] = ^b
	}
	return out, nil
}

func (seal) Index(_ context.Context, tenant, purpose string, value []byte) ([]byte, error) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s|%s|%s", tenant, purpose, value))
	return sum[:], nil
}

var start = time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC)

// each runs f on both engines with a service, its clock and a fresh sandbox
// tenant.
func each(t *testing.T, f func(t *testing.T, s *Service, c *clock.Fake, tenant Tenant, who Credentials)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := clock.NewFake(start)
		s := New(d, seal{}, c)
		tenant, who, err := s.CreateTenant(t.Context(), NewTenant{Name: "Acme", Sandbox: true})
		if err != nil {
			t.Fatal(err)
		}
		f(t, s, c, tenant, who.Credentials)
	})
}

func grantOf(c Credentials) Grant {
	return Grant{ClientID: c.ClientID, ClientSecret: c.ClientSecret}
}

func codeOf(err error) fault.Code {
	f, ok := fault.As(err)
	if !ok {
		return ""
	}
	return f.Code
}

func mustToken(t *testing.T, s *Service, g Grant) Tokens {
	t.Helper()
	tokens, err := s.Token(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func TestCreateTenant_givesCredentialsThatWorkAndHideThemselves(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, who Credentials) {
		printed := fmt.Sprintf("%v %+v %#v", who, who, who)
		if strings.Contains(printed, string(who.ClientSecret.Reveal())) {
			t.Error("credentials print their secret")
		}
		caller, err := s.Authenticate(t.Context(), Platform, mustToken(t, s, grantOf(who)).Access, Origin{})
		if err != nil {
			t.Fatal(err)
		}
		if caller.Tenant != tenant.ID || !caller.Sandbox || caller.Client != who.ClientID {
			t.Errorf("caller %+v is not the new client", caller)
		}
		for p := range known {
			if !caller.May(p) {
				t.Errorf("the first client may not %s", p)
			}
		}
		if caller.May("Issuing.Everything") {
			t.Error("the first client may what nobody can")
		}
	})
}

func TestCreateTenant_variesATakenCodeUnlessItWasAskedFor(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, _ Tenant, _ Credentials) {
		again, _, err := s.CreateTenant(t.Context(), NewTenant{Name: "Acme"})
		if err != nil || again.Code == "acme" || !strings.HasPrefix(again.Code, "acme-") {
			t.Errorf("second Acme: code %q, %v", again.Code, err)
		}
		_, _, err = s.CreateTenant(t.Context(), NewTenant{Name: "Other", Code: "acme"})
		if codeOf(err) != CodeTenantTaken {
			t.Errorf("taken code: %v", err)
		}
		_, _, err = s.CreateTenant(t.Context(), NewTenant{Name: " ", Code: "Ü", TimeZone: "Mars", DefaultCurrency: "??"})
		f, _ := fault.As(err)
		if f == nil || len(f.Fields) != 4 {
			t.Errorf("bad tenant: %v", err)
		}
		all, err := s.Tenants(t.Context())
		if err != nil || len(all) != 2 {
			t.Errorf("%d tenants, %v", len(all), err)
		}
	})
}

// Of several tenants of one name that are created at once, each gets a code.
func TestCreateTenant_variesCodesThatAreTakenMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, _ Tenant, _ Credentials) {
		var running sync.WaitGroup
		for range 24 {
			running.Go(func() {
				if _, _, err := s.CreateTenant(t.Context(), NewTenant{Name: "Twin"}); err != nil {
					t.Error(err)
				}
			})
		}
		running.Wait()
	})
}

type watcher struct {
	seen []TenantID
	fail error
}

func (w *watcher) TenantChanged(_ context.Context, _ db.Tx, tenant TenantID) error {
	w.seen = append(w.seen, tenant)
	return w.fail
}

func TestUpdateTenant_tellsTheWatcherOrChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, _ Credentials) {
		w := &watcher{}
		s.Watcher = w
		caller := System(tenant)
		change := TenantChange{Name: "New", InstitutionType: "Bank", TimeZone: "UTC", Language: "en", DefaultCurrency: "EUR"}
		if _, err := s.UpdateTenant(t.Context(), caller, change); err != nil {
			t.Fatal(err)
		}
		w.fail = errors.New("no")
		change.Name = "Newer"
		if _, err := s.UpdateTenant(t.Context(), caller, change); err == nil {
			t.Fatal("the watcher's error was lost")
		}
		got, err := s.Tenant(t.Context(), caller)
		if err != nil || got.Name != "New" || got.Zone.String() != "UTC" || got.DefaultCurrency.Code() != "EUR" {
			t.Errorf("tenant is %+v, %v", got, err)
		}
		if !slices.Contains(w.seen, tenant.ID) {
			t.Error("the watcher heard nothing")
		}
	})
}

func TestToken_fiveWrongSecretsLockTheClientAndOnlyItsOwnerIsTold(t *testing.T) {
	each(t, func(t *testing.T, s *Service, c *clock.Fake, _ Tenant, who Credentials) {
		wrong := Grant{ClientID: who.ClientID, ClientSecret: secret.FromString("sk_wrong")}
		for i := range failuresMax {
			if _, err := s.Token(t.Context(), wrong); codeOf(err) != CodeInvalidClient {
				t.Fatalf("wrong secret %d: %v", i+1, err)
			}
		}
		if _, err := s.Token(t.Context(), grantOf(who)); codeOf(err) != CodeClientLocked {
			t.Errorf("locked, the right secret: %v", err)
		}
		if _, err := s.Refresh(t.Context(), grantOf(who)); codeOf(err) != CodeClientLocked {
			t.Errorf("locked, refresh: %v", err)
		}
		_, wrongly := s.Token(t.Context(), wrong)
		_, nothing := s.Token(t.Context(), Grant{ClientID: who.ClientID})
		_, unknown := s.Token(t.Context(), Grant{ClientID: "sc_nobody", ClientSecret: who.ClientSecret})
		for _, err := range []error{wrongly, nothing, unknown} {
			if codeOf(err) != CodeInvalidClient || err.Error() != wrongly.Error() {
				t.Errorf("answers differ: %v, %v", err, wrongly)
			}
		}
		// Knocking on a locked door does not keep it locked.
		c.Advance(lockWindow - time.Second)
		if _, err := s.Token(t.Context(), grantOf(who)); codeOf(err) != CodeClientLocked {
			t.Errorf("still locked: %v", err)
		}
		c.Advance(time.Second)
		mustToken(t, s, grantOf(who))
	})
}

func TestToken_disabledClientIsNotToldOfALock(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, who Credentials) {
		if _, err := s.SetClientActive(t.Context(), System(tenant), who.ClientID, false); err != nil {
			t.Fatal(err)
		}
		for i := range failuresMax + 2 {
			if _, err := s.Token(t.Context(), grantOf(who)); codeOf(err) != CodeInvalidClient {
				t.Errorf("%d: %v", i+1, err)
			}
		}
	})
}

func TestToken_rightSecretForgetsFailures(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, _ Tenant, who Credentials) {
		for range 3 {
			for range failuresMax - 1 {
				if _, err := s.Token(t.Context(), Grant{ClientID: who.ClientID}); codeOf(err) != CodeInvalidClient {
					t.Fatal(err)
				}
			}
			mustToken(t, s, grantOf(who))
		}
	})
}

func TestToken_parallelGuessesAreCountedOneByOne(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, _ Tenant, who Credentials) {
		done := make(chan error)
		for range 12 {
			go func() {
				_, err := s.Token(t.Context(), Grant{ClientID: who.ClientID, ClientSecret: secret.FromString("guess")})
				done <- err
			}()
		}
		for range 12 {
			if err := <-done; codeOf(err) != CodeInvalidClient {
				t.Error(err)
			}
		}
		if _, err := s.Token(t.Context(), grantOf(who)); codeOf(err) != CodeClientLocked {
			t.Errorf("twelve guesses did not lock: %v", err)
		}
	})
}

func TestAuthenticate_disabledClientStopsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, who Credentials) {
		tokens := mustToken(t, s, grantOf(who))
		if _, err := s.SetClientActive(t.Context(), System(tenant), who.ClientID, false); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Authenticate(t.Context(), Platform, tokens.Access, Origin{}); codeOf(err) != CodeUnauthenticated {
			t.Errorf("token of a disabled client: %v", err)
		}
		g := grantOf(who)
		g.RefreshToken = tokens.Refresh
		if _, err := s.Refresh(t.Context(), g); codeOf(err) != CodeInvalidClient {
			t.Errorf("refresh of a disabled client: %v", err)
		}
		other, _, err := s.CreateTenant(t.Context(), NewTenant{Name: "Other"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.SetClientActive(t.Context(), System(other), who.ClientID, true); codeOf(err) != CodeClientNotFound {
			t.Errorf("another tenant enabled the client: %v", err)
		}
	})
}

func TestRefresh_rotatesAndRevokesTheFamilyOnReuse(t *testing.T) {
	each(t, func(t *testing.T, s *Service, c *clock.Fake, _ Tenant, who Credentials) {
		g := grantOf(who)
		g.Scope = SystemTenant
		first := mustToken(t, s, g)
		next := func(refresh secret.Value) (Tokens, error) {
			g := grantOf(who)
			g.RefreshToken = refresh
			return s.Refresh(t.Context(), g)
		}
		second, err := next(first.Refresh)
		if err != nil || second.Scope != SystemTenant {
			t.Fatalf("first refresh: scope %q, %v", second.Scope, err)
		}
		unrelated := mustToken(t, s, grantOf(who))
		if _, err := next(first.Refresh); codeOf(err) != CodeInvalidGrant {
			t.Errorf("reuse: %v", err)
		}
		if _, err := next(second.Refresh); codeOf(err) != CodeInvalidGrant {
			t.Errorf("the family survived: %v", err)
		}
		for name, access := range map[string]secret.Value{"first": first.Access, "second": second.Access} {
			if _, err := s.Authenticate(t.Context(), Platform, access, Origin{}); codeOf(err) != CodeUnauthenticated {
				t.Errorf("the %s access token of the family survived: %v", name, err)
			}
		}
		if _, err := s.Authenticate(t.Context(), Platform, unrelated.Access, Origin{}); err != nil {
			t.Errorf("an access token of another family died too: %v", err)
		}
		third, err := next(unrelated.Refresh)
		if err != nil {
			t.Errorf("another family died too: %v", err)
		}
		c.Advance(RefreshLife)
		if _, err := next(third.Refresh); codeOf(err) != CodeInvalidGrant {
			t.Errorf("expired: %v", err)
		}
		if _, err := next(secret.Value{}); codeOf(err) != CodeInvalidGrant {
			t.Errorf("empty: %v", err)
		}
		if n, err := s.Sweep(t.Context()); err != nil || n != 4 {
			t.Errorf("swept %d rows, %v; want the 4 expired tokens", n, err)
		}
	})
}

func TestRefresh_oneTokenWorksOnceUnderConcurrency(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, _ Tenant, who Credentials) {
		g := grantOf(who)
		g.RefreshToken = mustToken(t, s, g).Refresh
		done := make(chan error)
		for range 24 {
			go func() {
				_, err := s.Refresh(t.Context(), g)
				done <- err
			}()
		}
		won := 0
		for range 24 {
			if err := <-done; err == nil {
				won++
			} else if codeOf(err) != CodeInvalidGrant {
				t.Error(err)
			}
		}
		if won != 1 {
			t.Errorf("%d of 8 refreshed, want 1", won)
		}
	})
}

func TestPermissions_sandboxIsNeverHeldInProduction(t *testing.T) {
	c := Caller{Permissions: EveryPermission()}
	if c.May(SandboxCard) {
		t.Error("a production caller holds a sandbox permission")
	}
	c.Sandbox = true
	if !c.May(SandboxCard) {
		t.Error("a sandbox caller does not")
	}
	if narrow := PermissionsOf(IssuingCard); narrow.Has(IssuingCardCreate) {
		t.Error("a parent includes its child")
	}
	round := parsePermissions(PermissionsOf(IssuingCard, SystemBIN).stored())
	if !round.Has(IssuingCard) || !round.Has(SystemBIN) || round.Has(SystemTenant) {
		t.Error("permissions change when stored")
	}
}
