package authorization

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"sync"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

// Engine answers messages about cards. It is safe for concurrent use.
type Engine struct {
	binder
	db       *db.DB
	hsm      Module
	cards    Cards
	reader   *cardReader
	codes    ResponseCodes
	clock    clock.Clock
	log      *slog.Logger
	observe  Observer
	clearing map[string]ClearingModel
	client   Client
	within   time.Duration // from its receipt, a request's client is asked
	lanes    []*lane
	beside   processors // the lanes
	asked    asked
	forced   forcings
	door     *door
}

// Config tunes an Engine; the zero value is the default.
type Config struct {
	// GroupMax bounds the requests that share a commit. Zero means 256.
	GroupMax int
	// Lanes is how many groups commit side by side on PostgreSQL; SQLite has
	// one writer and therefore one lane. Zero means 2.
	Lanes int
	// ClearingModels says where the money of a link moves; a link that is not
	// named is Dual.
	ClearingModels map[string]ClearingModel
	// Client reaches the systems of tenants that own their balances. Without one
	// none of them can be asked.
	Client Client
	// Controls are the velocity controls of tenants. Without them none holds.
	Controls Controls
	// Load bounds what is done at the same time.
	Load Load
	// AskWithin is how long after its receipt a request may wait for such a
	// system: less than its network waits for us. Zero means 8 s.
	AskWithin time.Duration
}

// Observer is told what the engine does, for metrics. Its methods must be fast
// and safe for concurrent use.
type Observer interface {
	// Stages reports how long one request was in each stage that it passed until its
	// answer is to be packed.
	Stages(t *Times)
	// Decided reports an answer.
	Decided(flow Flow, o Outcome)
	// Group reports how many requests one commit carried, and how long it took.
	Group(size int, took clock.Stopwatch)
	// Shed reports a message that was refused since there is too much to do: a
	// "request", "advice" or "reversal", and why.
	Shed(message, why string)
}

// NewEngine starts an engine. Close ends it. Of ctx only the values are used:
// a group belongs to no caller, and who stops waiting does not stop it.
func NewEngine(ctx context.Context, d *db.DB, m Module, programs Programs, cards Cards, codes ResponseCodes, c clock.Clock, log *slog.Logger, o Observer, cfg Config) *Engine {
	e := &Engine{
		binder: binder{programs: programs, controls: cfg.Controls},
		db:     d, hsm: m, cards: cards, codes: codes, clock: c, log: log, observe: o, clearing: cfg.ClearingModels,
		client: cfg.Client, within: cfg.AskWithin,
	}
	if e.within <= 0 {
		e.within = 8 * time.Second
	}
	e.door = newDoor(cfg.Load, o, log)
	size, lanes := cfg.GroupMax, cfg.Lanes
	if size <= 0 {
		size = 256
	}
	if lanes <= 0 {
		lanes = 2
	}
	if d.Engine() == db.SQLite {
		lanes = 1
	}
	ctx = context.WithoutCancel(ctx)
	e.beside = newProcessors(d.Engine(), lanes)
	e.reader = newCardReader(ctx, cards, log)
	for range lanes {
		e.lanes = append(e.lanes, newLane(size, func(group []*operation) { e.commit(ctx, group) }))
	}
	return e
}

// Close waits for the groups under way and ends. No Authorize may be running or
// be called afterwards.
func (e *Engine) Close() {
	for _, l := range e.lanes {
		l.close()
	}
	e.reader.close()
}

func (e *Engine) clearingModel(link string) ClearingModel {
	if m, ok := e.clearing[link]; ok {
		return m
	}
	return Dual
}

// gatherMax bounds how often a request is gathered again because what it was
// gathered under has changed meanwhile.
const gatherMax = 4

var errConfigurationMoves = errors.New("the configuration changes faster than a request can be decided")

// Authorize answers a message about a card: a request, an advice, a reversal. A
// decline is an answer, not an error: an error means that no decision could be
// made, nothing was kept, and the network sees response code 91 or 96; except
// for [ErrOutcomeUnknown], after which the sender must not be answered.
//
// When it returns an answer, the decision is durable. A repeat of a message
// gets the first answer again: it reserves nothing and costs the cardholder no
// PIN try.
//
// When there is more to do than can be done in time, it returns [ErrOverloaded]:
// at once where that is foreseen, and then before anything is read.
func (e *Engine) Authorize(ctx context.Context, req *Request) (Answer, error) {
	began := clock.StartStopwatch()
	if err := e.door.enter(ctx, req.Flow); err != nil {
		return Answer{}, err
	}
	leave := sync.OnceFunc(e.door.leave)
	defer leave()
	outside := ctx
	return e.authorize(WhenSetAside(ctx, func() { leave(); SetAside(outside) }), req, began)
}

