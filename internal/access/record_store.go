package access

import "github.com/sarraf-platform/sarraf/internal/clock"

// RecordColumns are the columns of a [Record] wherever it is stored.
const RecordColumns = `concurrency_stamp, created_at, created_by, updated_at, updated_by`

// RecordTarget returns where to scan recordColumns, and what to call when the
// row is scanned.
func RecordTarget(r *Record) (targets []any, done func()) {
	var created, updated int64
	return []any{&r.ConcurrencyStamp, &created, &r.CreatedBy, &updated, &r.UpdatedBy}, func() {
		r.CreatedAt, r.UpdatedAt = clock.FromMicros(created), clock.FromMicros(updated)
	}
}

// RecordValues are what recordColumns are written from.
func RecordValues(r Record) []any {
	return []any{r.ConcurrencyStamp, clock.Micros(r.CreatedAt), r.CreatedBy, clock.Micros(r.UpdatedAt), r.UpdatedBy}
}
