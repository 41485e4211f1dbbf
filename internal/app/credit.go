package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/credit"
	"github.com/sarraf-platform/sarraf/internal/credit/paper"
	"github.com/sarraf-platform/sarraf/internal/ledger/line"
)

// termsMax bounds the file of the terms of credit accounts.
const termsMax = 64 << 10

// SetCreditTerms defines what the credit accounts of a product go by, as a file says
// ("-" is standard input); without one, by the usual terms.
func SetCreditTerms(ctx context.Context, c config.Config, log *slog.Logger, stdin io.Reader, w io.Writer, tenant, product, path string) error {
	text := line.DefaultTerms().Text()
	if path != "" {
		read, err := readTerms(stdin, path)
		if err != nil {
			return err
		}
		text = read
	}
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		if err := k.Credits.SetTerms(ctx, caller, product, text); err != nil {
			return err
		}
		return k.showTerms(ctx, w, caller, product)
	})
}

func readTerms(stdin io.Reader, path string) (string, error) {
	src := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return "", fmt.Errorf("open terms: %w", err)
		}
		defer f.Close()
		src = f
	}
	text, err := io.ReadAll(io.LimitReader(src, termsMax))
	if err != nil {
		return "", fmt.Errorf("read terms: %w", err)
	}
	return string(text), nil
}

// ShowCreditTerms prints what the credit accounts of a product go by.
func ShowCreditTerms(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant, product string) error {
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		return k.showTerms(ctx, w, caller, product)
	})
}

func (k *Core) showTerms(ctx context.Context, w io.Writer, caller access.Caller, product string) error {
	text, err := k.Credits.Terms(ctx, caller, product)
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	return err
}

// shownCredit is a credit account as it is printed. Amounts are decimals.
type shownCredit struct {
	AccountNo         string         `json:"accountNo"`
	CustomerNo        string         `json:"customerNo"`
	ProductCode       string         `json:"productCode"`
	BranchCode        string         `json:"branchCode"`
	BranchName        string         `json:"branchName"`
	Currency          string         `json:"currency"`
	Limit             string         `json:"limit"`
	Debt              string         `json:"debt"` // below zero where it is in credit
	Held              string         `json:"held"`
	Remaining         string         `json:"remainingLimit"`
	CashLimit         string         `json:"cashLimit"`
	RemainingCash     string         `json:"remainingCashLimit"`
	Regions           []shownRegion  `json:"regions"`
	Points            string         `json:"points"`
	Delinquency       string         `json:"delinquency"`
	NextStatementDate string         `json:"nextStatementDate"`
	NextDueDate       string         `json:"nextDueDate"`
	LastStatement     *shownOverview `json:"lastStatement,omitempty"`
}

// shownRegion is what is owed of a region, and what of that is billed and due.
type shownRegion struct {
	Region    string `json:"region"`
	Purchases string `json:"purchases"`
	Cash      string `json:"cash"`
	Fees      string `json:"fees"`
	Interest  string `json:"interest"`
	Billed    string `json:"billed"`
	Minimum   string `json:"minimumPayment"`
}

// shownOverview is a statement in a list.
type shownOverview struct {
	StatementNo    string `json:"statementNo"`
	Date           string `json:"date"`
	DueDate        string `json:"dueDate"`
	TotalDebt      string `json:"totalDebt"`
	MinimumPayment string `json:"minimumPayment"`
}

func showOverview(a credit.Account, s credit.Statement) shownOverview {
	return shownOverview{s.Name(a.Number), s.On.String(), s.Due.String(), a.Amount(s.Debt()).Decimal(), a.Amount(s.Minimum()).Decimal()}
}

func showCredit(a credit.Account) shownCredit {
	out := shownCredit{
		AccountNo: a.Number, CustomerNo: a.CustomerNo, ProductCode: a.ProductCode, BranchCode: a.BranchCode, BranchName: a.BranchName,
		Currency: a.Currency.Code(), Limit: a.Limit().Decimal(), Debt: a.Posted.Decimal(), Held: a.Held.Decimal(), Remaining: a.Available().Decimal(),
		CashLimit: a.CashLimit().Decimal(), RemainingCash: a.AvailableCash().Decimal(), Points: credit.PointsText(a.Points),
		Delinquency: string(a.Standing), NextStatementDate: a.NextCut.String(), NextDueDate: a.NextDue.String(),
	}
	for _, r := range []line.Region{line.Domestic, line.Abroad} {
		owed := func(k line.Kind) string { return a.Owed(r, k).Decimal() }
		out.Regions = append(out.Regions, shownRegion{
			r.String(), owed(line.Retail), owed(line.Cash), owed(line.Fee), owed(line.Interest), a.Billed(r).Decimal(), a.Minimum(r).Decimal(),
		})
	}
	if a.Last != nil {
		out.LastStatement = new(showOverview(a, *a.Last))
	}
	return out
}

