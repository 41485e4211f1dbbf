package outbox

import (
	"context"
	"database/sql"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

const messageColumns = `id, tenant_id, topic, lane, event_id, name, ordering_key, sequence, correlation_id, payload, occurred_at,
	status, attempts, retries_max, due_at, started_at, failing_since, lease_owner, ended_at, result_code, result_text`

func scanMessage(row db.Scanner) (m Message, err error) {
	var occurred, due, started int64
	var owner sql.NullString
	err = row.Scan(&m.ID, &m.Tenant, &m.Topic, &m.Lane, &m.EventID, &m.Name, &m.Key, &m.Sequence, &m.CorrelationID, &m.Payload,
		&occurred, &m.Status, &m.Attempts, &m.RetriesMax, &due, &started, db.IntoTime(&m.FailingSince), &owner, db.IntoTime(&m.EndedAt), &m.ResultCode, &m.ResultText)
	m.OccurredAt, m.DueAt, m.StartedAt = clock.FromMicros(occurred), clock.FromMicros(due), clock.FromMicros(started)
	m.owner, m.asked = owner.String, m.DueAt
	return m, err
}

var messageInsert = &db.Bulk{
	Head: `INSERT INTO outbox_message (id, tenant_id, topic, lane, event_id, name, ordering_key, sequence, correlation_id,
		payload, occurred_at, status, attempts, retries_max, due_at, started_at, leased_until, result_code, result_text) VALUES `,
	Columns: 19,
}

func insertMessages(ctx context.Context, tx db.Tx, all []Message) error {
	args := make([]any, 0, len(all)*messageInsert.Columns)
	for _, m := range all {
		args = append(args, m.ID, m.Tenant, m.Topic, m.Lane, m.EventID, m.Name, m.Key, m.Sequence, m.CorrelationID, m.Payload,
			clock.Micros(m.OccurredAt), string(m.Status), 0, m.RetriesMax, clock.Micros(m.DueAt), clock.Micros(m.StartedAt), 0, 0, "")
	}
	return messageInsert.Exec(ctx, tx, args)
}

// lanesPage is how many lanes one query finds.
const lanesPage = 256

// isNext says of a waiting message m that it is due at $2 and waits for nothing before
// it in its lane. OFFSET keeps PostgreSQL from making one join of all messages of a
// lane: with the figures it has of a table that was small a moment ago, that compares
// each with each.
const isNext = `m.due_at <= $2 AND m.leased_until <= $2
	AND NOT EXISTS (SELECT 1 FROM outbox_message b WHERE b.topic = m.topic AND b.lane = m.lane AND b.ordering_key = m.ordering_key
		AND b.tenant_id = m.tenant_id AND b.status = 'Waiting' AND b.sequence < m.sequence
		AND (b.failing_since IS NULL OR b.failing_since > $3 OR b.leased_until > $2)
		LIMIT 1 OFFSET 0)`

// dueLanes are lanes of a topic, of any tenant, in which something is due and
// waits for nothing before it, in their order from after on. It finds those with
// messages one after the other by the index, however many wait in each. Both engines
// hand on what a recursion finds as it finds it: that is their order already.
func dueLanes(ctx context.Context, tx db.Tx, topic, after string, now time.Time) ([]string, error) {
	return db.Collect(ctx, tx, func(row db.Scanner) (lane string, err error) {
		err = row.Scan(&lane)
		return lane, err
	}, `WITH RECURSIVE l (lane) AS (
			SELECT (SELECT n.lane FROM outbox_message n WHERE n.topic = $1 AND n.status = 'Waiting' AND n.lane > $4 ORDER BY n.lane LIMIT 1)
			UNION ALL SELECT (SELECT n.lane FROM outbox_message n WHERE n.topic = $1 AND n.status = 'Waiting' AND n.lane > l.lane
				ORDER BY n.lane LIMIT 1) FROM l WHERE l.lane IS NOT NULL)
		SELECT l.lane FROM l WHERE l.lane IS NOT NULL AND EXISTS (SELECT 1 FROM outbox_message m
			WHERE m.topic = $1 AND m.lane = l.lane AND m.status = 'Waiting' AND `+isNext+`
			ORDER BY m.due_at LIMIT 1 OFFSET 0)
		LIMIT $5`,
		topic, clock.Micros(now), clock.Micros(now.Add(-BlockLife)), after, lanesPage)
}

// claim leases the next message of a lane that is due and waits for none before
// it. The guard stands in the outer WHERE, too: on PostgreSQL, another may have
// claimed the row between the choice and the change, and only what is repeated
// is looked at again. What has not ended waits: by its status PostgreSQL would look
// through an index of all that wait for the one id.
func claim(ctx context.Context, tx db.Tx, topic, lane, owner string, now, until time.Time) (Message, bool, error) {
	m, found, err := db.One(ctx, tx, scanMessage, `UPDATE outbox_message SET lease_owner = $5, leased_until = $6, attempts = attempts + 1
		WHERE id = (SELECT m.id FROM outbox_message m
			WHERE m.topic = $1 AND m.lane = $4 AND m.status = 'Waiting' AND `+isNext+`
			ORDER BY m.due_at, m.sequence, m.id LIMIT 1)
		AND ended_at IS NULL AND due_at <= $2 AND leased_until <= $2
		RETURNING `+messageColumns,
		topic, clock.Micros(now), clock.Micros(now.Add(-BlockLife)), lane, owner, clock.Micros(until))
	if !found || err != nil {
		return Message{}, false, err
	}
	var earlier int
	err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM outbox_message WHERE topic = $1 AND lane = $2 AND tenant_id = $3
		AND ordering_key = $4 AND status = 'Waiting' AND sequence < $5`, topic, lane, m.Tenant, m.Key, m.Sequence).Scan(&earlier)
	m.OutOfOrder = earlier > 0
	return m, true, err
}

// finish writes what became of an attempt, while its owner holds the lease. One
// that was to be hastened since it was claimed stays due at once.
func finish(ctx context.Context, tx db.Tx, m Message) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE outbox_message SET status = $4, due_at = CASE WHEN due_at = $10 THEN $5 ELSE due_at END,
			failing_since = $6, ended_at = $7, result_code = $8, result_text = $9, lease_owner = NULL, leased_until = 0
		WHERE tenant_id = $1 AND id = $2 AND lease_owner = $3 AND status = 'Waiting'`,
		m.Tenant, m.ID, m.owner, string(m.Status), clock.Micros(m.DueAt), db.MicrosOrNull(m.FailingSince), db.MicrosOrNull(m.EndedAt),
		m.ResultCode, m.ResultText, clock.Micros(m.asked)))
	return n == 1, err
}

