package outbox

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// Relay gives events on to whoever wants to hear of them, each tenant's by
// itself and in their order. It numbers them as it does so: the numbers of a
// key have no gaps, and making an event waits for nobody. Its fields are set
// once, before use; it is safe for concurrent use, by any number of processes.
type Relay struct {
	DB    *db.DB
	Clock clock.Clock
	Log   *slog.Logger
	// Consume does in tx what is to be done about events of one tenant; they are
	// gone with its commit. Of the messages the ID, the topic and the lane are
	// empty. After an error each is tried alone, and later again.
	Consume func(ctx context.Context, tx db.Tx, events []Message) error
	// Complete returns other payloads for those of the events that tell more when
	// one looks after their transaction; nil leaves all as they are. It is asked
	// before a transaction begins, for it may take its time. After an error events
	// are told as they are.
	Complete func(ctx context.Context, events []WaitingEvent) (map[id.ID[Event]][]byte, error)
	// Rest is how many times as long as a transaction took a tenant's relay leaves the
	// database to others before the next, a second at most; 0 goes on at once. Events
	// that have waited for 5 s are given on without a rest. On SQLite payments wait for
	// each transaction, and a thousand events in a row would double what they take.
	Rest int

	lanes lanes
}

const (
	// relayMin and relayMax bound how many events are given on in one transaction: as
	// many as take no longer than relayTime, for on SQLite payments wait for it.
	relayMin  = 32
	relayMax  = 128
	relayTime = 10 * time.Millisecond
	// turnWait is how long one waits for another that gives on events of the same
	// tenant.
	turnWait = 250 * time.Millisecond
	// restMax bounds a rest: one transaction may have waited for a disk.
	restMax = time.Second
	// lateAfter is when events have waited so long that there is no rest.
	lateAfter = 5 * time.Second
)