func (e *Engine) authorize(ctx context.Context, req *Request, began clock.Stopwatch) (Answer, error) {
	times := req.Times
	times[StageQueue] += began.Elapsed()
	defer func() { e.observe.Stages(&times) }()
	key := req.Key().String()
	if req.IsRepeat {
		watch := clock.StartStopwatch()
		prior, found, err := e.replay(ctx, key, req)
		times[StageReplay] = watch.Elapsed()
		if err != nil {
			return Answer{}, fmt.Errorf("replay: %w", err)
		}
		if found && prior.Outcome != OutcomePending {
			return e.respond(ctx, req, nil, prior, &times), nil
		}
	}
	for range gatherMax {
		facts, err := e.gatherTimed(ctx, req, &times)
		if errors.Is(err, errNotConfigured) && !facts.Tenant.IsZero() {
			e.programs.Forget(facts.Tenant) // another node has defined it since
			facts, err = e.gatherTimed(ctx, req, &times)
		}
		if err != nil {
			return Answer{}, fmt.Errorf("gather facts: %w", err)
		}
		op := newOperation(req, facts, key, &times)
		op.began = began
		e.runWithin(op, e.door.AnswerWithin)
		switch {
		case op.stale:
			e.programs.Forget(facts.Tenant)
			continue
		case op.err != nil:
			return Answer{}, fmt.Errorf("commit decision: %w", op.err)
		case !op.awaits.IsZero():
			watch := clock.StartStopwatch()
			err := e.await(ctx, op.awaits)
			times[StageAsk] += watch.Elapsed()
			if err != nil {
				return Answer{}, fmt.Errorf("wait for a client: %w", err)
			}
			began = clock.StartStopwatch() // that was the client's time, not ours
			continue
		case op.asks:
			if op, err = e.consult(ctx, op); err != nil {
				return Answer{}, fmt.Errorf("consult the client: %w", err)
			}
		}
		answer := e.respond(ctx, req, facts, op.answer, &times)
		e.tell(req, op)
		return answer, nil
	}
	return Answer{}, errConfigurationMoves
}

// gatherTimed is gather, with what cryptography took of its time told apart.
func (e *Engine) gatherTimed(ctx context.Context, req *Request, t *Times) (*Facts, error) {
	watch := clock.StartStopwatch()
	f, err := e.gather(ctx, req)
	took := watch.Elapsed()
	if f != nil {
		took -= f.judging + f.queueing
		t[StageCrypto] += f.judging
		t[StageQueue] += f.queueing
	}
	t[StageGather] += took
	return f, err
}

// newOperation is req on its way; t is added to until it is done.
func newOperation(req *Request, f *Facts, key string, t *Times) *operation {
	op := &operation{req: req, facts: f, key: key, done: make(chan struct{}), times: t, submitted: clock.StartStopwatch()}
	if req.Original != nil {
		op.original = req.Original.String()
	}
	return op
}

// run puts op through a group commit. What was accepted is always answered,
// whoever still listens.
func (e *Engine) run(op *operation) {
	e.lane(op).in <- op
	op.wait()
}

// wait returns when op is done, and adds how long that took.
func (op *operation) wait() {
	<-op.done
	op.times[StageDecide] += op.deciding
	op.times[StageCommit] += op.committing.Elapsed() - op.deciding
}

// runWithin is run for what need not be done: when no group has taken op up before
// d has passed since it began, it is refused.
func (e *Engine) runWithin(op *operation, d time.Duration) {
	op.within = d
	patience := time.NewTimer(max(0, d-op.began.Elapsed()))
	defer patience.Stop()
	select {
	case e.lane(op).in <- op:
	case <-patience.C:
		op.err = e.door.refuse(op.req.Flow, shedUndone)
		return
	}
	select {
	case <-op.done:
	case <-patience.C:
		if op.claimed.CompareAndSwap(false, true) { // the lane will pass it over
			op.err = e.door.refuse(op.req.Flow, shedUndone)
			return
		}
	}
	op.wait()
}

