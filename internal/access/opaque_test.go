package access

import (
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// eachPayer runs f on both engines with the credentials of a new tenant's client
// of payers.
func eachPayer(t *testing.T, f func(t *testing.T, s *Service, c *clock.Fake, tenant Tenant, of FamilyCredentials)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := clock.NewFake(start)
		s := New(d, seal{}, c)
		tenant, made, err := s.CreateTenant(t.Context(), NewTenant{Name: "Acme", Sandbox: true})
		if err != nil {
			t.Fatal(err)
		}
		f(t, s, c, tenant, made.Families)
	})
}

func opaqueGrantOf(c Credentials) Grant {
	g := grantOf(c)
	g.Type, g.Scope = GrantClientCredentials, scopeOffline
	return g
}

func mustPayersToken(t *testing.T, s *Service, g Grant) Tokens {
	t.Helper()
	tokens, err := s.PayersToken(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func refreshOf(c Credentials, last Tokens) Grant {
	g := grantOf(c)
	g.Type, g.RefreshToken = GrantRefreshToken, last.Refresh
	return g
}

func wantOpaque(t *testing.T, s *Service, tokens Tokens, want string) {
	t.Helper()
	if _, err := s.AuthenticateOpaque(t.Context(), Payers, tokens.Access, Origin{}); string(codeOf(err)) != want {
		t.Errorf("a token is answered %v, want %q", err, want)
	}
}

func TestPayersToken_livesTwentyMinutesAndLiesAsAHash(t *testing.T) {
	eachPayer(t, func(t *testing.T, s *Service, c *clock.Fake, tenant Tenant, of FamilyCredentials) {
		tokens := mustPayersToken(t, s, opaqueGrantOf(of.Payers))
		text := string(tokens.Access.Reveal())
		if len(text) != 26 || strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789") != "" || tokens.ExpiresIn != 20*time.Minute {
			t.Errorf("a token of %d signs for %v", len(text), tokens.ExpiresIn)
		}
		for _, secret := range []string{text, string(tokens.Refresh.Reveal())} {
			if n, err := readInt(t, s, `SELECT COUNT(*) FROM opaque_token WHERE token_hash = $1`, secret); err != nil || n != 0 {
				t.Errorf("%d rows hold a token in clear, %v", n, err)
			}
		}
		caller, err := s.AuthenticateOpaque(t.Context(), Payers, tokens.Access, Origin{})
		if err != nil || caller.Tenant != tenant.ID || caller.Client != of.Payers.ClientID || !caller.May(PayersCustomer) || caller.May(IssuingCard) {
			t.Errorf("caller %+v, %v", caller, err)
		}
		if _, err := s.AuthenticateOpaque(t.Context(), OpenBanking, tokens.Access, Origin{}); codeOf(err) != CodeUnauthenticated {
			t.Errorf("another family: %v", err)
		}
		if _, err := s.AuthenticateOpaque(t.Context(), Payers, tokens.Refresh, Origin{}); codeOf(err) != CodeUnauthenticated {
			t.Errorf("a refresh token in its place: %v", err)
		}
		c.Advance(20*time.Minute - time.Microsecond)
		wantOpaque(t, s, tokens, "")
		c.Advance(time.Microsecond)
		wantOpaque(t, s, tokens, "token_ended")
	})
}

func TestPayersToken_refusesOtherFamiliesAndWays(t *testing.T) {
	eachPayer(t, func(t *testing.T, s *Service, _ *clock.Fake, _ Tenant, of FamilyCredentials) {
		if _, err := s.PayersToken(t.Context(), opaqueGrantOf(of.EWallet)); codeOf(err) != CodeInvalidClient {
			t.Errorf("a client of wallets: %v", err)
		}
		for _, way := range []string{"device", "appuser", "password", ""} {
			g := grantOf(of.Payers)
			g.Type = way
			if _, err := s.PayersToken(t.Context(), g); codeOf(err) != CodeUnsupportedGrant {
				t.Errorf("%q: %v", way, err)
			}
		}
	})
}

func TestPayersToken_endsWithItsClient(t *testing.T) {
	eachPayer(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, of FamilyCredentials) {
		tokens := mustPayersToken(t, s, opaqueGrantOf(of.Payers))
		for _, active := range []bool{false, true} {
			if _, err := s.SetClientActive(t.Context(), System(tenant), of.Payers.ClientID, active); err != nil {
				t.Fatal(err)
			}
			wantOpaque(t, s, tokens, "token_ended")
		}
		if _, err := s.PayersToken(t.Context(), refreshOf(of.Payers, tokens)); codeOf(err) != CodeInvalidGrant {
			t.Errorf("a refresh token of before: %v", err)
		}
		tokens = mustPayersToken(t, s, opaqueGrantOf(of.Payers))
		if _, _, err := s.RotateSecret(t.Context(), System(tenant), of.Payers.ClientID, 0); err != nil {
			t.Fatal(err)
		}
		wantOpaque(t, s, tokens, "token_ended")
	})
}

// Of refreshes at once one wins; the others are copies, so that the chain ends.
func TestPayersToken_refreshedAtOnceEndsTheChain(t *testing.T) {
	eachPayer(t, func(t *testing.T, s *Service, _ *clock.Fake, _ Tenant, of FamilyCredentials) {
		first := mustPayersToken(t, s, opaqueGrantOf(of.Payers))
		type outcome struct {
			tokens Tokens
			err    error
		}
		const copies = 8
		done := make(chan outcome, copies)
		for range copies {
			go func() {
				tokens, err := s.PayersToken(t.Context(), refreshOf(of.Payers, first))
				done <- outcome{tokens, err}
			}()
		}
		var won []Tokens
		for range copies {
			if o := <-done; o.err == nil {
				won = append(won, o.tokens)
			} else if codeOf(o.err) != CodeInvalidGrant {
				t.Error(o.err)
			}
		}
		if len(won) != 1 {
			t.Fatalf("%d of %d refreshed", len(won), copies)
		}
		wantOpaque(t, s, first, "token_ended")
		wantOpaque(t, s, won[0], "token_ended")
		if _, err := s.PayersToken(t.Context(), refreshOf(of.Payers, won[0])); codeOf(err) != CodeInvalidGrant {
			t.Errorf("the winner's refresh token lives on: %v", err)
		}
		wantOpaque(t, s, mustPayersToken(t, s, opaqueGrantOf(of.Payers)), "")
	})
}

func TestSweep_forgetsOpaqueTokensThatAreOver(t *testing.T) {
	eachPayer(t, func(t *testing.T, s *Service, c *clock.Fake, _ Tenant, of FamilyCredentials) {
		mustPayersToken(t, s, opaqueGrantOf(of.Payers))
		for _, step := range []struct {
			after time.Duration
			left  int
		}{{PayersTokenLife + opaqueKept - time.Second, 2}, {time.Second, 1}, {PayersRefreshLife, 0}} {
			c.Advance(step.after)
			if _, err := s.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n, err := readInt(t, s, `SELECT COUNT(*) FROM opaque_token`); err != nil || n != step.left {
				t.Errorf("%d tokens are left, want %d, %v", n, step.left, err)
			}
		}
	})
}
