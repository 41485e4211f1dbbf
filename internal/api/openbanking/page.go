package openbanking

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/locale"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

//go:embed pages
var pageFiles embed.FS

var pages = template.Must(template.ParseFS(pageFiles, "pages/*.html"))

// style is the one style sheet of the pages.
func style(w http.ResponseWriter, r *http.Request) {
	api.ExchangeOf(r.Context()).Route = stylePath
	text, _ := pageFiles.ReadFile("pages/style.css") // embedded
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(text)
}

// visit is one request of a browser for a page.
type visit struct {
	w     http.ResponseWriter
	r     *http.Request
	x     *api.Exchange
	key   secret.Value // of the session that the browser has
	query url.Values
	form  map[string]string
}

// view is what a page shows. Its texts are those of the catalogue in the language of
// the browser.
type view struct {
	Language string
	Title    string // key of its heading
	CSRF     string
	Request  string // of the client that waits, if there is one
	Problem  string // what was wrong a moment ago
	Client   string
	Bank     string
	Cards    []shownCard
	Consents []shownOwnConsent
	SignedIn bool
}

type shownCard struct{ Number, Product string }

type shownOwnConsent struct{ ID, Client, Since string }

// Text is a text of the catalogue; the names of its places and what they hold
// alternate.
func (v view) Text(key string, places ...string) string {
	params := map[string]any{}
	for pair := range slices.Chunk(places, 2) {
		params[pair[0]] = pair[1]
	}
	text, _ := locale.Text(v.Language, "openbanking.page."+key, params)
	return text
}

// paged runs a page for a browser. A form must come from a page of ours, with the
// token of its session.
func (a *API) paged(route string, run func(v *visit) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := &visit{w: w, r: r, x: api.ExchangeOf(r.Context()), key: sessionKey(r)}
		v.x.Route = route
		err := a.addresses.Admit(api.NetworkOf(v.x.IP), a.TokenLimit)
		if err == nil {
			v.query, err = readQuery(r)
		}
		if err == nil && r.Method == http.MethodPost {
			err = v.readForm()
		}
		if err == nil {
			err = run(v)
		}
		if err != nil {
			a.refuse(w, r, err)
		}
	}
}

// readQuery reads the query of a request, which gives each parameter once.
func readQuery(r *http.Request) (url.Values, error) {
	query, ok := api.ParseForm(r.URL.RawQuery)
	if !ok {
		return nil, api.Invalid().OnField("query", "malformed", "is not a well-formed query string")
	}
	for _, values := range query {
		if len(values) > 1 {
			return nil, api.Invalid().OnField("query", "repeated", "gives a parameter more than once")
		}
	}
	return query, nil
}

var errForged = fault.New(fault.Forbidden, "openbanking_form", "the form is not of this session")

func (v *visit) readForm() (err error) {
	if err := http.NewCrossOriginProtection().Check(v.r); err != nil {
		return errForged.Wrap(err)
	}
	if v.form, err = api.ReadForm(v.w, v.r); err != nil {
		return err
	}
	given, err := base64.RawURLEncoding.DecodeString(v.form["csrf"])
	if err != nil || v.key.IsZero() || !hmac.Equal(given, csrfSum(v.key)) {
		return errForged
	}
	return nil
}

// csrfSum is what the forms of a session carry: nobody makes it without the secret
// of the session, and nobody learns that from it.
func csrfSum(key secret.Value) []byte {
	sum := hmac.New(sha256.New, key.Reveal())
	sum.Write([]byte("csrf"))
	return sum.Sum(nil)
}

// show writes a page. away is where its form may lead in the end, besides to us.
func (v *visit) show(status int, name, away string, shown view) error {
	shown.Language, shown.Title = v.x.Language, name
	if !v.key.IsZero() {
		shown.CSRF = base64.RawURLEncoding.EncodeToString(csrfSum(v.key))
	}
	var text bytes.Buffer
	if err := pages.ExecuteTemplate(&text, name+".html", shown); err != nil {
		return fmt.Errorf("write page %s: %w", name, err)
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"+formTarget(away))
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	v.w.WriteHeader(status)
	_, err := v.w.Write(text.Bytes())
	if err != nil {
		v.x.Err = err // the browser may be gone
	}
	return nil
}

// formTarget is a source of a security policy: browsers hold a form to it where its
// answer leads elsewhere, too.
func formTarget(redirect string) string {
	u, err := url.Parse(redirect)
	switch {
	case redirect == "" || err != nil:
		return ""
	case u.Scheme == "https" || u.Scheme == "http":
		return " " + u.Scheme + "://" + u.Host
	}
	return " " + u.Scheme + ":"
}

// refusePage shows an error to a person.
func (a *API) refusePage(w http.ResponseWriter, r *http.Request, f *fault.Error) {
	v := &visit{w: w, r: r, x: api.ExchangeOf(r.Context())}
	text, known := locale.Text(v.x.Language, "fault."+string(f.Code), f.Params)
	if !known {
		text, _ = locale.Text(v.x.Language, "fault."+string(api.CodeInternal), nil)
	}
	if err := v.show(outwardOf(f).status, "error", "", view{Problem: text}); err != nil {
		v.x.Err = err
		w.WriteHeader(http.StatusInternalServerError)
	}
}

// to sends the browser on.
func (v *visit) to(address string) error {
	v.w.Header().Set("Referrer-Policy", "no-referrer")
	v.w.Header().Set("Location", address)
	v.w.WriteHeader(http.StatusSeeOther)
	return nil
}

// page is the address of a page of ours, for a request if there is one.
func page(path, request string) string {
	if request == "" {
		return path
	}
	return path + "?" + url.Values{"request": {request}}.Encode()
}

// The cookie of a session. Its prefix binds it to this host and to TLS.
const (
	sessionCookie      = "__Host-sarraf_session"
	plainSessionCookie = "sarraf_session" // over plain HTTP on the machine of the browser
)

// proxied are headers by which a proxy shows that it stands between.
var proxied = []string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip"}

// isPlainLocal reports whether a browser talks to us in clear, which only one on this
// machine may. A proxy that does not say so is taken for one with TLS.
func isPlainLocal(r *http.Request) bool {
	scheme := r.Header.Get("X-Forwarded-Proto")
	if r.TLS != nil || strings.EqualFold(scheme, "https") {
		return false
	}
	if scheme == "" && slices.ContainsFunc(proxied, func(name string) bool { return r.Header.Get(name) != "" }) {
		return false
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func cookieName(r *http.Request) string {
	if isPlainLocal(r) {
		return plainSessionCookie
	}
	return sessionCookie
}

func sessionKey(r *http.Request) secret.Value {
	c, err := r.Cookie(cookieName(r))
	if err != nil || len(c.Value) > memberMax {
		return secret.Value{}
	}
	return secret.FromString(c.Value)
}

// keep gives the browser the secret of its session; a zero one is taken away.
func (v *visit) keep(key secret.Value) {
	c := &http.Cookie{
		Name: cookieName(v.r), Value: string(key.Reveal()), Path: "/", HttpOnly: true, Secure: !isPlainLocal(v.r), SameSite: http.SameSiteLaxMode,
	}
	if key.IsZero() {
		c.MaxAge = -1
	}
	http.SetCookie(v.w, c)
	v.key = key
}

func (v *visit) origin() access.Origin { return originOf(v.x) }
