package openbanking

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

const (
	backAt   = "https://app.example/back?from=bank"
	password = "correct-horse-7-battery"
	verifier = "the-verifier-of-the-test-has-43-characters-or-more"
)

// browser is a cardholder's browser: it keeps cookies, follows redirects to our own
// pages, and stops where it is sent elsewhere.
type browser struct {
	*world
	cookies map[string]string
	last    *httptest.ResponseRecorder
	away    string // where it was sent in the end
}

// newBrowser lets the customer sign in, and the client name where it is.
func (w *world) newBrowser() *browser {
	ctx := w.T.Context()
	w.bank.Access.Cost = access.PasswordCost{Memory: 64, Passes: 1, Threads: 1}
	w.must(w.bank.Access.SetCardholderPassword(ctx, w.bank.Caller, w.bank.Customer(), secret.FromString(password)))
	w.must(w.bank.Access.SetRedirects(ctx, w.bank.Caller, w.Names["client"], []string{backAt}))
	w.must(w.bank.Access.RevokeConsent(ctx, w.bank.Caller, w.Names["consent"]))
	delete(w.Names, "token") // a browser has none
	delete(w.Names, "consent")
	return &browser{world: w, cookies: map[string]string{}}
}

func (b *browser) visit(method, address, body string, header map[string]string) {
	b.T.Helper()
	b.away = ""
	for range 5 {
		h := map[string]string{"Host": "localhost", "Accept-Language": "en"}
		for name, value := range header {
			h[name] = value
		}
		var jar []string
		for name, value := range b.cookies {
			jar = append(jar, name+"="+value)
		}
		if len(jar) > 0 {
			h["Cookie"] = strings.Join(jar, "; ")
		}
		if body != "" {
			h["Content-Type"] = "application/x-www-form-urlencoded"
		}
		b.last = b.Send(method, address, h, body)
		for _, c := range b.last.Result().Cookies() {
			if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || !c.Secure || !strings.HasPrefix(c.Name, "__Host-") {
				b.T.Errorf("the cookie %s is not kept well: %v", c.Name, c)
			}
			b.cookies[c.Name] = c.Value
		}
		to := b.last.Header().Get("Location")
		if to == "" {
			return
		}
		if !strings.HasPrefix(to, "/") {
			b.away = to
			return
		}
		method, address, body, header = http.MethodGet, to, "", nil
	}
	b.T.Fatal("redirected without end")
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)">`)

// submit sends the first form of the page that is shown, with its hidden fields.
func (b *browser) submit(path string, fields url.Values) {
	b.T.Helper()
	form := url.Values{}
	_, page, found := strings.Cut(b.last.Body.String(), `action="`+path+`"`)
	if !found {
		b.T.Fatalf("no form to %s on the page:\n%s", path, b.last.Body)
	}
	page, _, _ = strings.Cut(page, "</form>")
	for _, m := range hiddenField.FindAllStringSubmatch(page, -1) {
		form.Set(m[1], m[2])
	}
	for name, values := range fields {
		if values[0] == "" {
			form.Del(name)
			continue
		}
		form[name] = values
	}
	b.visit(http.MethodPost, path, form.Encode(), map[string]string{"Sec-Fetch-Site": "same-origin"})
}

// challengeOf is the S256 challenge of a verifier.
func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (b *browser) ask(change ...string) url.Values {
	q := url.Values{
		"client_id": {b.Names["client"]}, "redirect_uri": {backAt}, "response_type": {"code"}, "scope": {"creditcard"},
		"state": {"s t&t"}, "code_challenge": {challengeOf(verifier)}, "code_challenge_method": {"S256"}, "resource": {"sandbox"},
	}
	for i := 0; i < len(change); i += 2 {
		q.Set(change[i], change[i+1])
	}
	return q
}

func (b *browser) authorize(change ...string) {
	b.T.Helper()
	b.visit(http.MethodGet, authorizePath+"?"+b.ask(change...).Encode(), "", nil)
}

func (b *browser) enter() {
	b.T.Helper()
	b.submit(signInPath, url.Values{"customer": {b.bank.Customer()}, "password": {password}})
	b.submit(codePath, url.Values{"code": {"000000"}})
}

// sentBack is what the client gets in its query.
func (b *browser) sentBack() url.Values {
	b.T.Helper()
	u, err := url.Parse(b.away)
	if err != nil || !strings.HasPrefix(b.away, backAt+"&") {
		b.T.Fatalf("not sent back to the client, but to %q: %s", b.away, b.last.Body)
	}
	return u.Query()
}

