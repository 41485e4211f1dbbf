package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/sarraf-platform/sarraf/internal/app"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// raw is a program that writes the rows of authorizations and does nothing else: what
// the database can take at most, of which the platform reaches a share.
//
// A platform of its own, on a database of its own on the same server (a schema, or a
// file beside), gets as many cards as the one that is measured, each is used once, and
// then it is loaded in the same way. What its group commits execute is recorded: the
// statements and their arguments as they reach the database, group by group. The
// platform ends, and one connection executes them again, one group after another in
// transactions of the same size, with the same durability, as fast as it can.
//
// Written anew is what must differ, in the same width: identifiers that a group made
// (each the same wherever it stands), the keys by which messages are known again, the
// numbers of the messages, and times, which move by as much as has passed. Cards,
// issuances and accounts change places with others each time all groups have been
// written, so that all cards are used in turn as under the platform; and whole numbers
// of an update that tells no time grow, for a page in which nothing changes is not
// written. All other content is what was recorded, that of packed columns included.
//
// Left out is everything that is not writing: reads and row locks, parsing, cryptography,
// rules, decisions, packing, network, and the work of the background. The commands that
// write are those that the platform sends, one after another, so a better way to say the
// same shows in both. It uses one connection where the platform has two lanes on
// PostgreSQL. How many rows each statement changed is compared with what was recorded.
type raw struct {
	db     *db.DB
	groups []*rawGroup
	cards  []cardIDs

	requests int // of all groups
	next     int // group
	pass     int // how often all of them were written
	first    int // number of the next message
	stop     func() error
}

// What bounds what is kept of a recording.
const (
	rawRequestsMax = 8192
	rawArgsMax     = 1 << 21
)

// recording keeps what transactions of a platform did. It is read when the recording is
// over: who is recorded must not be held up, or its groups would be of another size.
type recording struct {
	reader rawReader
	clock  clock.Clock

	mu   sync.Mutex
	kept []rawCommit
	args int
}

// rawCommit is what one transaction did.
type rawCommit struct {
	statements []db.Statement
	at         time.Time
}

// keep is told what a transaction did.
func (k *recording) keep(statements []db.Statement) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.args > rawArgsMax {
		return
	}
	k.kept = append(k.kept, rawCommit{statements, k.clock.Now()})
	for _, s := range statements {
		k.args += len(s.Args)
	}
}

// groups are those that were recorded, with how many requests they answered.
func (k *recording) groups() (all []*rawGroup, requests int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.kept {
		if g := k.reader.read(c.statements, c.at); g != nil && requests < rawRequestsMax {
			all, requests = append(all, g), requests+g.requests
		}
	}
	return all, requests
}

// openRaw records what groups write under the load of o, and gets ready to write it
// again. close ends it.
func openRaw(ctx context.Context, c config.Config, log *slog.Logger, o AuthorizeOptions) (_ *raw, err error) {
	own, remove, err := scratchOf(ctx, c, "raw")
	if err != nil {
		return nil, err
	}
	p, stop, err := startAs(ctx, own, log, func() error { return nil })
	if err != nil {
		return nil, errors.Join(err, remove())
	}
	r, err := record(ctx, p, o)
	if err = errors.Join(err, stop()); err != nil {
		return nil, errors.Join(fmt.Errorf("record groups: %w", err), remove())
	}
	if r.db, err = db.Open(ctx, own.DB, db.Options{MustExist: true, Connections: 1}); err != nil {
		return nil, errors.Join(err, remove())
	}
	r.stop = func() error { return errors.Join(r.db.Close(), remove()) }
	return r, nil
}

// record makes the cards of o on p, loads it, and keeps what its groups write.
func record(ctx context.Context, p *app.Platform, o AuthorizeOptions) (*raw, error) {
	w, err := newWorld(ctx, p, o)
	if err != nil {
		return nil, err
	}
	defer w.close()
	if err := w.useEach(ctx); err != nil {
		return nil, err
	}
	r, k, err := startRecording(ctx, p, w)
	if err != nil {
		return nil, err
	}
	l := w.startLoad(ctx)
	wait(ctx, o.WarmUp)
	stop := p.DB.Record(k.keep)
	wait(ctx, min(o.Duration, 5*time.Second))
	stop()
	if _, err := l.end(); err != nil {
		return nil, err
	}
	if r.groups, r.requests = k.groups(); len(r.groups) == 0 {
		return nil, fmt.Errorf("%w: no group was committed in %v", app.ErrNotWell, o.Duration)
	}
	return r, nil
}

// startRecording learns what there is before anything is recorded.
func startRecording(ctx context.Context, p *app.Platform, w *world) (*raw, *recording, error) {
	r := &raw{cards: make([]cardIDs, len(w.cards))}
	k := &recording{clock: p.Clock, reader: rawReader{since: p.Clock.Now(), places: map[string]rawPlace{}}}
	for i, card := range w.cards {
		found, err := p.Issuing.CardsByPAN(ctx, w.bank.Tenant, card.PAN)
		if err != nil {
			return nil, nil, err
		}
		if len(found) != 1 {
			return nil, nil, fmt.Errorf("find card: there are %d", len(found))
		}
		text := func(d [16]byte, kind rawKind) string {
			t := textOf(id.FromBytes[rawID](d))
			k.reader.places[t] = rawPlace{kind, i}
			return t
		}
		r.cards[i] = cardIDs{
			text(found[0].Card.ID.Bytes(), rawCard), text(found[0].Issuance.ID.Bytes(), rawIssuance), text(found[0].Issuance.Account.Bytes(), rawAccount),
		}
	}
	return r, k, nil
}

// groupMean is how many requests a group answered, on average.
func (r *raw) groupMean() float64 { return float64(r.requests) / float64(len(r.groups)) }

// write writes the next group again and returns how many requests it answered.
func (r *raw) write(ctx context.Context) (requests int, err error) {
	g := r.groups[r.next]
	t := g.turn(clock.System{}.Now().UTC(), r.cards, r.first, r.pass*r.requests, int64(r.pass))
	err = r.db.InTx(ctx, func(tx db.Tx) error {
		for i := range g.statements {
			s := &g.statements[i]
			rows, err := s.Run(ctx, tx, t.args(s))
			if err != nil {
				return fmt.Errorf("write group again: %w", err)
			}
			if s.Rows >= 0 && rows != s.Rows {
				return fmt.Errorf("%w: %d rows were written again where %d had been: %.60s", app.ErrNotWell, rows, s.Rows, s.Text)
			}
		}
		return nil
	})
	if r.first += g.requests; err != nil {
		return 0, err
	}
	if r.next++; r.next == len(r.groups) {
		r.next, r.pass = 0, r.pass+1
	}
	return g.requests, nil
}

// throughput is for how many requests a second the rows are written, after the
// warm-up.
func (r *raw) throughput(ctx context.Context, warmUp, duration time.Duration) (perSecond float64, err error) {
	watch := clock.StartStopwatch()
	for watch.Elapsed() < warmUp {
		if _, err := r.write(ctx); err != nil {
			return 0, err
		}
	}
	requests := 0
	for watch = clock.StartStopwatch(); watch.Elapsed() < duration; {
		n, err := r.write(ctx)
		if err != nil {
			return 0, err
		}
		requests += n
	}
	return float64(requests) / watch.Elapsed().Seconds(), nil
}

func (r *raw) close() error { return r.stop() }
