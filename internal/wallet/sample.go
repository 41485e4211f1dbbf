package wallet

import (
	"context"
	"errors"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Sample is what the sample request of the document of wallets names.
type Sample struct{ AccountNo, WalletNo, POSType string }

// MakeSample makes it for a tenant. What is there stays as it is.
func (s *Service) MakeSample(ctx context.Context, c access.Caller) (Sample, error) {
	out := Sample{AccountNo: "565663432432", WalletNo: "4853534863917", POSType: "fastpay_pos_123"}
	if err := s.DefinePOS(ctx, c, out.POSType, ledger.AcquiredReceivable); err != nil {
		return Sample{}, err
	}
	lira, err := money.ParseCurrency("TRY")
	if err != nil {
		return Sample{}, err
	}
	_, err = s.Register(ctx, c, NewAccount{No: out.AccountNo, WalletNo: out.WalletNo, Kind: Personal, Currency: lira, Person: Person{
		FirstName: "Deniz", LastName: "Kaya", PhoneCountryCode: "90", PhoneNo: "5550000147", Email: "deniz@example.org",
	}})
	if err != nil && !errors.Is(err, ErrAccountTaken) {
		return Sample{}, err
	}
	return out, nil
}
