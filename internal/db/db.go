package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Engine names a database engine.
type Engine int

// The engines that can be opened.
const (
	SQLite Engine = iota + 1
	Postgres
)

// String returns "sqlite" or "postgres".
func (e Engine) String() string {
	switch e {
	case SQLite:
		return "sqlite"
	case Postgres:
		return "postgres"
	}
	return "unknown"
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	engine Engine
	pools  pools
	// close ends the pools, once.
	close sync.Once
	// transient says whether an error means "run the transaction again".
	transient func(error) bool
	dsn       string
	// beforeCommit and afterCommit are set by tests; see Options.AfterCommit.
	beforeCommit, afterCommit func() error
	// trace is set by tests; see Options.Trace.
	trace func(query string, args []any)
	// recorder, when it is set, is told what each transaction wrote; see Record.
	recorder atomic.Pointer[func([]Statement)]
}

// pools hands out transactions. It is what an engine implements.
type pools interface {
	begin(ctx context.Context, readOnly bool) (transaction, error)
	close() error
}

// transaction is a Tx with its end.
type transaction interface {
	Tx
	// copyIn inserts rows of what [driver.Value] may be; statement is the INSERT it stands for,
	// as far as the rows. Only engines whose dialect says manyRows are asked.
	copyIn(ctx context.Context, statement, table string, columns []string, rows [][]any) error
	commit(ctx context.Context) error
	rollback(ctx context.Context) error
}

// Tx is a running transaction. It is valid only inside the closure it was
// given to, is not safe for concurrent use, and cannot commit. Rows returned by
// Query must be closed before the next call.
type Tx interface {
	Exec(ctx context.Context, query string, args ...any) (sql.Result, error)
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) *sql.Row
	// Dialect returns the few facts about the engine that a statement on the
	// hot path may need. See docs/sql.md.
	Dialect() Dialect
}

// Dialect is what differs between the engines inside a transaction.
type Dialect struct {
	// RowLock is the suffix that locks the rows a SELECT returns until the
	// transaction ends: " FOR UPDATE", or empty where a writing transaction is
	// alone anyway (SQLite).
	RowLock string
	// RowsPerStatement is how many rows one bulk statement carries at most.
	RowsPerStatement int
	// byteOrder follows a column of text in ORDER BY: it sorts by bytes, as Go does,
	// whatever the database sorts texts by.
	byteOrder string
	// limitLockWait, when set, is a statement that bounds how long the rest of
	// the transaction waits for a row lock; it takes the milliseconds.
	limitLockWait string
	// manyRows says that the engine takes many rows by COPY and as arrays, and needs the
	// types of parameters in a VALUES list.
	manyRows bool
}

// Options tune an open database; the zero value is the default.
type Options struct {
	// Connections bounds the connections to PostgreSQL, or the reading
	// connections to SQLite. Zero means 16 and 8.
	Connections int
	// MustExist refuses a SQLite file that is not there, which is made
	// otherwise. A PostgreSQL database is never made.
	MustExist bool
	// Hasty lets commits wait for no disk, and what they wrote lie in memory for
	// longer: for filling a database that can be made anew. When it is closed
	// nothing is lost, but a machine that fails before may leave a broken file.
	Hasty bool
	// Log, when it is set, is told of what fails beside transactions.
	Log *slog.Logger
	// AfterCommit, when a test sets it, runs after each writing commit; its
	// error is reported in place of the success, as when the engine's answer is
	// lost on the way.
	AfterCommit func() error
	// Trace, when a test sets it, is told of each statement before it runs. It
	// must not keep args, and must not use the database. Of rows that the engine is
	// handed in its own way it is told the INSERT as far as "VALUES ", and all their values.
	Trace func(query string, args []any)
}

