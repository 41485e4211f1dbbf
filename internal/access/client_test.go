package access

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// acts returns the access stream of a tenant as "Action entity result code",
// oldest first, and proves the chain.
// acts are the acts of a tenant, but for its clients of the neighbour families.
func acts(t *testing.T, s *Service, tenant Tenant) []string {
	t.Helper()
	record := audit.New(s.DB, nil, s.Clock)
	page, _, err := record.List(t.Context(), tenant.ID.String(), audit.Filter{
		Stream: audit.AccessStream, From: start.Add(-time.Hour), To: start.Add(1000 * time.Hour), Take: 1000, OldestFirst: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	report, err := record.Verify(t.Context())
	if err != nil || len(report.Findings) > 0 {
		t.Fatalf("the chain is broken: %v, %v", report.Findings, err)
	}
	var lines []string
	for _, e := range page {
		if e.Action == "ClientCreate" && slices.ContainsFunc(e.Changes, func(c audit.Change) bool {
			return strings.EqualFold(c.Property, "family") && *c.New != string(Platform)
		}) {
			continue
		}
		line := e.Action + " " + e.EntityType
		if e.Result == audit.Failure {
			line += " " + e.ErrorCode
		}
		for _, c := range e.Changes {
			if c.Property == "unrecordedFailures" {
				line += " +" + *c.New
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// newClient creates a client with these permissions.
func newClient(t *testing.T, s *Service, by Caller, in ClientChange) (Client, Credentials) {
	t.Helper()
	in.Name = or(in.Name, "Call centre")
	c, creds, err := s.CreateClient(t.Context(), by, in)
	if err != nil {
		t.Fatal(err)
	}
	return c, creds
}

func callerOf(t *testing.T, s *Service, g Grant) Caller {
	t.Helper()
	c, err := s.Authenticate(t.Context(), Platform, mustToken(t, s, g).Access, g.From)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCreateClient_grantsOnlyWhatTheCreatorHolds(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, who Credentials) {
		root := callerOf(t, s, grantOf(who))
		made, creds := newClient(t, s, root, ClientChange{Permissions: []string{SystemTenant, IssuingCard}})
		if strings.Contains(fmt.Sprintf("%+v %#v", made, creds), string(creds.ClientSecret.Reveal())) {
			t.Error("a new client prints its secret")
		}
		narrow := callerOf(t, s, grantOf(creds))
		if !narrow.May(IssuingCard) || narrow.May(SystemBIN) {
			t.Errorf("the new client may %v", narrow.Permissions)
		}
		for what, permissions := range map[string][]string{
			"one it lacks": {IssuingCard, SystemBIN}, "everything": {"*"},
		} {
			if _, _, err := s.CreateClient(t.Context(), narrow, ClientChange{Name: "x", Permissions: permissions}); codeOf(err) != CodeNotHeld {
				t.Errorf("granted %s: %v", what, err)
			}
			if _, err := s.UpdateClient(t.Context(), narrow, made.ID, ClientChange{Name: "x", Permissions: permissions}); codeOf(err) != CodeNotHeld {
				t.Errorf("gave itself %s: %v", what, err)
			}
		}
		// Who could rotate the secret of a mightier client could act as it.
		if _, _, err := s.RotateSecret(t.Context(), narrow, who.ClientID, 0); codeOf(err) != CodeNotHeld {
			t.Errorf("rotated the secret of a mightier client: %v", err)
		}
		if _, err := s.SetClientActive(t.Context(), narrow, who.ClientID, false); codeOf(err) != CodeNotHeld {
			t.Errorf("disabled a mightier client: %v", err)
		}
		// A token that was narrowed grants no more than it says, whoever carries it.
		scoped := grantOf(who)
		scoped.Scope = SystemTenant
		if _, _, err := s.CreateClient(t.Context(), callerOf(t, s, scoped), ClientChange{Name: "x", Permissions: []string{IssuingCard}}); codeOf(err) != CodeNotHeld {
			t.Errorf("a narrowed token granted more: %v", err)
		}
		all, err := s.Clients(t.Context(), root)
		if err != nil || len(all) != 2+len(Families()) {
			t.Errorf("%d clients, %v", len(all), err)
		}
	})
}

func TestCreateClient_neverGrantsTheSandboxInProduction(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, sandbox Tenant, _ Credentials) {
		production, _, err := s.CreateTenant(t.Context(), NewTenant{Name: "Bank"})
		if err != nil {
			t.Fatal(err)
		}
		in := ClientChange{Name: "x", Permissions: []string{IssuingCard, SandboxCard}}
		if _, _, err := s.CreateClient(t.Context(), System(production), in); codeOf(err) != CodeSandboxPermission {
			t.Errorf("granted in production: %v", err)
		}
		newClient(t, s, System(sandbox), in)
		c, _ := newClient(t, s, System(production), ClientChange{Permissions: []string{IssuingCard}})
		if _, err := s.UpdateClient(t.Context(), System(production), c.ID, in); codeOf(err) != CodeSandboxPermission {
			t.Errorf("given later in production: %v", err)
		}
	})
}

func TestCreateClient_namesEverythingThatIsWrong(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, who Credentials) {
		_, _, err := s.CreateClient(t.Context(), System(tenant), ClientChange{
			Name: " ", Permissions: []string{"Issuing.Everything"}, Allowed: []string{"10.0.0.0/33"}, Rate: Rate{-1, 5},
		})
		f, _ := fault.As(err)
		var named []string
		if f != nil {
			for _, v := range f.Fields {
				named = append(named, v.Name)
			}
		}
		if !slices.Equal(named, []string{"name", "permissions", "allowedAddresses", "rateLimit"}) {
			t.Errorf("named %v: %v", named, err)
		}
		for _, list := range [][]string{{"localhost"}, {"::ffff:10.0.0.0/104"}, {"fe80::1%eth0"}, slices.Repeat([]string{"10.0.0.1"}, allowedMax+1)} {
			if _, ok := parseNetworks(list); ok {
				t.Errorf("%v was taken", list)
			}
		}
		before := acts(t, s, tenant)
		if _, err := s.UpdateClient(t.Context(), System(tenant), who.ClientID, ClientChange{
			Name: "x", Permissions: []string{"*"}, ConcurrencyStamp: "old",
		}); codeOf(err) != CodeConcurrency {
			t.Errorf("an old stamp: %v", err)
		}
		if after := acts(t, s, tenant); len(after) != len(before) {
			t.Errorf("a refused change was written down: %v", after)
		}
	})
}

func TestClient_ofAnotherTenantIsNotThere(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, who Credentials) {
		other, _, err := s.CreateTenant(t.Context(), NewTenant{Name: "Other"})
		if err != nil {
			t.Fatal(err)
		}
		stranger := System(other)
		change := ClientChange{Name: "x", Permissions: []string{"*"}}
		for what, err := range map[string]error{
			"shown":    second(s.Client(t.Context(), stranger, who.ClientID)),
			"changed":  second(s.UpdateClient(t.Context(), stranger, who.ClientID, change)),
			"disabled": second(s.SetClientActive(t.Context(), stranger, who.ClientID, false)),
			"rotated": func() error {
				_, _, err := s.RotateSecret(t.Context(), stranger, who.ClientID, 0)
				return err
			}(),
		} {
			if codeOf(err) != CodeClientNotFound {
				t.Errorf("%s: %v", what, err)
			}
		}
		mustToken(t, s, grantOf(who))
		if got := acts(t, s, tenant); len(got) != 3 {
			t.Errorf("acts %v", got)
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestSetClientActive_endsTokensAndFamiliesForGood(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, who Credentials) {
		tokens := mustToken(t, s, grantOf(who))
		for _, active := range []bool{false, false, true} {
			if _, err := s.SetClientActive(t.Context(), System(tenant), who.ClientID, active); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Authenticate(t.Context(), Platform, tokens.Access, Origin{}); codeOf(err) != CodeUnauthenticated {
				t.Errorf("active %t: a token of before works: %v", active, err)
			}
		}
		g := grantOf(who)
		g.RefreshToken = tokens.Refresh
		if _, err := s.Refresh(t.Context(), g); codeOf(err) != CodeInvalidGrant {
			t.Errorf("a refresh token of before works: %v", err)
		}
		callerOf(t, s, grantOf(who))
		want := []string{"TenantCreate Tenant", "ClientCreate Client", "TokenIssue Client", "ClientDisable Client", "ClientEnable Client",
			"TokenIssue Client invalid_grant", "TokenIssue Client"}
		if got := acts(t, s, tenant); !slices.Equal(got, want) {
			t.Errorf("acts %v", got)
		}
	})
}

// While one disables a client, another may be refreshing its token: whatever
// comes first, no refresh token is left that works.
func TestSetClientActive_leavesNoRefreshTokenHoweverItRaces(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, who Credentials) {
		for round := range 10 {
			first := mustToken(t, s, grantOf(who))
			refreshed, disabled := make(chan Tokens, 1), make(chan error, 1)
			go func() {
				g := grantOf(who)
				g.RefreshToken = first.Refresh
				tokens, err := s.Refresh(t.Context(), g)
				if err != nil && codeOf(err) != CodeInvalidClient {
					t.Errorf("round %d: %v", round, err)
				}
				refreshed <- tokens
			}()
			go func() {
				_, err := s.SetClientActive(t.Context(), System(tenant), who.ClientID, false)
				disabled <- err
			}()
			last := <-refreshed
			if err := <-disabled; err != nil {
				t.Fatal(err)
			}
			if _, err := s.SetClientActive(t.Context(), System(tenant), who.ClientID, true); err != nil {
				t.Fatal(err)
			}
			for _, tokens := range []Tokens{first, last} {
				g := grantOf(who)
				if g.RefreshToken = tokens.Refresh; g.RefreshToken.IsZero() {
					continue
				}
				if _, err := s.Refresh(t.Context(), g); codeOf(err) != CodeInvalidGrant {
					t.Fatalf("round %d: a refresh token survived: %v", round, err)
				}
				if _, err := s.Authenticate(t.Context(), Platform, tokens.Access, Origin{}); codeOf(err) != CodeUnauthenticated {
					t.Fatalf("round %d: a token survived: %v", round, err)
				}
			}
		}
	})
}

