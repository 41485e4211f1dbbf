package authorization

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

// usedInTime are the columns of how often and how much was used since a moment,
// for amounts in a currency.
func usedInTime(since, currency string) string {
	is := `is_debit AND ` + isCounted + ` AND created_at >= ` + since
	return `COALESCE(SUM(CASE WHEN ` + is + ` THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN ` + is +
		` AND billing_currency = ` + currency + ` THEN ` + worth + ` ELSE 0 END), 0)`
}

// readUses sums up the last thirty days of an issuance: never more rows than those.
func readUses(ctx context.Context, tx db.Tx, f *Facts, u *UseFacts) error {
	different := func(column string) string {
		return `COUNT(DISTINCT CASE WHEN is_debit AND ` + isCounted + ` AND created_at >= $4 AND ` + column + ` <> '' THEN ` + column + ` END)`
	}
	err := tx.QueryRow(ctx, `SELECT `+usedInTime("$3", "$7")+`, `+usedInTime("$4", "$7")+`, `+usedInTime("$5", "$7")+`, `+usedInTime("$6", "$7")+`,
			COALESCE(SUM(CASE WHEN status = 'Declined' AND created_at >= $4 THEN 1 ELSE 0 END), 0),
			`+different("merchant_country")+`, `+different("card_acceptor_id")+`
		FROM card_transaction WHERE tenant_id = $1 AND issuance_id = $2 AND created_at >= $6`,
		f.Tenant, f.Card.Issuance, clock.Micros(f.Now.Add(-spanOfHour)), clock.Micros(f.Now.Add(-spanOfDay)), clock.Micros(f.Now.Add(-spanOfWeek)),
		clock.Micros(f.Now.Add(-spanOfMonth)), f.Billing.Currency().Code()).
		Scan(&u.Hour.Count, &u.Hour.Amount, &u.Day.Count, &u.Day.Amount, &u.Week.Count, &u.Week.Amount, &u.Month.Count, &u.Month.Amount,
			&u.Declines, &u.Countries, &u.Merchants)
	if err != nil {
		return err
	}
	last, found, err := db.One(ctx, tx, scanTransaction, `SELECT `+transactionColumns+` FROM card_transaction
		WHERE tenant_id = $1 AND issuance_id = $2 AND is_debit AND `+isCounted+` ORDER BY created_at DESC, id DESC LIMIT 1`, f.Tenant, f.Card.Issuance)
	if err == nil && found {
		u.LastAt, u.LastCountry, u.LastAmount = last.CreatedAt, last.Message.MerchantCountry, last.Billing
	}
	return err
}

var customerUses = &db.Lookup{Head: `SELECT ` + usedInTime("$1", "$3") + `, ` + usedInTime("$2", "$3") +
	` FROM card_transaction WHERE created_at >= $2 AND issuance_id IN `}

// readUsesOfCustomer sums up the last thirty days of several issuances.
func readUsesOfCustomer(ctx context.Context, tx db.Tx, f *Facts, issuances []string, u *UseFacts) error {
	args := []any{clock.Micros(f.Now.Add(-spanOfDay)), clock.Micros(f.Now.Add(-spanOfMonth)), f.Billing.Currency().Code()}
	return customerUses.Query(ctx, tx, args, issuances, func(s db.Scanner) error {
		var day, month Usage
		err := s.Scan(&day.Count, &day.Amount, &month.Count, &month.Amount)
		u.CustomerDay.Count, u.CustomerDay.Amount = u.CustomerDay.Count+day.Count, u.CustomerDay.Amount+day.Amount
		u.CustomerMonth.Count, u.CustomerMonth.Amount = u.CustomerMonth.Count+month.Count, u.CustomerMonth.Amount+month.Amount
		return err
	})
}

// lastUseBefore is what an issuance was last used for before a moment, as it stands
// now.
func lastUseBefore(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[issuing.Issuance], before time.Time) (*Transaction, bool, error) {
	return db.One(ctx, tx, scanTransaction, `SELECT `+transactionColumns+` FROM card_transaction
		WHERE tenant_id = $1 AND issuance_id = $2 AND is_debit AND `+isCounted+` AND created_at < $3 ORDER BY created_at DESC, id DESC LIMIT 1`,
		tenant, issuance, clock.Micros(before))
}
