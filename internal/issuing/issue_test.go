package issuing

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/list"
	"github.com/sarraf-platform/sarraf/internal/program"
)

func TestIssueCard_virtual(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		got := w.issue(t)
		c := got.Card
		if c.Status != Active || c.Reason != FirstActivation || c.ActivatedAt.IsZero() {
			t.Errorf("got status %s %s, activated %s", c.Status, c.Reason, c.ActivatedAt)
		}
		if c.Expires != (Expiry{2031, time.November}) || c.Sequence != 1 || c.PSN != "01" || c.KeyVersion != "01" {
			t.Errorf("got expiry %s, sequence %d, PSN %s, key version %s", c.Expires, c.Sequence, c.PSN, c.KeyVersion)
		}
		if c.EmbossLine1 != "AYSE YILMAZ" || c.Physical != nil || c.PINStatus != PINNotSet {
			t.Errorf("got %q, %v, %s", c.EmbossLine1, c.Physical, c.PINStatus)
		}
		if got.Issuance.AccountNo != got.Issuance.No || got.Issuance.PhoneNumber != "+90*******567" {
			t.Errorf("got account %s of issuance %s, phone %s", got.Issuance.AccountNo, got.Issuance.No, got.Issuance.PhoneNumber)
		}
		p := w.numberOf(t, c)
		if !p.ValidLuhn() || p.Prefix(6) != "979206" || p.Last4() != c.LastFour || p.Masked() != c.Masked() {
			t.Errorf("got number %s of card %s", p, c.Masked())
		}
		found, err := w.CardsByPAN(t.Context(), w.tenant.ID, p)
		if err != nil || len(found) != 1 {
			t.Fatalf("got %d cards, %v", len(found), err)
		}
		n := found[0]
		if n.Card.ID != c.ID || n.Issuance.ID != got.Issuance.ID || n.Issuance.Account != got.Issuance.Account ||
			n.Customer == nil || n.Customer.No != "1" || n.Customer.Status != customer.Active || n.Card.Masked() != c.Masked() {
			t.Errorf("got %+v", n)
		}
	})
}

func TestIssueCard_physicalOrdersAPlastic(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		got := w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: plasticProduct, DeliveryTo: customer.HomeAddress, PINSource: RandomPIN, EmbossLine2: "Şirket"})
		c := got.Card
		if c.Status != Pending || c.PINStatus != PINActive || c.EmbossLine2 != "SIRKET" {
			t.Errorf("got %s, PIN %s, line 2 %q", c.Status, c.PINStatus, c.EmbossLine2)
		}
		details, err := w.CardDetails(t.Context(), w.caller, c.Token)
		if err != nil {
			t.Fatal(err)
		}
		b := details.Card.Physical
		if b == nil || b.PersoStatus != PersoRequested || b.ShipmentStatus != ShipmentNotApplicable || b.DeliveryMethod != program.ByCourier {
			t.Fatalf("got %+v", b)
		}
		if b.Delivery.Address == nil || b.Delivery.Address.TownName != "Kadıköy" || b.Delivery.RecipientName != "Ayşe Yılmaz" {
			t.Errorf("got delivery %+v", b.Delivery)
		}
		if len(details.History) != 1 || details.History[0].Status != Pending || len(details.Cards) != 1 {
			t.Errorf("got history %v and %d cards", details.History, len(details.Cards))
		}

		_, err = w.IssueCard(t.Context(), w.caller, NewCard{CustomerNo: "1", ProductCode: plasticProduct})
		wantCode(t, err, "delivery_address_required")
		_, err = w.IssueCard(t.Context(), w.caller, NewCard{CustomerNo: "1", ProductCode: plasticProduct, DeliveryMethod: program.ByBranch})
		wantCode(t, err, "delivery_address_required")
	})
}

