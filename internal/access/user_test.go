package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

const goodPassword = "correct-horse-7"

// eachUser is each with the role TELLER and the user ayse who has it; hashing is
// cheap.
func eachUser(t *testing.T, f func(t *testing.T, s *Service, c *clock.Fake, tenant Tenant, who Credentials, ayse Grant)) {
	t.Helper()
	each(t, func(t *testing.T, s *Service, c *clock.Fake, tenant Tenant, who Credentials) {
		s.Cost = PasswordCost{Memory: 64, Passes: 1, Threads: 1}
		if _, err := s.PutRole(t.Context(), System(tenant), "TELLER", []string{IssuingCard, IssuingCardStatus}); err != nil {
			t.Fatal(err)
		}
		in := NewUser{Name: "Ayse", Roles: []string{"TELLER"}, Password: secret.FromString(goodPassword)}
		if _, err := s.CreateUser(t.Context(), System(tenant), in); err != nil {
			t.Fatal(err)
		}
		g := grantOf(who)
		g.Type, g.UserName, g.Password = GrantPassword, "AYSE", secret.FromString(goodPassword)
		f(t, s, c, tenant, who, g)
	})
}

func TestSignIn_giveWhatRolesAndClientPermitTogether(t *testing.T) {
	eachUser(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, _ Credentials, ayse Grant) {
		tokens := mustToken(t, s, ayse)
		caller, err := s.Authenticate(t.Context(), Platform, tokens.Access, Origin{})
		if err != nil || !caller.May(IssuingCard) || caller.May(SystemBIN) || caller.UserName != "ayse" || !strings.HasPrefix(caller.User, "usr_") {
			t.Errorf("%+v, %v", caller, err)
		}
		if caller.By() != caller.Client+"/"+caller.User {
			t.Errorf("acts as %s", caller.By())
		}
		var claims map[string]any
		token, err := jwt.ParseSigned(string(tokens.Access.Reveal()), []jose.SignatureAlgorithm{jose.ES256})
		if err != nil {
			t.Fatal(err)
		}
		if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil {
			t.Fatal(err)
		}
		if claims["sub"] != caller.User || fmt.Sprint(claims["role"]) != "[TELLER]" || claims["client_id"] != caller.Client {
			t.Errorf("claims %v", claims)
		}
		narrow := ayse
		narrow.Scope = IssuingCard
		if c := callerOf(t, s, narrow); !c.May(IssuingCard) || c.May(IssuingCardStatus) {
			t.Errorf("narrowed: %v", c.Permissions)
		}
		narrow.Scope = SystemBIN
		if _, err := s.Token(t.Context(), narrow); codeOf(err) != CodeInvalidScope {
			t.Errorf("a scope beyond the roles: %v", err)
		}
		// The client bounds its users.
		_, creds := newClient(t, s, System(tenant), ClientChange{Permissions: []string{IssuingCard}})
		through := ayse
		through.ClientID, through.ClientSecret = creds.ClientID, creds.ClientSecret
		if c := callerOf(t, s, through); !c.May(IssuingCard) || c.May(IssuingCardStatus) {
			t.Errorf("through a narrow client: %v", c.Permissions)
		}
		// A role holds for the next request.
		if _, err := s.PutRole(t.Context(), System(tenant), "TELLER", []string{IssuingTransaction}); err != nil {
			t.Fatal(err)
		}
		caller, err = s.Authenticate(t.Context(), Platform, tokens.Access, Origin{})
		if err != nil || caller.May(IssuingCard) || !caller.May(IssuingTransaction) {
			t.Errorf("after the role changed: %+v, %v", caller.Permissions, err)
		}
	})
}

func TestSignIn_getsRefreshTokensWhateverTheTenantSaysOfClients(t *testing.T) {
	eachUser(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, who Credentials, ayse Grant) {
		no := false
		if _, err := s.SetTenantOptions(t.Context(), System(tenant), TenantOptions{ClientRefresh: &no}); err != nil {
			t.Fatal(err)
		}
		g := grantOf(who)
		g.RefreshToken = mustToken(t, s, ayse).Refresh
		tokens, err := s.Refresh(t.Context(), g)
		if err != nil || tokens.Refresh.IsZero() {
			t.Fatalf("refresh: %v", err)
		}
		if c, err := s.Authenticate(t.Context(), Platform, tokens.Access, Origin{}); err != nil || c.UserName != "ayse" {
			t.Errorf("the refreshed token is of %q, %v", c.UserName, err)
		}
	})
}

