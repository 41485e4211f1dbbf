package authorization

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// storedDecision is a decision as it is kept: what it was made from and how.
type storedDecision struct {
	transaction   TransactionID
	tenant        access.TenantID
	configuration string
	record        string
	trace         Trace
	times         Times // until it was written
	at            time.Time
	damage        error // why it cannot be read; then there is neither record nor trace
}

var decisionInsert = &db.Bulk{
	Head:    "INSERT INTO decision (transaction_id, tenant_id, configuration_hash, record, trace, micros, created_at) VALUES ",
	Columns: 7,
}

func insertDecisions(ctx context.Context, tx db.Tx, all []storedDecision) error {
	args := make([]any, 0, len(all)*decisionInsert.Columns)
	for _, d := range all {
		args = append(args, d.transaction, d.tenant, d.configuration, Packed(d.record), Packed(d.trace.String()), d.times.micros(), clock.Micros(d.at))
	}
	return decisionInsert.Exec(ctx, tx, args)
}

func scanDecision(s db.Scanner) (storedDecision, error) {
	var d storedDecision
	var record, trace []byte
	var micros string
	var at int64
	if err := s.Scan(&d.transaction, &d.tenant, &d.configuration, &record, &trace, &micros, &at); err != nil {
		return d, err
	}
	d.at = clock.FromMicros(at)
	if err := d.read(record, trace, micros); err != nil {
		d.damage = fmt.Errorf("decision on %s: %w", d.transaction.UUID(), err)
	}
	return d, nil
}

// read takes apart what is stored.
func (d *storedDecision) read(record, trace []byte, micros string) error {
	text, err := unpack(record)
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	d.record = text
	if text, err = unpack(trace); err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	if d.trace, err = ParseTrace(text); err != nil {
		return err
	}
	d.times, err = parseTimes(micros)
	return err
}

// CountDecisions counts what was ever decided, of all tenants. It reads a whole index.
func CountDecisions(ctx context.Context, tx db.Tx) (n int, err error) {
	err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM decision`).Scan(&n)
	return n, err
}

// findDecision returns the decision on a transaction; one that cannot be read is an
// error.
func findDecision(ctx context.Context, tx db.Tx, t TransactionID) (storedDecision, bool, error) {
	d, found, err := db.One(ctx, tx, scanDecision,
		"SELECT transaction_id, tenant_id, configuration_hash, record, trace, micros, created_at FROM decision WHERE transaction_id = $1", t)
	return d, found, cmp.Or(err, d.damage)
}

var decisionLookup = &db.Lookup{
	Head: "SELECT transaction_id, tenant_id, configuration_hash, record, trace, micros, created_at FROM decision WHERE transaction_id IN ",
}

// findDecisions returns the decisions on these transactions; clearing records
// have none. Each tells its own damage.
func findDecisions(ctx context.Context, tx db.Tx, ids []TransactionID) (map[TransactionID]storedDecision, error) {
	found := make(map[TransactionID]storedDecision, len(ids))
	err := decisionLookup.Query(ctx, tx, nil, id.Texts(ids), func(s db.Scanner) error {
		d, err := scanDecision(s)
		if err == nil {
			found[d.transaction] = d
		}
		return err
	})
	return found, err
}

// decisionsAfter returns up to n decisions in the order of their transactions. Each
// tells its own damage.
func decisionsAfter(ctx context.Context, tx db.Tx, after string, n int) ([]storedDecision, error) {
	return db.Collect(ctx, tx, scanDecision,
		`SELECT transaction_id, tenant_id, configuration_hash, record, trace, micros, created_at FROM decision
			WHERE transaction_id > $1 ORDER BY transaction_id LIMIT $2`, after, n)
}
