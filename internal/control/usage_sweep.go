package control

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// usageKept is how long what a transaction has of limits is kept at least. Limits
// need it until a day after its window has ended; the explanation of a decline under
// a rolling window asks what lay in it.
const usageKept = 32 * 24 * time.Hour

// How many subjects are looked at together, and how many rows of theirs are changed
// under one lock.
const (
	sweepSubjects = 100
	sweepRows     = 500
)

// SweepUsage deletes what transactions have of limits when nothing can ask for it or
// change it any more, and returns how many rows that concerned: what is old and lies
// in windows that have ended, and what lies in lifetimes that are no longer counted,
// because their control has gone or counts anew. It may run on several nodes and be
// broken off at any time.
func (s *Service) SweepUsage(ctx context.Context) (int, error) {
	return access.EachPass(ctx, s.DB, s.Clock, func(p access.Pass) (int, error) { return s.SweepUsageIn(ctx, p) })
}

// SweepUsageIn is SweepUsage for the tenants of a pass.
func (s *Service) SweepUsageIn(ctx context.Context, p access.Pass) (done int, err error) {
	w := usageSweep{pass: p}
	for more := true; more; {
		var n int
		if n, more, err = w.step(ctx, s.DB); err != nil {
			return done, fmt.Errorf("sweep usage of limits: %w", err)
		}
		done += n
	}
	return done, nil
}

// usageSweep goes through the subjects of a pass, by name.
type usageSweep struct {
	pass  access.Pass
	after string // all up to this subject are done
}

// swept is what a look at some subjects has found.
type swept struct {
	subjects []subjectKey
	dead     map[subjectKey]bool // those with lifetimes that are no longer counted
	rows     []rowName           // with something to delete, not more than sweepRows
}

// rowName names a row of velocity_usage.
type rowName struct {
	subject     subjectKey
	at          int64
	transaction string
}

// step looks at the next subjects without a lock, and deletes some of what it finds.
// They are looked at again until nothing is left.
func (w *usageSweep) step(ctx context.Context, d *db.DB) (n int, more bool, err error) {
	var found swept
	err = d.View(ctx, func(tx db.Tx) (err error) {
		found, err = w.find(ctx, tx)
		return err
	})
	if err != nil {
		return 0, false, err
	}
	if len(found.rows) > 0 || len(found.dead) > 0 {
		err = d.InTx(ctx, func(tx db.Tx) (err error) {
			n, err = w.delete(ctx, tx, found)
			return err
		})
	}
	if n > 0 || err != nil {
		return n, true, err
	}
	if len(found.subjects) == 0 {
		return 0, false, nil
	}
	w.after = found.subjects[len(found.subjects)-1].String()
	return 0, true, nil
}

func (w *usageSweep) find(ctx context.Context, tx db.Tx) (swept, error) {
	found := swept{dead: map[subjectKey]bool{}}
	live := liveCounters{}
	lifetimes := map[subjectKey][]CounterKey{}
	err := w.eachSubject(ctx, tx, func(k subjectKey, counters string) error {
		found.subjects = append(found.subjects, k)
		return parseCounters(k, counters, func(r *counterRow) {
			if r.key.isLifetime() {
				lifetimes[k] = append(lifetimes[k], r.key)
			}
		})
	})
	if err != nil {
		return found, err
	}
	var all, old []subjectKey
	for _, k := range found.subjects {
		if live, err = live.with(ctx, tx, k.tenant); err != nil {
			return found, err
		}
		if slices.ContainsFunc(lifetimes[k], live.lacks) {
			found.dead[k] = true
			all = append(all, k)
		} else {
			old = append(old, k)
		}
	}
	collect := func(row *usageRow) {
		if len(found.rows) < sweepRows && slices.ContainsFunc(row.all, func(r *counted) bool { return w.isOver(r, live) }) {
			found.rows = append(found.rows, row.name())
		}
	}
	if err := eachUsageBefore(ctx, tx, old, w.oldest(), collect); err != nil {
		return found, err
	}
	return found, eachUsageBefore(ctx, tx, all, w.pass.Now.Add(stale), collect)
}

