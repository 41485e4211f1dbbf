package authorization

import (
	"context"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/list"
)

// transactionSorts names what lists can be sorted by, with the column behind
// it.
var transactionSorts = map[string]string{
	"transactionDate": "transmitted_at", "systemDate": "created_at", "transactionAmount": "transaction_amount",
	"billingAmount": "billing_amount", "status": "status", "flowCode": "flow", "transactionCode": "code",
	"merchantName": "merchant_name", "mcc": "mcc", "rrn": "rrn",
}

// TransactionSorts lists the names that SortKey.By may have.
func TransactionSorts() []string {
	names := make([]string, 0, len(transactionSorts))
	for n := range transactionSorts {
		names = append(names, n)
	}
	return names
}

// among adds "column IN (…)" unless there is nothing to compare with.
func among[T any](w *db.Where, column string, not bool, values []T) {
	if len(values) == 0 {
		return
	}
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	op := " IN ("
	if not {
		op = " NOT IN ("
	}
	w.And(column+op+strings.Repeat("?, ", len(values)-1)+"?)", args...)
}

// is adds a condition, or that it does not hold; nothing when that is open.
func is(w *db.Where, condition string, want *bool) {
	switch {
	case want == nil:
	case *want:
		w.And("(" + condition + ")")
	default:
		w.And("NOT (" + condition + ")")
	}
}

// ranges adds that an MCC is, or is not, in one of the ranges.
func ranges(w *db.Where, not bool, list []MCCRange) {
	if len(list) == 0 {
		return
	}
	var args []any
	for _, r := range list {
		args = append(args, r.From, r.To)
	}
	text := "(" + strings.Repeat("mcc BETWEEN ? AND ? OR ", len(list)-1) + "mcc BETWEEN ? AND ?)"
	if not {
		text = "NOT " + text
	}
	w.And(text, args...)
}

// patterns adds that a column is one of the values, of which those that end in
// "*" are prefixes. Prefixes are compared as they are, without wildcards of SQL.
func patterns(w *db.Where, column string, values []string) {
	var terms []string
	var args []any
	for _, v := range values {
		if prefix, ok := strings.CutSuffix(v, "*"); ok {
			terms, args = append(terms, "SUBSTR("+column+", 1, "+"?"+") = ?"), append(args, len([]rune(prefix)), prefix)
		} else {
			terms, args = append(terms, column+" = ?"), append(args, v)
		}
	}
	if len(terms) > 0 {
		w.And("("+strings.Join(terms, " OR ")+")", args...)
	}
}

func (f *TransactionFilter) where(tenant access.TenantID) *db.Where {
	w := &db.Where{}
	w.And("tenant_id = ?", tenant)
	if !f.ID.IsZero() {
		w.And("id = ?", f.ID)
	}
	if f.RRN != "" {
		w.And("rrn = ? AND rrn <> ''", f.RRN)
	}
	if f.NetworkTransactionID != "" {
		w.And("network_transaction_id = ? AND network_transaction_id <> ''", f.NetworkTransactionID)
	}
	among(w, "card_id", false, f.Cards)
	among(w, "issuance_id", false, f.Issuances)
	if !f.From.IsZero() {
		w.And("created_at >= ?", clock.Micros(f.From))
	}
	if !f.To.IsZero() {
		w.And("created_at < ?", clock.Micros(f.To))
	}
	among(w, "status", false, f.Statuses)
	among(w, "flow", false, f.Flows)
	among(w, "code", false, f.Codes)
	among(w, "card_network", false, f.Networks)
	ranges(w, false, f.MCCs)
	ranges(w, true, f.ExceptMCCs)
	ranges(w, false, f.MCCGroups)
	among(w, "merchant_country", false, f.Countries)
	among(w, "merchant_country", true, f.ExceptCountries)
	among(w, "transaction_currency", false, f.Currencies)
	patterns(w, "card_acceptor_id", f.MerchantIDs)
	patterns(w, "terminal_id", f.TerminalIDs)
	patterns(w, "acquirer_id", f.AcquirerIDs)
	among(w, "SUBSTR(pos_entry_mode, 1, 2)", false, f.EntryModes)
	among(w, "domain", false, f.Domains)
	among(w, "terminal_type", false, f.Terminals)
	among(w, "cardholder_presence", false, f.Presences)
	is(w, "SUBSTR(pos_entry_mode, 1, 2) IN ('07', '91')", f.IsContactless)
	is(w, "(pin_result = 'Match' OR cvm_method = 'OfflinePin')", f.IsPINVerified)
	is(w, "stored_card IN ('Recurring', 'FurtherInstalment')", f.IsRecurring)
	is(w, "is_tokenised", f.IsTokenised)
	is(w, "installment_count > 1", f.IsInstalment)
	is(w, "eci = '05' OR LENGTH(eci) = 3 AND SUBSTR(eci, 3, 1) = '2'", f.Is3DSAuthenticated)
	if f.MinMinor != nil {
		w.And("billing_amount >= ?", *f.MinMinor)
	}
	if f.MaxMinor != nil {
		w.And("billing_amount <= ?", *f.MaxMinor)
	}
	if f.OnlyFinancial || f.WithoutDeclined {
		among(w, "status", true, refusedStatuses[:])
	}
	if f.OnlyFinancial {
		among(w, "code", true, questionCodes[:])
	}
	return w
}

