package authorization_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// A trace holds nothing of the card that came with the message, whatever came and
// however it ended; nor does it tell what a secret that was not counted was worth.
func TestTrace_holdsNoCardData(t *testing.T) {
	w := authorizationtest.New(t, dbtest.SQLite(t))
	c := w.NewCard("100.00")
	for name, with := range map[string]func(*authorization.Request){
		"chip and PIN":  func(r *authorization.Request) { w.Chip(c, r); w.WithPIN(c, r, c.PIN) },
		"wrong PIN":     func(r *authorization.Request) { w.Chip(c, r); w.WithPIN(c, r, "9035") },
		"stripe":        func(r *authorization.Request) { w.WithStripe(c, r) },
		"CVV2":          func(r *authorization.Request) { w.WithCVV2(c, r, true) },
		"wrong CVV2":    func(r *authorization.Request) { w.WithCVV2(c, r, false) },
		"wrong expiry":  func(r *authorization.Request) { r.Expiry = "3511" },
		"wrong arqc":    func(r *authorization.Request) { w.Chip(c, r); r.Chip.ARQC[0] ^= 1 },
		"above balance": func(r *authorization.Request) { r.Amount = money.Must(90000, "TRY") },
	} {
		r := w.Request(c, authorization.AuthorizationRequest, money.Must(1, "TRY"))
		with(r)
		x, err := w.Queries.Explain(t.Context(), w.Caller, w.Authorize(r).Transaction)
		if err != nil || len(x.Trace) == 0 {
			t.Fatalf("%s: %v", name, err)
		}
		text := fmt.Sprintf("%+v", []authorization.Check(x.Trace))
		for what, secret := range map[string]string{
			"number": c.Clear.Number.Reveal(), "start of the number": c.Clear.Number.Reveal()[:8], "PIN": c.PIN, "PIN block": string(r.Card.PINBlock),
			"expiry": r.Expiry, "CVV2": string(c.Clear.CVV2.Reveal()),
		} {
			for _, k := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("|= \n", r) }) {
				if secret != "" && (k == secret || len(secret) > 6 && strings.Contains(text, secret)) {
					t.Errorf("%s: the trace holds the %s:\n%s", name, what, text)
				}
			}
		}
	}
}