func TestSignIn_everyRefusalIsTheSame(t *testing.T) {
	eachUser(t, func(t *testing.T, s *Service, c *clock.Fake, tenant Tenant, who Credentials, ayse Grant) {
		wrong := ayse
		wrong.Password = secret.FromString("correct-horse-8")
		unknown, nothing, nobody := ayse, ayse, ayse
		unknown.UserName, nothing.Password, nobody.UserName = "can", secret.Value{}, ""
		other, creds, err := s.CreateTenant(t.Context(), NewTenant{Name: "Other"})
		if err != nil {
			t.Fatal(err)
		}
		foreign := ayse
		foreign.ClientID, foreign.ClientSecret = creds.ClientID, creds.ClientSecret
		for what, g := range map[string]Grant{"wrong": wrong, "unknown": unknown, "no password": nothing, "no name": nobody, "another tenant": foreign} {
			if _, err := s.Token(t.Context(), g); err != errInvalidGrant {
				t.Errorf("%s: %v", what, err)
			}
		}
		if got := acts(t, s, other); len(got) != 3 {
			t.Errorf("the other tenant has %v", got)
		}
		// wrong and no password were two; three more lock.
		before := len(acts(t, s, tenant))
		for range 10 {
			if _, err := s.Token(t.Context(), wrong); err != errInvalidGrant {
				t.Fatal(err)
			}
		}
		if _, err := s.Token(t.Context(), ayse); err != errInvalidGrant {
			t.Errorf("locked, with the right password: %v", err)
		}
		failed := "TokenIssue Client invalid_grant"
		want := []string{failed, failed, failed, "UserLock User"}
		if got := acts(t, s, tenant)[before:]; !slices.Equal(got, want) {
			t.Errorf("acts %v", got)
		}
		mustToken(t, s, grantOf(who)) // the client is not locked
		c.Advance(lockWindow)
		mustToken(t, s, ayse)
		if _, err := s.SetUserActive(t.Context(), System(tenant), "ayse", false); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Token(t.Context(), ayse); err != errInvalidGrant {
			t.Errorf("disabled: %v", err)
		}
	})
}

// Nearly all the time of an answer is that of the hash, so whoever cannot sign
// in must not be told so without one: where none can begin, nobody is answered.
func TestSignIn_unknownNamesCostAsMuchAsKnownOnes(t *testing.T) {
	eachUser(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, _ Credentials, ayse Grant) {
		in := NewUser{Name: "locked", Password: secret.FromString(goodPassword)}
		for _, in.Name = range []string{"locked", "disabled"} {
			if _, err := s.CreateUser(t.Context(), System(tenant), in); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.SetUserActive(t.Context(), System(tenant), "disabled", false); err != nil {
			t.Fatal(err)
		}
		locked := ayse
		locked.UserName, locked.Password = "locked", secret.FromString("wrong-password-1")
		for range failuresMax + 1 {
			if _, err := s.Token(t.Context(), locked); err != errInvalidGrant {
				t.Fatal(err)
			}
		}
		for range cap(s.hashing) {
			s.hashing <- struct{}{}
		}
		for _, name := range []string{"ayse", "nobody", "locked", "disabled", ""} {
			g := ayse
			g.UserName, g.Password = name, secret.FromString("wrong-password-1")
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			if _, err := s.Token(ctx, g); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%q was answered without a hash: %v", name, err)
			}
			cancel()
		}
	})
}

func TestSignIn_parallelGuessesAreCountedOneByOne(t *testing.T) {
	eachUser(t, func(t *testing.T, s *Service, _ *clock.Fake, _ Tenant, _ Credentials, ayse Grant) {
		wrong := ayse
		wrong.Password = secret.FromString("guess-guess-11")
		done := make(chan error)
		for range 12 {
			go func() {
				_, err := s.Token(t.Context(), wrong)
				done <- err
			}()
		}
		for range 12 {
			if err := <-done; err != errInvalidGrant {
				t.Error(err)
			}
		}
		if _, err := s.Token(t.Context(), ayse); err != errInvalidGrant {
			t.Errorf("twelve guesses did not lock: %v", err)
		}
	})
}

func TestUser_whateverIsChangedEndsItsTokens(t *testing.T) {
	eachUser(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, who Credentials, ayse Grant) {
		by := System(tenant)
		for what, change := range map[string]func() error{
			"roles":    func() error { return second(s.SetUserRoles(t.Context(), by, "ayse", []string{"TELLER"})) },
			"password": func() error { return second(s.SetPassword(t.Context(), by, "Ayse", secret.FromString(goodPassword))) },
			"state": func() error {
				if _, err := s.SetUserActive(t.Context(), by, "ayse", false); err != nil {
					return err
				}
				return second(s.SetUserActive(t.Context(), by, "ayse", true))
			},
		} {
			tokens := mustToken(t, s, ayse)
			if err := change(); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Authenticate(t.Context(), Platform, tokens.Access, Origin{}); codeOf(err) != CodeUnauthenticated {
				t.Errorf("%s: the token lived on: %v", what, err)
			}
			g := grantOf(who)
			g.RefreshToken = tokens.Refresh
			if _, err := s.Refresh(t.Context(), g); codeOf(err) != CodeInvalidGrant {
				t.Errorf("%s: the refresh token lived on: %v", what, err)
			}
		}
	})
}

