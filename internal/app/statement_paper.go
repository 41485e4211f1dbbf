package app

import (
	"time"

	"github.com/sarraf-platform/sarraf/internal/credit"
	"github.com/sarraf-platform/sarraf/internal/credit/paper"
	"github.com/sarraf-platform/sarraf/internal/locale"
)

// statementPaper is a statement as a document for its customer.
func statementPaper(s credit.FullStatement, lang string) paper.Document {
	word := func(key string) string {
		text, _ := locale.Text(lang, "statement."+key, nil)
		return text
	}
	shown := showStatement(s)
	t := shown.Totals
	d := paper.Document{
		Title: word("title"), Lang: lang, At: s.On.In(time.UTC), Foot: shown.StatementNo,
		Facts: []paper.Fact{
			{Name: word("number"), Value: shown.StatementNo}, {Name: word("account"), Value: shown.AccountNo},
			{Name: word("period"), Value: shown.PeriodFrom + " – " + shown.PeriodTo}, {Name: word("due"), Value: shown.DueDate},
			{Name: word("limit"), Value: shown.Limit + " " + shown.Currency}, {Name: word("debt"), Value: shown.TotalDebt + " " + shown.Currency},
			{Name: word("minimum"), Value: shown.MinimumPayment + " " + shown.Currency}, {Name: word("points"), Value: t.Points + " / " + t.PointsSoFar},
		},
	}
	sums := paper.Table{Title: word("sums"), Columns: []paper.Column{{Name: "", Share: 3}, {Name: shown.Currency, Share: 1, IsNumber: true}}}
	for _, row := range []struct{ key, value string }{
		{"opening", t.Opening}, {"purchases", t.Purchases}, {"cash", t.Cash}, {"fees", t.Fees}, {"interest", t.Interest}, {"taxes", t.Taxes},
		{"refunds", t.Refunds}, {"payments", t.Payments}, {"closing", t.Closing},
	} {
		sums.Rows = append(sums.Rows, []string{word(row.key), row.value})
	}
	number := func(key string) paper.Column { return paper.Column{Name: word(key), Share: 1, IsNumber: true} }
	regions := paper.Table{Title: word("regions"), Columns: []paper.Column{
		{Name: "", Share: 1}, number("debt"), number("minimum"), number("outstanding"), number("interest"), {Name: "KKDF", Share: 1, IsNumber: true},
		{Name: "BSMV", Share: 1, IsNumber: true},
	}}
	for _, r := range shown.Regions {
		regions.Rows = append(regions.Rows, []string{word("region." + r.Region), r.Debt, r.Minimum, r.Outstanding, r.Interest, r.KKDF, r.BSMV})
	}
	lines := paper.Table{Title: word("lines"), Columns: []paper.Column{
		{Name: word("date"), Share: 1}, {Name: word("card"), Share: 1.7}, {Name: word("description"), Share: 3}, number("region.D"), number("region.A"),
		{Name: word("points"), Share: 0.7, IsNumber: true},
	}}
	for _, l := range shown.Lines {
		lines.Rows = append(lines.Rows, []string{l.Date, l.Card, l.Description, l.Domestic, l.Abroad, l.Points})
	}
	d.Tables = []paper.Table{sums, regions, lines}
	return d
}