// Of two refreshes at once one is a copy: both end with the family dead.
func TestRefresh_twoAtOnceEndTheFamily(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, _ Tenant, who Credentials) {
		for round := range 10 {
			g := grantOf(who)
			g.RefreshToken = mustToken(t, s, g).Refresh
			type outcome struct {
				tokens Tokens
				err    error
			}
			done := make(chan outcome, 2)
			for range 2 {
				go func(g Grant) {
					tokens, err := s.Refresh(t.Context(), g)
					done <- outcome{tokens, err}
				}(g)
			}
			won := 0
			for range 2 {
				o := <-done
				if o.err != nil {
					if codeOf(o.err) != CodeInvalidGrant {
						t.Errorf("round %d: %v", round, o.err)
					}
					continue
				}
				won++
				g.RefreshToken = o.tokens.Refresh
			}
			if won != 1 {
				t.Fatalf("round %d: %d of 2 refreshed", round, won)
			}
			if _, err := s.Refresh(t.Context(), g); codeOf(err) != CodeInvalidGrant {
				t.Fatalf("round %d: the winner's token lived on: %v", round, err)
			}
		}
	})
}

func TestRotateSecret_withAndWithoutOverlap(t *testing.T) {
	each(t, func(t *testing.T, s *Service, c *clock.Fake, tenant Tenant, who Credentials) {
		tokens := mustToken(t, s, grantOf(who))
		_, fresh, err := s.RotateSecret(t.Context(), System(tenant), who.ClientID, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		for _, creds := range []Credentials{who, fresh} {
			mustToken(t, s, grantOf(creds))
		}
		if _, err := s.Authenticate(t.Context(), Platform, tokens.Access, Origin{}); err != nil {
			t.Errorf("an overlap ended the tokens: %v", err)
		}
		c.Advance(time.Hour)
		if _, err := s.Token(t.Context(), grantOf(who)); codeOf(err) != CodeInvalidClient {
			t.Errorf("the old secret after its time: %v", err)
		}
		tokens = mustToken(t, s, grantOf(fresh))
		_, last, err := s.RotateSecret(t.Context(), System(tenant), who.ClientID, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Token(t.Context(), grantOf(fresh)); codeOf(err) != CodeInvalidClient {
			t.Errorf("the secret of before: %v", err)
		}
		if _, err := s.Authenticate(t.Context(), Platform, tokens.Access, Origin{}); codeOf(err) != CodeUnauthenticated {
			t.Errorf("the token of before: %v", err)
		}
		g := grantOf(last)
		g.RefreshToken = tokens.Refresh
		if _, err := s.Refresh(t.Context(), g); codeOf(err) != CodeInvalidGrant {
			t.Errorf("the refresh token of before: %v", err)
		}
		mustToken(t, s, grantOf(last))
		if _, _, err := s.RotateSecret(t.Context(), System(tenant), who.ClientID, overlapMax+1); codeOf(err) != CodeInvalid {
			t.Errorf("an endless overlap: %v", err)
		}
	})
}

func TestAddressList_holdsForTokensAndCalls(t *testing.T) {
	each(t, func(t *testing.T, s *Service, c *clock.Fake, tenant Tenant, _ Credentials) {
		_, creds := newClient(t, s, System(tenant), ClientChange{
			Permissions: []string{IssuingCard}, Allowed: []string{"203.0.113.0/24", "2001:db8::/32", "198.51.100.7"},
		})
		from := func(ip string) Grant {
			g := grantOf(creds)
			g.From = Origin{IP: ip, CorrelationID: "trace-1"}
			return g
		}
		for _, ip := range []string{"203.0.113.9", "2001:db8:5::1", "198.51.100.7", "::ffff:203.0.113.9"} {
			callerOf(t, s, from(ip))
		}
		for _, ip := range []string{"203.0.114.9", "2001:db9::1", "198.51.100.8", "", "somewhere"} {
			if _, err := s.Token(t.Context(), from(ip)); codeOf(err) != CodeIPNotAllowed {
				t.Errorf("token from %q: %v", ip, err)
			}
		}
		good := mustToken(t, s, from("203.0.113.9"))
		before := acts(t, s, tenant)
		for range 20 { // written down once in a minute
			if _, err := s.Authenticate(t.Context(), Platform, good.Access, Origin{IP: "192.0.2.1"}); codeOf(err) != CodeAddressDenied {
				t.Errorf("call from elsewhere: %v", err)
			}
		}
		c.Advance(time.Minute)
		if _, err := s.Authenticate(t.Context(), Platform, good.Access, Origin{IP: "192.0.2.1"}); codeOf(err) != CodeAddressDenied {
			t.Error(err)
		}
		denied := acts(t, s, tenant)[len(before):]
		if want := []string{"CallDeny Address address_denied", "CallDeny Address address_denied"}; !slices.Equal(denied, want) {
			t.Errorf("acts %v", denied)
		}
	})
}

// Strangers neither lock a client from where it may not call, nor fill the
// chain of its tenant; what they tried is known as a number.
func TestToken_strangersNeitherLockNorFillTheChain(t *testing.T) {
	each(t, func(t *testing.T, s *Service, c *clock.Fake, tenant Tenant, _ Credentials) {
		_, creds := newClient(t, s, System(tenant), ClientChange{Permissions: []string{IssuingCard}, Allowed: []string{"203.0.113.0/24"}})
		inside, outside := grantOf(creds), grantOf(creds)
		inside.From, outside.From = Origin{IP: "203.0.113.9"}, Origin{IP: "192.0.2.1"}
		wrong := func(g Grant) Grant {
			g.ClientSecret = secret.FromString("sk_wrong")
			return g
		}
		before := len(acts(t, s, tenant))
		for range 30 {
			if _, err := s.Token(t.Context(), wrong(outside)); codeOf(err) != CodeInvalidClient {
				t.Fatal(err)
			}
		}
		if got := acts(t, s, tenant)[before:]; len(got) != 0 {
			t.Errorf("strangers wrote %v", got)
		}
		mustToken(t, s, inside)
		for range 30 {
			if _, err := s.Token(t.Context(), wrong(inside)); codeOf(err) != CodeInvalidClient {
				t.Fatal(err)
			}
		}
		if _, err := s.Token(t.Context(), Grant{ClientID: "sc_nobody", ClientSecret: creds.ClientSecret}); codeOf(err) != CodeInvalidClient {
			t.Fatal(err)
		}
		c.Advance(lockWindow)
		mustToken(t, s, inside)
		failed := "TokenIssue Client invalid_client"
		want := []string{"TokenIssue Client +30", failed, failed, failed, failed, failed, "ClientLock Client", "TokenIssue Client +25"}
		if got := acts(t, s, tenant)[before:]; !slices.Equal(got, want) {
			t.Errorf("acts %v", got)
		}
	})
}

func TestToken_recordSaysFromWhereAndOnWhichRequest(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, who Credentials) {
		g := grantOf(who)
		g.From = Origin{IP: "203.0.113.9", CorrelationID: "trace-7"}
		mustToken(t, s, g)
		page, _, err := audit.New(s.DB, nil, s.Clock).List(t.Context(), tenant.ID.String(), audit.Filter{
			Stream: audit.AccessStream, From: start, To: start, Actions: []string{"TokenIssue"}, Take: 10,
		})
		if err != nil || len(page) != 1 || page[0].IP != "203.0.113.9" || page[0].CorrelationID != "trace-7" || page[0].Client != who.ClientID {
			t.Errorf("%+v, %v", page, err)
		}
	})
}