// Start begins work for every tenant that has events and for which r is not at
// work already, and returns at once.
func (r *Relay) Start(ctx context.Context) (tenants int, err error) {
	var waiting []string
	err = r.DB.View(ctx, func(tx db.Tx) (err error) {
		waiting, err = tenantsWithEvents(ctx, tx)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("look for events: %w", err)
	}
	for _, tenant := range waiting {
		started := r.lanes.start(tenant, func() {
			if err := r.work(ctx, tenant); err != nil && ctx.Err() == nil {
				r.Log.Error("give on events", "tenant", tenant, "error", err)
			}
		})
		if started {
			tenants++
		}
	}
	return tenants, nil
}

// Wait returns when r is at work for no tenant.
func (r *Relay) Wait() { r.lanes.running.Wait() }

// RunOnce gives on everything that is due and returns when that is done.
func (r *Relay) RunOnce(ctx context.Context) error {
	_, err := r.Start(ctx)
	r.Wait()
	return err
}

// work gives on the events of a tenant until none is due.
func (r *Relay) work(ctx context.Context, tenant string) error {
	for limit := relayMin; ctx.Err() == nil; {
		g, err := r.giveOn(ctx, tenant, limit)
		if db.IsLocked(err) {
			return nil // another does it
		}
		if g.failed {
			err = r.giveOnAlone(ctx, tenant, len(g.events))
		}
		if err != nil || g.due == 0 {
			return err
		}
		limit = nextLimit(limit, g.took)
		r.rest(ctx, g)
	}
	return nil
}

// nextLimit is how many events the next transaction may give on, when so many took so
// long. How long depends on how many hooks want them, and on what else is done.
func nextLimit(limit int, took time.Duration) int {
	switch {
	case took > relayTime:
		return max(limit/2, relayMin)
	case took < relayTime/2:
		return min(2*limit, relayMax)
	}
	return limit
}

// rest returns after a while, or when ctx ends.
func (r *Relay) rest(ctx context.Context, after given) {
	if r.Rest <= 0 || after.due == 0 || after.waited > lateAfter {
		return
	}
	pause := time.NewTimer(min(time.Duration(r.Rest)*min(after.took, restMax), restMax))
	defer pause.Stop()
	select {
	case <-ctx.Done():
	case <-pause.C:
	}
}

// given is what was given on in one transaction.
type given struct {
	events []WaitingEvent
	due    int           // how many there seemed to be
	failed bool          // consuming them did, and nothing has changed
	took   time.Duration // the transaction, from when others waited for it
	waited time.Duration // the first of them, until it began
}

// giveOn takes up to limit events of a tenant. They are read, and completed, before a
// transaction begins in which, on SQLite, nobody else writes.
func (r *Relay) giveOn(ctx context.Context, tenant string, limit int) (g given, err error) {
	var due []WaitingEvent
	err = r.DB.View(ctx, func(tx db.Tx) (err error) {
		due, err = readDueEvents(ctx, tx, tenant, r.Clock.Now(), limit)
		return err
	})
	if err != nil || len(due) == 0 {
		return given{}, err
	}
	r.complete(ctx, due)
	g.due, g.waited = len(due), r.Clock.Now().Sub(due[0].At.Time())
	watch := clock.StartStopwatch()
	err = r.DB.InTx(ctx, func(tx db.Tx) (err error) {
		g.failed, watch = false, clock.StartStopwatch()
		// What has begun is finished: it is short, and each statement under a context that
		// may end costs goroutines that watch for it.
		ctx := context.WithoutCancel(ctx)
		if err := db.LimitLockWait(ctx, tx, turnWait); err != nil {
			return err
		}
		if err := takeTurn(ctx, tx, tenant); err != nil {
			return err
		}
		if g.events, err = unchanged(ctx, tx, tenant, due); err != nil || len(g.events) == 0 {
			return err
		}
		messages, err := number(ctx, tx, tenant, g.events)
		if err != nil {
			return err
		}
		if err := r.Consume(ctx, tx, messages); err != nil {
			g.failed = true
			return err
		}
		return deleteEvents(ctx, tx, tenant, g.events)
	})
	g.took, g.failed = watch.Elapsed(), g.failed && err != nil
	return g, err
}

// complete puts other payloads in for those of the events that tell more.
func (r *Relay) complete(ctx context.Context, events []WaitingEvent) {
	if r.Complete == nil {
		return
	}
	payloads, err := r.Complete(ctx, events)
	if err != nil {
		r.Log.Error("complete events", "tenant", events[0].Tenant, "error", err)
	}
	for i, e := range events {
		if p := payloads[e.ID]; p != nil {
			events[i].Payload = p
		}
	}
}

// giveOnAlone takes n events of a tenant one by one, so that one which cannot
// be given on holds up those of its key only.
func (r *Relay) giveOnAlone(ctx context.Context, tenant string, n int) error {
	for range n {
		g, err := r.giveOn(ctx, tenant, 1)
		if g.failed {
			err = r.putOff(ctx, g.events[0], err)
		}
		if err != nil || g.due == 0 || ctx.Err() != nil {
			return err
		}
		r.rest(ctx, g)
	}
	return nil
}

// putOff lets an event wait, or gives it up when it has waited for RetryLife.
func (r *Relay) putOff(ctx context.Context, e WaitingEvent, cause error) error {
	due := r.Clock.Now().Add(Pause(e.Attempts + 1))
	lost := due.After(e.At.Time().Add(RetryLife))
	r.Log.Error("consume event", "event", e.Name, "id", e.ID.String(), "given_up", lost, "error", cause)
	return r.DB.InTx(ctx, func(tx db.Tx) error {
		if lost {
			return deleteEvents(ctx, tx, e.Tenant, []WaitingEvent{e})
		}
		return putOff(ctx, tx, e, due)
	})
}

// number gives events the next numbers of their keys.
func number(ctx context.Context, tx db.Tx, tenant string, events []WaitingEvent) ([]Message, error) {
	more := map[string]int64{}
	for _, e := range events {
		more[e.Key]++
	}
	last, err := raiseSequences(ctx, tx, tenant, more)
	if err != nil {
		return nil, fmt.Errorf("number events: %w", err)
	}
	messages := make([]Message, len(events))
	for i, e := range events {
		last[e.Key]++
		messages[i] = Message{
			Tenant: e.Tenant, EventID: e.ID, Name: e.Name, Key: e.Key, Sequence: last[e.Key], CorrelationID: e.CorrelationID,
			Payload: e.Payload, OccurredAt: e.At.Time(),
		}
	}
	return messages, nil
}

// Depth returns how many events wait, and how long the oldest has.
func (r *Relay) Depth(ctx context.Context) (n int, age time.Duration, err error) {
	var oldest time.Time
	err = r.DB.View(ctx, func(tx db.Tx) (err error) {
		n, oldest, err = readEventDepth(ctx, tx)
		return err
	})
	if n > 0 {
		age = r.Clock.Now().Sub(oldest)
	}
	return n, age, err
}
