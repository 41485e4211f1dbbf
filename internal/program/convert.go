package program

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Convert returns an amount in another currency, rounded half up, at the middle
// rate of the pair, or of the pair turned round, that is in force at a moment;
// nil where there is neither.
func (s *Service) Convert(ctx context.Context, tenant access.TenantID, a money.Amount, to money.Currency, at time.Time) (out *money.Amount, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		for _, pair := range []struct {
			base, quote money.Currency
			inverse     bool
		}{{a.Currency(), to, false}, {to, a.Currency(), true}} {
			r, found, err := readRateInForce(ctx, tx, tenant, pair.base, pair.quote, at)
			if err != nil {
				return fmt.Errorf("read exchange rate: %w", err)
			}
			if found {
				rate := big.NewRat(int64(r.Mid), int64(quotationUnit))
				if pair.inverse {
					rate.Inv(rate)
				}
				out, err = converted(a, to, rate)
				return err
			}
		}
		return nil
	})
	return out, err
}

// converted multiplies an amount with the price of one unit of its currency.
func converted(a money.Amount, to money.Currency, rate *big.Rat) (*money.Amount, error) {
	scale := func(c money.Currency) *big.Int {
		return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(c.Exponent())), nil)
	}
	x := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(a.Minor()), scale(to)), scale(a.Currency()))
	x.Mul(x, rate)
	// Half up: (2·num + den) ÷ (2·den), rounded down; amounts are not negative.
	num := new(big.Int).Add(new(big.Int).Lsh(x.Num(), 1), x.Denom())
	minor := num.Quo(num, new(big.Int).Lsh(x.Denom(), 1))
	if !minor.IsInt64() {
		return nil, money.ErrRange
	}
	out, err := money.New(minor.Int64(), to)
	return &out, err
}
