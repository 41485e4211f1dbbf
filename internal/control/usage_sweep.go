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

// How many subjects are looked at together, and how many rows of theirs are read at
// once and deleted under one lock: on SQLite nobody pays meanwhile.
const (
	sweepSubjects = 100
	sweepRows     = 100
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

// usageSweep goes through the subjects of a pass by name, and through what
// transactions have of each by time. It looks at everything once: one subject may
// have a million rows.
type usageSweep struct {
	pass  access.Pass
	after string  // all up to this subject are done
	seen  rowName // of the next ones all up to this row; zero is none
}

// swept is what a look at some subjects of a tenant has found.
type swept struct {
	subjects []subjectKey
	isDead   bool      // all of them have lifetimes that are no longer counted; else none has
	rows     []rowName // with something to delete
	read     int       // how many rows, not more than sweepRows
	last     rowName   // of those
}

// isWhole reports whether all rows of the subjects have been read.
func (s *swept) isWhole() bool { return s.read < sweepRows }

// rowName names a row of velocity_usage.
type rowName struct {
	subject     subjectKey
	at          int64
	transaction string
}

// step looks at some rows of the next subjects without a lock, and deletes what it
// finds.
func (w *usageSweep) step(ctx context.Context, d *db.DB) (n int, more bool, err error) {
	var found swept
	err = d.View(ctx, func(tx db.Tx) (err error) {
		found, err = w.find(ctx, tx)
		return err
	})
	if err != nil || len(found.subjects) == 0 {
		return 0, false, err
	}
	if len(found.rows) > 0 || found.isDead && found.isWhole() {
		err = d.InTx(ctx, func(tx db.Tx) (err error) {
			n, err = w.delete(ctx, tx, found)
			return err
		})
	}
	if err != nil {
		return 0, false, err
	}
	w.seen = found.last
	if found.isWhole() {
		w.after, w.seen = found.subjects[len(found.subjects)-1].String(), rowName{}
	}
	return n, true, nil
}

func (w *usageSweep) find(ctx context.Context, tx db.Tx) (found swept, err error) {
	var all []subjectKey
	lifetimes := map[subjectKey][]CounterKey{}
	err = w.eachSubject(ctx, tx, func(k subjectKey, counters string) error {
		all = append(all, k)
		return parseCounters(k, counters, func(r *counterRow) {
			if r.key.isLifetime() {
				lifetimes[k] = append(lifetimes[k], r.key)
			}
		})
	})
	if err != nil || len(all) == 0 {
		return found, err
	}
	live, err := liveCounters{}.with(ctx, tx, all[0].tenant)
	if err != nil {
		return found, err
	}
	isDead := func(k subjectKey) bool { return slices.ContainsFunc(lifetimes[k], live.lacks) }
	found.isDead = isDead(all[0])
	n := slices.IndexFunc(all, func(k subjectKey) bool { return k.tenant != all[0].tenant || isDead(k) != found.isDead })
	if n < 0 {
		n = len(all)
	}
	found.subjects = all[:n]
	before := w.oldest()
	if found.isDead {
		before = w.pass.Now.Add(stale)
	}
	err = w.eachUsage(ctx, tx, found.subjects, before, func(row *usageRow) {
		found.read++
		found.last = row.name()
		if slices.ContainsFunc(row.all, func(r *counted) bool { return w.isOver(r, live) }) {
			found.rows = append(found.rows, found.last)
		}
	})
	return found, err
}

// delete deletes what was found, as it is under the locks of its subjects.
func (w *usageSweep) delete(ctx context.Context, tx db.Tx, found swept) (n int, err error) {
	c := NewCounters()
	wanted := map[subjectKey]bool{}
	if found.isDead && found.isWhole() { // their counters may go, too
		for _, k := range found.subjects {
			wanted[k] = true
		}
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