// lane spreads the operations: those on one account always share a lane.
func (e *Engine) lane(op *operation) *lane {
	if len(e.lanes) == 1 {
		return e.lanes[0]
	}
	h := fnv.New32a()
	if op.facts.Card.Found {
		b := op.facts.Card.Account.Bytes()
		h.Write(b[:])
	} else {
		h.Write([]byte(op.key))
	}
	return e.lanes[h.Sum32()%uint32(len(e.lanes))]
}

// replay looks for the answer that was given to this message before.
func (e *Engine) replay(ctx context.Context, key string, req *Request) (Answer, bool, error) {
	print, err := e.fingerprint(ctx, req)
	if err != nil {
		return Answer{}, false, err
	}
	var prior Answer
	found := false
	err = e.db.View(ctx, func(tx db.Tx) error {
		known, err := readMessages(ctx, tx, []string{key})
		if m := known[key]; m != nil && !m.tombstone && m.fingerprint == print {
			prior, found = m.answer, true
			prior.IsRepeat = true
		}
		return err
	})
	return prior, found, err
}

// respond adds the response cryptogram for the chip. It is made after the
// commit: the decision stands if it cannot be made. A repeat, whose facts may
// not have been gathered, gets the same one: it follows from the cryptogram of
// the request and the answer.
func (e *Engine) respond(ctx context.Context, req *Request, f *Facts, a Answer, t *Times) Answer {
	if req.Chip == nil || req.Flow.IsAdvice() || req.Flow.IsReversal() || len(a.ResponseCode) != 2 {
		return a
	}
	if f == nil {
		var err error
		if f, err = e.gatherTimed(ctx, req, t); err != nil {
			e.log.WarnContext(ctx, "response cryptogram not made", "transaction", a.Transaction, "error", err)
			return a
		}
	}
	if f.ARQC != Match || f.Forced != "" || a.Reason == ARQCInvalid { // nothing is vouched for to a replay
		return a
	}
	t[StageQueue] += e.beside.compute(func() {
		watch := clock.StartStopwatch()
		a = e.vouch(ctx, req, f, a)
		t[StageCrypto] += watch.Elapsed()
	})
	return a
}

// vouch makes the response cryptogram, and the script where the chip gets one.
func (e *Engine) vouch(ctx context.Context, req *Request, f *Facts, a Answer) Answer {
	var err error
	if a.IsRepeat && a.Script == issuing.NoScript && req.atContact() && f.script.sentWith == req.Chip.counter() {
		a.Script = f.script.kind
	}
	if a.Script != issuing.NoScript {
		a.ScriptID = scriptID(req.Chip.counter())
		if a.ScriptCommand, err = e.scriptCommand(ctx, req, f, a.Script); err != nil {
			e.log.WarnContext(ctx, "issuer script not made", "transaction", a.Transaction, "error", err)
		}
	}
	a.IssuerAuthentication, err = e.hsm.ResponseCryptogram(ctx, f.imk, arqcInput(req, f.profile, f.Card.PSN),
		[2]byte{a.ResponseCode[0], a.ResponseCode[1]}, a.IsApproved())
	if err != nil {
		e.log.WarnContext(ctx, "response cryptogram not made", "transaction", a.Transaction, "error", err)
	}
	return a
}

// tell writes the one wide event of a decision.
func (e *Engine) tell(req *Request, op *operation) {
	a := op.answer
	e.observe.Decided(req.Flow, a.Outcome)
	e.log.Info("authorization decided",
		"transaction", a.Transaction.UUID(), "flow", string(req.Flow), "link", req.Link, "mti", req.MTI, "stan", req.STAN,
		"card", op.facts.Card.ID.String(), "amount", req.Amount.String(), "outcome", string(a.Outcome),
		"reason", string(a.Reason), "response_code", a.ResponseCode, "repeat", a.IsRepeat, "checks", op.trace.short(), "micros", op.times.String())
}

func (e *Engine) findOpen(ctx context.Context, f *Facts, req *Request) (TransactionID, error) {
	var found TransactionID
	err := e.db.View(ctx, func(tx db.Tx) (err error) {
		found, _, err = findOpenByRRN(ctx, tx, f, req)
		return err
	})
	return found, err
}
