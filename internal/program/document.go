package program

import "github.com/sarraf-platform/sarraf/internal/money"

// storedAmount is an amount inside a stored document: money itself refuses to
// become JSON.
type storedAmount struct {
	Minor    int64
	Currency money.Currency
}

func storeAmount(a *money.Amount) *storedAmount {
	if a == nil {
		return nil
	}
	return &storedAmount{a.Minor(), a.Currency()}
}

func (s *storedAmount) amount() (*money.Amount, error) {
	if s == nil {
		return nil, nil
	}
	a, err := money.New(s.Minor, s.Currency)
	return &a, err
}
