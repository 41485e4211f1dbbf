package issuing

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/list"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/program"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

func (w *cardWorld) policy(t testing.TB, token string, of program.PolicyType) CardPolicy {
	t.Helper()
	all, err := w.CardPolicies(t.Context(), w.caller, token)
	if err != nil {
		t.Fatal(err)
	}
	if len(all.Policies) != len(program.PolicyTypes()) {
		t.Fatalf("got %d policies", len(all.Policies))
	}
	for _, p := range all.Policies {
		if p.Type == of {
			return p
		}
	}
	t.Fatalf("no policy %s", of)
	return CardPolicy{}
}

func (w *cardWorld) setPolicies(t testing.TB, token string, policies ...program.Policy) PolicyResult {
	t.Helper()
	out, err := w.ChangePolicies(t.Context(), w.caller, token, PolicyWish{Policies: policies})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// productWith changes the policies of the virtual product.
func (w *cardWorld) productWith(t testing.TB, policies ...program.Policy) {
	t.Helper()
	cfg, err := w.programs.Configuration(t.Context(), w.caller.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	p, _ := cfg.Product(virtualProduct)
	p.Policies = policies
	if _, err := w.programs.UpdateProduct(t.Context(), w.caller, program.ProductChange{Product: p}); err != nil {
		t.Fatal(err)
	}
}

func TestChangePolicies_timedLiesOverOpenEndedWhichReturns(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		token := w.issue(t).Card.Token
		w.setPolicies(t, token, program.Policy{Type: program.PolicyInternationalPOS, IsAllowed: false})
		start, end := w.clock.Now().Add(24*time.Hour), w.clock.Now().Add(48*time.Hour)
		got := w.setPolicies(t, token, program.Policy{Type: program.PolicyInternationalPOS, IsAllowed: true, StartsAt: &start, EndsAt: &end})
		if len(got.Changed) != 0 {
			t.Errorf("changed before its start: %+v", got.Changed)
		}
		for _, want := range []bool{false, true, false} {
			p := w.policy(t, token, program.PolicyInternationalPOS)
			if p.IsAllowed != want || !p.FromCard || want != (p.EndsAt != nil) {
				t.Errorf("at %s: got %+v, want allowed %v", w.clock.Now(), p, want)
			}
			w.clock.Advance(24 * time.Hour)
		}

		// One without dates ends what is timed.
		later := w.clock.Now().Add(time.Hour)
		w.setPolicies(t, token, program.Policy{Type: program.PolicyInternationalPOS, IsAllowed: true, EndsAt: &later})
		got = w.setPolicies(t, token, program.Policy{Type: program.PolicyInternationalPOS, IsAllowed: false})
		if len(got.Changed) != 1 || got.Changed[0] != (PolicyChange{program.PolicyInternationalPOS, true, false}) {
			t.Errorf("changed %+v", got.Changed)
		}

		acts := w.acts(t, w.caller, audit.PolicyStream) // of the last day
		if len(acts) != 2 || acts[0].Action != "PolicyChange" || len(acts[0].Changes) == 0 {
			t.Errorf("the audit record has %+v", acts)
		}
		reset, err := w.ChangePolicies(t.Context(), w.caller, token, PolicyWish{
			ResetToDefault: true, Policies: []program.Policy{{Type: program.PolicyRecurring, IsAllowed: false}},
		})
		if err != nil || len(reset.Changed) != 2 {
			t.Errorf("reset: %+v, %v", reset.Changed, err)
		}
		if p := w.policy(t, token, program.PolicyInternationalPOS); !p.IsAllowed || p.FromCard {
			t.Errorf("after the reset: %+v", p)
		}
	})
}

