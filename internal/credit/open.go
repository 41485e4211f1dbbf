package credit

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"regexp"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// NewAccount is a credit account that is to be opened.
type NewAccount struct {
	CustomerNo  string
	ProductCode string // of credit cards; the account goes by its terms
	AccountNo   string // empty: one is drawn
	Limit       string // a decimal of the product's currency
	BranchCode  string // four digits, may be empty
	BranchName  string
}

// currency is what credit accounts are kept in: their regions and points are told
// in it.
const currency = "TRY"

var (
	numberSyntax = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,34}$`)
	branchSyntax = regexp.MustCompile(`^[0-9]{4}$`)
)

func (in NewAccount) check() error {
	var v fault.Checks
	v.Text("customerNo", in.CustomerNo, 1, 20)
	v.Text("productCode", in.ProductCode, 1, 32)
	v.Text("branchName", in.BranchName, 0, 100)
	v.Is("accountNo", in.AccountNo == "" || numberSyntax.MatchString(in.AccountNo), "malformed", "must be 1 to 34 letters, digits and . _ : -")
	v.Is("branchCode", in.BranchCode == "" || branchSyntax.MatchString(in.BranchCode), "malformed", "must be four digits")
	return v.Err(errInvalid)
}

// ParseLimit reads a limit, which is not below zero.
func parseLimit(decimal string) (money.Amount, error) {
	limit, err := money.Parse(decimal, money.MustCurrency(currency))
	if err != nil || limit.Sign() < 0 {
		return limit, errInvalid.OnField("limit", "not_an_amount", "must be an amount of money that is not below zero")
	}
	return limit, nil
}

// Open opens a credit account for a customer. Cards are issued on it by its number.
//
// The product is one of credit cards, with terms (see [Service.SetTerms]); a number
// that is in use is ledger.AccountNoTaken.
func (s *Service) Open(ctx context.Context, c access.Caller, in NewAccount) (Account, error) {
	if err := in.check(); err != nil {
		return Account{}, err
	}
	limit, err := parseLimit(in.Limit)
	if err != nil {
		return Account{}, err
	}
	var a Account
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		if err := s.checkProduct(ctx, tx, c, in.ProductCode); err != nil {
			return err
		}
		holder, err := s.Customers.Named(ctx, tx, c.Tenant, in.CustomerNo)
		if err != nil {
			return err
		}
		if err := customer.Lock(ctx, tx, c.Tenant, holder.ID); err != nil {
			return err
		}
		if holder.Status != customer.Active {
			return errCustomer
		}
		if in.AccountNo == "" {
			in.AccountNo = drawNumber()
		}
		today, err := s.today(ctx, tx, c)
		if err != nil {
			return err
		}
		now := clock.RealNow(s.Clock)
		a = Account{}
		a.Account, err = ledger.OpenCreditAccount(ctx, tx, c.Tenant, ledger.NewCreditAccount{
			Number: in.AccountNo, Owner: holder.ID.String(), Currency: limit.Currency(), Limit: limit, Terms: in.ProductCode, From: today,
		}, now, c.Ahead)
		if err != nil {
			return err
		}
		a.Facts = Facts{
			AccountID: a.ID, CustomerNo: holder.No, ProductCode: in.ProductCode, BranchCode: in.BranchCode, BranchName: in.BranchName,
			Standing: Current, CheckedOn: today,
		}
		if err := insertFacts(ctx, tx, c.Tenant, a.Facts, now); err != nil {
			return fmt.Errorf("insert credit account: %w", err)
		}
		at := c.Now(s.Clock)
		if err := a.raise(ctx, tx, c, EventOpened, at, Event{Limit: limit.Decimal()}); err != nil {
			return err
		}
		act := a.act(c, at, "Create")
		act.Changes = audit.Changes(nil, standingTerms{in.ProductCode, limit.Decimal(), in.BranchCode})
		return audit.Append(ctx, tx, act)
	})
	if err != nil {
		return Account{}, err
	}
	return s.Account(ctx, c, a.Number)
}

// standingTerms is what the audit record says of an account.
type standingTerms struct{ ProductCode, Limit, BranchCode string }

// checkProduct refuses what is no product of credit cards.
func (s *Service) checkProduct(ctx context.Context, tx db.Tx, c access.Caller, code string) error {
	cfg, err := s.Programs.ConfigurationIn(ctx, tx, c.Tenant)
	if err != nil {
		return err
	}
	p, found := cfg.Product(code)
	if !found || p.CardType != program.Credit || p.Currency.Code() != currency || p.Status != program.RecordActive {
		return errProduct.With("productCode", code)
	}
	return nil
}

// today is the business date of the caller's tenant.
func (s *Service) today(ctx context.Context, tx db.Tx, c access.Caller) (clock.Date, error) {
	t, found, err := access.ReadTenant(ctx, tx, c.Tenant)
	if err != nil || !found {
		return clock.Date{}, fmt.Errorf("read tenant: found %v: %w", found, err)
	}
	return clock.DateOf(c.Now(s.Clock), t.Zone), nil
}

// drawNumber is a number of sixteen digits, the first of which is no zero.
func drawNumber() string {
	n, err := rand.Int(rand.Reader, big.NewInt(9e15))
	if err != nil {
		panic("credit: no randomness") // rand.Reader never fails
	}
	return n.Add(n, big.NewInt(1e15)).String()
}
