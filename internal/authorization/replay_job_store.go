package authorization

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/list"
)

const replayColumns = `id, tenant_id, from_at, to_at, draft, status, done_count, all_count, totals, attempts, lease, created_at, created_by, finished_at`

func scanReplay(row db.Scanner) (ReplayJob, error) {
	var x ReplayJob
	var totals string
	err := row.Scan(&x.ID, &x.Tenant, db.IntoTime(&x.From), db.IntoTime(&x.To), &x.Draft, &x.Status, &x.Done, &x.All, &totals, &x.attempts,
		&x.lease, db.IntoTime(&x.CreatedAt), &x.CreatedBy, db.IntoTime(&x.FinishedAt))
	if err != nil {
		return x, err
	}
	x.Totals, err = parseTotals(totals)
	return x, err
}

// insertReplay reports false where the tenant, which is locked, has as many that
// wait or run as it may.
func insertReplay(ctx context.Context, tx db.Tx, x ReplayJob) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO replay (`+replayColumns+`, leased_until)
		SELECT id, $1, $3, $4, $5, $6, 0, 0, '', 0, '', $7, $8, NULL, 0 FROM (SELECT $2 AS id) x
		WHERE (SELECT count(*) FROM replay WHERE tenant_id = $1 AND status IN ('Queued', 'Running')) < $9`,
		x.Tenant, x.ID, clock.Micros(x.From), clock.Micros(x.To), x.Draft, string(x.Status), clock.Micros(x.CreatedAt), x.CreatedBy, replaysAtOnce))
	return n == 1, err
}

func mustReplay(ctx context.Context, tx db.Tx, tenant access.TenantID, replay id.ID[ReplayJob]) (ReplayJob, error) {
	x, found, err := db.One(ctx, tx, scanReplay, `SELECT `+replayColumns+` FROM replay WHERE tenant_id = $1 AND id = $2`, tenant, replay)
	if err == nil && !found {
		err = errReplayNotFound
	}
	return x, err
}

// claimReplay takes the oldest replay that nobody runs.
func claimReplay(ctx context.Context, tx db.Tx, lease string, now time.Time) (ReplayJob, bool, error) {
	x, found, err := db.One(ctx, tx, scanReplay, `UPDATE replay SET status = 'Running', attempts = attempts + 1, lease = $1, leased_until = $2,
			done_count = 0 WHERE status IN ('Queued', 'Running') AND leased_until < $3 AND id IN (
			SELECT id FROM replay WHERE status IN ('Queued', 'Running') AND leased_until < $3 ORDER BY created_at, id LIMIT 1)
		RETURNING `+replayColumns, lease, clock.Micros(now.Add(replayLease)), clock.Micros(now))
	return x, found, err
}

// renewReplay tells how far a replay is, and that it goes on.
func renewReplay(ctx context.Context, tx db.Tx, x *ReplayJob, until time.Time) error {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE replay SET done_count = $3, all_count = $4, leased_until = $5
		WHERE id = $1 AND lease = $2 AND status = 'Running'`, x.ID, x.lease, int64(x.Done), int64(x.All), clock.Micros(until)))
	if err == nil && n == 0 {
		err = errReplayLost
	}
	return err
}

func finishReplay(ctx context.Context, tx db.Tx, x *ReplayJob, to ReplayStatus, totals *ReplayTotals, now time.Time) error {
	text := ""
	if totals != nil {
		text = totals.String()
	}
	_, err := tx.Exec(ctx, `UPDATE replay SET status = $3, totals = $4, finished_at = $5 WHERE id = $1 AND lease = $2 AND status = 'Running'`,
		x.ID, x.lease, string(to), text, clock.Micros(now))
	return err
}

var differenceInsert = &db.Bulk{Head: `INSERT INTO replay_difference (replay_id, position, content) VALUES `, Columns: 3}

func insertDifferences(ctx context.Context, tx db.Tx, replay id.ID[ReplayJob], before int, all []Difference) error {
	var args []any
	for i := range all {
		args = append(args, replay, before+i+1, all[i].String())
	}
	return differenceInsert.Exec(ctx, tx, args)
}

func readDifferences(ctx context.Context, tx db.Tx, replay id.ID[ReplayJob], p list.Page) ([]Difference, int, error) {
	total, _, err := db.One(ctx, tx, db.ScanCount, `SELECT count(*) FROM replay_difference WHERE replay_id = $1`, replay)
	if err != nil {
		return nil, 0, err
	}
	all, err := db.Collect(ctx, tx, func(row db.Scanner) (Difference, error) {
		var text string
		if err := row.Scan(&text); err != nil {
			return Difference{}, err
		}
		return parseDifference(text)
	}, `SELECT content FROM replay_difference WHERE replay_id = $1 AND position > $2 ORDER BY position LIMIT $3`, replay, p.Skip, p.Limit)
	return all, total, err
}

// replayDeleteSize is how many differences are deleted at a time.
const replayDeleteSize = 1000

// forgetDifferences deletes some of what a replay has found and returns how many.
func forgetDifferences(ctx context.Context, tx db.Tx, replay id.ID[ReplayJob]) (int64, error) {
	return db.Affected(tx.Exec(ctx, `DELETE FROM replay_difference WHERE replay_id = $1 AND position IN (
		SELECT position FROM replay_difference WHERE replay_id = $1 ORDER BY position LIMIT $2)`, replay, replayDeleteSize))
}

// deleteReplays deletes some of what replays from before a moment have found, or
// some of those that have nothing left, and returns how many rows.
func deleteReplays(ctx context.Context, tx db.Tx, before time.Time) (int64, error) {
	n, err := db.Affected(tx.Exec(ctx, `DELETE FROM replay_difference WHERE (replay_id, position) IN (
		SELECT d.replay_id, d.position FROM replay_difference d JOIN replay r ON r.id = d.replay_id WHERE r.created_at < $1 LIMIT $2)`,
		clock.Micros(before), replayDeleteSize))
	if err != nil || n > 0 {
		return n, err
	}
	return db.Affected(tx.Exec(ctx, `DELETE FROM replay WHERE id IN (SELECT r.id FROM replay r WHERE r.created_at < $1
		AND NOT EXISTS (SELECT 1 FROM replay_difference d WHERE d.replay_id = r.id) ORDER BY r.created_at LIMIT $2)`,
		clock.Micros(before), replayDeleteSize))
}