func TestChangePolicies_obeysProductAndParent(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		ctx := t.Context()
		w.productWith(t, program.Policy{Type: program.PolicyInternationalCash, IsAllowed: false}, program.Policy{Type: program.PolicyQuasiCashAndGambling, IsLocked: true})
		parent := w.issue(t)
		token := parent.Card.Token
		if p := w.policy(t, token, program.PolicyInternationalCash); p.IsAllowed || p.FromCard {
			t.Errorf("the product's copy: %+v", p)
		}
		_, err := w.ChangePolicies(ctx, w.caller, token, PolicyWish{Policies: []program.Policy{{Type: program.PolicyQuasiCashAndGambling, IsAllowed: true}}})
		wantCode(t, err, "policy_locked_by_product")

		w.addCustomer(t, w.caller, "2", "19191919190")
		child := w.issueWith(t, NewCard{CustomerNo: "2", ProductCode: virtualProduct, ParentCardToken: token}).Card.Token
		w.setPolicies(t, child, program.Policy{Type: program.PolicyInternationalCash, IsAllowed: true}) // no cap yet
		a, err := w.programs.Attributes(ctx, w.caller)
		if err != nil {
			t.Fatal(err)
		}
		a.ChildPolicyCapped = true
		if _, err := w.programs.CreateAttributes(ctx, w.caller, a); err != nil {
			t.Fatal(err)
		}
		if w.policy(t, child, program.PolicyInternationalCash).IsAllowed {
			t.Error("the child is wider than its parent")
		}
		widen := func(end *time.Time) error {
			_, err := w.ChangePolicies(ctx, w.caller, child, PolicyWish{Policies: []program.Policy{{Type: program.PolicyInternationalCash, IsAllowed: true, EndsAt: end}}})
			return err
		}
		wantCode(t, widen(nil), "parent_policy_exceeded")
		week, longer := w.clock.Now().Add(7*24*time.Hour), w.clock.Now().Add(8*24*time.Hour)
		w.setPolicies(t, token, program.Policy{Type: program.PolicyInternationalCash, IsAllowed: true, EndsAt: &week})
		wantCode(t, widen(&longer), "parent_policy_exceeded")
		if err := widen(&week); err != nil {
			t.Errorf("as long as the parent: %v", err)
		}
		if !w.policy(t, child, program.PolicyInternationalCash).IsAllowed {
			t.Error("the child is narrower than both say")
		}
	})
}

func TestChangePolicies_atOnceLosesNone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		token := w.issue(t).Card.Token
		types := program.PolicyTypes()[:8]
		var all sync.WaitGroup
		for _, p := range types {
			all.Go(func() {
				if _, err := w.ChangePolicies(t.Context(), w.caller, token, PolicyWish{Policies: []program.Policy{{Type: p, IsAllowed: !p.AllowedByDefault()}}}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, p := range types {
			if w.policy(t, token, p).IsAllowed == p.AllowedByDefault() {
				t.Errorf("the change of %s is lost", p)
			}
		}
	})
}

func TestChangePhone_startsTheCoolingAndMovesTheCustomerOnWish(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		ctx := t.Context()
		card := w.issue(t)
		stored := func() Issuance {
			t.Helper()
			var i Issuance
			err := w.DB.View(ctx, func(tx db.Tx) (err error) {
				if i, _, err = readIssuance(ctx, tx, w.caller.Tenant, card.Issuance.ID); err != nil {
					return err
				}
				return w.openPhone(ctx, &i)
			})
			if err != nil {
				t.Fatal(err)
			}
			return i
		}
		if i := stored(); !i.PhoneChangedAt.IsZero() {
			t.Errorf("a new card cools since %s", i.PhoneChangedAt)
		}
		w.clock.Advance(time.Hour)
		change := func(c access.Caller, number string, customer bool) error {
			_, err := w.ChangePhone(ctx, c, card.Card.Token, NewPhone{Number: number, UpdateCustomer: customer})
			return err
		}
		if err := change(w.caller, "+90 532 123 45 67", false); err != nil || !stored().PhoneChangedAt.IsZero() {
			t.Errorf("the same number: %v, cooling since %s", err, stored().PhoneChangedAt)
		}
		narrow := w.caller
		narrow.Permissions = access.PermissionsOf(access.IssuingCardPhone)
		wantCode(t, change(narrow, "+905339876543", true), access.CodeForbidden)
		if err := change(narrow, "0533 987 65 43", false); err != nil {
			t.Fatal(err)
		}
		if i := stored(); i.PhoneNumber != "+905339876543" || !i.PhoneChangedAt.Equal(w.clock.Now()) {
			t.Errorf("got %s since %s", i.PhoneNumber, i.PhoneChangedAt)
		}
		if err := change(w.caller, "+905339876543", true); err != nil {
			t.Fatal(err)
		}
		holder, err := w.customers.Customer(ctx, w.caller, "1")
		if err != nil || holder.Contact(customer.MobilePhone) != "+905339876543" {
			t.Errorf("the customer has %s, %v", holder.Contact(customer.MobilePhone), err)
		}
		found, _, err := w.customers.Customers(ctx, w.caller, customer.Filter{MobilePhone: "+905339876543", Page: list.Page{Limit: 10}})
		if err != nil || len(found) != 1 {
			t.Errorf("found %d by the new number, %v", len(found), err)
		}
		wantCode(t, change(w.caller, "0212 123 45 67", false), access.CodeInvalid)
		w.forceStatus(t, card.Card, Cancelled)
		wantCode(t, change(w.caller, "+905321112233", false), "card_status_not_suitable")
	})
}

