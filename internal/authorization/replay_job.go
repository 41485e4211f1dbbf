package authorization

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/list"
)

// ReplayStatus is where a replay that was asked for stands.
type ReplayStatus string

// The statuses.
const (
	ReplayQueued    ReplayStatus = "Queued"
	ReplayRunning   ReplayStatus = "Running"
	ReplayCompleted ReplayStatus = "Completed"
	ReplayFailed    ReplayStatus = "Failed"
)

// ReplayJob is a replay that was asked for and runs on its own.
type ReplayJob struct {
	ID         id.ID[ReplayJob]
	Tenant     access.TenantID
	From, To   time.Time
	Draft      string // as its author wrote it; empty: as recorded
	Status     ReplayStatus
	Done, All  int // transactions
	Totals     ReplayTotals
	CreatedAt  time.Time
	CreatedBy  string
	FinishedAt time.Time

	attempts int
	lease    string
}

// IDPrefix makes the identifiers of replays rpl_….
func (ReplayJob) IDPrefix() string { return "rpl" }

// What bounds replays.
const (
	replaysAtOnce   = 3                  // of a tenant, that wait or run
	replayAttempts  = 3                  // after which one that breaks off has failed
	replayLease     = time.Minute        // without a sign of life, another node takes over
	replayKept      = 7 * 24 * time.Hour // after it was asked for
	replayTold      = 100_000            // differences that are kept of one
	replayWriteSize = 500
)

// Refusals about replays.
var (
	errReplayNotFound = fault.New(fault.NotFound, "replay_not_found", "there is no such replay")
	errReplaysAtOnce  = fault.New(fault.Throttled, "replay_limit_exceeded", "the tenant has as many replays that wait or run as it may")
)

// Drafts reads drafts as callers write them. The API family has the words.
type Drafts interface {
	ParseDraft(text string) (*control.Draft, error)
}

// ReplayJobs runs replays on their own and keeps their results for some days. It
// is safe for concurrent use, on several nodes.
type ReplayJobs struct {
	Replays *Replays
	Clock   clock.Clock
	Drafts  Drafts
}

// Ask keeps a replay that is to run. What cannot be replayed is refused at once.
func (j *ReplayJobs) Ask(ctx context.Context, c access.Caller, from, to time.Time, draft string) (ReplayJob, error) {
	order := ReplayOrder{From: from, To: to}
	var err error
	if order.Draft, err = j.parse(draft); err != nil {
		return ReplayJob{}, err
	}
	if err := j.Replays.Check(ctx, c, order); err != nil {
		return ReplayJob{}, err
	}
	now := clock.RealNow(j.Clock).Time()
	x := ReplayJob{
		ID: id.New[ReplayJob](j.Clock.Now()), Tenant: c.Tenant, From: from, To: to, Draft: draft, Status: ReplayQueued, CreatedAt: now, CreatedBy: c.By(),
	}
	err = j.Replays.db.InTx(ctx, func(tx db.Tx) error {
		if err := access.LockTenant(ctx, tx, c.Tenant); err != nil { // several at once count one after the other
			return err
		}
		kept, err := insertReplay(ctx, tx, x)
		if err == nil && !kept {
			err = errReplaysAtOnce
		}
		return err
	})
	return x, err
}

func (j *ReplayJobs) parse(draft string) (*control.Draft, error) {
	if draft == "" {
		return nil, nil
	}
	return j.Drafts.ParseDraft(draft)
}

// Show returns a replay of the caller's tenant.
func (j *ReplayJobs) Show(ctx context.Context, c access.Caller, replay id.ID[ReplayJob]) (x ReplayJob, err error) {
	err = j.Replays.db.View(ctx, func(tx db.Tx) error {
		x, err = mustReplay(ctx, tx, c.Tenant, replay)
		return err
	})
	return x, err
}

// Differences returns a part of what a replay of the caller's tenant found, in its
// order.
func (j *ReplayJobs) Differences(ctx context.Context, c access.Caller, replay id.ID[ReplayJob], p list.Page) (page []Difference, total int, err error) {
	err = j.Replays.db.View(ctx, func(tx db.Tx) error {
		if _, err := mustReplay(ctx, tx, c.Tenant, replay); err != nil {
			return err
		}
		page, total, err = readDifferences(ctx, tx, replay, p)
		return err
	})
	return page, total, err
}

