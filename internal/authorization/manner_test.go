package authorization_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Each filter by the manner of a payment finds those that say so of themselves,
// and its opposite all others.
func TestTransactions_filtersByManner(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		w.AllowInstalments(true)
		card := w.NewCard("100.00")
		held, err := w.Issuing.Held(t.Context(), w.Caller, issuing.Holding{CardToken: card.Token})
		if err != nil {
			t.Fatal(err)
		}
		manners := []authorization.Manner{{}}
		for _, s := range []authorization.StoredCard{"Recurring", "Unscheduled", "Cardholder", "FurtherInstalment"} {
			manners = append(manners, authorization.Manner{StoredCard: s})
		}
		manners = append(manners, authorization.Manner{IsTokenised: true, Wallet: "PAY"}, authorization.Manner{Wallet: "PAY"},
			authorization.Manner{InstalmentCount: 1}, authorization.Manner{InstalmentCount: 2}, authorization.Manner{InstalmentCount: 12, InstalmentNo: 3})
		for _, eci := range []string{"", "05", "06", "07", "212", "211", "25", "020", "502", "002"} {
			for _, has := range []bool{false, true} {
				manners = append(manners, authorization.Manner{ECI: eci, HasCAVV: has})
			}
		}
		ids := map[authorization.TransactionID]int{}
		for i, m := range manners {
			r := w.Request(card, authorization.AuthorizationRequest, money.Must(1, "TRY"))
			r.Manner = m
			ids[w.Authorize(r).Transaction] = i
		}
		yes, no := true, false
		for name, c := range map[string]struct {
			is     func(m *authorization.Manner) bool
			filter func(f *authorization.TransactionFilter, want *bool)
		}{
			"recurring":     {(*authorization.Manner).IsRecurring, func(f *authorization.TransactionFilter, b *bool) { f.IsRecurring = b }},
			"tokenised":     {func(m *authorization.Manner) bool { return m.IsTokenised }, func(f *authorization.TransactionFilter, b *bool) { f.IsTokenised = b }},
			"instalment":    {(*authorization.Manner).IsInstalment, func(f *authorization.TransactionFilter, b *bool) { f.IsInstalment = b }},
			"authenticated": {(*authorization.Manner).Is3DSAuthenticated, func(f *authorization.TransactionFilter, b *bool) { f.Is3DSAuthenticated = b }},
		} {
			for _, choice := range []*bool{&yes, &no} {
				f := authorization.TransactionFilter{Issuances: held.Issuances, Cards: held.Cards, Take: 100}
				c.filter(&f, choice)
				page, total, err := w.Queries.Transactions(t.Context(), w.Caller, f)
				if err != nil || total != len(page) {
					t.Fatalf("%s: %d of %d, %v", name, len(page), total, err)
				}
				var got, want []int
				for _, x := range page {
					if x.Message.Manner != manners[ids[x.ID]] {
						t.Errorf("%+v is kept as %+v", manners[ids[x.ID]], x.Message.Manner)
					}
					got = append(got, ids[x.ID])
				}
				for i := range manners {
					if c.is(&manners[i]) == *choice {
						want = append(want, i)
					}
				}
				slices.Sort(got)
				if len(want) == 0 || !slices.Equal(got, want) {
					t.Errorf("%s %v: got %v, want %v", name, *choice, got, want)
				}
			}
		}
		w.Verify()
	})
}

// A sale in instalments is one by its code, too, and counts as a purchase.
func TestTransactions_aSaleInInstalmentsIsAPurchase(t *testing.T) {
	w := authorizationtest.New(t, dbtest.SQLite(t))
	w.AllowInstalments(true)
	card := w.NewCard("100.00")
	for _, parts := range []int{0, 1, 6} {
		r := w.Request(card, authorization.AuthorizationRequest, money.Must(1000, "TRY"))
		r.InstalmentCount = parts
		x, err := w.Queries.Explain(t.Context(), w.Caller, w.Authorize(r).Transaction)
		want := authorization.Purchase
		if parts == 6 {
			want = authorization.InstallmentSale
		}
		if err != nil || x.Transaction.Code != want || !x.Recomputed {
			t.Errorf("%d parts: %s, recomputed %v, %v", parts, x.Transaction.Code, x.Recomputed, err)
		}
	}
	sums, err := w.Queries.Statistics(t.Context(), w.Caller, card.Clear.Card.Issuance, authorizationtest.Start)
	if err != nil || sums.Purchases.Count != 3 {
		t.Errorf("%d purchases, %v", sums.Purchases.Count, err)
	}
	w.Verify()
}

func TestMCCGroups_holdEveryCategoryOnce(t *testing.T) {
	codes := authorization.MCCGroupCodes()
	for i, code := range codes {
		if slices.Contains(codes[:i], code) {
			t.Errorf("%s is there twice", code)
		}
		ranges, known := authorization.MCCGroupRanges(code)
		for _, r := range ranges {
			if len(r.From) != 4 || len(r.To) != 4 || r.From > r.To {
				t.Errorf("%s: %v", code, r)
			}
		}
		if !known || len(ranges) == 0 {
			t.Errorf("%s is empty", code)
		}
	}
	for n := 1; n < 10_000; n++ {
		mcc := fmt.Sprintf("%04d", n)
		if financial := n >= 6000 && n < 7000; authorization.MCCGroupOf(mcc) == "" && !financial {
			t.Errorf("%s is in no group", mcc)
		}
	}
	for mcc, want := range map[string]string{"5411": "GROCERIES", "7995": "GAMBLING", "6011": "CASH", "5541": "FUEL", "5812": "RESTAURANTS", "7299": "OTHER_STORES", "": "", "54": ""} {
		if got := authorization.MCCGroupOf(mcc); got != want {
			t.Errorf("%s: %s, want %s", mcc, got, want)
		}
	}
	if _, known := authorization.MCCGroupRanges("SHOPS"); known {
		t.Error("SHOPS is known")
	}
}
