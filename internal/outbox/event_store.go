package outbox

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

var eventInsert = &db.Bulk{
	Head: `INSERT INTO outbox_event (tenant_id, event_id, name, ordering_key, correlation_id, payload, occurred_at, attempts, due_at)
		VALUES `,
	Columns: 9,
}

func insertEvents(ctx context.Context, tx db.Tx, events []Event) error {
	args := make([]any, 0, len(events)*eventInsert.Columns)
	for _, e := range events {
		at := clock.Micros(e.At.Time())
		args = append(args, e.Tenant, id.New[Event](e.At.Time()), e.Name, e.Key, e.CorrelationID, e.Payload, at, 0, at)
	}
	return eventInsert.Exec(ctx, tx, args)
}

const eventColumns = `e.position, e.tenant_id, e.event_id, e.name, e.ordering_key, e.correlation_id, e.payload, e.occurred_at, e.attempts`

func scanEvent(row db.Scanner) (e WaitingEvent, err error) {
	var at int64
	err = row.Scan(&e.position, &e.Tenant, &e.ID, &e.Name, &e.Key, &e.CorrelationID, &e.Payload, &at, &e.Attempts)
	e.At = clock.RealAt(clock.FromMicros(at))
	return e, err
}

func readEvents(ctx context.Context, tx db.Tx, tenant string) ([]WaitingEvent, error) {
	return db.Collect(ctx, tx, scanEvent, `SELECT `+eventColumns+` FROM outbox_event e WHERE e.tenant_id = $1 ORDER BY e.position`, tenant)
}

// readDueEvents returns the first events of a tenant that are due and wait for
// none before them of their key.
func readDueEvents(ctx context.Context, tx db.Tx, tenant string, now time.Time, limit int) ([]WaitingEvent, error) {
	return db.Collect(ctx, tx, scanEvent, `SELECT `+eventColumns+` FROM outbox_event e
		WHERE e.tenant_id = $1 AND e.due_at <= $2
		AND NOT EXISTS (SELECT 1 FROM outbox_event b WHERE b.tenant_id = e.tenant_id AND b.ordering_key = e.ordering_key
			AND b.position < e.position AND b.attempts > 0 AND b.due_at > $2 AND b.occurred_at > $3)
		ORDER BY e.position LIMIT $4`, tenant, clock.Micros(now), clock.Micros(now.Add(-BlockLife)), limit)
}

// unchanged returns those of events, which are in their order, that are there as they
// were read, and wait for none of their key that failed since.
func unchanged(ctx context.Context, tx db.Tx, tenant string, events []WaitingEvent) (same []WaitingEvent, err error) {
	rows, err := tx.Query(ctx, `SELECT position, attempts FROM outbox_event WHERE tenant_id = $1 AND position BETWEEN $2 AND $3`,
		tenant, events[0].position, events[len(events)-1].position)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	attempts := make(map[int64]int, len(events))
	for rows.Next() {
		var position int64
		var n int
		if err := rows.Scan(&position, &n); err != nil {
			return nil, err
		}
		attempts[position] = n
	}
	held := map[string]bool{}
	for _, e := range events {
		n, found := attempts[e.position]
		held[e.Key] = held[e.Key] || found && n != e.Attempts
		if found && !held[e.Key] {
			same = append(same, e)
		}
	}
	return same, rows.Err()
}

var eventDelete = &db.Bulk{
	Head: `WITH v (tenant_id, position) AS (VALUES `, Columns: 2, Types: []string{"TEXT", "BIGINT"},
	Tail:  `) DELETE FROM outbox_event e USING v WHERE e.position = v.position AND e.tenant_id = v.tenant_id`,
	Alone: `DELETE FROM outbox_event WHERE tenant_id = $1 AND position = $2`,
}

// deleteEvents takes events out.
func deleteEvents(ctx context.Context, tx db.Tx, tenant string, events []WaitingEvent) error {
	args := make([]any, 0, len(events)*eventDelete.Columns)
	for _, e := range events {
		args = append(args, tenant, e.position)
	}
	return eventDelete.Exec(ctx, tx, args)
}