// Open opens the database that dsn names: "sqlite:PATH" or a postgres:// URL.
// It does not migrate; see [DB.Migrate]. The directory of a SQLite file must
// exist, and a process opens a file that others use as well once at a time.
func Open(ctx context.Context, dsn string, o Options) (*DB, error) {
	open := openPostgres
	switch {
	case strings.HasPrefix(dsn, "sqlite:"):
		dsn, open = strings.TrimPrefix(dsn, "sqlite:"), openSQLite
	case strings.HasPrefix(dsn, "postgres://"), strings.HasPrefix(dsn, "postgresql://"):
	default:
		return nil, errors.New(`database must be "sqlite:PATH" or "postgres://…"`)
	}
	d, err := open(ctx, dsn, o)
	if err != nil {
		return nil, err
	}
	d.afterCommit, d.trace = o.AfterCommit, o.Trace
	return d, nil
}

// Engine returns the engine in use.
func (d *DB) Engine() Engine { return d.engine }

// Close ends all connections. Transactions still running fail. To close again
// does nothing.
func (d *DB) Close() (err error) {
	d.close.Do(func() { err = d.pools.close() })
	return err
}

// attemptsMax bounds how often InTx runs its closure.
const attemptsMax = 5

// InTx runs f in a transaction that may write and commits it. When f returns an
// error, or panics, nothing of it remains. On a serialization failure, a
// deadlock or [Again] f runs again, at most five times in all: it must keep no state of
// an earlier run and touch nothing outside tx.
//
// If ctx already carries a transaction (see [WithTx]), f joins it and the
// outer InTx commits.
func (d *DB) InTx(ctx context.Context, f func(tx Tx) error) error {
	if tx, ok := ctx.Value(txKey{}).(Tx); ok {
		return f(tx)
	}
	for attempt := 1; ; attempt++ {
		err := d.once(ctx, false, attempt, f)
		if err == nil || attempt == attemptsMax || !d.transient(err) && !errors.Is(err, errAgain) {
			return err
		}
		pause := time.NewTimer(time.Duration(attempt*attempt) * 2 * time.Millisecond)
		select {
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		case <-pause.C:
		}
	}
}

// InTxs runs f in one transaction after another, until it says that it did
// nothing, and returns how much it did: for work that would hold locks for too
// long in one.
func (d *DB) InTxs(ctx context.Context, f func(tx Tx) (int64, error)) (total int64, err error) {
	for {
		var n int64
		err := d.InTx(ctx, func(tx Tx) (err error) {
			n, err = f(tx)
			return err
		})
		if err != nil {
			return total, err
		}
		if total += n; n == 0 {
			return total, nil
		}
	}
}

// View runs f in a transaction that may only read and sees one state of the
// database. It joins a transaction that ctx carries.
func (d *DB) View(ctx context.Context, f func(tx Tx) error) error {
	if tx, ok := ctx.Value(txKey{}).(Tx); ok {
		return f(tx)
	}
	return d.once(ctx, true, attemptsMax, f)
}

func (d *DB) once(ctx context.Context, readOnly bool, attempt int, f func(tx Tx) error) (err error) {
	tx, err := d.pools.begin(ctx, readOnly)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if d.trace != nil {
		tx = traced{tx, d.trace}
	}
	recorder, kept := d.recorder.Load(), &recorded{of: tx}
	if recorder != nil && !readOnly {
		tx = kept
	}
	done := false
	defer func() {
		if !done { // f failed or panicked
			if e := tx.rollback(context.WithoutCancel(ctx)); e != nil && err != nil {
				err = errors.Join(err, fmt.Errorf("roll back: %w", e))
			}
		}
	}()
	run := &running{transaction: tx, attempt: attempt}
	if err := f(run); err != nil {
		return err
	}
	if d.beforeCommit != nil && !readOnly {
		if err := d.beforeCommit(); err != nil {
			return fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
		}
	}
	done = true
	if err := tx.commit(context.WithoutCancel(ctx)); err != nil {
		if d.transient(err) {
			return fmt.Errorf("commit: %w", err) // the engine says that it was undone
		}
		return fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
	}
	if recorder != nil && !readOnly {
		(*recorder)(kept.all)
	}
	if d.afterCommit != nil && !readOnly {
		if err := d.afterCommit(); err != nil {
			return fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
		}
	}
	for _, after := range run.after {
		after()
	}
	return nil
}