// delete deletes what was found, as it is under the locks of its subjects.
func (w *usageSweep) delete(ctx context.Context, tx db.Tx, found swept) (n int, err error) {
	c := NewCounters()
	wanted := map[subjectKey]bool{}
	for k := range found.dead {
		wanted[k] = true
	}
	for _, r := range found.rows {
		wanted[r.subject] = true
	}
	if err := c.lock(ctx, tx, wanted, func(access.TenantID) time.Time { return w.pass.Now }); err != nil {
		return 0, fmt.Errorf("lock counters: %w", err)
	}
	rows, err := readUsageNamed(ctx, tx, found.rows)
	if err != nil {
		return 0, fmt.Errorf("read usage: %w", err)
	}
	live := liveCounters{}
	for k := range wanted { // after the rows: what they are counted under is older
		if live, err = live.with(ctx, tx, k.tenant); err != nil {
			return 0, err
		}
	}
	var gone []rowName
	for _, row := range rows {
		before := len(row.all)
		row.all = slices.DeleteFunc(row.all, func(r *counted) bool {
			isOver := w.isOver(r, live)
			if isOver {
				c.forget(r)
			}
			return isOver
		})
		switch len(row.all) {
		case before:
			continue
		case 0:
			gone = append(gone, row.name())
		default:
			row.dirty = true
			c.rows[rowKey{row.transaction, row.subject}] = row
		}
		n++
	}
	for k, r := range c.counters {
		if k.isLifetime() && live.lacks(k) && r.used == (used{}) {
			r.kept, c.subjects[k.of()].dirty = false, true
			n++
		}
	}
	if err := c.Write(ctx, tx); err != nil {
		return 0, err
	}
	return n, deleteUsage(ctx, tx, gone)
}

// oldest is before when what transactions have is old.
func (w *usageSweep) oldest() time.Time { return w.pass.Now.Add(-usageKept) }

// isOver reports whether nothing needs what a transaction has of a counter.
func (w *usageSweep) isOver(r *counted, live liveCounters) bool {
	if r.Key.isLifetime() {
		return live.lacks(r.Key)
	}
	return r.hasEnded(w.pass.Now.Add(-stale)) && r.row.at.Before(w.oldest())
}

// forget takes what a transaction has off its counter, which may have fallen out.
func (c *Counters) forget(r *counted) {
	c.subjects[r.Key.of()].dirty = true
	if r.IsSpan {
		c.gone = append(c.gone, spanRow{r.row.subject.String(), r.Key.Counter, r.row.at.UnixMicro(), r.Transaction})
	} else if sum := c.counters[r.Key]; sum != nil {
		sum.used.amount -= r.used.amount
		sum.used.count -= r.used.count
	}
}

// isLifetime reports whether the counter is one that a velocity control never begins
// anew by itself.
func (k CounterKey) isLifetime() bool {
	return k.level() != "" && strings.Split(k.Counter, "/")[3] == string(PerLifetime)
}

// liveCounters are the names of what the velocity controls of tenants count. What is
// none of them never will be again, see fitVelocity.
type liveCounters map[access.TenantID]map[string]bool

// with is l with those of a tenant.
func (l liveCounters) with(ctx context.Context, tx db.Tx, tenant access.TenantID) (liveCounters, error) {
	if l[tenant] != nil {
		return l, nil
	}
	checks, err := VelocityChecks.read(ctx, tx, tenant)
	if err != nil {
		return l, fmt.Errorf("read velocity controls: %w", err)
	}
	l[tenant] = map[string]bool{}
	for i := range checks {
		l[tenant][checks[i].counter()] = true
	}
	return l, nil
}

func (l liveCounters) lacks(k CounterKey) bool { return !l[k.Tenant][k.Counter] }