func listTransactions(ctx context.Context, tx db.Tx, tenant access.TenantID, f TransactionFilter) ([]ListedTransaction, int, error) {
	w := f.where(tenant)
	total, err := db.Count(ctx, tx, "SELECT 1 FROM card_transaction WHERE "+w.SQL(), w.Args()...)
	if err != nil {
		return nil, 0, err
	}
	p := f.page(total)
	if err := db.Orderable(p, total, "systemDate"); err != nil {
		return nil, 0, err
	}
	query := "SELECT " + transactionColumns + " FROM card_transaction WHERE " + w.SQL() +
		db.OrderBy(p, transactionSorts, "created_at DESC", "id DESC") + " LIMIT " + w.Bind(p.Limit) + " OFFSET " + w.Bind(p.Skip)
	found, err := db.Collect(ctx, tx, scanTransaction, query, w.Args()...)
	if err != nil {
		return nil, 0, err
	}
	page, err := withRelated(ctx, tx, found)
	if err == nil && f.WithFields {
		err = addFields(ctx, tx, page)
	}
	return page, total, err
}

// page is the part of the list that f wants. What is wanted in no order comes by
// the time its sender gave it, or by when it came where there is more of it than
// is ever sorted.
func (f *TransactionFilter) page(total int) list.Page {
	p := list.Page{Skip: f.Skip, Limit: f.Take}
	for _, k := range f.Sort {
		p.Sort = append(p.Sort, list.SortKey{Name: k.By, Descending: k.Desc})
	}
	if len(p.Sort) == 0 && total <= list.TotalMax {
		p.Sort = []list.SortKey{{Name: "transactionDate", Descending: true}}
	}
	return p
}

var relatedLookup = &db.Lookup{
	Head: "SELECT " + transactionColumns + " FROM card_transaction WHERE root_id IN ",
	Tail: " ORDER BY id",
}

// withRelated adds the life cycles and holds of a page's transactions.
func withRelated(ctx context.Context, tx db.Tx, found []*Transaction) ([]ListedTransaction, error) {
	var roots []TransactionID
	for _, t := range found {
		roots = append(roots, t.Root)
	}
	cycles := map[TransactionID][]*Transaction{}
	err := relatedLookup.Query(ctx, tx, nil, id.Texts(roots), func(s db.Scanner) error {
		t, err := scanTransaction(s)
		if err == nil {
			cycles[t.Root] = append(cycles[t.Root], t)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var holds []ledger.HoldID
	for _, t := range found {
		holds = append(holds, t.Hold)
	}
	held, err := ledger.ReadHolds(ctx, tx, holds)
	if err != nil {
		return nil, err
	}
	ids := make([]TransactionID, len(found))
	for i, t := range found {
		ids[i] = t.ID
	}
	if err := tellAwaited(ctx, tx, found, held); err != nil {
		return nil, err
	}
	slips, err := readSlips(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	page := make([]ListedTransaction, len(found))
	for i, t := range found {
		page[i].Transaction = *t
		page[i].Held, page[i].HasHold = held[t.Hold]
		page[i].Slip = slips[t.ID]
		for _, other := range cycles[t.Root] {
			if other.ID != t.ID {
				page[i].Related = append(page[i].Related, *other)
			}
		}
	}
	return page, nil
}

// addFields adds the fields of the messages to a page, from what was recorded
// with their decisions.
func addFields(ctx context.Context, tx db.Tx, page []ListedTransaction) error {
	ids := make([]TransactionID, len(page))
	for i := range page {
		ids[i] = page[i].ID
	}
	decisions, err := findDecisions(ctx, tx, ids)
	if err != nil {
		return err
	}
	for i := range page {
		d, decided := decisions[page[i].ID]
		if !decided {
			continue
		}
		if d.damage != nil {
			return d.damage
		}
		r, err := parseRecord(d.record)
		if err != nil {
			return err
		}
		page[i].Fields = messageFields(r)
	}
	return nil
}