// running is a transaction with what follows its commit.
type running struct {
	transaction
	after   []func()
	attempt int // 1 is the first run of the closure
}

var errAgain = errors.New("the transaction must be run again")

// Again returns an error with which the closure of InTx runs again, without the
// locks it holds: for what finds out too late what it should have locked first.
// In the last run there is none: it is nil. tx must come from InTx.
func Again(tx Tx) error {
	if tx.(*running).attempt >= attemptsMax {
		return nil
	}
	return errAgain
}

// RunsAgain reports whether the closure that tx was given to ran before.
func RunsAgain(tx Tx) bool { return tx.(*running).attempt > 1 }

// traced is a transaction that tells of its statements.
type traced struct {
	transaction
	tell func(query string, args []any)
}

func (t traced) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	t.tell(query, args)
	return t.transaction.Exec(ctx, query, args...)
}

func (t traced) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	t.tell(query, args)
	return t.transaction.Query(ctx, query, args...)
}

func (t traced) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	t.tell(query, args)
	return t.transaction.QueryRow(ctx, query, args...)
}

func (t traced) copyIn(ctx context.Context, statement, table string, columns []string, rows [][]any) error {
	t.tell(statement, slices.Concat(rows...))
	return t.transaction.copyIn(ctx, statement, table, columns, rows)
}

// AfterCommit has f called once when tx is committed, before the InTx or View
// that began it returns; a transaction that joined tx ends with it. Several are
// called in the order they were given. After a rollback, before another run of
// the closure, and when the outcome is unknown, f is not called.
//
// It is for what memory keeps of the database. f must not fail and must not use
// tx. tx must come from InTx or View.
func AfterCommit(tx Tx, f func()) {
	run := tx.(*running)
	run.after = append(run.after, f)
}

// ErrOutcomeUnknown is returned by InTx when the commit was asked for and its
// answer did not come: the transaction may be durable, or not.
var ErrOutcomeUnknown = errors.New("commit: the outcome is unknown")

// LimitLockWait bounds how long the statements of tx from now on wait for a row
// that another transaction has locked. A statement that waits longer fails, see
// [IsLocked]. On SQLite, whose writer is alone, it does nothing.
func LimitLockWait(ctx context.Context, tx Tx, wait time.Duration) error {
	set := tx.Dialect().limitLockWait
	if set == "" {
		return nil
	}
	_, err := tx.Exec(ctx, fmt.Sprintf(set, wait.Milliseconds()))
	return err
}

// IsLocked reports whether err is a row lock that was not given in time.
func IsLocked(err error) bool { return isLockedPostgres(err) }

type txKey struct{}

// WithTx returns a context whose InTx and View calls join tx. It exists for one
// purpose: an edge that must make a whole use case and its own record of it
// (an idempotency key with its answer) atomic. The caller must fail tx when
// the use case fails.
func WithTx(ctx context.Context, tx Tx) context.Context {
	return context.WithValue(ctx, txKey{}, tx)
}

// Scanner is a row that can be scanned: *sql.Row or *sql.Rows.
type Scanner interface{ Scan(dest ...any) error }

// Collect runs query and returns what scan makes of each row, in order.
func Collect[T any](ctx context.Context, tx Tx, scan func(Scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// Each runs a query and hands every row to scan, one after the other.
func Each(ctx context.Context, tx Tx, scan func(Scanner) error, query string, args ...any) error {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	return drain(rows, scan)
}

// One runs query and returns what scan makes of its only row; found is false
// when there is none.
func One[T any](ctx context.Context, tx Tx, scan func(Scanner) (T, error), query string, args ...any) (v T, found bool, err error) {
	v, err = scan(tx.QueryRow(ctx, query, args...))
	if errors.Is(err, sql.ErrNoRows) {
		var zero T
		return zero, false, nil
	}
	return v, err == nil, err
}

// Affected returns how many rows a statement changed. It takes the two results
// of Exec, so that the call reads db.Affected(tx.Exec(…)).
func Affected(res sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// IsUnique reports whether err is a violation of a unique constraint.
func IsUnique(err error) bool { return isUniqueSQLite(err) || isUniquePostgres(err) }