func (c shownCredit) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return PrintJSON(w, c)
	}
	_, err := fmt.Fprintf(w, "account     %s of customer %s, product %s\nlimit       %s %s, remaining %s\ncash        %s, remaining %s\ndebt        %s, held %s\n",
		c.AccountNo, c.CustomerNo, c.ProductCode, c.Limit, c.Currency, c.Remaining, c.CashLimit, c.RemainingCash, c.Debt, c.Held)
	if err != nil {
		return err
	}
	for _, r := range c.Regions {
		_, err := fmt.Fprintf(w, "region %s    purchases %s, cash %s, fees %s, interest %s; billed %s, minimum %s\n",
			r.Region, r.Purchases, r.Cash, r.Fees, r.Interest, r.Billed, r.Minimum)
		if err != nil {
			return err
		}
	}
	last := "none"
	if c.LastStatement != nil {
		last = c.LastStatement.text()
	}
	_, err = fmt.Fprintf(w, "points      %s\ndelinquency %s\nstatement   %s; next on %s, due %s\n", c.Points, c.Delinquency, last, c.NextStatementDate, c.NextDueDate)
	return err
}

func (s shownOverview) text() string {
	return fmt.Sprintf("%s of %s: %s, at least %s by %s", s.StatementNo, s.Date, s.TotalDebt, s.MinimumPayment, s.DueDate)
}

// NewCredit says which credit account to open, CreditShare what a card may take of one.
type (
	NewCredit   = credit.NewAccount
	CreditShare = credit.Share
)

// OpenCredit opens a credit account for a customer and prints it.
func OpenCredit(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant string, in NewCredit, asJSON bool) error {
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		a, err := k.Credits.Open(ctx, caller, in)
		if err != nil {
			return err
		}
		return showCredit(a).print(w, asJSON)
	})
}

// ShowCredit prints a credit account.
func ShowCredit(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant, accountNo string, asJSON bool) error {
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		a, err := k.Credits.Account(ctx, caller, accountNo)
		if err != nil {
			return err
		}
		return showCredit(a).print(w, asJSON)
	})
}

// SetCreditLimit gives a credit account another limit and prints it.
func SetCreditLimit(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant, accountNo, limit string, asJSON bool) error {
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		a, err := k.Credits.SetLimit(ctx, caller, accountNo, limit)
		if err != nil {
			return err
		}
		return showCredit(a).print(w, asJSON)
	})
}

// ShareCredit limits what a card may take of the credit account it shares.
func ShareCredit(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant, cardToken string, in CreditShare) error {
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		if err := k.Credits.SetShare(ctx, caller, cardToken, in); err != nil {
			return err
		}
		told := "the whole limit"
		if in.Limit != "" {
			told = in.Limit
		}
		if in.Next != "" {
			told += ", after the next statement " + in.Next
		}
		_, err := fmt.Fprintf(w, "card %s may spend %s\n", cardToken, told)
		return err
	})
}

// ListStatements prints the statements of a credit account, the newest first.
func ListStatements(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant, accountNo string, asJSON bool) error {
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		a, err := k.Credits.Account(ctx, caller, accountNo)
		if err != nil {
			return err
		}
		all, err := k.Credits.Statements(ctx, caller, accountNo)
		if err != nil {
			return err
		}
		shown := make([]shownOverview, len(all))
		for i, s := range all {
			shown[i] = showOverview(a, s)
		}
		return printPage(w, shown, len(shown), asJSON, shownOverview.text)
	})
}

// shownStatement is a statement as it is printed. Amounts are decimals; of a line,
// below zero where less is owed after it.
type shownStatement struct {
	shownOverview
	AccountNo  string            `json:"accountNo"`
	CustomerNo string            `json:"customerNo"`
	Currency   string            `json:"currency"`
	PeriodFrom string            `json:"periodFrom"`
	PeriodTo   string            `json:"periodTo"`
	Limit      string            `json:"limit"`
	Totals     shownTotals       `json:"totals"`
	Regions    []shownTermRegion `json:"regions"`
	Lines      []shownLine       `json:"lines"`
	EntryHash  string            `json:"entryHash"`
}

