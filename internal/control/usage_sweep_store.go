package control

import (
	"context"
	"strconv"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

var (
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

// eachUsage hands over the next rows of subjects, which are a range of names of one
// tenant, that were decided before a moment; not more than sweepRows.
func (w *usageSweep) eachUsage(ctx context.Context, tx db.Tx, subjects []subjectKey, before time.Time, each func(*usageRow)) error {
	from := w.seen
	if from == (rowName{}) {
		from = rowName{subject: subjects[0], at: -1}
	}
	named := make(map[string]subjectKey, len(subjects))
	for _, k := range subjects {
		named[k.String()] = k
	}
	return db.Each(ctx, tx, func(s db.Scanner) error {
		var row usageRow
		var subject, text string
		var at int64
		if err := s.Scan(&subject, &at, &row.transaction, &row.cycle, &text); err != nil {
			return err
		}
		row.subject, row.at = named[subject], clock.FromMicros(at)
		err := parseUsage(&row, text)
		if err == nil {
			each(&row)
		}
		return err
	}, `SELECT subject_id, at, transaction_id, cycle_id, uses FROM velocity_usage
		WHERE (subject_id, at, transaction_id) > ($1, $2, $3) AND subject_id <= $4 AND at < $5
		ORDER BY subject_id, at, transaction_id LIMIT `+strconv.Itoa(sweepRows),
		from.subject.String(), from.at, from.transaction, subjects[len(subjects)-1].String(), clock.Micros(before))
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
