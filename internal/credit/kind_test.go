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