// code goes through all of it, as far as the code.
func (b *browser) code(change ...string) string {
	b.T.Helper()
	b.authorize(change...)
	if strings.Contains(b.last.Body.String(), `action="`+signInPath+`"`) {
		b.enter()
	}
	b.submit(consentPath, url.Values{"answer": {"allow"}})
	back := b.sentBack()
	if back.Get("code") == "" || back.Get("state") != "s t&t" || back.Get("from") != "bank" {
		b.T.Fatalf("sent back with %v", back)
	}
	return back.Get("code")
}

type tokens struct {
	Access    string `json:"access_token"`
	Refresh   string `json:"refresh_token"`
	ExpiresIn int    `json:"expires_in"`
	Scope     string `json:"scope"`
	Error     string `json:"error"`
}

// tokenFor asks the token endpoint as the family's client.
func (w *world) tokenFor(form url.Values) (int, tokens) {
	w.T.Helper()
	if form.Get("client_id") == "" {
		form.Set("client_id", w.Names["client"])
		form.Set("client_secret", w.Names["secret"])
	}
	answer := w.Send("POST", tokenPath, map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, form.Encode())
	var got tokens
	if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
		w.T.Fatalf("%d %s", answer.Code, answer.Body)
	}
	return answer.Code, got
}

func exchange(code string, change ...string) url.Values {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {backAt}, "code_verifier": {verifier}}
	for i := 0; i < len(change); i += 2 {
		form.Set(change[i], change[i+1])
	}
	return form
}

func refresh(token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
}

// mayList reports whether a token opens the list of cards.
func (w *world) mayList(token string) bool {
	w.T.Helper()
	answer := w.Send("POST", "/creditCardList", map[string]string{"Authorization": "Bearer " + token}, "{}")
	if answer.Code == 200 && !strings.Contains(answer.Body.String(), `"CardID":20090`) {
		w.T.Errorf("the list is %s", answer.Body)
	}
	return answer.Code == 200
}

func eachBrowser(t *testing.T, f func(t *testing.T, b *browser)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { f(t, newWorld(t, d).newBrowser()) })
}

// A cardholder signs in, sees what is shared, consents, and the client gets tokens,
// renews them, and loses them when the cardholder revokes the consent at our page.
func TestAuthorize_toldFromSignInToRevocation(t *testing.T) {
	eachBrowser(t, func(t *testing.T, b *browser) {
		b.authorize()
		b.enter()
		page := b.last.Body.String()
		for _, want := range []string{"Test asks for the following", "9792********", "World Gold", "see your statements"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page does not say %q:\n%s", want, page)
			}
		}
		policy := b.last.Header().Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || !strings.HasSuffix(policy, "form-action 'self' https://app.example") {
			t.Errorf("policy %q", policy)
		}
		b.submit(consentPath, url.Values{"answer": {"allow"}})
		status, got := b.tokenFor(exchange(b.sentBack().Get("code")))
		if status != 200 || got.ExpiresIn != 3600 || got.Scope != "creditcard" || got.Refresh == "" || !b.mayList(got.Access) {
			t.Fatalf("%d %+v", status, got)
		}
		status, next := b.tokenFor(refresh(got.Refresh))
		if status != 200 || !b.mayList(next.Access) {
			t.Fatalf("refresh: %d %+v", status, next)
		}
		b.visit(http.MethodGet, consentsPath, "", nil)
		b.submit(consentsPath, nil)
		if !strings.Contains(b.last.Body.String(), "No consent of yours holds.") {
			t.Errorf("after revocation: %s", b.last.Body)
		}
		if b.mayList(next.Access) {
			t.Error("the token outlived its consent")
		}
		if status, got := b.tokenFor(refresh(next.Refresh)); status == 200 {
			t.Errorf("the refresh token outlived its consent: %+v", got)
		}
	})
}