// putOff counts a failed attempt of an event and says when the next is due.
func putOff(ctx context.Context, tx db.Tx, e WaitingEvent, due time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE outbox_event SET attempts = attempts + 1, due_at = $3
		WHERE tenant_id = $1 AND position = $2 AND attempts = $4`, e.Tenant, e.position, clock.Micros(due), e.Attempts)
	return err
}

// tenantsWithEvents finds them one after the other by the index, however many
// events wait.
func tenantsWithEvents(ctx context.Context, tx db.Tx) ([]string, error) {
	return db.Collect(ctx, tx, func(row db.Scanner) (tenant string, err error) { return tenant, row.Scan(&tenant) },
		`WITH RECURSIVE t (id) AS (
			SELECT (SELECT e.tenant_id FROM outbox_event e ORDER BY e.tenant_id LIMIT 1)
			UNION ALL SELECT (SELECT e.tenant_id FROM outbox_event e WHERE e.tenant_id > t.id ORDER BY e.tenant_id LIMIT 1) FROM t WHERE t.id IS NOT NULL)
		SELECT id FROM t WHERE id IS NOT NULL`)
}

// takeTurn holds the feed of a tenant until tx ends.
func takeTurn(ctx context.Context, tx db.Tx, tenant string) error {
	_, err := tx.Exec(ctx, `INSERT INTO outbox_feed (tenant_id, wanted, turn) VALUES ($1, '', 1)
		ON CONFLICT (tenant_id) DO UPDATE SET turn = outbox_feed.turn + 1`, tenant)
	return err
}

func saveInterest(ctx context.Context, tx db.Tx, tenant string, wanted Interest) error {
	_, err := tx.Exec(ctx, `UPDATE outbox_feed SET wanted = $2 WHERE tenant_id = $1`, tenant, strings.Join(wanted, " "))
	return err
}

var interestLookup = &db.Lookup{Head: `SELECT tenant_id, wanted FROM outbox_feed WHERE wanted <> '' AND tenant_id IN `}

func readInterests(ctx context.Context, tx db.Tx, tenants []string) (map[string]Interest, error) {
	all := map[string]Interest{}
	err := interestLookup.Query(ctx, tx, nil, tenants, func(row db.Scanner) error {
		var tenant, wanted string
		err := row.Scan(&tenant, &wanted)
		all[tenant] = strings.Fields(wanted)
		return err
	})
	return all, err
}

var sequenceRaise = &db.Bulk{
	Head:    `INSERT INTO outbox_sequence (tenant_id, ordering_key, last) VALUES `,
	Columns: 3,
	Types:   []string{"TEXT", "TEXT", "BIGINT"},
	Tail: ` ON CONFLICT (tenant_id, ordering_key) DO UPDATE SET last = outbox_sequence.last + excluded.last
		RETURNING ordering_key, last`,
}

// raiseSequences counts n more events for each key and returns the numbers
// before them.
func raiseSequences(ctx context.Context, tx db.Tx, tenant string, more map[string]int64) (map[string]int64, error) {
	keys := make([]string, 0, len(more))
	for key := range more {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	args := make([]any, 0, len(keys)*sequenceRaise.Columns)
	for _, key := range keys {
		args = append(args, tenant, key, more[key])
	}
	before := make(map[string]int64, len(more))
	err := sequenceRaise.Query(ctx, tx, args, func(row db.Scanner) error {
		var key string
		var last int64
		err := row.Scan(&key, &last)
		before[key] = last - more[key]
		return err
	})
	return before, err
}

// readEventDepth counts the events that wait, over all tenants, and finds the
// oldest.
func readEventDepth(ctx context.Context, tx db.Tx) (n int, oldest time.Time, err error) {
	var micros int64
	err = tx.QueryRow(ctx, `SELECT COUNT(*), COALESCE(MIN(occurred_at), 0) FROM outbox_event`).Scan(&n, &micros)
	return n, clock.FromMicros(micros), err
}