// remove deletes a message whose lease its owner holds.
func remove(ctx context.Context, tx db.Tx, m Message) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `DELETE FROM outbox_message WHERE tenant_id = $1 AND id = $2 AND lease_owner = $3`,
		m.Tenant, m.ID, m.owner))
	return n == 1, err
}

// ReadMessages returns the page of a lane's messages, or only of the dead ones,
// newest first, and how many there are.
func ReadMessages(ctx context.Context, tx db.Tx, tenant, topic, lane string, onlyDead bool, skip, limit int) ([]Message, int, error) {
	where := ` FROM outbox_message WHERE tenant_id = $1 AND topic = $2 AND lane = $3`
	if onlyDead {
		where += ` AND status = 'Dead'` // in the text, for the index that holds no others
	}
	total, err := db.Count(ctx, tx, `SELECT 1`+where, tenant, topic, lane)
	if err != nil {
		return nil, 0, err
	}
	all, err := db.Collect(ctx, tx, scanMessage, `SELECT `+messageColumns+where+` ORDER BY id DESC LIMIT $4 OFFSET $5`,
		tenant, topic, lane, limit, skip)
	return all, total, err
}

// ReadMessage returns one message of a lane.
func ReadMessage(ctx context.Context, tx db.Tx, tenant, topic, lane string, message id.ID[Message]) (Message, bool, error) {
	return db.One(ctx, tx, scanMessage, `SELECT `+messageColumns+` FROM outbox_message
		WHERE tenant_id = $1 AND topic = $2 AND lane = $3 AND id = $4`, tenant, topic, lane, message)
}

// Revive gives a message that has ended another life, due at now; one that
// waits becomes due at now. It reports whether there is such a message.
func Revive(ctx context.Context, tx db.Tx, tenant, topic, lane string, message id.ID[Message], now time.Time) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE outbox_message SET
			attempts = CASE WHEN status = 'Waiting' THEN attempts ELSE 0 END,
			started_at = CASE WHEN status = 'Waiting' THEN started_at ELSE $5 END,
			failing_since = CASE WHEN status = 'Waiting' THEN failing_since ELSE NULL END,
			due_at = $5, status = 'Waiting', ended_at = NULL
		WHERE tenant_id = $1 AND topic = $2 AND lane = $3 AND id = $4`, tenant, topic, lane, message, clock.Micros(now)))
	return n == 1, err
}

// HastenLane makes everything that waits in a lane due at now; what is being
// tried at this moment, once that has failed.
func HastenLane(ctx context.Context, tx db.Tx, tenant, topic, lane string, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE outbox_message SET due_at = $4
		WHERE tenant_id = $1 AND topic = $2 AND lane = $3 AND status = 'Waiting' AND (due_at > $4 OR leased_until > $4)`, tenant, topic, lane, clock.Micros(now))
	return err
}

// HastenKey makes what waits under an ordering key due at now, in whatever lane,
// as [HastenLane] does.
func HastenKey(ctx context.Context, tx db.Tx, tenant, key string, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE outbox_message SET due_at = $3
		WHERE tenant_id = $1 AND ordering_key = $2 AND status = 'Waiting' AND (due_at > $3 OR leased_until > $3)`, tenant, key, clock.Micros(now))
	return err
}

// Empty deletes everything in a lane.
func Empty(ctx context.Context, tx db.Tx, tenant, topic, lane string) error {
	_, err := tx.Exec(ctx, `DELETE FROM outbox_message WHERE tenant_id = $1 AND topic = $2 AND lane = $3`, tenant, topic, lane)
	return err
}

// deleteEnded deletes messages, of any tenant, that ended before the given
// time, a thousand at most. What was revived while the statement waited stays:
// the outer condition is looked at again.
func deleteEnded(ctx context.Context, tx db.Tx, before time.Time) (int64, error) {
	return db.Affected(tx.Exec(ctx, `DELETE FROM outbox_message WHERE id IN (
		SELECT id FROM outbox_message WHERE ended_at < $1 ORDER BY ended_at LIMIT 1000) AND ended_at < $1`, clock.Micros(before)))
}

// readDepth counts what waits, over all tenants, and finds the oldest.
func readDepth(ctx context.Context, tx db.Tx, topic string) (n int, oldest time.Time, err error) {
	err = tx.QueryRow(ctx, `SELECT COUNT(*), MIN(started_at) FROM outbox_message WHERE topic = $1 AND status = 'Waiting'`,
		topic).Scan(&n, db.IntoTime(&oldest))
	return n, oldest, err
}