// A refusal of the cardholder, and whatever is wrong with the request of a client that
// is proven, is told at its address; what is not proven stays with us.
func TestAuthorize_tellsErrorsWhereTheyBelong(t *testing.T) {
	b := newWorld(t, dbtest.SQLite(t)).newBrowser()
	for want, change := range map[string][]string{
		"unsupported_response_type": {"response_type", "token"},
		"invalid_scope":             {"scope", "account"},
		"invalid_request":           {"code_challenge_method", "plain"},
		"invalid_target":            {"resource", "production"},
	} {
		b.authorize(change...)
		if got := b.sentBack(); got.Get("error") != want || got.Get("state") != "s t&t" {
			t.Errorf("%v: sent back with %v", change, got)
		}
	}
	b.authorize("code_challenge", "short")
	if got := b.sentBack().Get("error"); got != "invalid_request" {
		t.Errorf("a malformed challenge: %s", got)
	}
	for _, change := range [][]string{
		{"client_id", "sc_unknown"}, {"redirect_uri", "https://evil.example/"}, {"redirect_uri", backAt + "&x=1"}, {"redirect_uri", ""},
		{"client_id", b.bank.Families.Payers.ClientID},
	} {
		b.authorize(change...)
		if b.away != "" || b.last.Code != 400 {
			t.Errorf("%v: %d, sent to %q", change, b.last.Code, b.away)
		}
	}
	b.visit(http.MethodGet, authorizePath+"?"+b.ask().Encode()+"&client_id=other", "", nil)
	if b.away != "" || b.last.Code != 400 {
		t.Errorf("a repeated parameter: %d, sent to %q", b.last.Code, b.away)
	}
	b.authorize()
	b.enter()
	b.submit(consentPath, url.Values{"answer": {"refuse"}})
	if got := b.sentBack(); got.Get("error") != "access_denied" || got.Get("code") != "" || got.Get("state") != "s t&t" {
		t.Errorf("refused: sent back with %v", got)
	}
}

// What a client does with a code it should not do.
func TestCode_isGoodOnceForItsClientAddressAndVerifier(t *testing.T) {
	eachBrowser(t, func(t *testing.T, b *browser) {
		refusals := map[string]func(code string) url.Values{
			"another verifier": func(c string) url.Values { return exchange(c, "code_verifier", strings.Repeat("x", 43)) },
			"no verifier":      func(c string) url.Values { return exchange(c, "code_verifier", "") },
			"another address":  func(c string) url.Values { return exchange(c, "redirect_uri", "https://app.example/back") },
			"no such code":     func(c string) url.Values { return exchange(c + "x") },
		}
		for name, form := range refusals {
			if status, got := b.tokenFor(form(b.code())); status != 400 || got.Error != "invalid_grant" {
				t.Errorf("%s: %d %+v", name, status, got)
			}
		}
		code := b.code()
		wrong := exchange(code, "client_id", b.Names["client"], "client_secret", "wrong")
		if status, got := b.tokenFor(wrong); status != 401 || got.Error != "invalid_client" {
			t.Errorf("a wrong secret: %d %+v", status, got)
		}
		_, others, err := b.bank.Access.CreateTenant(t.Context(), access.NewTenant{Name: "Other", Sandbox: true})
		b.must(err)
		foreign := exchange(code, "client_id", others.Families.OpenBanking.ClientID, "client_secret", string(others.Families.OpenBanking.ClientSecret.Reveal()))
		if status, got := b.tokenFor(foreign); status != 400 || got.Error != "invalid_grant" {
			t.Errorf("another client: %d %+v", status, got)
		}
		status, got := b.tokenFor(exchange(code)) // neither of them has used it up
		if status != 200 || !b.mayList(got.Access) {
			t.Fatalf("%d %+v", status, got)
		}
		_, next := b.tokenFor(refresh(got.Refresh))
		if status, again := b.tokenFor(exchange(code)); status != 400 || again.Error != "invalid_grant" {
			t.Errorf("a replayed code: %d %+v", status, again)
		}
		for _, token := range []string{got.Access, next.Access} {
			if b.mayList(token) {
				t.Error("a token outlived the replay of its code")
			}
		}
		if status, _ := b.tokenFor(refresh(next.Refresh)); status == 200 {
			t.Error("a refresh token outlived the replay of its code")
		}
		code = b.code()
		b.bank.Clock.Advance(time.Minute)
		if status, got := b.tokenFor(exchange(code)); status != 400 || got.Error != "invalid_grant" {
			t.Errorf("an expired code: %d %+v", status, got)
		}
	})
}

// A code that was asked for without a challenge takes no verifier: somebody else began.
func TestCode_withoutAChallengeTakesNoVerifier(t *testing.T) {
	b := newWorld(t, dbtest.SQLite(t)).newBrowser()
	plain := []string{"code_challenge", "", "code_challenge_method", ""}
	if status, got := b.tokenFor(exchange(b.code(plain...))); status != 400 || got.Error != "invalid_grant" {
		t.Errorf("with a verifier: %d %+v", status, got)
	}
	if status, got := b.tokenFor(exchange(b.code(plain...), "code_verifier", "")); status != 200 {
		t.Errorf("without: %d %+v", status, got)
	}
}

