package control

import (
	"context"
	"strconv"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

var (
	usageBefore = &db.Lookup{Head: `SELECT u.cycle_id, u.transaction_id, u.at, u.uses, c.tenant_id, c.subject
		FROM velocity_usage u JOIN velocity_counter c ON c.id = u.subject_id WHERE u.at < $1 AND u.subject_id IN `}
	usageNamed = &db.Bulk{
		Head: `WITH v (subject_id, at, transaction_id) AS (VALUES `, Columns: 3, Types: []string{"TEXT", "BIGINT", "TEXT"},
		Tail: `) SELECT u.cycle_id, u.transaction_id, u.at, u.uses, c.tenant_id, c.subject FROM v
			JOIN velocity_usage u ON u.subject_id = v.subject_id AND u.at = v.at AND u.transaction_id = v.transaction_id
			JOIN velocity_counter c ON c.id = u.subject_id`,
	}
	usageDelete = &db.Bulk{
		Head: `WITH v (subject_id, at, transaction_id) AS (VALUES `, Columns: 3, Types: []string{"TEXT", "BIGINT", "TEXT"},
		Tail: `) DELETE FROM velocity_usage WHERE EXISTS (SELECT 1 FROM v WHERE velocity_usage.subject_id = v.subject_id
			AND velocity_usage.at = v.at AND velocity_usage.transaction_id = v.transaction_id)`,
		Alone: `DELETE FROM velocity_usage WHERE subject_id = $1 AND at = $2 AND transaction_id = $3`,
	}
)

// eachSubject hands over the next subjects of a sweep, by name, with their counters.
func (w *usageSweep) eachSubject(ctx context.Context, tx db.Tx, each func(subjectKey, string) error) error {
	var where db.Where
	where.And("id > ?", w.after)
	w.pass.Narrow(&where, "tenant_id")
	return db.Each(ctx, tx, func(row db.Scanner) error {
		var k subjectKey
		var counters string
		if err := row.Scan(&k.tenant, &k.subject, &counters); err != nil {
			return err
		}
		return each(k, counters)
	}, `SELECT tenant_id, subject, counters FROM velocity_counter WHERE `+where.SQL()+` ORDER BY id LIMIT `+strconv.Itoa(sweepSubjects), where.Args()...)
}

// eachUsageBefore hands over what subjects had before a moment.
func eachUsageBefore(ctx context.Context, tx db.Tx, subjects []subjectKey, before time.Time, each func(*usageRow)) error {
	if len(subjects) == 0 {
		return nil
	}
	ids := make([]string, len(subjects))
	for i, k := range subjects {
		ids[i] = k.String()
	}
	return usageBefore.Query(ctx, tx, []any{clock.Micros(before)}, ids, func(s db.Scanner) error {
		row, err := scanUsage(s)
		if err == nil {
			each(row)
		}
		return err
	})
}

// readUsageNamed reads rows that are still there.
func readUsageNamed(ctx context.Context, tx db.Tx, names []rowName) (rows []*usageRow, err error) {
	err = usageNamed.Query(ctx, tx, usageArgs(names), func(s db.Scanner) error {
		row, err := scanUsage(s)
		rows = append(rows, row)
		return err
	})
	return rows, err
}

func deleteUsage(ctx context.Context, tx db.Tx, names []rowName) error {
	return usageDelete.Exec(ctx, tx, usageArgs(names))
}

func usageArgs(names []rowName) []any {
	args := make([]any, 0, 3*len(names))
	for _, n := range names {
		args = append(args, n.subject.String(), n.at, n.transaction)
	}
	return args
}

func (r *usageRow) name() rowName { return rowName{r.subject, clock.Micros(r.at), r.transaction} }
