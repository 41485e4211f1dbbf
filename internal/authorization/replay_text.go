package authorization

import (
	"fmt"
	"strconv"
)

// String is the stored form of a difference.
func (d *Difference) String() string {
	c := codec{}
	d.visit(&c)
	return string(c.out)
}

func parseDifference(text string) (Difference, error) {
	var d Difference
	c, err := newReader(text)
	if err != nil {
		return d, fmt.Errorf("difference of a replay: %w", err)
	}
	d.visit(c)
	return d, c.err
}

func (d *Difference) visit(c *codec) {
	visitID(c, "transaction", &d.Transaction)
	c.time("at", &d.At)
	visitText(c, "token", &d.CardToken)
	visitID(c, "issuance", &d.Issuance)
	visitText(c, "flow", &d.Flow)
	visitText(c, "code", &d.Code)
	c.amount("asked", &d.Asked)
	visitText(c, "effect", &d.Effect)
	d.Was.visit(c, "was.")
	d.Is.visit(c, "is.")
	visitText(c, "detail", &d.Detail)
}

func (r *Ruling) visit(c *codec, at string) {
	c.bool(at+"approved", &r.Approved)
	visitText(c, at+"reason", &r.Reason)
	c.amount(at+"amount", &r.Amount)
	c.amount(at+"fees", &r.Fees)
	visitText(c, at+"check", &r.Check)
	visitText(c, at+"subject", &r.Subject)
	visitText(c, at+"detail", &r.Detail)
}

// String is the stored form of the totals.
func (t *ReplayTotals) String() string {
	c := codec{}
	t.visit(&c)
	return string(c.out)
}

func parseTotals(text string) (ReplayTotals, error) {
	t := ReplayTotals{Effects: map[Effect]int{}}
	c, err := newReader(text)
	if err != nil {
		return t, fmt.Errorf("totals of a replay: %w", err)
	}
	t.visit(c)
	return t, c.err
}

func (t *ReplayTotals) visit(c *codec) {
	c.count("decided", &t.Decided)
	c.count("same", &t.Same)
	for _, e := range Effects() {
		n := t.Effects[e]
		if c.count("effect."+string(e), &n); n > 0 {
			t.Effects[e] = n
		}
	}
	c.count("skipped", &t.Skipped)
	c.count("warmed_up", &t.WarmedUp)
	c.time("warm_from", &t.WarmFrom)
	n, m := len(t.Sums), len(t.Partial)
	c.count("sums", &n)
	c.count("partial", &m)
	if c.reading {
		t.Sums, t.Partial = make([]Sums, min(n, 1000)), make([]string, min(m, 1000))
	}
	for i := range t.Sums {
		at, s := "sums."+strconv.Itoa(i)+".", &t.Sums[i]
		c.amount(at+"approved", &s.Approved)
		c.amount(at+"approved_again", &s.ApprovedAgain)
		c.amount(at+"fees", &s.Fees)
		c.amount(at+"fees_again", &s.FeesAgain)
		c.count(at+"count", &s.ApprovedCount)
		c.count(at+"count_again", &s.ApprovedCountAgain)
		s.Currency = s.Approved.Currency()
	}
	for i := range t.Partial {
		visitText(c, "partial."+strconv.Itoa(i), &t.Partial[i])
	}
}