// Fifty exchanges of one code at the same moment give one token. As the others are
// replays, that one is dead when they are done.
func TestCode_givesOneTokenToFiftyAtOnce(t *testing.T) {
	eachBrowser(t, func(t *testing.T, b *browser) {
		code := b.code()
		grant := access.Grant{
			Type: access.GrantCode, ClientID: b.Names["client"], ClientSecret: secret.FromString(b.Names["secret"]),
			Code: secret.FromString(code), RedirectURI: backAt, Verifier: secret.FromString(verifier),
		}
		var mu sync.Mutex
		var given []access.Tokens
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				got, err := b.bank.Access.OpenBankingToken(t.Context(), grant)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					given = append(given, got)
				} else if !strings.Contains(err.Error(), "the grant is invalid") {
					t.Errorf("refused for another reason: %v", err)
				}
			})
		}
		all.Wait()
		if len(given) != 1 {
			t.Fatalf("%d tokens were given", len(given))
		}
		if b.mayList(string(given[0].Access.Reveal())) {
			t.Error("the token is alive after its code was replayed")
		}
	})
}

// A refresh token works once; one that comes again ends its chain.
func TestRefresh_thatIsReusedEndsItsChain(t *testing.T) {
	eachBrowser(t, func(t *testing.T, b *browser) {
		_, first := b.tokenFor(exchange(b.code()))
		_, second := b.tokenFor(refresh(first.Refresh))
		if !b.mayList(second.Access) {
			t.Fatal("the second token is no good")
		}
		if status, got := b.tokenFor(refresh(first.Refresh)); status != 400 || got.Error != "invalid_grant" {
			t.Errorf("reused: %d %+v", status, got)
		}
		if b.mayList(second.Access) {
			t.Error("the chain lives on")
		}
		if status, _ := b.tokenFor(refresh(second.Refresh)); status == 200 {
			t.Error("the chain can be refreshed")
		}
	})
}

// A client ends its tokens: a refresh token with its chain, an access token alone. The
// token of somebody else stays.
func TestRevoke_endsTokensOfTheClient(t *testing.T) {
	eachBrowser(t, func(t *testing.T, b *browser) {
		revoke := func(client, key, token string) int {
			form := url.Values{"client_id": {client}, "client_secret": {key}, "token": {token}}
			return b.Send("POST", revokePath, map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, form.Encode()).Code
		}
		_, got := b.tokenFor(exchange(b.code()))
		_, others, err := b.bank.Access.CreateTenant(t.Context(), access.NewTenant{Name: "Other", Sandbox: true})
		b.must(err)
		foreign := others.Families.OpenBanking
		for _, c := range []struct {
			client, key, token string
			want               int
			lives              bool
		}{
			{foreign.ClientID, string(foreign.ClientSecret.Reveal()), got.Refresh, 200, true},
			{b.Names["client"], "wrong", got.Refresh, 401, true},
			{b.Names["client"], b.Names["secret"], "nobody's", 200, true},
			{b.Names["client"], b.Names["secret"], "", 400, true},
			{b.Names["client"], b.Names["secret"], got.Access, 200, false},
		} {
			if status := revoke(c.client, c.key, c.token); status != c.want || b.mayList(got.Access) != c.lives {
				t.Errorf("%+v: %d", c, status)
			}
		}
		_, next := b.tokenFor(refresh(got.Refresh)) // which was not ended with its access token
		if !b.mayList(next.Access) || revoke(b.Names["client"], b.Names["secret"], next.Refresh) != 200 || b.mayList(next.Access) {
			t.Error("the chain did not end with its refresh token")
		}
	})
}

// A form without the token of its session, with that of another one, or from another
// site does nothing.
func TestForms_areOfTheirSession(t *testing.T) {
	b := newWorld(t, dbtest.SQLite(t)).newBrowser()
	b.authorize()
	b.enter()
	page := b.last
	for name, csrf := range map[string]string{"missing": "", "another": "AAAA"} {
		b.last = page
		b.submit(consentPath, url.Values{"answer": {"allow"}, "csrf": {csrf}})
		if b.last.Code != 403 || b.away != "" {
			t.Errorf("%s: %d, sent to %q", name, b.last.Code, b.away)
		}
	}
	other := &browser{world: b.world, cookies: map[string]string{}}
	other.authorize()
	theirs := hiddenField.FindStringSubmatch(other.last.Body.String())[2]
	b.last = page
	b.submit(consentPath, url.Values{"answer": {"allow"}, "csrf": {theirs}})
	if b.last.Code != 403 {
		t.Errorf("that of another session: %d", b.last.Code)
	}
	form := url.Values{"answer": {"allow"}}
	for _, m := range hiddenField.FindAllStringSubmatch(page.Body.String(), 2) {
		form.Set(m[1], m[2])
	}
	b.visit(http.MethodPost, consentPath, form.Encode(), map[string]string{"Sec-Fetch-Site": "cross-site"})
	if b.last.Code != 403 || b.away != "" {
		t.Errorf("from another site: %d", b.last.Code)
	}
	b.visit(http.MethodPost, consentPath, form.Encode(), map[string]string{"Origin": "https://evil.example"})
	if b.last.Code != 403 || b.away != "" {
		t.Errorf("from another origin: %d", b.last.Code)
	}
	b.last = page
	b.submit(consentPath, url.Values{"answer": {"allow"}}) // and as it should be
	if b.sentBack().Get("code") == "" {
		t.Error("no code")
	}
	b.last = page
	b.submit(consentPath, url.Values{"answer": {"allow"}})
	if b.last.Code != 404 || b.away != "" {
		t.Errorf("answered twice: %d, sent to %q", b.last.Code, b.away)
	}
}

