package app

import (
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/credit"
	"github.com/sarraf-platform/sarraf/internal/credit/paper"
	"github.com/sarraf-platform/sarraf/internal/ledger/line"
	"github.com/sarraf-platform/sarraf/internal/locale"
)

// paperStyle is how a language writes figures and days.
type paperStyle struct{ group, point, day string }

var paperStyles = map[string]paperStyle{
	"tr": {".", ",", "02.01.2006"},
	"en": {",", ".", time.DateOnly},
}

// figure writes a decimal: 1234.50 is 1.234,50 in Turkish.
func (p paperStyle) figure(decimal string) string {
	digits, minus := strings.CutPrefix(decimal, "-")
	whole, fraction, hasFraction := strings.Cut(digits, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + p.group + whole[i:]
	}
	if hasFraction {
		whole += p.point + fraction
	}
	if minus {
		whole = "-" + whole
	}
	return whole
}

// statementWriter puts a statement into the words and figures of a language.
type statementWriter struct {
	credit.FullStatement
	paperStyle
	lang string
}

func (w statementWriter) word(key string) string {
	text, _ := locale.Text(w.lang, "statement."+key, nil)
	return text
}

func (w statementWriter) amount(minor int64) string {
	return w.figure(w.Account.Amount(minor).Decimal())
}

func (w statementWriter) points(tenths int64) string { return w.figure(credit.PointsText(tenths)) }

func (w statementWriter) date(d clock.Date) string { return d.In(time.UTC).Format(w.day) }

// statementPaper is a statement as a document for its customer, from a bank.
func statementPaper(s credit.FullStatement, bank, holder, lang string) paper.Document {
	w := statementWriter{s, paperStyles[lang], lang}
	a, number := s.Account, s.Name(s.Account.Number)
	currency := " " + a.Currency.Code()
	d := paper.Document{
		From: bank, Title: w.word("title"), Lang: lang, At: s.On.In(time.UTC), Foot: number,
		Facts: []paper.Fact{
			{Name: w.word("holder"), Value: holder}, {Name: w.word("number"), Value: number}, {Name: w.word("account"), Value: a.Number},
			{Name: w.word("period"), Value: w.date(s.Begins) + " – " + w.date(s.On)}, {Name: w.word("due"), Value: w.date(s.Due)},
			{Name: w.word("limit"), Value: w.amount(s.Limit) + currency}, {Name: w.word("debt"), Value: w.amount(s.Debt()) + currency},
			{Name: w.word("minimum"), Value: w.amount(s.Minimum()) + currency},
			{Name: w.word("points"), Value: w.points(s.Totals.Points) + " / " + w.points(s.PointsSoFar)},
		},
	}
	if a.BranchName != "" {
		branch := paper.Fact{Name: w.word("branch"), Value: strings.TrimSpace(a.BranchCode + " " + a.BranchName)}
		d.Facts = append(d.Facts[:3], append([]paper.Fact{branch}, d.Facts[3:]...)...)
	}
	d.Tables = []paper.Table{w.sums(), w.regions(), w.lines()}
	return d
}

// sums add up: what lessens the debt is below zero.
func (w statementWriter) sums() paper.Table {
	out := paper.Table{Title: w.word("sums"), Columns: []paper.Column{{Name: "", Share: 3}, {Name: w.Account.Currency.Code(), Share: 1, IsNumber: true}}}
	for _, row := range []struct {
		key   string
		minor int64
	}{
		{"opening", w.Opening}, {"purchases", w.Purchases}, {"cash", w.Cash}, {"fees", w.Fees}, {"interest", w.Interest}, {"taxes", w.Taxes},
		{"refunds", -w.Refunds}, {"payments", -w.Payments}, {"closing", w.Closing},
	} {
		out.Rows = append(out.Rows, []string{w.word(row.key), w.amount(row.minor)})
	}
	return out
}

func (w statementWriter) number(key string) paper.Column {
	return paper.Column{Name: w.word(key), Share: 1, IsNumber: true}
}

func (w statementWriter) regions() paper.Table {
	out := paper.Table{Title: w.word("regions"), Columns: []paper.Column{
		{Name: "", Share: 1}, w.number("debt"), w.number("minimum"), w.number("outstanding"), w.number("interest"), {Name: "KKDF", Share: 1, IsNumber: true},
		{Name: "BSMV", Share: 1, IsNumber: true},
	}}
	for _, r := range []line.Region{line.Domestic, line.Abroad} {
		of := w.Regions[r]
		out.Rows = append(out.Rows, []string{
			w.word("region." + r.String()), w.amount(of.Debt), w.amount(of.Minimum), w.amount(of.Outstanding), w.amount(of.Interest), w.amount(of.KKDF),
			w.amount(of.BSMV),
		})
	}
	return out
}

func (w statementWriter) lines() paper.Table {
	out := paper.Table{Title: w.word("lines"), Columns: []paper.Column{
		{Name: w.word("date"), Share: 1}, {Name: w.word("card"), Share: 1.7}, {Name: w.word("description"), Share: 3}, w.number("region.D"), w.number("region.A"),
		{Name: w.word("points"), Share: 0.7, IsNumber: true},
	}}
	for _, l := range w.Lines {
		card, says := "", l.Description
		if !l.Card.ID.IsZero() {
			card = l.Card.Masked()
		}
		if l.Kind == credit.LineInterest { // the books call it what they do in every language
			says = w.word("interest")
		}
		out.Rows = append(out.Rows, []string{w.date(l.On), card, says, w.amount(l.In(line.Domestic)), w.amount(l.In(line.Abroad)), w.points(l.Points)})
	}
	return out
}