// Work runs a replay that waits, or that broke off, and returns whether there was
// one. One that breaks off begins anew elsewhere; one that breaks off again and
// again has failed.
func (j *ReplayJobs) Work(ctx context.Context) (int, error) {
	now, lease := clock.RealNow(j.Clock).Time(), id.New[ReplayJob](j.Clock.Now()).String()
	var x ReplayJob
	var found bool
	err := j.Replays.db.InTx(ctx, func(tx db.Tx) (err error) {
		x, found, err = claimReplay(ctx, tx, lease, now)
		return err
	})
	if err != nil || !found {
		return 0, err
	}
	if x.attempts > replayAttempts {
		return 1, j.finish(ctx, &x, ReplayFailed, nil)
	}
	if err = j.forget(ctx, &x); err == nil {
		err = j.run(ctx, &x)
	}
	switch {
	case err == nil, errors.Is(err, errReplayLost):
		return 1, nil
	case ctx.Err() != nil:
		return 0, err // another node, or the next start, begins it anew
	}
	if _, refused := fault.AsRefusal(err); refused || x.attempts >= replayAttempts {
		return 1, errors.Join(err, j.finish(ctx, &x, ReplayFailed, nil))
	}
	return 0, fmt.Errorf("run replay %s: %w", x.ID, err)
}

// forget deletes what a replay found before it broke off, under its lease: nobody
// else has begun it anew.
func (j *ReplayJobs) forget(ctx context.Context, x *ReplayJob) error {
	_, err := j.Replays.db.InTxs(ctx, func(tx db.Tx) (int64, error) {
		if err := renewReplay(ctx, tx, x, clock.RealNow(j.Clock).Time().Add(replayLease)); err != nil {
			return 0, err
		}
		return forgetDifferences(ctx, tx, x.ID)
	})
	return err
}

// errReplayLost says that another node has taken a replay over.
var errReplayLost = errors.New("the replay is run elsewhere")

func (j *ReplayJobs) run(ctx context.Context, x *ReplayJob) error {
	order := ReplayOrder{From: x.From, To: x.To}
	var err error
	if order.Draft, err = j.parse(x.Draft); err != nil {
		return err
	}
	cfg, err := j.Replays.programs.Configuration(ctx, x.Tenant)
	if err != nil {
		return err
	}
	var waiting []Difference
	kept := 0
	var progressErr error
	flush := func() error {
		err := j.Replays.db.InTx(ctx, func(tx db.Tx) error {
			until := clock.RealNow(j.Clock).Time().Add(replayLease)
			if err := renewReplay(ctx, tx, x, until); err != nil {
				return err
			}
			return insertDifferences(ctx, tx, x.ID, kept, waiting)
		})
		if err == nil {
			kept, waiting = kept+len(waiting), waiting[:0]
		}
		return err
	}
	// A lease that was lost, or could not be renewed, ends the run at once: another
	// node may have begun it anew.
	running, stop := context.WithCancel(ctx)
	defer stop()
	totals, err := j.Replays.Replay(running, access.System(cfg.Tenant), order, ReplayListener{
		Differs: func(d Difference) error {
			if kept+len(waiting) < replayTold {
				waiting = append(waiting, d)
			}
			if len(waiting) >= replayWriteSize {
				progressErr = flush()
			}
			return progressErr
		},
		Progress: func(done, all int) {
			if x.Done, x.All = done, all; progressErr == nil {
				if progressErr = flush(); progressErr != nil {
					stop()
				}
			}
		},
	})
	if err := errors.Join(err, progressErr); err != nil {
		return err
	}
	if err := flush(); err != nil {
		return err
	}
	return j.finish(ctx, x, ReplayCompleted, &totals)
}

func (j *ReplayJobs) finish(ctx context.Context, x *ReplayJob, to ReplayStatus, totals *ReplayTotals) error {
	return j.Replays.db.InTx(ctx, func(tx db.Tx) error {
		return finishReplay(ctx, tx, x, to, totals, clock.RealNow(j.Clock).Time())
	})
}

// Sweep deletes replays whose time is over, in small steps, and returns how many
// rows.
func (j *ReplayJobs) Sweep(ctx context.Context) (int, error) {
	before := clock.RealNow(j.Clock).Time().Add(-replayKept)
	n, err := j.Replays.db.InTxs(ctx, func(tx db.Tx) (int64, error) { return deleteReplays(ctx, tx, before) })
	if err != nil {
		return int(n), fmt.Errorf("delete replays: %w", err)
	}
	return int(n), nil
}