// The request of one browser is not answered by another cardholder's.
func TestConsent_isOfTheSessionThatWasAsked(t *testing.T) {
	b := newWorld(t, dbtest.SQLite(t)).newBrowser()
	b.authorize()
	b.enter()
	request := hiddenField.FindAllStringSubmatch(b.last.Body.String(), 2)[1][2]
	other := &browser{world: b.world, cookies: map[string]string{}}
	other.authorize()
	other.enter()
	other.submit(consentPath, url.Values{"answer": {"allow"}, "request": {request}})
	if other.last.Code != 404 || other.away != "" {
		t.Errorf("%d, sent to %q", other.last.Code, other.away)
	}
}

// Six attempts lock a cardholder for half an hour, and nobody learns whether it was
// the password, the customer, or the lock.
func TestSignIn_locksAndTellsNothing(t *testing.T) {
	eachBrowser(t, func(t *testing.T, b *browser) {
		b.authorize()
		attempt := func(customer, password string) string {
			b.submit(signInPath, url.Values{"customer": {customer}, "password": {password}})
			return fmt.Sprint(b.last.Code) + hiddenField.ReplaceAllString(b.last.Body.String(), "")
		}
		unknown := attempt("999", password)
		for i := range 7 {
			if got := attempt(b.bank.Customer(), "wrong-password-1"); got != unknown {
				t.Fatalf("attempt %d can be told from an unknown customer:\n%s", i, got)
			}
		}
		if got := attempt(b.bank.Customer(), password); got != unknown {
			t.Errorf("locked, with the right password:\n%s", got)
		}
		b.bank.Clock.Advance(31 * time.Minute)
		b.cookies = map[string]string{} // the session has ended, too
		b.authorize()
		b.enter()
		b.submit(consentPath, url.Values{"answer": {"allow"}})
		if b.sentBack().Get("code") == "" {
			t.Error("still locked after half an hour")
		}
	})
}

// A one-time password may be wrong three times and is good for three minutes; nothing
// happens for one who has only shown a password.
func TestSignIn_needsTheOneTimePassword(t *testing.T) {
	b := newWorld(t, dbtest.SQLite(t)).newBrowser()
	show := func() { b.submit(signInPath, url.Values{"customer": {b.bank.Customer()}, "password": {password}}) }
	b.authorize()
	show()
	b.visit(http.MethodGet, consentsPath, "", nil)
	if strings.Contains(b.last.Body.String(), "consented") {
		t.Error("half signed in, and shown consents")
	}
	b.authorize()
	show()
	for i, want := range []string{codePath, codePath, signInPath} {
		b.submit(codePath, url.Values{"code": {"123456"}})
		if b.last.Code != 401 || !strings.Contains(b.last.Body.String(), `action="`+want+`"`) {
			t.Fatalf("wrong code %d: %d\n%s", i, b.last.Code, b.last.Body)
		}
	}
	w := newWorld(t, dbtest.SQLite(t)).newBrowser()
	w.authorize()
	w.submit(signInPath, url.Values{"customer": {w.bank.Customer()}, "password": {password}})
	w.bank.Clock.Advance(3 * time.Minute)
	w.submit(codePath, url.Values{"code": {"000000"}})
	if w.last.Code != 401 {
		t.Errorf("after three minutes: %d", w.last.Code)
	}
}

