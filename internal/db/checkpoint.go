package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"
)

// How the log of SQLite gets into the file. The writer itself would do it within a
// commit, which then takes ten times as long as others, or a hundred times. Of a page
// that many commits change only the last is copied, which is most of those that
// payments do: so the longer the log, the less work; and the slower what reads, and a
// start after a crash.
const (
	// checkpointPages is how long the log gets before it is brought into the file: 64 MB.
	checkpointPages = 16_000
	// checkpointPause is the least time between two looks at it, and checkpointPauseMax
	// that between two that were in vain.
	checkpointPause    = 100 * time.Millisecond
	checkpointPauseMax = 5 * time.Second
	// checkpointsBeside bounds how often that is done beside the writer for one time in
	// its turn.
	checkpointsBeside = 4
	// writerCheckpoints is when the writer does it itself after all: what is read for long
	// has kept it from being done, or what is written comes faster.
	writerCheckpoints = "&_pragma=wal_autocheckpoint(64000)"
)

// errStillRead says that the log cannot begin anew yet.
var errStillRead = errors.New("somebody still reads what the log would overwrite, or it grows too fast")

// checkpointer brings the log of a SQLite database into its file, on a connection of
// its own beside the one that writes.
type checkpointer struct {
	pool    *sql.DB
	file    *os.File // of the database; whoever opened it closes it
	writers *sessions
	pages   int // of the log
	log     *slog.Logger
	written chan struct{}
	stop    context.CancelFunc
	ended   chan struct{}
}

// startCheckpointer opens a connection as dsn says. file is that of the database.
func startCheckpointer(ctx context.Context, dsn string, file *os.File, writers *sessions, pages int, log *slog.Logger) (*checkpointer, error) {
	pool, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(1)
	c := &checkpointer{
		pool: pool, file: file, writers: writers, pages: pages, log: log, written: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.stop = stop
	go c.work(working)
	return c, nil
}

// close ends it. What is in the log stays there until the last connection ends, which
// brings it into the file and deletes it.
func (c *checkpointer) close() error {
	c.stop()
	<-c.ended
	return c.pool.Close()
}

// wake says that something was written. It waits for nobody.
func (c *checkpointer) wake() {
	select {
	case c.written <- struct{}{}:
	default:
	}
}

func (c *checkpointer) work(ctx context.Context) {
	defer close(c.ended)
	pause, fails := checkpointPause, false
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.written:
		}
		err := c.checkpoint(ctx)
		if ctx.Err() != nil {
			return
		}
		if failed := err != nil && !errors.Is(err, errStillRead); failed != fails {
			// Nobody else tells: commits only go into the log, which grows meanwhile.
			if fails = failed; failed {
				c.log.Error("the log of the database does not come into its file, and grows", "error", err)
			} else {
				c.log.Info("the log of the database comes into its file again")
			}
		}
		pause = min(2*pause, checkpointPauseMax)
		if err == nil {
			pause = checkpointPause
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// checkpoint brings the log into the file when it is long, and lets it begin anew.
// Copying and syncing is done while the writer goes on, again and again until little
// has come meanwhile; that goes there in the writer's turn, for the log begins anew
// only where all of it is in the file. SQLite syncs the file at that moment only: the
// sync here leaves it little to do while the writer waits.
func (c *checkpointer) checkpoint(ctx context.Context) error {
	l, err := walCheckpoint(ctx, c.pool, "NOOP")
	if err != nil || l.pages < c.pages {
		return err
	}
	for range checkpointsBeside {
		if _, err := walCheckpoint(ctx, c.pool, "PASSIVE"); err != nil {
			return err
		}
		if err := c.file.Sync(); err != nil {
			return fmt.Errorf("checkpoint: %w", err)
		}
		if l, err = walCheckpoint(ctx, c.pool, "NOOP"); err != nil {
			return err
		}
		if l.left() <= c.pages/16 {
			break
		}
	}
	if l.left() > c.pages/4 {
		return errStillRead
	}
	w, err := c.writers.take(ctx)
	if err != nil {
		return err
	}
	defer func() { c.writers.free <- w }()
	l, err = walCheckpoint(ctx, w.conn, "PASSIVE")
	switch {
	case err != nil && ctx.Err() == nil:
		w.drop()
	case err == nil && l.left() > 0:
		return errStillRead
	}
	return err
}

// walLog is how long the log is, and how much of it is in the file.
type walLog struct{ pages, moved int }

func (l walLog) left() int { return l.pages - l.moved }

// rowQuerier is a connection, or a pool of them.
type rowQuerier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// walCheckpoint brings what it can of the log into the file: PASSIVE waits for nobody,
// and leaves what somebody still reads; NOOP only looks.
func walCheckpoint(ctx context.Context, on rowQuerier, mode string) (l walLog, err error) {
	var busy int // another process does it
	if err := on.QueryRowContext(ctx, "PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &l.pages, &l.moved); err != nil {
		return walLog{}, fmt.Errorf("checkpoint: %w", err)
	}
	return l, nil
}