// A password is checked outside of any transaction: what changed meanwhile
// holds.
func TestSignIn_losesToADisableThatComesBetween(t *testing.T) {
	eachUser(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, _ Credentials, ayse Grant) {
		for range cap(s.hashing) {
			s.hashing <- struct{}{} // no hash begins
		}
		done := make(chan error)
		go func() {
			_, err := s.Token(t.Context(), ayse)
			done <- err
		}()
		for len(acts(t, s, tenant)) == 0 || attemptsOf(t, s, tenant) == 0 { // until the first half is over
			time.Sleep(time.Millisecond)
		}
		if _, err := s.SetUserActive(t.Context(), System(tenant), "ayse", false); err != nil {
			t.Fatal(err)
		}
		for range cap(s.hashing) {
			<-s.hashing
		}
		if err := <-done; err != errInvalidGrant {
			t.Errorf("signed in all the same: %v", err)
		}
	})
}

func attemptsOf(t *testing.T, s *Service, tenant Tenant) (n int) {
	t.Helper()
	n, err := readInt(t, s, `SELECT failure_count FROM api_user WHERE tenant_id = $1`, tenant.ID)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestCreateUser_refusesWhatWillNotDo(t *testing.T) {
	eachUser(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, _ Credentials, _ Grant) {
		by := System(tenant)
		create := func(name, password string, roles ...string) error {
			return second(s.CreateUser(t.Context(), by, NewUser{Name: name, Password: secret.FromString(password), Roles: roles}))
		}
		for what, err := range map[string]error{
			"a short name": create("ab", goodPassword), "a name with a space": create("a b c", goodPassword),
			"a short password": create("can", "short-1"), "no digit": create("can", "correct-horse-x"), "no letter": create("can", "123456789012345"),
			"few characters": create("can", "aaaaaaaaaaaaaa1"), "the name in it": create("celebi", "my-Celebi-12345"),
			"a long one": create("can", strings.Repeat("a1b2c3", 22)), "an unknown role": create("can", goodPassword, "CHIEF"),
		} {
			if codeOf(err) != CodeInvalid {
				t.Errorf("%s: %v", what, err)
			}
		}
		if err := create("AYSE", goodPassword); codeOf(err) != CodeUserTaken {
			t.Errorf("a taken name: %v", err)
		}
		if _, err := s.SetUserActive(t.Context(), by, "nobody", false); codeOf(err) != CodeUserNotFound {
			t.Errorf("an unknown user: %v", err)
		}
		// Nobody gives by a role what it does not hold itself.
		_, creds := newClient(t, s, by, ClientChange{Permissions: []string{SystemTenant}})
		narrow := callerOf(t, s, grantOf(creds))
		for what, err := range map[string]error{
			"a user": second(s.CreateUser(t.Context(), narrow, NewUser{Name: "can", Password: secret.FromString(goodPassword), Roles: []string{"TELLER"}})),
			"a role": second(s.PutRole(t.Context(), narrow, "MORE", []string{IssuingCard})), "a lesser role": second(s.PutRole(t.Context(), narrow, "TELLER", []string{SystemTenant})),
			"a password": second(s.SetPassword(t.Context(), narrow, "ayse", secret.FromString(goodPassword))),
		} {
			if codeOf(err) != CodeNotHeld {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func TestAct_namesTheUserThatSignedIn(t *testing.T) {
	eachUser(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, _ Credentials, ayse Grant) {
		caller := callerOf(t, s, ayse)
		caller.UserReference = "op7"
		if a := caller.Act(clock.RealAt(start), audit.CardStream, "Create"); a.UserID != caller.User || a.User != "ayse" {
			t.Errorf("%+v", a)
		}
		page, _, err := audit.New(s.DB, nil, s.Clock).List(t.Context(), tenant.ID.String(), audit.Filter{
			Stream: audit.AccessStream, From: start, To: start, User: "ayse", Take: 10,
		})
		if err != nil || len(page) != 1 || page[0].UserID != caller.User || page[0].Action != "TokenIssue" {
			t.Errorf("%+v, %v", page, err)
		}
	})
}

func TestPasswordHash_isInTheFormOfItsParameters(t *testing.T) {
	s := New(nil, nil, nil)
	if s.Cost != (PasswordCost{Memory: 64 << 10, Passes: 3, Threads: 1}) {
		t.Errorf("the default cost is %+v", s.Cost)
	}
	s.Cost = PasswordCost{Memory: 64, Passes: 2, Threads: 1}
	stored, err := s.newPasswordHash(t.Context(), secret.FromString(goodPassword))
	if err != nil || !strings.HasPrefix(stored, "$argon2id$v=19$m=64,t=2,p=1$") {
		t.Fatalf("%s, %v", stored, err)
	}
	s.Cost.Passes = 3 // what was hashed before is read with its own
	for password, want := range map[string]bool{goodPassword: true, goodPassword + " ": false, "": false} {
		if fits, err := s.passwordFits(t.Context(), secret.FromString(password), stored); err != nil || fits != want {
			t.Errorf("%q fits: %t, %v", password, fits, err)
		}
	}
	for _, bad := range []string{"x", "$argon2i$v=19$m=64,t=2,p=1$c2FsdHNhbHQ$AAAA", strings.Replace(stored, "m=64", "m=99999999", 1), strings.Replace(stored, "t=2", "t=0", 1)} {
		if _, err := s.passwordFits(t.Context(), secret.FromString(goodPassword), bad); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}