// Another password, and none any more, end the sessions; idleness does, too.
func TestSession_ends(t *testing.T) {
	b := newWorld(t, dbtest.SQLite(t)).newBrowser()
	ctx, a := t.Context(), b.bank.Access
	for name, end := range map[string]func(){
		"another password": func() {
			b.must(a.SetCardholderPassword(ctx, b.bank.Caller, b.bank.Customer(), secret.FromString(password)))
		},
		"idleness": func() { b.bank.Clock.Advance(16 * time.Minute) },
		"sign-out": func() { b.submit(signOutPath, nil) },
	} {
		b.authorize()
		b.enter()
		end()
		b.visit(http.MethodGet, consentsPath, "", nil)
		if b.last.Code != 401 {
			t.Errorf("after %s: %d\n%s", name, b.last.Code, b.last.Body)
		}
	}
	tenant, err := a.TenantByID(ctx, b.bank.Caller.Tenant)
	b.must(err)
	b.visit(http.MethodGet, consentsPath+"?bank="+tenant.Code, "", nil) // the way in without a client
	b.enter()
	if !strings.Contains(b.last.Body.String(), "What you have consented to") {
		t.Errorf("%s", b.last.Body)
	}
	b.must(a.RemoveCardholder(ctx, b.bank.Caller, b.bank.Customer()))
	b.visit(http.MethodGet, consentsPath, "", nil)
	if b.last.Code != 401 {
		t.Errorf("after the password was taken away: %d", b.last.Code)
	}
}

// Every page is there in both languages, and escapes what it shows.
func TestPages_speakBothLanguages(t *testing.T) {
	b := newWorld(t, dbtest.SQLite(t)).newBrowser()
	for language, want := range map[string]string{"en": "Customer number", "tr": "M\u00fc\u015fteri numaras\u0131"} {
		b.visit(http.MethodGet, authorizePath+"?"+b.ask().Encode(), "", map[string]string{"Accept-Language": language})
		b.visit(http.MethodGet, signInPath, "", map[string]string{"Accept-Language": language})
		if !strings.Contains(b.last.Body.String(), want) || strings.Contains(b.last.Body.String(), "<script") {
			t.Errorf("%s: %s", language, b.last.Body)
		}
	}
	b.visit(http.MethodGet, signInPath+"?request="+url.QueryEscape(`"><script>`), "", nil)
	if strings.Contains(b.last.Body.String(), "<script>") {
		t.Error("the page does not escape")
	}
	b.visit(http.MethodGet, "/auth/oauth/v2/nothing", "", nil)
	if b.last.Code != 404 || !strings.HasPrefix(b.last.Header().Get("Content-Type"), "text/html") {
		t.Errorf("%d %s", b.last.Code, b.last.Body)
	}
}

// A refresh beside the revocation of its consent, by the bank and of the token by the
// client: whoever comes first, the client is told in the words of OAuth 2.0, and no
// token outlives the consent.
func TestRefresh_besideARevocation(t *testing.T) {
	eachBrowser(t, func(t *testing.T, b *browser) {
		for round := range 8 {
			code, got := b.tokenFor(exchange(b.code()))
			if code != 200 {
				t.Fatalf("round %d: %d %s", round, code, got.Error)
			}
			all, err := b.bank.Access.ConsentsOf(t.Context(), b.bank.Caller, b.bank.Customer())
			b.must(err)
			var mu sync.Mutex
			given := []string{got.Access}
			var done sync.WaitGroup
			for range 3 {
				done.Go(func() {
					code, next := b.tokenFor(refresh(got.Refresh))
					mu.Lock()
					defer mu.Unlock()
					if code == 200 {
						given = append(given, next.Access)
					} else if code != 400 || next.Error != "invalid_grant" {
						t.Errorf("refresh: %d %s", code, next.Error)
					}
				})
			}
			done.Go(func() {
				if err := b.bank.Access.RevokeConsent(t.Context(), b.bank.Caller, all[0].ID); err != nil {
					t.Errorf("revoke the consent: %v", err)
				}
			})
			if round%2 == 1 {
				done.Go(func() {
					form := url.Values{"token": {got.Refresh}, "client_id": {b.Names["client"]}, "client_secret": {b.Names["secret"]}}
					answer := b.Send("POST", revokePath, map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, form.Encode())
					if answer.Code != 200 {
						t.Errorf("revoke the token: %d %s", answer.Code, answer.Body)
					}
				})
			}
			done.Wait()
			for _, token := range given {
				if b.mayList(token) {
					t.Errorf("round %d: a token outlives its consent", round)
				}
			}
		}
	})
}

// What no text of a database holds is malformed wherever it comes from, also for
// somebody who is signed in.
func TestPages_refuseWhatCannotBeStored(t *testing.T) {
	eachBrowser(t, func(t *testing.T, b *browser) {
		b.authorize()
		b.enter()
		for _, address := range []string{
			consentPath + "?request=%00", signInPath + "?request=%ff", codePath + "?request=%zz", consentsPath + "?bank=%00",
			authorizePath + "?" + b.ask("state", "\x00").Encode(), authorizePath + "?" + b.ask("client_id", "\xff").Encode(),
		} {
			b.visit(http.MethodGet, address, "", nil)
			if b.last.Code != 400 || b.away != "" {
				t.Errorf("%s: %d, sent to %q", address, b.last.Code, b.away)
			}
		}
		b.cookies = map[string]string{}
		b.visit(http.MethodGet, consentsPath+"?bank=%00", "", nil)
		if b.last.Code != 400 {
			t.Errorf("nobody's bank: %d", b.last.Code)
		}
	})
}

