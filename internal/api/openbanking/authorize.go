package openbanking

import (
	"net/http"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/credit"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/locale"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// The addresses of OAuth 2.0 and of the pages for cardholders.
const (
	tokenPath      = "/auth/oauth/v2/token"
	revokePath     = "/auth/oauth/v2/token/revoke"
	authorizePath  = "/auth/oauth/v2/authorize"
	commercialPath = "/auth/oauth/v2/commercial/authorize"
	signInPath     = "/auth/oauth/v2/sign-in"
	codePath       = "/auth/oauth/v2/sign-in/code"
	consentPath    = "/auth/oauth/v2/consent"
	consentsPath   = "/auth/oauth/v2/consents"
	signOutPath    = "/auth/oauth/v2/sign-out"
	stylePath      = "/auth/oauth/v2/style.css"
)

// pageRoute is a page, or what the form of a page does.
type pageRoute struct {
	method, path string
	run          func(v *visit) error
}

func (a *API) pageRoutes() []pageRoute {
	return []pageRoute{
		{http.MethodGet, authorizePath, a.authorize},
		{http.MethodGet, commercialPath, a.authorize},
		{http.MethodGet, signInPath, a.showSignIn},
		{http.MethodPost, signInPath, a.signIn},
		{http.MethodGet, codePath, a.showCode},
		{http.MethodPost, codePath, a.confirm},
		{http.MethodGet, consentPath, a.showConsent},
		{http.MethodPost, consentPath, a.answerConsent},
		{http.MethodGet, consentsPath, a.showConsents},
		{http.MethodPost, consentsPath, a.withdrawConsent},
		{http.MethodPost, signOutPath, a.signOut},
	}
}

// authorize is where a client sends a cardholder to. Where the client cannot be
// believed, the browser stays here.
func (a *API) authorize(v *visit) error {
	query := v.query
	v.x.Client = query.Get("client_id")
	asked, err := a.Access.AskConsent(v.r.Context(), access.ConsentAsk{
		ClientID: query.Get("client_id"), RedirectURI: query.Get("redirect_uri"), ResponseType: query.Get("response_type"),
		Scope: query.Get("scope"), State: query.Get("state"), Challenge: query.Get("code_challenge"), Method: query.Get("code_challenge_method"),
		Resource: query.Get("resource"), Session: v.key,
	})
	if err != nil {
		return err
	}
	if asked.Redirect != "" {
		return v.to(asked.Redirect)
	}
	if !asked.Session.IsZero() {
		v.keep(asked.Session)
	}
	if asked.State == access.SignedIn {
		return v.to(page(consentPath, asked.Request))
	}
	return v.to(page(signInPath, asked.Request))
}

func (v *visit) request() string {
	if v.form != nil {
		return v.form["request"]
	}
	return v.query.Get("request")
}

// onward is where one who is signed in goes.
func (v *visit) onward() error {
	if request := v.request(); request != "" {
		return v.to(page(consentPath, request))
	}
	return v.to(consentsPath)
}

func (a *API) showSignIn(v *visit) error {
	state, bank, err := a.Access.SessionOf(v.r.Context(), v.key)
	if err != nil {
		return err
	}
	if state == access.SignedIn {
		return v.onward()
	}
	return v.show(http.StatusOK, "sign_in", "", view{Request: v.request(), Bank: bank})
}

func (a *API) signIn(v *visit) error {
	fresh, err := a.Access.SignInCardholder(v.r.Context(), access.CardholderSignIn{
		Session: v.key, CustomerNo: v.form["customer"], Password: secret.FromString(v.form["password"]), From: v.origin(),
	})
	if f, ok := fault.As(err); ok && f.Code == access.CodeSignIn {
		return a.again(v, "sign_in", f)
	}
	if err != nil {
		return err
	}
	v.keep(fresh)
	return v.to(page(codePath, v.request()))
}

// again shows a form once more, and what was wrong with it.
func (a *API) again(v *visit, name string, f *fault.Error) error {
	v.x.Fault = f.Code
	_, bank, err := a.Access.SessionOf(v.r.Context(), v.key)
	if err != nil {
		return err
	}
	problem, _ := locale.Text(v.x.Language, "fault."+string(f.Code), nil)
	return v.show(http.StatusUnauthorized, name, "", view{Request: v.request(), Bank: bank, Problem: problem})
}

func (a *API) showCode(v *visit) error {
	state, bank, err := a.Access.SessionOf(v.r.Context(), v.key)
	if err != nil {
		return err
	}
	switch state {
	case access.SignedIn:
		return v.onward()
	case access.Visiting:
		return v.to(page(signInPath, v.request()))
	}
	return v.show(http.StatusOK, "code", "", view{Request: v.request(), Bank: bank})
}

func (a *API) confirm(v *visit) error {
	fresh, err := a.Access.ConfirmCardholder(v.r.Context(), v.key, secret.FromString(v.form["code"]), v.origin())
	if f, ok := fault.As(err); ok && f.Code == access.CodeSignInCode {
		return a.again(v, "code", f)
	} else if ok && f.Code == access.CodeSessionEnded {
		return a.again(v, "sign_in", f)
	}
	if err != nil {
		return err
	}
	v.keep(fresh)
	return v.onward()
}

func (a *API) showConsent(v *visit) error {
	asked, err := a.Access.PendingConsent(v.r.Context(), v.key, v.request(), v.origin())
	if f, ok := fault.As(err); ok && f.Code == access.CodeSessionEnded {
		return v.to(page(signInPath, v.request()))
	}
	if err != nil {
		return err
	}
	cards, err := a.Credit.CardsOf(v.r.Context(), asked.Caller, asked.Caller.Customer)
	if err != nil {
		return err
	}
	shown := view{Request: v.request(), Client: asked.ClientName, Bank: asked.TenantName, SignedIn: true}
	for _, c := range cards {
		shown.Cards = append(shown.Cards, shownCard{credit.ShortNumber(c.Card), c.ProductName})
	}
	return v.show(http.StatusOK, "consent", asked.RedirectURI, shown)
}

func (a *API) answerConsent(v *visit) error {
	redirect, err := a.Access.AnswerConsent(v.r.Context(), v.key, v.request(), v.form["answer"] == "allow", v.origin())
	if err != nil {
		return err
	}
	return v.to(redirect)
}

// showConsents shows what a cardholder has consented to. One who is not signed in
// comes from a link that names the bank.
func (a *API) showConsents(v *visit) error {
	all, bank, err := a.Access.OwnConsents(v.r.Context(), v.key)
	if f, ok := fault.As(err); ok && f.Code == access.CodeSessionEnded {
		fresh, err := a.Access.VisitBank(v.r.Context(), v.query.Get("bank"))
		if err != nil {
			return err
		}
		v.keep(fresh)
		return v.to(signInPath)
	}
	if err != nil {
		return err
	}
	shown := view{Bank: bank, SignedIn: true}
	for _, c := range all {
		shown.Consents = append(shown.Consents, shownOwnConsent{c.ID, c.ClientName, c.CreatedAt.Format(time.DateOnly)})
	}
	return v.show(http.StatusOK, "consents", "", shown)
}

func (a *API) withdrawConsent(v *visit) error {
	if err := a.Access.WithdrawConsent(v.r.Context(), v.key, v.form["consent"], v.origin()); err != nil {
		return err
	}
	return v.to(consentsPath)
}

func (a *API) signOut(v *visit) error {
	if err := a.Access.SignOutCardholder(v.r.Context(), v.key); err != nil {
		return err
	}
	v.keep(secret.Value{})
	return v.show(http.StatusOK, "signed_out", "", view{})
}
