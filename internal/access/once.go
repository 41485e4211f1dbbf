package access

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/db"
)

// Attempt names a request that must have its effect once.
type Attempt struct {
	Scope    string // method and path, with the path's values
	Key      string // the caller's key, 1 to 64 printable ASCII characters
	BodyHash string // of everything else that makes the request what it is
	// NoStore says that the answer must not be kept (it holds card data) and
	// that counters must survive a refusal: the request runs outside the
	// transaction of its key, and a repeat is refused.
	NoStore bool
}

// Answer is what a request was answered with.
type Answer struct {
	Status   int // an HTTP status
	Body     []byte
	Replayed bool // the answer was kept from an earlier attempt
}

// Run carries the request out. It reads and writes through the ctx it is given
// and may be called again when the database asks for it. err is the cause of a
// status of 500 and above, so that a transient one is tried again.
type Run func(ctx context.Context) (status int, body []byte, err error)

// Once carries a request out once for its key, which is kept for 24 hours, and
// gives later attempts the first answer.
//
// The effect and its answer commit together. A status of 400 and above undoes
// the effect: 4xx is then kept as the answer, 429 and 5xx free the key. The
// same key with another body is a Conflict, idempotency_key_reused; a request
// still being carried out is a Conflict, request_in_progress. When the program
// dies in between, the key is free again after a minute and nothing was done.
func (s *Service) Once(ctx context.Context, c Caller, a Attempt, run Run) (Answer, error) {
	if !validKey(a.Key) {
		return Answer{}, errKeyMalformed
	}
	row, err := s.rowOf(ctx, c.Tenant, a)
	if err != nil {
		return Answer{}, err
	}
	prior, mine, err := s.claim(ctx, row)
	if err != nil {
		return Answer{}, err
	}
	if !mine {
		return prior, nil
	}
	concluded := false
	defer func() { // run failed, refused for the moment, or panicked
		if !concluded {
			s.release(context.WithoutCancel(ctx), row)
		}
	}()
	if a.NoStore {
		answer, err := s.runApart(ctx, row, run)
		concluded = err == nil && kept(answer.Status)
		return answer, err
	}
	answer, err := s.runJoined(ctx, row, run)
	concluded = err == nil && kept(answer.Status)
	return answer, err
}

// rowOf returns the row of an attempt, with a holder of its own. Key and body
// stand in it as keyed hashes: clients put into a key what they like, card
// numbers too, and a plain hash of a body that holds four digits tells them.
func (s *Service) rowOf(ctx context.Context, tenant TenantID, a Attempt) (onceRow, error) {
	row := onceRow{Tenant: tenant, Scope: a.Scope, Holder: random(8)}
	for _, h := range []struct {
		to    *string
		parts []string
	}{{&row.Key, []string{"key", a.Scope, a.Key}}, {&row.BodyHash, []string{"body", a.Scope, a.Key, a.BodyHash}}} {
		var value []byte
		for _, p := range h.parts {
			value = fmt.Appendf(value, "%d:%s", len(p), p)
		}
		sum, err := s.Seal.Index(ctx, tenant.String(), sealAnswer, value)
		if err != nil {
			return onceRow{}, fmt.Errorf("hash idempotency key: %w", err)
		}
		*h.to = hex.EncodeToString(sum)
	}
	return row, nil
}

// claim takes the key for this attempt, or returns the answer it already has.
func (s *Service) claim(ctx context.Context, row onceRow) (prior Answer, mine bool, err error) {
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		now := s.Clock.Now()
		if mine, err = claimKey(ctx, tx, row, now, now.Add(leaseLife), now.Add(IdempotencyLife)); err != nil || mine {
			return err
		}
		stored, found, err := readKey(ctx, tx, row)
		if err != nil {
			return err
		}
		prior = Answer{Status: stored.Status, Replayed: true}
		switch {
		case !found: // swept between the two statements: the next attempt has it
			return errInProgress
		case stored.BodyHash != row.BodyHash:
			return errKeyReused
		case stored.Status == 0:
			return errInProgress
		case len(stored.Body) == 0 && stored.Status != 204:
			return errNotKept
		}
		if len(stored.Body) > 0 {
			prior.Body, err = s.Seal.Open(ctx, row.Tenant.String(), sealAnswer, stored.Body, row.aad())
		}
		return err
	})
	if err != nil {
		return Answer{}, false, fmt.Errorf("claim idempotency key: %w", err)
	}
	return prior, mine, nil
}

// errUndo ends the transaction of a request that was refused.
var errUndo = errors.New("request refused")