func TestRate_isTheClientsElseTheTenantsElseTheServers(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, who Credentials) {
		s.Rate = Rate{500, 1000}
		root := callerOf(t, s, grantOf(who))
		if root.Rate != (Rate{500, 1000}) {
			t.Errorf("the server's: %v", root.Rate)
		}
		if _, _, err := s.CreateClient(t.Context(), root, ClientChange{Name: "x", Permissions: []string{IssuingCard}, Rate: Rate{501, 0}}); codeOf(err) != CodeInvalid {
			t.Errorf("a client above the server: %v", err)
		}
		no := false
		if _, err := s.SetTenantOptions(t.Context(), System(tenant), TenantOptions{Rate: &Rate{50, 60}, ClientRefresh: &no}); err != nil {
			t.Fatal(err)
		}
		tokens := mustToken(t, s, grantOf(who))
		if !tokens.Refresh.IsZero() {
			t.Error("a client got a refresh token against its tenant's option")
		}
		if root = callerOf(t, s, grantOf(who)); root.Rate != (Rate{50, 60}) {
			t.Errorf("the tenant's: %v", root.Rate)
		}
		in := ClientChange{Name: "x", Permissions: []string{IssuingCard}, Rate: Rate{51, 0}}
		if _, _, err := s.CreateClient(t.Context(), root, in); codeOf(err) != CodeInvalid {
			t.Errorf("a client above its tenant: %v", err)
		}
		_, creds := newClient(t, s, System(tenant), in) // the platform may
		if got := callerOf(t, s, grantOf(creds)).Rate; got != (Rate{51, 0}) {
			t.Errorf("the client's: %v", got)
		}
		change := TenantChange{Name: "New", InstitutionType: "Bank", TimeZone: "UTC", Language: "en", DefaultCurrency: "EUR"}
		after, err := s.UpdateTenant(t.Context(), root, change)
		if err != nil || after.Rate != (Rate{50, 60}) || after.ClientRefresh {
			t.Errorf("a tenant changed what the platform set: %+v, %v", after, err)
		}
	})
}