func TestChangeAutoRenewal_namesTheNextDay(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		card := w.issue(t).Card
		set := func(s program.AutoRenewal) AutoRenewalResult {
			t.Helper()
			out, err := w.ChangeAutoRenewal(t.Context(), w.caller, card.Token, NewAutoRenewal{Status: s})
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		if got := set(program.AutoRenewalDisabled); got.Previous != program.AutoRenewalEnabled || !got.Next.IsZero() {
			t.Errorf("got %+v", got)
		}
		// The card expires at the end of November 2031; 45 days before that:
		if got := set(program.AutoRenewalEnabled); got.Previous != program.AutoRenewalDisabled || got.Next != (clock.Date{Year: 2031, Month: time.October, Day: 16}) {
			t.Errorf("got %+v", got)
		}
		w.forceStatus(t, card, Blocked)
		if got := set(program.AutoRenewalEnabled); !got.Next.IsZero() {
			t.Errorf("a blocked card is renewed on %s", got.Next)
		}
		slip, err := w.ChangeSlipType(t.Context(), w.caller, card.Token, NewSlipType{Type: program.DigitalAlways})
		if err != nil || slip.Previous != program.PaperAlways || slip.Type != program.DigitalAlways || !slip.EffectiveFrom.Equal(w.clock.Now()) {
			t.Errorf("got %+v, %v", slip, err)
		}
	})
}

// Whoever may search, but not open tokens, knows the ends of every number: the
// search must not tell the middle.
func TestCardByNumber_guessesAreBounded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		ctx := t.Context()
		card := w.issue(t).Card
		clear, err := w.RevealCard(ctx, w.caller, card.Token, 0)
		if err != nil {
			t.Fatal(err)
		}
		number := clear.Number.Reveal()
		find := func(c access.Caller, number string) error {
			_, err := w.CardByNumber(ctx, c, Sensitive{Clear: secret.FromString(number), Member: "encryptedCardNo"}, "")
			return err
		}
		guess := func(n int) string {
			body := fmt.Sprintf("979206%09d", 500_000_000+n)
			return body + string(pan.CheckDigit(body))
		}
		for range 2 * numberMissesMax {
			wantCode(t, find(w.caller, "4111111111111111"), "card_not_found") // of nobody's BIN: it tells nothing
		}
		var all sync.WaitGroup
		var missed atomic.Int64
		for i := range numberMissesMax + 8 {
			all.Go(func() {
				switch f, _ := fault.As(find(w.caller, guess(i))); f.Code {
				case "card_not_found":
					missed.Add(1)
				case "number_search_limit_exceeded":
				default:
					t.Errorf("got %v", f)
				}
			})
		}
		all.Wait()
		if missed.Load() != numberMissesMax {
			t.Errorf("%d guesses were answered, want %d", missed.Load(), numberMissesMax)
		}
		if f := wantCode(t, find(w.caller, number), "number_search_limit_exceeded"); f.Params["retryAfterSeconds"] != 12*3600 {
			t.Errorf("wait %v", f.Params)
		}
		_, err = w.LinkNoname(ctx, w.caller, NonameLink{
			CardNo: Sensitive{Clear: secret.FromString(number), Member: "encryptedCardNo"}, CustomerNo: "1", Check: CheckNone,
		})
		wantCode(t, err, "number_search_limit_exceeded")
		other := w.caller
		other.Client = "sc_other"
		if err := find(other, number); err != nil {
			t.Errorf("another client: %v", err)
		}
		w.clock.Advance(12 * time.Hour)
		if err := find(w.caller, number); err != nil {
			t.Errorf("the next day: %v", err)
		}
	})
}