// Every answer to a browser is kept by nobody on its way: it has a session's secret, a
// code, or what somebody owes.
func TestPages_areNotStored(t *testing.T) {
	b := newWorld(t, dbtest.SQLite(t)).newBrowser()
	check := func(what string) {
		t.Helper()
		if got := b.last.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s, %d: Cache-Control %q", what, b.last.Code, got)
		}
		if b.last.Header().Get("Location") == "" && (b.last.Header().Get("X-Frame-Options") != "DENY" ||
			!strings.Contains(b.last.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'")) {
			t.Errorf("%s may be shown in a frame: %v", what, b.last.Header())
		}
	}
	first := func(address string) {
		b.last = b.Send(http.MethodGet, address, map[string]string{"Host": "localhost"}, "")
	}
	first(authorizePath + "?" + b.ask().Encode())
	check("the way to the sign-in")
	first(authorizePath + "?" + b.ask("scope", "all").Encode())
	check("a refusal that the client is told")
	first(authorizePath + "?" + b.ask("redirect_uri", "https://evil.example/").Encode())
	check("a refusal that stays here")
	b.authorize()
	check("the sign-in")
	b.enter()
	check("the consent")
	b.submit(consentPath, url.Values{"answer": {"allow"}})
	check("the code")
}

// A page on which somebody types a password says whose it is: several banks share the
// host, and any of their clients can send a browser to its own.
func TestSignIn_namesTheBank(t *testing.T) {
	b := newWorld(t, dbtest.SQLite(t)).newBrowser()
	tenant, err := b.bank.Access.TenantByID(t.Context(), b.bank.Caller.Tenant)
	b.must(err)
	names := func(what string) {
		t.Helper()
		if !strings.Contains(b.last.Body.String(), tenant.Name) {
			t.Errorf("%s names no bank:\n%s", what, b.last.Body)
		}
	}
	b.authorize()
	names("the sign-in")
	b.submit(signInPath, url.Values{"customer": {"1"}, "password": {password}})
	names("the sign-in again")
	b.submit(signInPath, url.Values{"customer": {b.bank.Customer()}, "password": {password}})
	names("the one-time password")
	b.submit(codePath, url.Values{"code": {"123456"}})
	names("the one-time password again")
}

// A failed attempt is written down alike whoever it names: the session was in use.
// Else a commit with nothing in it would tell, by its time, that nobody has the number.
func TestSignIn_writesAlikeWhoeverIsNamed(t *testing.T) {
	for _, known := range []bool{false, true} {
		b := newWorld(t, dbtest.SQLite(t)).newBrowser()
		customer := "999"
		if known {
			customer = b.bank.Customer()
		}
		b.authorize()
		for range 3 {
			b.bank.Clock.Advance(10 * time.Minute)
			b.submit(signInPath, url.Values{"customer": {customer}, "password": {"wrong-password-1"}})
		}
		b.submit(signInPath, url.Values{"customer": {b.bank.Customer()}, "password": {password}})
		if !strings.Contains(b.last.Body.String(), `action="`+codePath+`"`) {
			t.Errorf("known %v: the session has ended: %d", known, b.last.Code)
		}
	}
}

// A parameter that a client gives twice, or that no database can hold, is refused in
// the query as in the form.
func TestToken_takesEachParameterOnce(t *testing.T) {
	eachBrowser(t, func(t *testing.T, b *browser) {
		good := url.Values{"grant_type": {"client_credentials"}, "client_id": {b.Names["client"]}, "client_secret": {b.Names["secret"]}, "scope": {"public"}}
		for more, want := range map[string]int{
			"": 200, "&scope=creditcard": 400, "&grant_type=refresh_token": 400, "&resource=%00": 400, "&code_verifier=%ff": 400, "&x=%zz": 400,
		} {
			answer := b.Send("POST", tokenPath+"?"+good.Encode()+more, map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, "")
			if answer.Code != want {
				t.Errorf("%q: %d %s", more, answer.Code, answer.Body)
			}
		}
	})
}

