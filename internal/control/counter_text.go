package control

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
)

// The counters of a subject, and what a transaction has of them, are one text each:
// a line for a counter, blanks between its fields. So what a payment reads and
// writes does not grow with the number of its limits. No field holds a blank: names
// of counters are made of codes.

// errCounterText says that a stored text is none of ours.
var errCounterText = errors.New("not a line of a counter")

// counterText is the stored form of a subject's counters: name, start and end of
// the window (0 is never), amount, count, and when which control was last alerted,
// "CODE=microseconds".
func counterText(rows []*counterRow) string {
	slices.SortFunc(rows, func(a, b *counterRow) int {
		return cmp.Or(cmp.Compare(a.key.Counter, b.key.Counter), cmp.Compare(a.key.Start, b.key.Start))
	})
	b := make([]byte, 0, 80*len(rows))
	for _, r := range rows {
		b = append(b, r.key.Counter...)
		b = appendInts(b, r.key.Start, r.ends, r.used.amount, r.used.count)
		for _, code := range slices.Sorted(maps.Keys(r.alerts)) {
			b = append(append(append(b, ' '), code...), '=')
			b = strconv.AppendInt(b, r.alerts[code], 10)
		}
		b = append(b, '\n')
	}
	return string(b)
}

// parseCounters reads what counterText wrote for a subject.
func parseCounters(of subjectKey, text string, each func(*counterRow)) error {
	for line := range strings.Lines(text) {
		f := lineFields{rest: strings.TrimSuffix(line, "\n")}
		r := &counterRow{kept: true}
		r.key = CounterKey{Tenant: of.tenant, Subject: of.subject, Counter: f.text()}
		r.key.Start, r.ends, r.used.amount, r.used.count = f.int(), f.int(), f.int(), f.int()
		for f.rest != "" && !f.bad {
			code, at, _ := strings.Cut(f.text(), "=")
			n, err := strconv.ParseInt(at, 10, 64)
			if r.alerts == nil {
				r.alerts = map[string]int64{}
			}
			r.alerts[code], f.bad = n, err != nil
		}
		if f.bad {
			return fmt.Errorf("%w: %q", errCounterText, line)
		}
		each(r)
	}
	return nil
}

// What the flags of a usage's line say.
const (
	usageAdjusts = 1 << iota
	usageLowers
	usageIsSpan
	usageCountsFees
)

// usageText is the stored form of what a transaction has: name, start and end of
// the window (0 is never), what counts now, what was counted at first, of what that
// was in minor units of its account, what of it stands, and how it behaves; where
// fees count, what stands of those and their worth, see [Use].
func usageText(all []*counted) string {
	b := make([]byte, 0, 96*len(all))
	for _, r := range all {
		var ends int64
		if !r.Ends.IsZero() {
			ends = clock.Micros(r.Ends)
		}
		flags := flagIf(r.Adjusts, usageAdjusts) | flagIf(r.Lowers, usageLowers) | flagIf(r.IsSpan, usageIsSpan) |
			flagIf(r.CountsFees, usageCountsFees)
		b = append(b, r.Key.Counter...)
		b = appendInts(b, r.Key.Start, ends, r.used.amount, r.used.count, r.whole.amount, r.whole.count, r.Of, r.standing, flags)
		if r.CountsFees {
			b = appendInts(b, r.Fees, r.Par)
		}
		b = append(b, '\n')
	}
	return string(b)
}

func flagIf(set bool, flag int64) int64 {
	if set {
		return flag
	}
	return 0
}

// parseUsage reads what usageText wrote for a row.
func parseUsage(row *usageRow, text string) error {
	for line := range strings.Lines(text) {
		f := lineFields{rest: strings.TrimSuffix(line, "\n")}
		r := &counted{row: row}
		r.Cycle, r.Transaction, r.At = row.cycle, row.transaction, row.at
		r.Key = CounterKey{Tenant: row.subject.tenant, Subject: row.subject.subject, Counter: f.text()}
		r.Key.Start = f.int()
		if ends := f.int(); ends > 0 {
			r.Ends = clock.FromMicros(ends)
		}
		r.used.amount, r.used.count, r.whole.amount, r.whole.count = f.int(), f.int(), f.int(), f.int()
		r.Of, r.standing = f.int(), f.int()
		flags := f.int()
		if r.CountsFees = flags&usageCountsFees != 0; r.CountsFees {
			r.Fees, r.Par = f.int(), f.int()
		}
		if f.bad || f.rest != "" {
			return fmt.Errorf("%w: %q", errCounterText, line)
		}
		r.Adjusts, r.Lowers, r.IsSpan = flags&usageAdjusts != 0, flags&usageLowers != 0, flags&usageIsSpan != 0
		r.was = r.used
		row.all = append(row.all, r)
	}
	return nil
}

// hasEnded says whether the window of what was counted has ended.
func (r *counted) hasEnded(now time.Time) bool { return !r.Ends.IsZero() && !r.Ends.After(now) }

func appendInts(b []byte, all ...int64) []byte {
	for _, n := range all {
		b = strconv.AppendInt(append(b, ' '), n, 10)
	}
	return b
}

// lineFields are the fields of a line that are still to be read. What is missing,
// or no number, makes it bad.
type lineFields struct {
	rest string
	bad  bool
}

func (f *lineFields) text() string {
	field, rest, _ := strings.Cut(f.rest, " ")
	f.rest, f.bad = rest, f.bad || field == ""
	return field
}

func (f *lineFields) int() int64 {
	n, err := strconv.ParseInt(f.text(), 10, 64)
	f.bad = f.bad || err != nil
	return n
}
