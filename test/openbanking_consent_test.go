package test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/oauth2"
)

const backTo = "http://127.0.0.1:9/back"

// lender is a running bank with a customer who has a credit card, and the client that
// wants to look at it.
type lender struct {
	t        *testing.T
	base     string
	config   oauth2.Config
	customer string
	password string
	run      func(words ...string) []byte
	log      func() string // of the server
	tenant   string
}

func openLender(t *testing.T, dir string, flags []string) *lender {
	t.Helper()
	s := serve(t, dir, flags...)
	l := &lender{t: t, base: "http://" + s.api, log: s.log.String, run: func(words ...string) []byte { t.Helper(); return run(t, slices.Concat(words, flags)...) }}
	var made struct {
		tenant
		OpenBanking struct{ ClientID, ClientSecret string }
	}
	output := l.run("tenant", "create", "--name", "Test Bank", "--sandbox", "--json")
	l.must(json.Unmarshal(output, &made))
	l.must(json.Unmarshal(output, &made.tenant))
	l.tenant = made.ID
	bank := made.openBank(t, s)
	lending, err := bank.OpenCredit(t.Context(), "GOLD")
	l.must(err)
	l.customer, err = bank.OpenCustomer(t.Context(), "Ada", "Deniz", "+905321234567")
	l.must(err)
	l.run("credit", "terms", "--tenant", made.ID, "GOLD", "--default")
	var account struct{ AccountNo string }
	l.must(json.Unmarshal(l.run("credit", "open", "--tenant", made.ID, "--customer", l.customer, "--product", "GOLD", "--limit", "5000", "--json"), &account))
	_, err = lending.On(account.AccountNo).Issue(t.Context(), l.customer, "7392")
	l.must(err)
	var credential struct{ Password string }
	l.must(json.Unmarshal(l.run("customer", "credential", "--tenant", made.ID, l.customer, "--json"), &credential))
	l.password = credential.Password
	l.run("client", "set-redirects", made.OpenBanking.ClientID, backTo)
	l.config = oauth2.Config{
		ClientID: made.OpenBanking.ClientID, ClientSecret: made.OpenBanking.ClientSecret, RedirectURL: backTo, Scopes: []string{"creditcard"},
		Endpoint: oauth2.Endpoint{AuthURL: l.base + "/auth/oauth/v2/authorize", TokenURL: l.base + "/auth/oauth/v2/token"},
	}
	return l
}

func (l *lender) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// browser goes from page to page and stops where it is sent to the client.
type browser struct {
	*lender
	http *http.Client
	back *url.URL // where the client was told
	page string
	at   *url.URL
}

func (l *lender) browser() *browser {
	jar, err := cookiejar.New(nil)
	l.must(err)
	b := &browser{lender: l, http: &http.Client{Jar: jar}}
	b.http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), backTo) {
			b.back = r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}
	return b
}

