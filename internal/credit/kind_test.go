package credit_test

import (
	"testing"

	"github.com/sarraf-platform/sarraf/internal/credit"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// A card of another product is not issued on a credit account, nor one of credit on an
// account that is there and has no line.
func TestIssueCard_fitsTheKindOfItsAccount(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBank(t, d)
		number, card := b.open("1000")
		prepaid := b.NewCardAs(issuing.NewCard{ProductCode: "P1", FormFactor: program.Virtual}, "0.00")
		plain, err := b.Issuing.Card(t.Context(), b.Caller, prepaid.Token)
		if err != nil {
			t.Fatal(err)
		}
		line, err := b.Issuing.Card(t.Context(), b.Caller, card.Token)
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range []issuing.NewCard{
			{ProductCode: "P1", AccountNo: number},
			{ProductCode: line.Issuance.ProductCode, AccountNo: plain.Issuance.AccountNo},
		} {
			in.FormFactor, in.CustomerNo = program.Virtual, b.Customer()
			_, err := b.Issuing.IssueCard(t.Context(), b.Caller, in)
			if f, ok := fault.As(err); !ok || f.Code != "account_kind_mismatch" || f.Kind != fault.Conflict {
				t.Errorf("%s on %s: %v", in.ProductCode, in.AccountNo, err)
			}
		}
		b.verify()
	})
}

// Where we keep the balances, a card of credit is issued on a credit account that is
// open, and none is opened without a line. Where the client keeps them, its accounts
// are what it says they are: two cards of credit share one of which we know no line.
func TestIssueCard_ofCreditOpensNoAccountWithoutALine(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBank(t, d)
		issue := func(product, account string) error {
			_, err := b.Issuing.IssueCard(t.Context(), b.Caller, issuing.NewCard{
				ProductCode: product, AccountNo: account, FormFactor: program.Virtual, CustomerNo: b.Customer(),
			})
			return err
		}
		refused := func(what string, err error) {
			t.Helper()
			if f, ok := fault.As(err); !ok || f.Code != "account_kind_mismatch" || f.Kind != fault.Conflict {
				t.Errorf("%s: %v", what, err)
			}
		}
		refused("an account that is not there", issue("K1", "THEIRS-1"))
		refused("no account", issue("K1", ""))
		if err := issue("P1", "THEIRS-1"); err != nil {
			t.Errorf("the refused number was taken: %v", err)
		}
		number, _ := b.open("1000")
		for i, mode := range []program.BalanceMode{program.BalanceExternal, program.BalanceHybrid} {
			b.OwnBalances(mode, program.StandInPolicy{Action: program.StandInDecline})
			theirs := []string{"THEIRS-2", "THEIRS-3"}[i]
			for _, account := range []string{theirs, theirs, ""} {
				if err := issue("K1", account); err != nil {
					t.Errorf("%s, on %q: %v", mode, account, err)
				}
			}
			if err := issue("K1", number); err != nil {
				t.Errorf("%s, on a credit account: %v", mode, err)
			}
			refused(string(mode)+", a prepaid card on a credit account", issue("P1", number))
		}
		b.verify()
	})
}

// A noname card of credit is linked to a credit account, and to no other; where the
// client keeps the balances, to what it names.
func TestLinkNoname_ofCreditTakesACreditAccount(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBank(t, d)
		p, err := b.Programs.Product(t.Context(), b.Caller, "K1")
		b.must(err)
		p.Code, p.FormFactors = "K2", []program.FormFactor{program.Virtual, program.PhysicalNoname}
		_, err = b.Programs.CreateProduct(t.Context(), b.Caller, p)
		b.must(err)
		batch, err := b.Issuing.IssueNoname(t.Context(), b.Caller, issuing.NewNoname{
			ProductCode: "K2", FormFactor: program.Virtual, Count: 2, Reference: "SUMMER", EmbossText: "Gift",
		})
		b.must(err)
		batch, err = b.Issuing.NonameBatch(t.Context(), b.Caller, batch.ID, 0, 2)
		b.must(err)
		link := func(card int, account string) error {
			_, err := b.Issuing.LinkNoname(t.Context(), b.Caller, issuing.NonameLink{
				CardToken: batch.Cards[card].Card.Token, CustomerNo: b.Customer(), Check: issuing.CheckNone, AccountNo: account,
			})
			return err
		}
		for _, account := range []string{"", "THEIRS-1"} {
			if f, ok := fault.As(link(0, account)); !ok || f.Code != "account_kind_mismatch" {
				t.Errorf("linked to %q: %v", account, f)
			}
		}
		number, _ := b.open("1000")
		b.must(link(0, number))
		b.OwnBalances(program.BalanceExternal, program.StandInPolicy{Action: program.StandInDecline})
		b.must(link(1, "THEIRS-1"))
		b.verify()
	})
}

// How many virtual cards a main card may have is a setting.
func TestCreateVirtualCard_asOftenAsTheSettingSays(t *testing.T) {
	b := newBank(t, dbtest.SQLite(t))
	b.credit.VirtualCardsMax = 1
	_, card := b.open("1000")
	made, err := b.credit.CreateVirtualCard(t.Context(), b.Caller, card.Token, credit.Share{Limit: "1"})
	if err != nil || made.Left != 0 {
		t.Fatalf("%d left, %v", made.Left, err)
	}
	_, err = b.credit.CreateVirtualCard(t.Context(), b.Caller, card.Token, credit.Share{Limit: "1"})
	if f, ok := fault.As(err); !ok || f.Code != "max_virtual_card_count_exceeded" {
		t.Errorf("the second: %v", err)
	}
}
