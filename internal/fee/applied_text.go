package fee

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// An applied fee is stored as its members, each with a tab after it: those that are
// zero or absent are empty. Members are only added at the end. It is written for
// every fee of every payment, twice.

// appliedMark begins the text; what begins otherwise is JSON.
const appliedMark = "1"

// What the flags of an applied fee say.
const (
	flagOnDeclined = 1 << iota
	flagOnReversal
	flagOnRefund
	flagStandsAlone
	flagFree
)

var errAppliedText = errors.New("not the text of an applied fee")

func (d *appliedDocument) text() string {
	w := memberWriter{make([]byte, 0, 160)}
	w.text(appliedMark)
	for _, t := range [...]string{d.Code, d.Name, d.Group, d.Link, d.Type, d.Base, d.Timing, d.Currency, d.Calculation} {
		w.text(t)
	}
	w.int(int64(d.Version))
	w.int(flagIf(d.OnDeclined, flagOnDeclined) | flagIf(d.OnReversal, flagOnReversal) | flagIf(d.OnRefund, flagOnRefund) |
		flagIf(d.StandsAlone, flagStandsAlone) | flagIf(d.Free != nil, flagFree))
	w.int(d.Fixed)
	w.int(d.Rate)
	for _, n := range [...]*int64{d.Min, d.Max, d.Most} {
		w.optional(n)
	}
	if f := d.Free; f != nil {
		w.int(int64(f.Count))
		w.optional(f.Amount)
		w.text(f.Period)
	}
	w.int(int64(len(d.Tiers)))
	for _, t := range d.Tiers {
		w.int(t.From)
		w.optional(t.To)
		w.int(t.Rate)
		w.int(t.Fixed)
	}
	w.int(int64(len(d.Taxes)))
	for _, t := range d.Taxes {
		w.text(t.Type)
		w.int(t.Rate)
		w.int(flagIf(t.IsIncluded, 1))
	}
	return string(w.out)
}

func parseApplied(text string) (d appliedDocument, err error) {
	rest, isText := strings.CutPrefix(text, appliedMark+"\t")
	if !isText {
		err = json.Unmarshal([]byte(text), &d)
		return d, err
	}
	r := memberReader{rest: rest}
	for _, t := range [...]*string{&d.Code, &d.Name, &d.Group, &d.Link, &d.Type, &d.Base, &d.Timing, &d.Currency, &d.Calculation} {
		*t = r.text()
	}
	d.Version = int(r.int())
	flags := r.int()
	d.OnDeclined, d.OnReversal, d.OnRefund = flags&flagOnDeclined != 0, flags&flagOnReversal != 0, flags&flagOnRefund != 0
	d.StandsAlone = flags&flagStandsAlone != 0
	d.Fixed, d.Rate = r.int(), r.int()
	d.Min, d.Max, d.Most = r.optional(), r.optional(), r.optional()
	if flags&flagFree != 0 {
		d.Free = &appliedFree{Count: int(r.int()), Amount: r.optional(), Period: r.text()}
	}
	for range r.count() {
		d.Tiers = append(d.Tiers, appliedTier{From: r.int(), To: r.optional(), Rate: r.int(), Fixed: r.int()})
	}
	for range r.count() {
		d.Taxes = append(d.Taxes, appliedTax{Type: r.text(), Rate: r.int(), IsIncluded: r.int() != 0})
	}
	if r.bad || r.rest != "" {
		return d, errAppliedText
	}
	return d, nil
}

func flagIf(set bool, flag int64) int64 {
	if set {
		return flag
	}
	return 0
}

// memberWriter writes members with tabs after them.
type memberWriter struct{ out []byte }

var (
	memberEscapes   = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`)
	memberUnescapes = strings.NewReplacer(`\\`, `\`, `\t`, "\t", `\n`, "\n")
)

func (w *memberWriter) text(s string) {
	if strings.ContainsAny(s, "\\\t\n") {
		s = memberEscapes.Replace(s)
	}
	w.out = append(append(w.out, s...), '\t')
}

func (w *memberWriter) int(n int64) {
	if n != 0 {
		w.out = strconv.AppendInt(w.out, n, 10)
	}
	w.out = append(w.out, '\t')
}

func (w *memberWriter) optional(n *int64) {
	if n != nil {
		w.out = strconv.AppendInt(w.out, *n, 10)
	}
	w.out = append(w.out, '\t')
}

// memberReader reads what memberWriter wrote. What is no number makes it bad.
type memberReader struct {
	rest string
	bad  bool
}

func (r *memberReader) text() string {
	var s string
	s, r.rest, _ = strings.Cut(r.rest, "\t")
	if strings.Contains(s, `\`) {
		s = memberUnescapes.Replace(s)
	}
	return s
}

func (r *memberReader) int() int64 {
	if n := r.optional(); n != nil {
		return *n
	}
	return 0
}

func (r *memberReader) optional() *int64 {
	s := r.text()
	if s == "" {
		return nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	r.bad = r.bad || err != nil
	return &n
}

// count is how many rows follow, no more than there is text for.
func (r *memberReader) count() int64 {
	n := r.int()
	if n < 0 || n > int64(len(r.rest)) {
		r.bad = true
		return 0
	}
	return n
}
