package authorization_test

import (
	"slices"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Each filter alone and all together, on both engines.
func TestTransactions_filtersAndPages(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		card := w.NewCard("100.00")
		held, err := w.Issuing.Held(t.Context(), w.Caller, issuing.Holding{CardToken: card.Token})
		if err != nil || len(held.Cards) != 1 {
			t.Fatalf("got %v, %v", held, err)
		}
		var sent []*authorization.Request
		var ids []authorization.TransactionID
		for i, amount := range []int64{1000, 2000, 3000, 900_000} {
			r := w.Request(card, authorization.AuthorizationRequest, money.Must(amount, "TRY"))
			if i == 1 {
				r.MCC, r.TerminalID = "5812", "BAR_01%"
				r.EntryMode, r.ConditionCode, r.MerchantCountry = "812", "59", "DE"
			}
			if i == 2 {
				w.WithPIN(card, r, card.PIN)
			}
			sent = append(sent, r)
			ids = append(ids, w.Authorize(r).Transaction)
			w.Clock.Advance(time.Minute)
		}
		w.Authorize(w.Reversal(card, sent[0], authorization.ReversalRequest, nil))
		low, high := int64(1500), int64(3500)
		yes, no := true, false
		all := func(f authorization.TransactionFilter) authorization.TransactionFilter {
			f.Issuances, f.Cards, f.Take = held.Issuances, held.Cards, 10
			return f
		}
		for name, c := range map[string]struct {
			filter authorization.TransactionFilter
			want   []int // of ids, oldest first; -1 is the reversal
		}{
			"nothing selects":     {authorization.TransactionFilter{Take: 10, Statuses: []authorization.Status{"Approved"}}, nil},
			"no card":             {authorization.TransactionFilter{Take: 10, Issuances: []id.ID[issuing.Issuance]{}}, nil},
			"no card's reference": {authorization.TransactionFilter{Take: 10, RRN: sent[0].RRN, Issuances: []id.ID[issuing.Issuance]{}}, nil},
			"one":                 {authorization.TransactionFilter{Take: 10, ID: ids[2]}, []int{2}},
			"reference":           {authorization.TransactionFilter{Take: 10, RRN: sent[0].RRN}, []int{0, -1}},
			"network's reference": {authorization.TransactionFilter{Take: 10, NetworkTransactionID: "X"}, nil},
			"card":                {all(authorization.TransactionFilter{}), []int{0, 1, 2, 3, -1}},
			"status":              {all(authorization.TransactionFilter{Statuses: []authorization.Status{"Declined", "Reversed"}}), []int{0, 3}},
			"flow":                {all(authorization.TransactionFilter{Flows: []authorization.Flow{"ReversalRequest"}}), []int{-1}},
			"category":            {all(authorization.TransactionFilter{MCCs: []authorization.MCCRange{{From: "5800", To: "5899"}}}), []int{1}},
			"no category":         {all(authorization.TransactionFilter{ExceptMCCs: []authorization.MCCRange{{From: "5411", To: "5411"}}}), []int{1}},
			"terminal":            {all(authorization.TransactionFilter{TerminalIDs: []string{"BAR_0*", "NOWHERE"}}), []int{1}},
			"wildcards of SQL":    {all(authorization.TransactionFilter{TerminalIDs: []string{"BAR%*", "B_R_01%"}}), nil},
			"country":             {all(authorization.TransactionFilter{ExceptCountries: []string{"TR"}}), []int{1}},
			"domain":              {all(authorization.TransactionFilter{Domains: []authorization.Domain{authorization.International}}), []int{1}},
			"terminal's type":     {all(authorization.TransactionFilter{Terminals: []authorization.TerminalType{authorization.VirtualPOS, authorization.ATM}}), []int{1}},
			"presence":            {all(authorization.TransactionFilter{Presences: []authorization.CardholderPresence{authorization.Present}}), []int{0, 2, 3, -1}},
			"contactless":         {all(authorization.TransactionFilter{IsContactless: &yes, EntryModes: []string{"01"}}), nil},
			"not contactless":     {all(authorization.TransactionFilter{IsContactless: &no, EntryModes: []string{"81"}}), []int{1}},
			"with PIN":            {all(authorization.TransactionFilter{IsPINVerified: &yes}), []int{2}},
			"without PIN":         {all(authorization.TransactionFilter{IsPINVerified: &no}), []int{0, 1, 3, -1}},
			"amount":              {all(authorization.TransactionFilter{MinMinor: &low, MaxMinor: &high}), []int{1, 2}},
			"no decline":          {all(authorization.TransactionFilter{WithoutDeclined: true, Flows: []authorization.Flow{"AuthorizationRequest"}}), []int{0, 1, 2}},
			"time":                {all(authorization.TransactionFilter{From: authorizationtest.Start.Add(30 * time.Second), To: authorizationtest.Start.Add(2 * time.Minute)}), []int{1}},
			"everything": {all(authorization.TransactionFilter{
				From: authorizationtest.Start, To: w.Clock.Now().Add(time.Second), Statuses: []authorization.Status{"Approved"},
				Flows: []authorization.Flow{"AuthorizationRequest"}, Codes: []authorization.Code{"Purchase"}, Networks: []string{"Troy"},
				MCCs: []authorization.MCCRange{{From: "0000", To: "9999"}}, ExceptMCCs: []authorization.MCCRange{{From: "5812", To: "5812"}},
				Countries: []string{"TR", "DE"}, Currencies: []string{"TRY"}, MerchantIDs: []string{"SHOP*"}, TerminalIDs: []string{"TERM0001"},
				AcquirerIDs: []string{"7*"}, EntryModes: []string{"01"}, MinMinor: &low, OnlyFinancial: true,
				Domains: []authorization.Domain{authorization.Domestic}, Terminals: []authorization.TerminalType{authorization.POS},
				Presences: []authorization.CardholderPresence{authorization.Present}, IsContactless: &no, IsPINVerified: &yes,
			}), []int{2}},
		} {
			page, total, err := w.Queries.Transactions(t.Context(), w.Caller, c.filter)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			var got []int
			for _, x := range page {
				got = append(got, slices.Index(ids, x.ID))
			}
			slices.Reverse(got)
			if !slices.Equal(got, c.want) || total != len(c.want) {
				t.Errorf("%s: got %v of %d, want %v", name, got, total, c.want)
			}
		}
		f := all(authorization.TransactionFilter{Sort: []authorization.SortKey{{By: "billingAmount", Desc: true}, {By: "systemDate"}}})
		f.Skip, f.Take = 1, 2
		page, total, err := w.Queries.Transactions(t.Context(), w.Caller, f)
		if err != nil || total != 5 || len(page) != 2 || page[0].ID != ids[2] || page[1].ID != ids[1] {
			t.Errorf("the second and third by amount: got %v of %d, %v", page, total, err)
		}
		if page, _, _ := w.Queries.Transactions(t.Context(), access.Caller{}, all(authorization.TransactionFilter{})); len(page) != 0 {
			t.Error("another tenant sees the transactions")
		}
	})
}