// The secret of a session is another one after each step: who planted or saw an
// earlier one has nothing.
func TestSession_changesItsSecretWithEachStep(t *testing.T) {
	b := newWorld(t, dbtest.SQLite(t)).newBrowser()
	b.authorize()
	planted := maps.Clone(b.cookies)
	b.submit(signInPath, url.Values{"customer": {b.bank.Customer()}, "password": {password}})
	half, form := maps.Clone(b.cookies), b.last
	b.submit(codePath, url.Values{"code": {"000000"}})
	signedIn := maps.Clone(b.cookies)
	for what, cookies := range map[string]map[string]string{"planted before the password": planted, "seen before the one-time password": half} {
		b.cookies = maps.Clone(cookies)
		b.visit(http.MethodGet, consentsPath, "", nil)
		if b.last.Code != 401 {
			t.Errorf("%s: %d\n%s", what, b.last.Code, b.last.Body)
		}
		b.cookies, b.last = maps.Clone(cookies), form
		if b.submit(codePath, url.Values{"code": {"000000"}}); b.last.Code < 400 {
			t.Errorf("%s: signs in again: %d", what, b.last.Code)
		}
	}
	b.cookies = signedIn
	if b.visit(http.MethodGet, consentsPath, "", nil); b.last.Code != 200 {
		t.Errorf("signed in: %d", b.last.Code)
	}
}

// Who is signed in at one bank is nobody at another of the same host: the client of
// the other is asked for with a sign-in there, which the first bank's password is not.
func TestAuthorize_atAnotherBankOfTheHost(t *testing.T) {
	eachBrowser(t, func(t *testing.T, b *browser) {
		other, made, err := b.bank.Access.CreateTenant(t.Context(), access.NewTenant{Name: "Bank Next Door", Sandbox: true})
		b.must(err)
		client := made.Families.OpenBanking.ClientID
		b.must(b.bank.Access.SetRedirects(t.Context(), access.System(other), client, []string{backAt}))
		b.authorize()
		b.enter()
		ours := b.last
		b.authorize("client_id", client)
		if body := b.last.Body.String(); !strings.Contains(body, `action="`+signInPath+`"`) || !strings.Contains(body, other.Name) {
			t.Fatalf("asked by the other bank's client:\n%s", body)
		}
		theirs := b.last
		if b.submit(signInPath, url.Values{"customer": {b.bank.Customer()}, "password": {password}}); b.last.Code != 401 {
			t.Errorf("our customer signs in there: %d", b.last.Code)
		}
		b.last = ours
		if b.submit(consentPath, url.Values{"answer": {"allow"}}); b.last.Code != 403 || b.away != "" {
			t.Errorf("our request, answered by their session: %d, sent to %q", b.last.Code, b.away)
		}
		request := hiddenField.FindAllStringSubmatch(ours.Body.String(), 2)[1][2]
		b.last = theirs
		if b.submit(signInPath, url.Values{"customer": {b.bank.Customer()}, "password": {password}, "request": {request}}); b.last.Code != 401 {
			t.Errorf("our request, at their sign-in: %d", b.last.Code)
		}
	})
}

// The cookie may go without TLS only between a browser and us on one machine. A proxy
// that says nothing of TLS, and names us by an address of its machine, hides whether
// there is any: then there is.
func TestCookie_isPlainOnOneMachineOnly(t *testing.T) {
	for _, c := range []struct {
		host   string
		header []string
		want   string
	}{
		{"localhost:8080", nil, plainSessionCookie}, {"127.0.0.1:8080", nil, plainSessionCookie}, {"[::1]:8080", nil, plainSessionCookie},
		{"bank.example", nil, sessionCookie}, {"localhost.bank.example", nil, sessionCookie},
		{"localhost", []string{"X-Forwarded-Proto", "http"}, plainSessionCookie}, {"localhost", []string{"X-Forwarded-Proto", "HTTPS"}, sessionCookie},
		{"127.0.0.1:8080", []string{"X-Forwarded-For", "203.0.113.7"}, sessionCookie},
		{"127.0.0.1:8080", []string{"X-Forwarded-Host", "bank.example"}, sessionCookie},
		{"127.0.0.1:8080", []string{"X-Real-Ip", "203.0.113.7"}, sessionCookie},
		{"127.0.0.1:8080", []string{"Forwarded", "for=203.0.113.7;proto=https"}, sessionCookie},
		{"127.0.0.1:8080", []string{"Via", "1.1 proxy"}, sessionCookie},
	} {
		r := httptest.NewRequest(http.MethodGet, authorizePath, nil)
		r.Host = c.host
		if c.header != nil {
			r.Header.Set(c.header[0], c.header[1])
		}
		if got := cookieName(r); got != c.want {
			t.Errorf("%s, %v: %s", c.host, c.header, got)
		}
	}
}
