package app

import (
	"slices"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/credit"
	"github.com/sarraf-platform/sarraf/internal/credit/paper"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

func TestPaperStyle_figure(t *testing.T) {
	for decimal, want := range map[string]string{
		"0.00": "0,00", "999.50": "999,50", "1234.56": "1.234,56", "-1234567.80": "-1.234.567,80", "-5": "-5", "1000": "1.000", "123456": "123.456", "6.8": "6,8",
	} {
		if got := paperStyles["tr"].figure(decimal); got != want {
			t.Errorf("%s is written %s, want %s", decimal, got, want)
		}
	}
	if got := paperStyles["en"].figure("-1234.56"); got != "-1,234.56" {
		t.Errorf("in English: %s", got)
	}
}

// A customer reads whose statement it is and from which bank, in the figures and days
// of the language, and sums that add up as they stand.
func TestStatementPaper_speaksToItsCustomer(t *testing.T) {
	var s credit.FullStatement
	s.Begins, s.On, s.Due = clock.Date{Year: 2031, Month: 2, Day: 15}, clock.Date{Year: 2031, Month: 3, Day: 14}, clock.Date{Year: 2031, Month: 3, Day: 24}
	s.Account = credit.Account{Account: ledger.Account{Number: "4711", Currency: money.MustCurrency("TRY")}, Facts: credit.Facts{BranchCode: "0147", BranchName: "Merkez"}}
	s.Limit = 25_000_00
	s.Opening, s.Purchases, s.Payments, s.Closing = 310_00, 6_000_00, 1_234_50, 5_075_50
	s.Lines = []credit.Line{{On: s.On, Kind: credit.LineInterest, Description: "Interest", Minor: 100}}
	for lang, want := range map[string]struct{ title, limit, due, payments, interest string }{
		"tr": {"Kredi kartı hesap özeti", "25.000,00 TRY", "24.03.2031", "-1.234,50", "Faiz"},
		"en": {"Credit card statement", "25,000.00 TRY", "2031-03-24", "-1,234.50", "Interest"},
	} {
		d := statementPaper(s, "Our Bank", "Deniz Kaya", lang)
		value := func(name string) string {
			i := slices.IndexFunc(d.Facts, func(f paper.Fact) bool { return f.Name == (statementWriter{lang: lang}).word(name) })
			if i < 0 {
				return "nothing"
			}
			return d.Facts[i].Value
		}
		if d.From != "Our Bank" || d.Title != want.title || value("holder") != "Deniz Kaya" || value("branch") != "0147 Merkez" ||
			value("limit") != want.limit || value("due") != want.due {
			t.Errorf("%s: %+v", lang, d)
		}
		sums, lines := d.Tables[0].Rows, d.Tables[2].Rows
		if sums[7][1] != want.payments || lines[0][2] != want.interest {
			t.Errorf("%s: %v, %v", lang, sums, lines)
		}
	}
}
