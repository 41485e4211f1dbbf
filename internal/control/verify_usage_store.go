package control

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// UsageName names what a transaction has of the counters of a subject, by
// identifiers.
type UsageName struct{ Cycle, Transaction, subject string }

// UsageRow is what a transaction has of the counters of a subject, as it was counted.
type UsageRow struct {
	UsageName
	Tenant  access.TenantID
	Subject string
	At      time.Time
	Parts   []UsagePart
}

// UsagePart is what was counted: of so many minor units of an account so many of a
// currency, which is empty where the counter has none.
type UsagePart struct {
	Counter, Currency string
	Of, Amount        int64
}

// UsageAfter returns the next n rows of what transactions have, by name. Of what
// cannot be read it returns what can: [VerifyUsage] tells of it.
func UsageAfter(ctx context.Context, tx db.Tx, after UsageName, n int) ([]UsageRow, error) {
	return db.Collect(ctx, tx, func(s db.Scanner) (UsageRow, error) {
		row, err := scanUsage(s)
		if err != nil && !errors.Is(err, errCounterText) {
			return UsageRow{}, err
		}
		out := UsageRow{
			UsageName: UsageName{row.cycle, row.transaction, row.subject.String()}, Tenant: row.subject.tenant, Subject: row.subject.subject, At: row.at,
		}
		for _, r := range row.all {
			currency := r.Key.Counter[strings.LastIndexByte(r.Key.Counter, '/')+1:]
			out.Parts = append(out.Parts, UsagePart{r.Key.Counter, currency, r.Of, r.whole.amount})
		}
		return out, nil
	}, `SELECT u.cycle_id, u.transaction_id, u.at, u.uses, c.tenant_id, c.subject FROM velocity_usage u JOIN velocity_counter c ON c.id = u.subject_id
		WHERE (u.cycle_id, u.transaction_id, u.subject_id) > ($1, $2, $3) ORDER BY u.cycle_id, u.transaction_id, u.subject_id LIMIT $4`,
		after.Cycle, after.Transaction, after.subject, n)
}
