package authorization

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// Answered finds the transaction of a message by its key, and what was answered
// (DE39); found is false for a message that was never decided, and for one of
// another tenant.
func (q *Queries) Answered(ctx context.Context, c access.Caller, key Key) (t TransactionID, code string, found bool, err error) {
	err = q.db.View(ctx, func(tx db.Tx) error {
		text := key.String()
		known, err := readMessages(ctx, tx, []string{text})
		if m := known[text]; m != nil && !m.tombstone && m.tenant == c.Tenant {
			t, code, found = m.transaction, m.answer.ResponseCode, true
		}
		return err
	})
	if err != nil {
		return t, "", false, fmt.Errorf("find transaction of a message: %w", err)
	}
	return t, code, found, nil
}