func TestIssueCard_accounts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		w.addCustomer(t, w.caller, "2", "19191919190")
		first := w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: virtualProduct, AccountNo: "WALLET-1"})
		second := w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: virtualProduct, AccountNo: "WALLET-1"})
		if first.Issuance.Account != second.Issuance.Account {
			t.Error("two cards of one account number have different accounts")
		}
		_, err := w.IssueCard(t.Context(), w.caller, NewCard{CustomerNo: "2", ProductCode: virtualProduct, AccountNo: "WALLET-1"})
		wantCode(t, err, ledger.AccountNoTaken)

		child := w.issueWith(t, NewCard{CustomerNo: "2", ProductCode: virtualProduct, ParentIssuanceNo: first.Issuance.No})
		if child.Issuance.Account != first.Issuance.Account || child.Issuance.AccountNo != "WALLET-1" {
			t.Error("a supplementary card does not use its parent's account")
		}
		if child.Issuance.Ownership() != SupplementaryCard || child.Parent == nil || child.Parent.CardToken != first.Card.Token {
			t.Errorf("got %s with parent %+v", child.Issuance.Ownership(), child.Parent)
		}
		_, err = w.IssueCard(t.Context(), w.caller, NewCard{CustomerNo: "2", ProductCode: virtualProduct, ParentCardToken: first.Card.Token, AccountNo: "OTHER"})
		wantCode(t, err, "account_no_not_allowed")
		_, err = w.IssueCard(t.Context(), w.caller, NewCard{CustomerNo: "2", ProductCode: virtualProduct, ParentCardToken: child.Card.Token})
		wantCode(t, err, "parent_card_invalid")
		w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: virtualProduct, ParentCardToken: first.Card.Token})
		_, err = w.IssueCard(t.Context(), w.caller, NewCard{CustomerNo: "2", ProductCode: virtualProduct, ParentCardToken: first.Card.Token})
		wantCode(t, err, "max_child_card_count_exceeded")
	})
}

// counted counts the statements of a transaction.
type counted struct {
	db.Tx
	n *int
}

func (c counted) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	*c.n++
	return c.Tx.Query(ctx, query, args...)
}

func (c counted) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	*c.n++
	return c.Tx.QueryRow(ctx, query, args...)
}