type shownTotals struct {
	Opening     string `json:"opening"`
	Purchases   string `json:"purchases"`
	Cash        string `json:"cash"`
	Fees        string `json:"fees"`
	Interest    string `json:"interest"`
	Taxes       string `json:"taxes"`
	Refunds     string `json:"refunds"`
	Payments    string `json:"payments"`
	Closing     string `json:"closing"`
	Points      string `json:"points"`
	PointsSoFar string `json:"pointsSoFar"`
}

type shownTermRegion struct {
	Region      string `json:"region"`
	Debt        string `json:"debt"`
	Minimum     string `json:"minimumPayment"`
	Outstanding string `json:"outstanding"`
	Interest    string `json:"interest"`
	KKDF        string `json:"kkdf"`
	BSMV        string `json:"bsmv"`
}

type shownLine struct {
	Date        string `json:"date"`
	Kind        string `json:"kind"`
	Card        string `json:"card,omitempty"`
	Name        string `json:"name,omitempty"`
	Description string `json:"description"`
	Domestic    string `json:"amountDomestic"`
	Abroad      string `json:"amountAbroad"`
	Points      string `json:"points"`
}

func showStatement(s credit.FullStatement) shownStatement {
	a, t := s.Account, s.Totals
	text := func(minor int64) string { return a.Amount(minor).Decimal() }
	out := shownStatement{
		shownOverview: showOverview(a, s.Statement), AccountNo: a.Number, CustomerNo: a.CustomerNo, Currency: a.Currency.Code(),
		PeriodFrom: s.Begins.String(), PeriodTo: s.On.String(), Limit: text(s.Limit), EntryHash: s.Hash, Lines: []shownLine{},
		Totals: shownTotals{text(t.Opening), text(t.Purchases), text(t.Cash), text(t.Fees), text(t.Interest), text(t.Taxes), text(t.Refunds),
			text(t.Payments), text(t.Closing), credit.PointsText(t.Points), credit.PointsText(t.PointsSoFar)},
	}
	for _, r := range []line.Region{line.Domestic, line.Abroad} {
		of := s.Regions[r]
		out.Regions = append(out.Regions, shownTermRegion{
			r.String(), text(of.Debt), text(of.Minimum), text(of.Outstanding), text(of.Interest), text(of.KKDF), text(of.BSMV),
		})
	}
	for _, l := range s.Lines {
		shown := shownLine{Date: l.On.String(), Kind: string(l.Kind), Description: l.Description, Domestic: text(l.In(line.Domestic)),
			Abroad: text(l.In(line.Abroad)), Points: credit.PointsText(l.Points)}
		if !l.Card.ID.IsZero() {
			shown.Card, shown.Name = l.Card.Masked(), l.Card.EmbossLine1
		}
		out.Lines = append(out.Lines, shown)
	}
	return out
}

func (s shownStatement) print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nperiod %s to %s, limit %s %s\n", s.text(), s.PeriodFrom, s.PeriodTo, s.Limit, s.Currency)
	for _, r := range s.Regions {
		fmt.Fprintf(&b, "region %s: debt %s, minimum %s, outstanding %s, interest %s + %s + %s\n", r.Region, r.Debt, r.Minimum, r.Outstanding, r.Interest, r.KKDF, r.BSMV)
	}
	for _, l := range s.Lines {
		fmt.Fprintf(&b, "%s %-9s %-19s %12s %12s  %s\n", l.Date, l.Kind, l.Card, l.Domestic, l.Abroad, l.Description)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// ShowStatement prints the statement of a credit account that was cut on a day, or
// writes it as PDF into a file that was not there.
func ShowStatement(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant, accountNo, day, pdf string, asJSON bool) error {
	on, err := clock.ParseDate(day)
	if err != nil {
		return fmt.Errorf("%w: %s is no date", ErrUsage, day)
	}
	return withTenant(ctx, c, log, tenant, func(k *Core, t access.Tenant, caller access.Caller) error {
		s, err := k.Credits.Statement(ctx, caller, accountNo, on)
		if err != nil {
			return err
		}
		if pdf != "" {
			holder, err := k.Customers.Customer(ctx, caller, s.Account.CustomerNo)
			if err != nil {
				return err
			}
			return writeStatement(pdf, statementPaper(s, t.Name, holder.DisplayName(), t.Language))
		}
		if asJSON {
			return PrintJSON(w, showStatement(s))
		}
		return showStatement(s).print(w)
	})
}

func writeStatement(path string, d paper.Document) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make file of the statement: %w", err)
	}
	return errors.Join(paper.Write(f, d), f.Close())
}
