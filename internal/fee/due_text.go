package fee

import (
	"errors"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/ledger/line"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// The fees of a life cycle are one text, a line each: what each is on and what was
// charged of it, before its document. So a payment writes one row for its fees,
// however many they are.

// What the flags of a line say.
const (
	flagIsFree = 1 << iota
	flagWaits
	flagIsAbroad
)

var errDueText = errors.New("not the text of a fee")

// dueLines is the stored form of the fees of one life cycle, with what is owed of
// them and was not charged yet, in minor units with taxes, and whether some of
// that waits for its balance.
func dueLines(rows []*dueRow) (text string, pending int64, waits bool) {
	w := memberWriter{make([]byte, 0, 256*len(rows))}
	for _, r := range rows {
		r.write(&w)
		if more, err := r.Owed().minus(r.Due.Posted); err == nil && more.Sign() > 0 {
			pending += more.Minor()
			waits = waits || r.Waits
		}
	}
	return string(w.out), pending, waits
}

func (r *dueRow) write(w *memberWriter) {
	w.int(flagIf(r.IsFree, flagIsFree) | flagIf(r.Waits, flagWaits) | flagIf(r.region == line.Abroad, flagIsAbroad))
	for _, a := range [...]money.Amount{r.Moved, r.Kept, r.Refunded, r.Due.Posted.Fee} {
		w.int(a.Minor())
	}
	w.int(int64(len(r.Due.Posted.Taxes)))
	for _, t := range r.Due.Posted.Taxes {
		w.int(t.Amount.Minor())
	}
	w.int(int64(r.Entries))
	if r.Entry.IsZero() {
		w.text("")
		w.text("")
	} else {
		w.text(r.Entry.String())
		w.text(r.account.String())
	}
	w.text(bookedText(r.booked))
	w.out = append(append(w.out, r.Document()...), '\n')
}

// bookedText is the stored form of a date; zero is empty.
func bookedText(d clock.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

// parse reads what write wrote. An entry on another account than the fee is on now
// has no mirror there.
func (r *dueRow) parse(text string) (err error) {
	m := memberReader{rest: text}
	flags := m.int()
	moved, kept, refunded, charged := m.int(), m.int(), m.int(), m.int()
	var taxes []int64
	for range m.count() {
		taxes = append(taxes, m.int())
	}
	entries, entry, account, booked := m.int(), m.text(), m.text(), m.text()
	if m.bad {
		return errDueText
	}
	if r.Due, err = ParseDue(m.rest); err != nil {
		return err
	}
	if len(taxes) != len(r.Due.Posted.Taxes) {
		return errDueText
	}
	r.IsFree, r.Waits, r.Entries = flags&flagIsFree != 0, flags&flagWaits != 0, int(entries)
	if flags&flagIsAbroad != 0 {
		r.region = line.Abroad
	}
	if booked != "" {
		if r.booked, err = clock.ParseDate(booked); err != nil {
			return err
		}
	}
	if entry != "" && account == r.account.String() {
		if r.Entry, err = id.Parse[ledger.Entry](entry); err != nil {
			return err
		}
	}
	amount := func(to *money.Amount, minor int64) {
		a, failed := money.New(minor, r.Terms.Fixed.Currency())
		if *to = a; failed != nil {
			err = failed
		}
	}
	amount(&r.Moved, moved)
	amount(&r.Kept, kept)
	amount(&r.Refunded, refunded)
	amount(&r.Due.Posted.Fee, charged)
	for i, minor := range taxes {
		amount(&r.Due.Posted.Taxes[i].Amount, minor)
	}
	return err
}