// runJoined runs the request and stores its answer in one transaction.
func (s *Service) runJoined(ctx context.Context, row onceRow, run Run) (Answer, error) {
	var answer Answer
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		status, body, err := run(db.WithTx(ctx, tx))
		if answer = (Answer{Status: status, Body: body}); err != nil {
			return err
		}
		if status >= 400 {
			return errUndo
		}
		return s.conclude(ctx, tx, row, answer)
	})
	switch {
	case err == nil:
		return answer, nil
	case errors.Is(err, errUndo):
	case answer.Status >= 500: // the request has its own words for what went wrong
		return answer, nil
	default:
		return Answer{}, fmt.Errorf("run request once: %w", err)
	}
	if !kept(answer.Status) {
		return answer, nil
	}
	err = s.DB.InTx(ctx, func(tx db.Tx) error { return s.conclude(ctx, tx, row, answer) })
	return answer, err
}

// runApart runs the request in transactions of its own and then marks its key
// as answered, without the answer.
func (s *Service) runApart(ctx context.Context, row onceRow, run Run) (Answer, error) {
	status, body, _ := run(ctx)
	answer := Answer{Status: status, Body: body}
	if !kept(status) {
		return answer, nil
	}
	ctx = context.WithoutCancel(ctx)
	err := s.DB.InTx(ctx, func(tx db.Tx) error { return s.conclude(ctx, tx, row, Answer{Status: status}) })
	return answer, err
}

// kept reports whether an answer of this status is final for its key.
func kept(status int) bool { return status > 0 && status < 500 && status != 429 }

// conclude stores the answer. When the lease was lost in the meantime, someone
// else has the key and this attempt must not count.
//
// Answers hold personal values, so they lie sealed for their row.
func (s *Service) conclude(ctx context.Context, tx db.Tx, row onceRow, a Answer) error {
	if len(a.Body) > 0 {
		sealed, err := s.Seal.Seal(ctx, row.Tenant.String(), sealAnswer, a.Body, row.aad())
		if err != nil {
			return fmt.Errorf("seal answer: %w", err)
		}
		a.Body = sealed
	}
	mine, err := storeAnswer(ctx, tx, row, a)
	if err != nil {
		return fmt.Errorf("store answer: %w", err)
	}
	if !mine {
		return errInProgress
	}
	return nil
}

// sealAnswer is the purpose under which answers are sealed, and keys and bodies
// hashed.
const sealAnswer = "idempotency"

// aad binds a sealed answer to its row.
func (r onceRow) aad() []byte {
	return []byte(r.Tenant.String() + "|idempotency|body|" + r.Scope + "|" + r.Key)
}

// release frees the key for another attempt. When that fails too, the lease
// does it a little later.
func (s *Service) release(ctx context.Context, row onceRow) {
	_ = s.DB.InTx(ctx, func(tx db.Tx) error { return releaseKey(ctx, tx, row) })
}

// Sweep deletes idempotency keys, refresh and opaque tokens, and sessions of cardholders
// with what belongs to them, that have expired, and returns how many rows went. It is called now and then.
func (s *Service) Sweep(ctx context.Context) (rows int64, err error) {
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		now := s.Clock.Now()
		keys, err := sweepKeys(ctx, tx, now)
		if err != nil {
			return fmt.Errorf("sweep idempotency keys: %w", err)
		}
		tokens, err := sweepRefreshTokens(ctx, tx, now)
		if err != nil {
			return fmt.Errorf("sweep refresh tokens: %w", err)
		}
		opaque, err := sweepOpaque(ctx, tx, now)
		if err != nil {
			return fmt.Errorf("sweep opaque tokens: %w", err)
		}
		sessions, err := sweepSessions(ctx, tx, now)
		if err != nil {
			return fmt.Errorf("sweep sessions: %w", err)
		}
		rows = keys + tokens + opaque + sessions
		return nil
	})
	return rows, err
}

func validKey(key string) bool {
	for i := range len(key) {
		if key[i] < 0x21 || key[i] > 0x7E {
			return false
		}
	}
	return len(key) >= 1 && len(key) <= 64
}

// onceRow is the key of a row of the table, and who holds it. Key and BodyHash
// are the keyed hashes of what the attempt has.
type onceRow struct {
	Tenant                       TenantID
	Scope, Key, BodyHash, Holder string
}

// storedAnswer is what a row of the table holds; Status 0 is none yet.
type storedAnswer struct {
	BodyHash string
	Status   int
	Body     []byte
	Leased   time.Time
}