func TestCardDetails_readsAllSupplementaryCardsAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		w.addCustomer(t, w.caller, "2", "98765432150")
		main := w.issue(t)
		var want []RelatedCard
		for _, no := range []string{"2", "1"} {
			w.clock.Advance(time.Second)
			c := w.issueWith(t, NewCard{CustomerNo: no, ProductCode: virtualProduct, ParentCardToken: main.Card.Token})
			want = append(want, RelatedCard{c.Issuance.No, c.Card.Token, c.Card.Masked(), no, c.Customer.DisplayName(), c.Card.Status})
		}
		details, err := w.CardDetails(t.Context(), w.caller, main.Card.Token)
		if err != nil || !slices.Equal(details.Children, want) {
			t.Errorf("got %+v, %v; want %+v", details.Children, err, want)
		}
		err = d.View(t.Context(), func(tx db.Tx) error {
			children, err := readChildren(t.Context(), tx, w.caller.Tenant, main.Issuance.ID)
			if err != nil {
				return err
			}
			n := 0
			if _, err = w.relatedCards(t.Context(), counted{tx, &n}, w.caller, children); err != nil {
				return err
			}
			// SQLite is asked for row by row with one prepared statement.
			if d.Engine() == db.Postgres && n != 2 {
				t.Errorf("%d statements for two supplementary cards, want one for cards and one for customers", n)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestIssueCard_refusals(t *testing.T) {
	w := newCardWorld(t, dbtest.SQLite(t))
	w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: virtualProduct, ExternalCardID: "EXT-1"})
	plain := w.caller
	plain.Permissions = access.PermissionsOf(access.IssuingCardCreate)
	for _, c := range []struct {
		name string
		by   access.Caller
		in   NewCard
		want fault.Code
	}{
		{"no customer", w.caller, NewCard{CustomerNo: "99", ProductCode: virtualProduct}, "customer_not_found"},
		{"no product", w.caller, NewCard{CustomerNo: "1", ProductCode: "NONE"}, "product_not_found"},
		{"form", w.caller, NewCard{CustomerNo: "1", ProductCode: virtualProduct, FormFactor: program.PhysicalCard}, "form_factor_not_allowed"},
		{"emboss", w.caller, NewCard{CustomerNo: "1", ProductCode: virtualProduct, EmbossLine1: "a@b"}, "invalid_emboss_name"},
		{"external id", w.caller, NewCard{CustomerNo: "1", ProductCode: virtualProduct, ExternalCardID: "EXT-1"}, "external_card_id_already_exists"},
		{"looser status", plain, NewCard{CustomerNo: "1", ProductCode: plasticProduct, DeliveryTo: customer.HomeAddress, InitialStatus: Active}, access.CodeForbidden},
		{"fee exemption", plain, NewCard{CustomerNo: "1", ProductCode: virtualProduct, FeeExemption: true}, access.CodeForbidden},
		{"expiry beyond validity", w.caller, NewCard{CustomerNo: "1", ProductCode: virtualProduct, Expires: Expiry{2040, 1}}, "expiry_not_allowed"},
		{"expiry in the past", w.caller, NewCard{CustomerNo: "1", ProductCode: virtualProduct, Expires: Expiry{2026, 10}}, "expiry_not_allowed"},
		{"weak PIN", w.caller, NewCard{CustomerNo: "1", ProductCode: virtualProduct, PINSource: EncryptedPIN, PIN: clearPIN("1234")}, "weak_pin"},
		{"birth year as PIN", w.caller, NewCard{CustomerNo: "1", ProductCode: virtualProduct, PINSource: EncryptedPIN, PIN: clearPIN("1991")}, "weak_pin"},
		{"long PIN", w.caller, NewCard{CustomerNo: "1", ProductCode: virtualProduct, PINSource: EncryptedPIN, PIN: clearPIN("739251")}, "pin_length_invalid"},
		{"PIN without source", w.caller, NewCard{CustomerNo: "1", ProductCode: virtualProduct, PIN: clearPIN("7392")}, access.CodeInvalid},
		{"phone", w.caller, NewCard{CustomerNo: "1", ProductCode: virtualProduct, PhoneNumber: "12"}, access.CodeInvalid},
		{"account number", w.caller, NewCard{CustomerNo: "1", ProductCode: virtualProduct, AccountNo: "a b"}, access.CodeInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := w.IssueCard(t.Context(), c.by, c.in)
			wantCode(t, err, c.want)
			if f, _ := fault.As(err); c.want == access.CodeForbidden && f.Params["permission"] != access.IssuingCardStatusPrivileged {
				t.Errorf("got %v; a caller must learn which permission is missing", f.Params)
			}
		})
	}
	_, total, _, err := w.Cards(t.Context(), w.caller, CardFilter{Page: list.Page{Limit: 10}})
	if err != nil || total != 1 {
		t.Errorf("got %d cards, %v; refusals must leave none", total, err)
	}
}

func TestIssueCard_concurrentRequestsKeepTheLimit(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		p, err := w.programs.Product(t.Context(), w.caller, virtualProduct)
		if err != nil {
			t.Fatal(err)
		}
		p.MaxCardsPerCustomer = 3
		if _, err := w.programs.UpdateProduct(t.Context(), w.caller, program.ProductChange{Product: p}); err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		errs := make([]error, 12)
		for i := range errs {
			wait.Go(func() {
				_, errs[i] = w.IssueCard(t.Context(), w.caller, NewCard{CustomerNo: "1", ProductCode: virtualProduct})
			})
		}
		wait.Wait()
		issued := 0
		for _, err := range errs {
			if err == nil {
				issued++
				continue
			}
			wantCode(t, err, "max_card_count_exceeded")
		}
		if issued != 3 {
			t.Errorf("got %d cards issued, want 3", issued)
		}
	})
}

