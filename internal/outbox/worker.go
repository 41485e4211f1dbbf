package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// Outcome is what became of an attempt.
type Outcome struct {
	Delivered bool
	Hopeless  bool   // it failed, and so would every other attempt
	Code      int    // of the answer, e.g. an HTTP status; 0: none
	Text      string // of the answer, for people; at most 512 bytes are kept
}

// Worker carries out the messages of one topic: each lane by itself, within a
// lane one message after another. Exactly one of Consume and Send is set. Its
// fields are set once, before use; it is safe for concurrent use, by any number
// of processes.
type Worker struct {
	DB    *db.DB
	Clock clock.Clock
	Log   *slog.Logger
	Topic string
	// Lease is how long a claimed message is left to whoever claimed it. It must
	// be longer than Send takes.
	Lease time.Duration
	// Consume does what is to be done in a transaction; the message is gone with
	// its commit. An error is tried again later.
	Consume func(ctx context.Context, tx db.Tx, m Message) error
	// Send tells somebody outside. It runs in no transaction.
	Send func(ctx context.Context, m Message) Outcome
	// Ended, when set, is told of a message of Send that will not be tried
	// again, in the transaction that says so.
	Ended func(ctx context.Context, tx db.Tx, m Message) error

	lanes   lanes
	claimed atomic.Int64
}

// claimsMax bounds what is done in a lane before other lanes are looked for.
const claimsMax = 100

// Start begins work in every lane in which something is due and which is not
// being worked by w already, and returns at once. However many lanes are slow,
// the others are found.
func (w *Worker) Start(ctx context.Context) (lanes int, err error) {
	for last, more := "", true; more; {
		var due []string
		err = w.DB.View(ctx, func(tx db.Tx) (err error) {
			due, err = dueLanes(ctx, tx, w.Topic, last, w.Clock.Now())
			return err
		})
		if err != nil {
			return lanes, fmt.Errorf("look for messages of %s: %w", w.Topic, err)
		}
		for _, lane := range due {
			started := w.lanes.start(lane, func() {
				if err := w.work(ctx, lane); err != nil && ctx.Err() == nil {
					w.Log.Error("work on messages", "topic", w.Topic, "error", err)
				}
			})
			if started {
				lanes++
			}
			last = lane
		}
		more = len(due) == lanesPage
	}
	return lanes, nil
}

// Wait returns when no lane is being worked.
func (w *Worker) Wait() { w.lanes.running.Wait() }

// RunOnce works on everything that is due and returns when that is done.
func (w *Worker) RunOnce(ctx context.Context) error {
	for {
		before := w.claimed.Load()
		_, err := w.Start(ctx)
		w.Wait()
		if err != nil || w.claimed.Load() == before {
			return err
		}
	}
}

// lease is what a claimed message is held by; each has a name of its own.
type lease struct{}

// IDPrefix is the prefix of the names of leases.
func (lease) IDPrefix() string { return "lease" }

func (w *Worker) work(ctx context.Context, lane string) error {
	for range claimsMax {
		if ctx.Err() != nil {
			return nil // what was not claimed is there the next time
		}
		var m Message
		found := false
		now := w.Clock.Now()
		owner := id.New[lease](now).String()
		err := w.DB.InTx(ctx, func(tx db.Tx) (err error) {
			m, found, err = claim(ctx, tx, w.Topic, lane, owner, now, now.Add(w.Lease))
			return err
		})
		if err != nil {
			return fmt.Errorf("claim a message: %w", err)
		}
		if !found {
			return nil
		}
		w.claimed.Add(1)
		if w.Consume != nil {
			err = w.consume(ctx, m)
		} else {
			err = w.conclude(ctx, m, w.Send(ctx, m))
		}
		if err != nil {
			return fmt.Errorf("message %s of %s: %w", m.ID, m.Name, err)
		}
	}
	return nil
}

// errLeaseLost undoes what was done without a lease: another does it.
var errLeaseLost = errors.New("the lease was lost")

func (w *Worker) consume(ctx context.Context, m Message) error {
	err := w.DB.InTx(ctx, func(tx db.Tx) error {
		if err := w.Consume(ctx, tx, m); err != nil {
			return err
		}
		held, err := remove(ctx, tx, m)
		if err == nil && !held {
			return errLeaseLost
		}
		return err
	})
	if err == nil || errors.Is(err, errLeaseLost) || ctx.Err() != nil {
		return nil
	}
	w.Log.Error("consume event", "event", m.Name, "id", m.EventID.String(), "error", err)
	return w.conclude(ctx, m, Outcome{Text: "see the log"})
}

// conclude writes what became of an attempt. It does so, too, when ctx has
// ended meanwhile: what was sent was sent.
func (w *Worker) conclude(ctx context.Context, m Message, o Outcome) error {
	ctx = context.WithoutCancel(ctx)
	now := w.Clock.Now()
	m.ResultCode, m.ResultText = o.Code, cut(o.Text, resultLength)
	switch next := now.Add(Pause(m.Attempts)); {
	case o.Delivered:
		m.Status, m.EndedAt = Delivered, now
	case o.Hopeless, m.Attempts > m.RetriesMax, next.After(m.StartedAt.Add(RetryLife)):
		m.Status, m.EndedAt = Dead, now
	default:
		m.DueAt = next
	}
	if !o.Delivered && m.FailingSince.IsZero() {
		m.FailingSince = now
	}
	return w.DB.InTx(ctx, func(tx db.Tx) error {
		held, err := finish(ctx, tx, m) // without the lease another one concludes it
		if err != nil || !held || m.Status == Waiting || w.Ended == nil {
			return err
		}
		return w.Ended(ctx, tx, m)
	})
}

// cut returns at most n bytes of s, as valid text.
func cut(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "")
}

// Sweep deletes messages that ended longer than KeepLife ago, and returns how
// many.
func (w *Worker) Sweep(ctx context.Context) (int64, error) {
	return w.DB.InTxs(ctx, func(tx db.Tx) (int64, error) {
		return deleteEnded(ctx, tx, w.Clock.Now().Add(-KeepLife))
	})
}

// Depth returns how many messages of the topic wait, and how long the oldest
// has.
func (w *Worker) Depth(ctx context.Context) (n int, age time.Duration, err error) {
	var oldest time.Time
	err = w.DB.View(ctx, func(tx db.Tx) (err error) {
		n, oldest, err = readDepth(ctx, tx, w.Topic)
		return err
	})
	if n > 0 {
		age = w.Clock.Now().Sub(oldest)
	}
	return n, age, err
}