func (b *browser) open(answer *http.Response, err error) int {
	b.t.Helper()
	b.must(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	b.must(err)
	b.page, b.at = string(text), answer.Request.URL
	return answer.StatusCode
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)">`)

// submit sends the first form of the page, as the person filled it in.
func (b *browser) submit(fields ...string) int {
	b.t.Helper()
	action := regexp.MustCompile(`<form method="post" action="([^"]+)"`).FindStringSubmatch(b.page)
	if action == nil {
		b.t.Fatalf("no form on the page %s:\n%s", b.at, b.page)
	}
	first, _, _ := strings.Cut(b.page, "</form>")
	form := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(first, -1) {
		form.Set(m[1], m[2])
	}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.open(b.http.PostForm(b.base+action[1], form))
}

// allow goes the whole way of a cardholder, and returns the code that the client gets.
func (b *browser) allow(address string) string {
	b.t.Helper()
	b.back = nil
	b.open(b.http.Get(address))
	if strings.Contains(b.page, `name="password"`) {
		b.submit("customer", b.customer, "password", b.password)
		b.submit("code", "000000")
	}
	b.submit("answer", "allow")
	if b.back == nil || b.back.Query().Get("code") == "" || b.back.Query().Get("state") != "abc" {
		b.t.Fatalf("sent back to %v; the page is\n%s", b.back, b.page)
	}
	return b.back.Query().Get("code")
}

// cards asks for the list of cards with a token, and returns the status of the answer.
func (l *lender) cards(client *http.Client, token string) (status int, list string) {
	l.t.Helper()
	r, err := http.NewRequestWithContext(l.t.Context(), http.MethodPost, l.base+"/creditCardList", strings.NewReader("{}"))
	l.must(err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := client.Do(r)
	l.must(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	l.must(err)
	return answer.StatusCode, string(text)
}

// refused fails unless an exchange was refused in the words of OAuth 2.0.
func (l *lender) refused(what, want string, err error) {
	l.t.Helper()
	var e *oauth2.RetrieveError
	if !errors.As(err, &e) || e.ErrorCode != want {
		l.t.Errorf("%s: %v, not %s", what, err, want)
	}
}

// TestOpenBanking_consentOverTheWire: golang.org/x/oauth2 is the client of the running
// binary, from the page where a customer signs in to the token that is revoked.
func TestOpenBanking_consentOverTheWire(t *testing.T) {
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		l := openLender(t, dir, flags)
		verifier := oauth2.GenerateVerifier()
		person := l.browser()
		code := person.allow(l.config.AuthCodeURL("abc", oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("resource", "sandbox")))
		secrets := []string{l.password, l.config.ClientSecret, verifier, code}
		token, err := l.config.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
		l.must(err)
		if status, list := l.cards(l.config.Client(t.Context(), token), ""); status != 200 || !strings.Contains(list, `"CardID":20090`) {
			t.Errorf("%d %s", status, list)
		}
		stale := *token
		stale.AccessToken, stale.Expiry = "", stale.Expiry.AddDate(-1, 0, 0)
		next, err := l.config.TokenSource(t.Context(), &stale).Token()
		l.must(err)
		if next.AccessToken == token.AccessToken || next.RefreshToken == token.RefreshToken {
			t.Error("the refresh gave the same tokens")
		}
		secrets = append(secrets, token.AccessToken, token.RefreshToken, next.AccessToken, next.RefreshToken)
		form := url.Values{"token": {next.RefreshToken}, "client_id": {l.config.ClientID}, "client_secret": {l.config.ClientSecret}}
		answer, err := http.PostForm(l.base+"/auth/oauth/v2/token/revoke", form)
		l.must(err)
		answer.Body.Close()
		if status, _ := l.cards(http.DefaultClient, next.AccessToken); answer.StatusCode != 200 || status != 401 {
			t.Errorf("revoked with %d, and answered %d after it", answer.StatusCode, status)
		}
		_, err = l.config.TokenSource(t.Context(), &oauth2.Token{RefreshToken: next.RefreshToken}).Token()
		l.refused("a revoked refresh token", "invalid_grant", err)

		code = person.allow(l.config.AuthCodeURL("abc", oauth2.S256ChallengeOption(verifier)))
		token, err = l.config.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
		l.must(err)
		var consents []struct{ ConsentID, ClientID string }
		l.must(json.Unmarshal(l.run("customer", "consents", "--tenant", l.tenant, l.customer, "--json"), &consents))
		if len(consents) != 1 || consents[0].ClientID != l.config.ClientID {
			t.Fatalf("consents %+v", consents)
		}
		l.run("credit", "consent", "--tenant", l.tenant, "--revoke", consents[0].ConsentID)
		if status, _ := l.cards(http.DefaultClient, token.AccessToken); status != 401 {
			t.Errorf("after the bank revoked the consent: %d", status)
		}
		if page := person.page; bytes.Contains([]byte(page), []byte(l.password)) {
			t.Error("a page shows the password")
		}
		l.tellsNothing(dir, append(secrets, code, token.AccessToken, token.RefreshToken), verifier)
	})
}

// tellsNothing sends secrets where clients put them, and errors beside them; then no
// log and no database file has any of the secrets.
func (l *lender) tellsNothing(dir string, secrets []string, verifier string) {
	l.t.Helper()
	for _, query := range []url.Values{
		{"grant_type": {"authorization_code"}, "code": {secrets[3]}, "redirect_uri": {backTo}, "code_verifier": {verifier}},
		{"grant_type": {"refresh_token"}, "refresh_token": {secrets[5]}},
		{"grant_type": {"authorization_code"}, "code": {secrets[3], secrets[3]}},
		{"grant_type": {"password"}, "username": {l.customer}, "password": {l.password}},
	} {
		query.Set("client_id", l.config.ClientID)
		query.Set("client_secret", l.config.ClientSecret)
		answer, err := http.Post(l.config.Endpoint.TokenURL+"?"+query.Encode(), "application/x-www-form-urlencoded", nil)
		l.must(err)
		answer.Body.Close()
		if answer.StatusCode != 400 {
			l.t.Errorf("%v: %d", query, answer.StatusCode)
		}
	}
	places := append([]string{l.log()}, databaseFiles(l.t, dir)...)
	if !strings.Contains(places[0], l.config.ClientID) {
		l.t.Error("the log does not say which client asked")
	}
	for i, secret := range secrets {
		for j, place := range places {
			if strings.Contains(place, secret) {
				l.t.Errorf("secret %d stands in place %d", i, j)
			}
		}
	}
}

// TestOpenBanking_refusesMisuse: what a client, or a page of somebody else, tries with
// codes and tokens that are not its own.
func TestOpenBanking_refusesMisuse(t *testing.T) {
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		l := openLender(t, dir, flags)
		verifier := oauth2.GenerateVerifier()
		address := l.config.AuthCodeURL("abc", oauth2.S256ChallengeOption(verifier))
		person := l.browser()
		exchange := func(c oauth2.Config, code, verifier string) (*oauth2.Token, error) {
			return c.Exchange(context.WithoutCancel(t.Context()), code, oauth2.VerifierOption(verifier))
		}

		_, err := exchange(l.config, person.allow(address), oauth2.GenerateVerifier())
		l.refused("another verifier", "invalid_grant", err)

		elsewhere := l.config
		elsewhere.RedirectURL = backTo + "/"
		_, err = exchange(elsewhere, person.allow(address), verifier)
		l.refused("another address", "invalid_grant", err)
		if status := person.open(person.http.Get(elsewhere.AuthCodeURL("abc", oauth2.S256ChallengeOption(verifier)))); status != 400 {
			t.Errorf("an address nobody named: %d", status)
		}

		code := person.allow(address)
		var foreign struct {
			OpenBanking struct{ ClientID, ClientSecret string }
		}
		l.must(json.Unmarshal(l.run("tenant", "create", "--name", "Other", "--sandbox", "--json"), &foreign))
		other := l.config
		other.ClientID, other.ClientSecret = foreign.OpenBanking.ClientID, foreign.OpenBanking.ClientSecret
		_, err = exchange(other, code, verifier)
		l.refused("the code of another client", "invalid_grant", err)
		token, err := exchange(l.config, code, verifier)
		l.must(err)
		_, err = exchange(l.config, code, verifier)
		l.refused("a code that was used", "invalid_grant", err)
		if status, _ := l.cards(http.DefaultClient, token.AccessToken); status != 401 {
			t.Errorf("the token of a code that was replayed: %d", status)
		}

		token, err = exchange(l.config, person.allow(address), verifier)
		l.must(err)
		next, err := l.config.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
		l.must(err)
		_, err = l.config.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
		l.refused("a refresh token that was used", "invalid_grant", err)
		if status, _ := l.cards(http.DefaultClient, next.AccessToken); status != 401 {
			t.Errorf("the tokens of a chain that was replayed: %d", status)
		}

		person.back = nil
		person.open(person.http.Get(address))
		if status := person.submit("answer", "allow", "csrf", ""); status != 403 || person.back != nil {
			t.Errorf("a form without its token: %d, sent to %v", status, person.back)
		}
		person.open(person.http.Get(address))
		person.submit("answer", "refuse")
		if person.back == nil || person.back.Query().Get("error") != "access_denied" || person.back.Query().Get("code") != "" {
			t.Errorf("refused: sent to %v", person.back)
		}

		l.fiftyAtOnce(person.allow(address), verifier)
	})
}

// fiftyAtOnce exchanges one code fifty times at the same moment: one token is given.
func (l *lender) fiftyAtOnce(code, verifier string) {
	l.t.Helper()
	var mu sync.Mutex
	given := 0
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			_, err := l.config.Exchange(l.t.Context(), code, oauth2.VerifierOption(verifier))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				given++
				return
			}
			l.refused("one of fifty", "invalid_grant", err)
		})
	}
	all.Wait()
	if given != 1 {
		l.t.Errorf("%d tokens were given for one code", given)
	}
}
