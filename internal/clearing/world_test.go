package clearing_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/clearing"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// world is the authorization's world with a network that clears.
type world struct {
	*authorizationtest.World
	clearing *clearing.Service
	arns     int
	files    int
}

func newWorld(t testing.TB, d *db.DB) *world { return newWorldWith(t, d, authorization.Config{}) }

func newWorldWith(t testing.TB, d *db.DB, cfg authorization.Config) *world {
	w := &world{World: authorizationtest.NewWith(t, d, cfg)}
	w.clearing = clearing.New(d, w.Programs, w.Issuing,
		&authorization.Limits{Controls: w.Controls, Programs: w.Programs, Cards: w.Issuing}, w.Clock)
	return w
}

// payment is what a merchant knows of a payment: what it sent and was answered.
type payment struct {
	request *authorization.Request
	answer  authorization.Answer
}

// present is the record of a payment over amount, the only one and final.
func (w *world) present(p payment, amount money.Amount) clearing.Presentment {
	w.arns++
	r := p.request
	kind := clearing.Purchase
	if strings.HasPrefix(r.ProcessingCode, "01") {
		kind = clearing.Cash
	}
	return clearing.Presentment{
		Kind: kind, Function: clearing.FirstPresentment, PAN: r.Card.PAN, ARN: fmt.Sprintf("7%022d", w.arns), Transaction: amount,
		AuthorizationCode: p.answer.AuthorizationCode, RRN: r.RRN, STAN: r.STAN, AcquirerID: r.AcquirerID,
		TerminalID: r.TerminalID, CardAcceptorID: r.CardAcceptorID, MerchantName: r.MerchantName, MerchantCity: r.MerchantCity,
		MCC: r.MCC, LocalTime: r.TransmittedAt, EntryMode: r.EntryMode, Sequence: 1, Count: 1, Final: true,
	}
}

// file is a clearing file in memory.
type file struct {
	clearing.File
	records []clearing.Presentment
	broken  error // found at the end of the file
}

// deliver makes a file of records, as a network would.
func (w *world) deliver(records ...clearing.Presentment) *file {
	w.files++
	f := &file{records: records}
	f.Network, f.Name, f.Count = "troy", fmt.Sprintf("FILE.%d", w.files), len(records)
	f.BusinessOn = clock.DateOf(w.Clock.Now(), w.Clock.Now().Location())
	for i := range f.records {
		r := &f.records[i]
		r.Line = i + 2
		k := slices.IndexFunc(f.Totals, func(t clearing.Total) bool { return t.Currency == r.Transaction.Currency() })
		if k < 0 {
			f.Totals = append(f.Totals, clearing.Total{Currency: r.Transaction.Currency()})
			k = len(f.Totals) - 1
		}
		if (r.Kind == clearing.Refund) == r.Reversal {
			f.Totals[k].Debit += r.Transaction.Minor()
		} else {
			f.Totals[k].Credit += r.Transaction.Minor()
		}
	}
	f.Hash = sha256.Sum256(fmt.Appendf(nil, "%d", w.files))
	return f
}

// Read implements clearing.Source.
func (f *file) Read(each func(*clearing.Presentment) error) (clearing.File, error) {
	for i := range f.records {
		p := f.records[i]
		if err := each(&p); err != nil {
			return clearing.File{}, err
		}
	}
	return f.File, f.broken
}

func (w *world) mustImport(f *file) clearing.Summary {
	w.T.Helper()
	sum, err := w.clearing.Import(w.T.Context(), f, clearing.Options{})
	if err != nil {
		w.T.Fatal(err)
	}
	return sum
}

// fate is what became of a record, as it is stored.
type fate struct {
	line                int
	status, rule        string
	posted              bool
	causes              []string
	transaction, origin authorization.TransactionID
}

func (w *world) fates(f clearing.FileID) []fate {
	w.T.Helper()
	var all []fate
	err := w.DB.View(w.T.Context(), func(tx db.Tx) (err error) {
		all, err = db.Collect(w.T.Context(), tx, func(s db.Scanner) (x fate, err error) {
			return x, s.Scan(&x.line, &x.status, &x.rule, &x.posted, &x.transaction, &x.origin)
		}, `SELECT line, match_status, matched_rule, is_posted, transaction_id, original_id FROM clearing_record
			WHERE file_id = $1 ORDER BY line`, f)
		return err
	})
	if err != nil {
		w.T.Fatal(err)
	}
	exceptions, _, err := w.clearing.Exceptions(w.T.Context(), w.Caller, 0, 1000)
	if err != nil {
		w.T.Fatal(err)
	}
	for _, x := range exceptions {
		for i := range all {
			if x.File == f && x.Line == all[i].line {
				if x.Account.IsZero() != (x.Cause == clearing.UnknownCard) && x.Cause != clearing.DuplicateRecord {
					w.T.Errorf("the exception %s names account %s", x.Cause, x.Account)
				}
				all[i].causes = append(all[i].causes, string(x.Cause))
			}
		}
	}
	for i := range all {
		slices.Sort(all[i].causes)
	}
	return all
}

// verify fails the test unless every invariant of ledger, decisions and
// clearing holds.
func (w *world) verify() {
	w.T.Helper()
	w.Verify()
	all, err := w.clearing.Verify(w.T.Context())
	if err != nil {
		w.T.Fatal(err)
	}
	for _, v := range all {
		if v.Broken > 0 {
			w.T.Errorf("invariant broken: %s: %d of %d, such as %v", v.Name, v.Broken, v.Checked, v.Examples)
		}
	}
}

// everything is all money and clearing in the database, for showing that
// nothing changed.
func (w *world) everything() string {
	w.T.Helper()
	var out []string
	err := w.DB.View(w.T.Context(), func(tx db.Tx) error {
		for _, query := range []string{
			"SELECT id || ' ' || posted || ' ' || held FROM account WHERE keeps_balance ORDER BY id",
			"SELECT entry_id || ' ' || account_id FROM posting ORDER BY entry_id, line", "SELECT id FROM entry ORDER BY id",
			"SELECT id || ' ' || cleared || ' ' || released FROM hold ORDER BY id",
			"SELECT id || ' ' || status || ' ' || cleared_amount || ' ' || refunded_amount FROM card_transaction ORDER BY id",
			"SELECT id FROM clearing_file ORDER BY id", "SELECT duplicate_key FROM clearing_record ORDER BY duplicate_key",
			"SELECT id FROM clearing_exception ORDER BY id", "SELECT file_id FROM clearing_total ORDER BY file_id",
		} {
			rows, err := db.Collect(w.T.Context(), tx, func(s db.Scanner) (text string, err error) { return text, s.Scan(&text) }, query)
			if err != nil {
				return err
			}
			out = append(out, rows...)
		}
		return nil
	})
	if err != nil {
		w.T.Fatal(err)
	}
	text, _ := json.Marshal(out)
	return string(text)
}

var errBroken = errors.New("the trailer does not agree")

// transaction reads a transaction as it is stored.
func (w *world) transaction(t authorization.TransactionID) authorization.Transaction {
	w.T.Helper()
	x, err := w.Queries.Explain(context.WithoutCancel(w.T.Context()), w.Caller, t)
	if err != nil {
		w.T.Fatal(err)
	}
	return x.Transaction
}
