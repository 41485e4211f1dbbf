package credit_test

import (
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/ledger/line"
)

// A fee is owed where its payment was made. Given back in its term it is as if it
// had not been; later it is a payment, also where other fees are owed by then.
func TestFee_givenBackLaterIsAPayment(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBank(t, d)
		b.must(b.Fee(map[string]string{"code": "POS", "fixed": "3.00", "of": "Purchase"}))
		no, card := b.open("1000")
		buy := func(minor int64) *authorization.Request {
			r := b.Request(card, authorization.FinancialRequest, try(minor))
			r.AcquirerCountry, r.MerchantCountry = "DE", "DE"
			b.Chip(card, r)
			b.WithPIN(card, r, card.PIN)
			if a := b.Authorize(r); a.Reason != authorization.Approved {
				t.Fatal(a.Reason)
			}
			return r
		}
		undo := func(r *authorization.Request) {
			if a := b.Authorize(b.Reversal(card, r, authorization.ReversalRequest, nil)); a.Outcome != authorization.OutcomeApproved {
				t.Fatal(a.Outcome)
			}
		}
		owed := func(what string, purchases, fees, billed int64) {
			t.Helper()
			a := b.account(no)
			if a.Owed(line.Abroad, line.Retail) != try(purchases) || a.Owed(line.Abroad, line.Fee) != try(fees) || a.Billed(line.Abroad) != try(billed) {
				t.Errorf("%s: %s and fees of %s are owed, %s billed", what, a.Owed(line.Abroad, line.Retail), a.Owed(line.Abroad, line.Fee), a.Billed(line.Abroad))
			}
		}
		sofa, lamp := buy(100_00), buy(50_00)
		undo(lamp)
		owed("given back at once", 100_00, 3_00, 0)
		b.night(time.March, 15)
		buy(10_00)
		owed("in the next term", 110_00, 6_00, 103_00)
		undo(sofa) // of the last term: 100.00 and 3.00 pay what is billed, and the fee of this term stays
		owed("given back later", 10_00, 3_00, 0)
		b.night(time.April, 15)
		b.verify()
	})
}

// What is in credit pays for a purchase at once. Taken back, it is in credit again.
func TestReversal_ofWhatACreditBalancePaid(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBank(t, d)
		no, card := b.open("1000")
		b.pay(no, 30_00)
		r := b.Request(card, authorization.FinancialRequest, try(100_00))
		b.Chip(card, r)
		b.WithPIN(card, r, card.PIN)
		b.Authorize(r)
		if a := b.account(no); a.Posted != try(70_00) || a.Available() != try(930_00) || a.Points != 1 {
			t.Errorf("%s are owed, %s available, %d points", a.Posted, a.Available(), a.Points)
		}
		b.verify()
		b.Authorize(b.Reversal(card, r, authorization.ReversalRequest, nil))
		if a := b.account(no); a.Posted != try(-30_00) || a.Available() != try(1_030_00) || a.Points != 0 {
			t.Errorf("%s are owed, %s available, %d points", a.Posted, a.Available(), a.Points)
		}
		b.night(time.March, 15)
		b.verify()
	})
}