func TestIssueCard_numbersAndTokensAreUnique(t *testing.T) {
	w := newCardWorld(t, dbtest.SQLite(t))
	numbers, tokens, issuances := map[string]bool{}, map[string]bool{}, map[string]bool{}
	const n = 60
	for range n {
		got := w.issue(t)
		p := w.numberOf(t, got.Card)
		if !p.ValidLuhn() {
			t.Fatal("a card number fails the Luhn check")
		}
		numbers[p.Reveal()], tokens[got.Card.Token], issuances[got.Issuance.No] = true, true, true
	}
	if len(numbers) != n || len(tokens) != n || len(issuances) != n {
		t.Errorf("got %d numbers, %d tokens, %d issuance numbers, want %d of each", len(numbers), len(tokens), len(issuances), n)
	}
}

func TestIssueCard_aNumberTakenMeanwhileIsDrawnAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		taken := w.issue(t)
		p := w.numberOf(t, taken.Card)
		var dr draft
		err := w.DB.View(t.Context(), func(tx db.Tx) (err error) {
			dr, err = w.draftCard(t.Context(), tx, w.caller, NewCard{CustomerNo: "1", ProductCode: virtualProduct})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.useNumber(t.Context(), w.caller, &dr, p); err != nil {
			t.Fatal(err)
		}
		var saved Card
		err = w.DB.InTx(t.Context(), func(tx db.Tx) error {
			if err := w.saveDraft(t.Context(), tx, w.caller, dr); err != nil {
				return err
			}
			saved, _, err = readCardByID(t.Context(), tx, w.tenant.ID, dr.card.ID)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if saved.ID.IsZero() || w.numberOf(t, saved) == p {
			t.Error("the second card has the first one's number")
		}
	})
}

func TestSealedNumber_opensOnlyInItsRow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		a, b := w.issue(t).Card, w.issue(t).Card
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			for _, swap := range []struct {
				id   any
				with []byte
			}{{a.ID, b.sealedPAN}, {b.ID, a.sealedPAN}} {
				if _, err := tx.Exec(t.Context(), `UPDATE card SET pan_sealed = $1 WHERE id = $2`, swap.with, swap.id); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, token := range []string{a.Token, b.Token} {
			if _, err := w.RevealCard(t.Context(), w.caller, token, 0); !errors.Is(err, hsm.ErrIntegrity) {
				t.Errorf("got %v, want an integrity error", err)
			}
		}
	})
}

// Masked numbers and tokens show six digits: who filters by these means cards
// of eight-digit BINs, too.
func TestCards_sixDigitsNameTheBINsOfEight(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		_, w.caller = w.newTenant(t, "Eight Digits", true)
		w.define(t, w.caller, "97920799")
		w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: virtualProduct})
		for bin, want := range map[string]int{"979207": 1, "97920799": 1, "97920798": 0, "979208": 0, "979206": 0} {
			_, total, _, err := w.Cards(t.Context(), w.caller, CardFilter{BIN: bin, Page: list.Page{Limit: 10}})
			if err != nil || total != want {
				t.Errorf("%s: %d cards, %v; want %d", bin, total, err, want)
			}
		}
	})
}