func TestDetokenize_quotaHoldsHoweverManyArriveAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		ctx := t.Context()
		card := w.issue(t).Card
		cfg, err := w.programs.Configuration(ctx, w.caller.Tenant)
		if err != nil {
			t.Fatal(err)
		}
		few := *cfg
		few.Attributes.DetokenizeDailyQuota = 5
		record := func(n int) error {
			cards := make([]Card, n)
			for i := range cards {
				cards[i] = card
			}
			return w.recordDetokenization(ctx, w.caller, &few, cards, "dispute")
		}
		wantCode(t, record(6), "detokenize_quota_exceeded")
		var all sync.WaitGroup
		var mu sync.Mutex
		done := 0
		for range 8 {
			all.Go(func() {
				err := record(2)
				mu.Lock()
				defer mu.Unlock()
				if f, ok := fault.As(err); ok && f.Code == "detokenize_quota_exceeded" {
					return
				}
				if err != nil {
					t.Error(err)
				}
				done++
			})
		}
		all.Wait()
		if done != 2 {
			t.Errorf("%d of 8 were answered, want 2", done)
		}
		if err := record(1); err != nil {
			t.Errorf("the fifth: %v", err)
		}
		// It is noon in Istanbul.
		if f := wantCode(t, record(1), "detokenize_quota_exceeded"); f.Params["retryAfterSeconds"] != 12*3600 {
			t.Errorf("wait %v", f.Params)
		}
		other := w.caller
		other.Client = "sc_another"
		if err := w.recordDetokenization(ctx, other, &few, []Card{card}, "dispute"); err != nil {
			t.Errorf("another client: %v", err)
		}
		w.clock.Advance(12 * time.Hour)
		if err := record(5); err != nil {
			t.Errorf("the next day: %v", err)
		}
		var rows int
		err = w.DB.View(ctx, func(tx db.Tx) error {
			return tx.QueryRow(ctx, `SELECT COUNT(*) FROM card_detokenization WHERE tenant_id = $1 AND card_id = $2 AND purpose = 'dispute'`,
				w.caller.Tenant, card.ID).Scan(&rows)
		})
		if err != nil || rows != 11 {
			t.Errorf("%d are on record, want 11 (%v)", rows, err)
		}
		acts := 0
		for _, e := range w.acts(t, w.caller, audit.CardStream) {
			if e.Action == "Detokenize" && e.Description == "dispute" {
				acts++
			}
		}
		if acts != 11 {
			t.Errorf("%d are in the audit record, want 11", acts)
		}
	})
}

func TestChangeCustomerCards_movesWhatItCan(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		ctx := t.Context()
		w.addCustomer(t, w.caller, "2", "19191919190")
		one := NewCard{CustomerNo: "1", ProductCode: virtualProduct} // and no more than three: all are counted
		main, blocked, lost := w.issueWith(t, one).Card, w.issueWith(t, one).Card, w.issueWith(t, one).Card
		child := w.issueWith(t, NewCard{CustomerNo: "2", ProductCode: virtualProduct, ParentCardToken: main.Token}).Card
		w.forceStatus(t, blocked, Blocked)
		w.forceStatus(t, lost, Lost)
		client := w.caller
		client.Permissions = access.PermissionsOf(access.IssuingCardStatus)
		move := func(in CustomerCardsStatus) map[string]UpdatedCard {
			t.Helper()
			in.CustomerNo = "1"
			all, err := w.ChangeCustomerCards(ctx, client, in)
			if err != nil {
				t.Fatal(err)
			}
			by := map[string]UpdatedCard{}
			for _, u := range all {
				by[u.CardToken] = u
			}
			if len(by) != len(all) {
				t.Errorf("a card is there twice: %+v", all)
			}
			return by
		}

		got := move(CustomerCardsStatus{Status: Inactive, Reason: CustomerRequest})
		if len(got) != 2 || got[main.Token].Current != Inactive || got[main.Token].Previous != Active || got[blocked.Token].Current != Blocked {
			t.Errorf("got %+v", got)
		}
		wantCode(t, got[blocked.Token].Refusal, access.CodeForbidden)
		got = move(CustomerCardsStatus{Status: Inactive, Reason: CustomerRequest, IncludeChildCards: true, FromStatuses: []CardStatus{Active}})
		if len(got) != 1 || got[child.Token].Current != Inactive {
			t.Errorf("got %+v", got)
		}
		if got = move(CustomerCardsStatus{Status: Cancelled, Reason: CustomerRequest, ProductCodes: []string{plasticProduct}}); len(got) != 0 {
			t.Errorf("got %+v", got)
		}
		got = move(CustomerCardsStatus{Status: Cancelled, Reason: CustomerRequest})
		if len(got) != 4 || got[main.Token].Current != Cancelled || got[child.Token].Current != Cancelled ||
			got[lost.Token].Previous != Lost || got[blocked.Token].Refusal == nil {
			t.Errorf("got %+v", got)
		}
		_, err := w.ChangeCustomerCards(ctx, client, CustomerCardsStatus{CustomerNo: "1", Status: Stolen, Reason: StolenReported})
		wantCode(t, err, access.CodeInvalid)
		_, err = w.ChangeCustomerCards(ctx, client, CustomerCardsStatus{CustomerNo: "9", Status: Cancelled, Reason: CustomerRequest})
		wantCode(t, err, "customer_not_found")
		_, other := w.newTenant(t, "Other", true)
		_, err = w.ChangeCustomerCards(ctx, other, CustomerCardsStatus{CustomerNo: "1", Status: Cancelled, Reason: CustomerRequest})
		wantCode(t, err, "customer_not_found")
	})
}