func TestDenials_areBoundedInMemory(t *testing.T) {
	var k denials
	written := 0
	for i := range denialsMax + 500 {
		if k.due(denial{"c", "Address", fmt.Sprint(i)}, start) {
			written++
		}
	}
	if written != denialsMax || len(k.last) != denialsMax {
		t.Errorf("%d written, %d remembered", written, len(k.last))
	}
	if !k.due(denial{"c", "Address", "new"}, start.Add(denialPause)) || len(k.last) != 1 {
		t.Errorf("%d remembered after a pause", len(k.last))
	}
}

func TestClient_withAListThatCannotBeReadIsNotLetIn(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, _ Tenant, who Credentials) {
		err := s.DB.InTx(t.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE api_client SET allowed_addresses = 'everywhere' WHERE id = $1`, who.ClientID)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Token(t.Context(), grantOf(who)); err == nil || codeOf(err) != "" {
			t.Errorf("let in, or refused as if it knew why: %v", err)
		}
	})
}

func readInt(t *testing.T, s *Service, query string, args ...any) (n int, err error) {
	t.Helper()
	err = s.DB.View(t.Context(), func(tx db.Tx) (err error) {
		n, _, err = db.One(t.Context(), tx, scanInt, query, args...)
		return err
	})
	return n, err
}
