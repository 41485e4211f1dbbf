package issuing

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

var cardTokenLookup = db.Lookup{Head: `SELECT ` + cardColumns + cardTables + ` WHERE c.tenant_id = $1 AND c.card_token IN `}

// readCardsByToken returns the newest plastic of every token that the tenant
// has.
func readCardsByToken(ctx context.Context, tx db.Tx, tenant access.TenantID, tokens []string) (map[string]Card, error) {
	cards := make(map[string]Card, len(tokens))
	err := cardTokenLookup.Query(ctx, tx, []any{tenant}, tokens, func(row db.Scanner) error {
		card, err := scanCard(row)
		if err == nil && card.Sequence > cards[card.Token].Sequence {
			cards[card.Token] = card
		}
		return err
	})
	return cards, err
}

// tokenOfNumber finds the token of the number with this keyed hash.
func tokenOfNumber(ctx context.Context, tx db.Tx, tenant access.TenantID, index string) (string, bool, error) {
	return db.One(ctx, tx, func(s db.Scanner) (token string, err error) { return token, s.Scan(&token) },
		`SELECT card_token FROM card WHERE tenant_id = $1 AND pan_index = $2 ORDER BY sequence_no DESC LIMIT 1`, tenant, index)
}

// countNumberMisses is how many numbers of no card a client sent that day.
func countNumberMisses(ctx context.Context, tx db.Tx, c access.Caller, day clock.Date) (int, error) {
	n, _, err := db.One(ctx, tx, db.ScanCount, `SELECT missed_count FROM number_miss_count WHERE tenant_id = $1 AND client_id = $2 AND day = $3`,
		c.Tenant, c.Client, day.String())
	return n, err
}

// addNumberMiss counts one more, unless that would be more than most. Then it
// returns false and has changed nothing.
func addNumberMiss(ctx context.Context, tx db.Tx, c access.Caller, day clock.Date, most int) (bool, error) {
	_, counted, err := db.One(ctx, tx, db.ScanCount, `INSERT INTO number_miss_count (tenant_id, client_id, day, missed_count)
		VALUES ($1, $2, $3, 1)
		ON CONFLICT (tenant_id, client_id, day) DO UPDATE SET missed_count = number_miss_count.missed_count + 1
			WHERE number_miss_count.missed_count < $4
		RETURNING missed_count`, c.Tenant, c.Client, day.String(), int64(most))
	return counted, err
}

// takeDetokenizations adds n to what the client was given that day, unless that
// would be more than most. Then it returns false and has changed nothing.
func takeDetokenizations(ctx context.Context, tx db.Tx, c access.Caller, day clock.Date, n, most int) (used int, taken bool, err error) {
	if n > most {
		return 0, false, nil
	}
	return db.One(ctx, tx, db.ScanCount, `INSERT INTO detokenize_count (tenant_id, client_id, day, used_count)
		VALUES ($1, $2, $3, $4)
		ON CONFLICT (tenant_id, client_id, day) DO UPDATE SET used_count = detokenize_count.used_count + $4
			WHERE detokenize_count.used_count + $4 <= $5
		RETURNING used_count`, c.Tenant, c.Client, day.String(), int64(n), int64(most))
}

func insertDetokenization(ctx context.Context, tx db.Tx, c access.Caller, day clock.Date, position int, card Card, now time.Time, purpose string) error {
	_, err := tx.Exec(ctx, `INSERT INTO card_detokenization (tenant_id, client_id, day, position, card_id, shown_at,
			user_reference, channel, correlation_id, purpose)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		c.Tenant, c.Client, day.String(), int64(position), card.ID, clock.Micros(now), c.UserReference, c.Channel,
		c.CorrelationID, purpose)
	return err
}