func TestCards_filters(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		main := w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: virtualProduct, ExternalCardID: "E1", AccountNo: "A1"})
		w.clock.Advance(time.Second)
		child := w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: virtualProduct, ParentIssuanceNo: main.Issuance.No})
		w.clock.Advance(time.Second)
		plastic := w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: plasticProduct, DeliveryTo: customer.HomeAddress, Expires: Expiry{2027, 1}})
		yes, no := true, false
		for i, c := range []struct {
			f    CardFilter
			want []IssuedCard
		}{
			{CardFilter{}, []IssuedCard{plastic, child, main}},
			{CardFilter{Page: list.Page{Sort: []list.SortKey{{Name: "creationTime"}}}}, []IssuedCard{main, child, plastic}},
			{CardFilter{Page: list.Page{Skip: 1, Limit: 1}}, []IssuedCard{child}},
			{CardFilter{CustomerNo: "1"}, []IssuedCard{plastic, child, main}},
			{CardFilter{CustomerNo: "2"}, nil},
			{CardFilter{ProductCode: plasticProduct}, []IssuedCard{plastic}},
			{CardFilter{Statuses: []CardStatus{Pending, Lost}}, []IssuedCard{plastic}},
			{CardFilter{IssuanceStatus: IssuanceActive}, []IssuedCard{child, main}},
			{CardFilter{IssuanceStatus: IssuanceClosed}, nil},
			{CardFilter{FormFactor: program.PhysicalCard}, []IssuedCard{plastic}},
			{CardFilter{Ownership: MainCard}, []IssuedCard{plastic, main}},
			{CardFilter{Ownership: SupplementaryCard}, []IssuedCard{child}},
			{CardFilter{ParentIssuanceNo: main.Issuance.No}, []IssuedCard{child}},
			{CardFilter{ExternalCardID: "E1"}, []IssuedCard{main}},
			{CardFilter{AccountNo: "A1"}, []IssuedCard{child, main}},
			{CardFilter{BIN: "979206", BatchReference: ""}, []IssuedCard{plastic, child, main}},
			{CardFilter{BIN: "97920600"}, nil},
			{CardFilter{BatchReference: "B"}, nil},
			{CardFilter{ExpiresTo: Expiry{2027, 1}}, []IssuedCard{plastic}},
			{CardFilter{ExpiresFrom: Expiry{2027, 2}}, []IssuedCard{child, main}},
			{CardFilter{IsLinked: &yes}, []IssuedCard{plastic, child, main}},
			{CardFilter{IsLinked: &no}, nil},
			{CardFilter{PersoStatus: PersoRequested}, []IssuedCard{plastic}},
			{CardFilter{ShipmentStatus: ShipmentNotApplicable}, []IssuedCard{plastic, child, main}},
			{CardFilter{AutoRenewal: program.AutoRenewalDisabled}, nil},
			{CardFilter{CreatedFrom: plastic.Issuance.CreatedAt}, []IssuedCard{plastic}},
			{CardFilter{CreatedTo: main.Issuance.CreatedAt.Add(time.Microsecond)}, []IssuedCard{main}},
			{CardFilter{CreatedTo: main.Issuance.CreatedAt}, nil},
		} {
			paged := c.f.Limit > 0
			if !paged {
				c.f.Limit = 10
			}
			cards, total, capped, err := w.Cards(t.Context(), w.caller, c.f)
			if err != nil {
				t.Fatalf("%d: %v", i, err)
			}
			var got, want []string
			for _, l := range cards {
				got = append(got, l.Issuance.No)
				if l.CustomerName != "Ayşe Yılmaz" || l.Card.Masked() == "" {
					t.Errorf("%d: got %+v", i, l)
				}
			}
			for _, l := range c.want {
				want = append(want, l.Issuance.No)
			}
			if fmt.Sprint(got) != fmt.Sprint(want) || capped || !paged && total != len(want) {
				t.Errorf("%d: got %v (%d in all), want %v", i, got, total, want)
			}
		}
	})
}

func TestCards_nameTheirCustomers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		w.addCustomer(t, w.caller, "2", "19191919190")
		for _, no := range []string{"1", "2", "1"} {
			w.issueWith(t, NewCard{CustomerNo: no, ProductCode: virtualProduct})
		}
		cards, total, _, err := w.Cards(t.Context(), w.caller, CardFilter{Page: list.Page{Limit: 10, Sort: []list.SortKey{{Name: "creationTime"}}}})
		if err != nil || total != 3 {
			t.Fatalf("got %d cards (%v), want 3", total, err)
		}
		of := map[string]int{}
		for _, l := range cards {
			of[l.CustomerNo+" "+l.CustomerName]++
		}
		if of["1 Ayşe Yılmaz"] != 2 || of["2 Ayşe Yılmaz"] != 1 {
			t.Errorf("got %v", of)
		}
	})
}
