package line

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/clock"
)

// ErrText says that a stored text is none of ours.
var ErrText = errors.New("not the text of a credit line")

// format is the version of the stored form, its first field.
const format = "1"

// Text is the stored form of what a line has come to, without terms and limit:
// fields divided by blanks, a date as YYYY-MM-DD or "-".
func (l *Line) Text() string {
	w := []string{format, dateText(l.Day), dateText(l.LastCut), dateText(l.Due)}
	n := func(all ...int64) {
		for _, v := range all {
			w = append(w, strconv.FormatInt(v, 10))
		}
	}
	n(l.credit, l.billed, int64(l.running), int64(l.inYear), int64(l.year))
	for r := range l.debts {
		d := &l.debts[r]
		n(d.places()...)
		w = append(w, d.accrued.String())
	}
	for _, m := range l.missed {
		w = append(w, dateText(m.due))
		n(m.left[:]...)
	}
	return strings.Join(w, " ")
}

// places are the numbers of a debt, in the order in which they are written.
func (d *debt) places() []int64 {
	return []int64{d.interest, d.oldFees, d.newFees, d.oldCash, d.newCash, d.revolving, d.fresh, d.unbilled, d.minimum, d.spent, d.cashToday}
}

func dateText(d clock.Date) string {
	if d.IsZero() {
		return "-"
	}
	return d.String()
}

// Clone is a line that goes on by itself.
func (l *Line) Clone() *Line {
	c := *l
	for r := range c.debts {
		c.debts[r].accrued = new(big.Int).Set(l.debts[r].accrued)
	}
	c.missed = slices.Clone(l.missed)
	return &c
}

// Parse reads what [Line.Text] wrote, for a line of these terms and this limit.
func Parse(text string, terms Terms, limit int64) (*Line, error) {
	f := fields{rest: strings.Split(text, " ")}
	l := &Line{Terms: terms, Limit: limit}
	if f.next() != format {
		return nil, fmt.Errorf("%w: of another version", ErrText)
	}
	l.Day, l.LastCut, l.Due = f.date(), f.date(), f.date()
	l.credit, l.billed = f.int(), f.int()
	l.running, l.inYear, l.year = int(f.int()), int(f.int()), int(f.int())
	for r := range l.debts {
		d := &l.debts[r]
		for _, place := range []*int64{
			&d.interest, &d.oldFees, &d.newFees, &d.oldCash, &d.newCash, &d.revolving, &d.fresh, &d.unbilled, &d.minimum, &d.spent, &d.cashToday,
		} {
			*place = f.int()
		}
		var ok bool
		if d.accrued, ok = new(big.Int).SetString(f.next(), 10); !ok {
			f.bad, d.accrued = true, new(big.Int)
		}
	}
	for len(f.rest) > 0 && !f.bad {
		m := missed{due: f.date()}
		for r := range m.left {
			m.left[r] = f.int()
		}
		l.missed = append(l.missed, m)
	}
	if f.bad || l.Day.IsZero() {
		return nil, ErrText
	}
	return l, nil
}

// fields are what of a text is still to be read.
type fields struct {
	rest []string
	bad  bool
}

func (f *fields) next() string {
	if len(f.rest) == 0 {
		f.bad = true
		return ""
	}
	first := f.rest[0]
	f.rest = f.rest[1:]
	return first
}

func (f *fields) int() int64 {
	n, err := strconv.ParseInt(f.next(), 10, 64)
	f.bad = f.bad || err != nil
	return n
}

func (f *fields) date() clock.Date {
	text := f.next()
	if text == "-" {
		return clock.Date{}
	}
	d, err := clock.ParseDate(text)
	f.bad = f.bad || err != nil
	return d
}
