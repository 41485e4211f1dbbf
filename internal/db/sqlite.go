package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// SQLite: one connection writes, several read. With one writer a transaction
// that begins IMMEDIATE never meets another in the middle, so there are no row
// locks and no serialization failures to repair; readers see the last commit
// (WAL) and never wait.

const sqlitePragmas = "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)&_pragma=temp_store(MEMORY)"

const durable = "&_pragma=synchronous(FULL)"

// checkpoints brings the log into the file at 16 MB, not 4: of a page that many
// commits change only the last is copied, which is most of those that payments do.
const checkpoints = "&_pragma=wal_autocheckpoint(4000)"

// How much of the file connections keep, in KiB. Each payment touches pages of its
// card in a few trees; what falls out of the writer's cache is read again. A reader
// forgets all it has whenever somebody has committed, so that more than one
// transaction reads is of no use to it.
const (
	writerCache = "&_pragma=cache_size(-98304)"
	readerCache = "&_pragma=cache_size(-2048)"
)

// hasty is how a file is filled: pages that change again and again are written
// once in half a gigabyte, and kept until then.
const (
	hasty      = "&_pragma=synchronous(OFF)&_pragma=wal_autocheckpoint(128000)"
	hastyCache = "&_pragma=cache_size(-1048576)"
)

func openSQLite(ctx context.Context, path string, o Options) (*DB, error) {
	if path == "" {
		return nil, errors.New("sqlite: path is missing")
	}
	file := "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path) + sqlitePragmas
	cache := writerCache
	if o.Hasty {
		file, cache = file+hasty, hastyCache
	} else {
		file += durable + checkpoints
	}
	if o.MustExist {
		file += "&mode=rw"
		if _, err := os.Stat(path); err != nil { // the engine's own words name nothing
			return nil, fmt.Errorf("open sqlite: %w", err)
		}
	}
	writers, err := newSessions(ctx, file+cache, 1, "BEGIN IMMEDIATE")
	if err != nil {
		return nil, fmt.Errorf("open sqlite: %w", err)
	}
	readers := o.Connections
	if readers <= 0 {
		readers = 8
	}
	reading, err := newSessions(ctx, file+readerCache+"&_pragma=query_only(1)", readers, "BEGIN")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open sqlite: %w", err), writers.close())
	}
	return &DB{engine: SQLite, pools: &sqlitePools{writers, reading}, transient: transientSQLite, dsn: file}, nil
}

type sqlitePools struct{ write, read *sessions }

func (p *sqlitePools) begin(ctx context.Context, readOnly bool) (transaction, error) {
	if readOnly {
		return p.read.begin(ctx)
	}
	return p.write.begin(ctx)
}

func (p *sqlitePools) close() error { return errors.Join(p.read.close(), p.write.close()) }

// sessions is a pool of connections that keep their prepared statements:
// preparing costs SQLite more than running.
type sessions struct {
	db    *sql.DB
	free  chan *session
	begun string
}

func newSessions(ctx context.Context, file string, n int, begin string) (*sessions, error) {
	handle, err := sql.Open("sqlite", file)
	if err != nil {
		return nil, err
	}
	handle.SetMaxOpenConns(n)
	handle.SetMaxIdleConns(n)
	p := &sessions{db: handle, free: make(chan *session, n), begun: begin}
	for range n {
		p.free <- &session{pool: p}
	}
	// Fail now, not at the first request, when the file cannot be opened.
	tx, err := p.begin(ctx)
	if err != nil {
		return nil, errors.Join(err, handle.Close())
	}
	return p, tx.rollback(ctx)
}

func (p *sessions) begin(ctx context.Context) (transaction, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var s *session
	select {
	case s = <-p.free:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	// From here on nothing may be interrupted half-way: a BEGIN that was begun
	// and then reported as cancelled would leave its transaction open.
	ctx = context.WithoutCancel(ctx)
	if s.conn == nil {
		conn, err := p.db.Conn(ctx)
		if err != nil {
			p.free <- s
			return nil, err
		}
		s.conn, s.statements = conn, map[string]*sql.Stmt{}
	}
	if _, err := s.conn.ExecContext(ctx, p.begun); err != nil {
		s.drop()
		p.free <- s
		return nil, err
	}
	return s, nil
}

func (p *sessions) close() error {
	for range cap(p.free) {
		s := <-p.free
		s.drop()
	}
	return p.db.Close()
}

// session is one connection; while a transaction runs it is that transaction.
type session struct {
	pool       *sessions
	conn       *sql.Conn
	statements map[string]*sql.Stmt
}

// statementsMax bounds the prepared statements of a connection. Texts are
// constants of the code and combinations of optional filters, so the bound is
// not reached in practice.
const statementsMax = 1024

func (s *session) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if st, ok := s.statements[query]; ok {
		return st, nil
	}
	if len(s.statements) >= statementsMax {
		for text, st := range s.statements {
			st.Close()
			delete(s.statements, text)
			break
		}
	}
	st, err := s.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s.statements[query] = st
	return st, nil
}

func (s *session) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	st, err := s.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return st.ExecContext(ctx, args...)
}

func (s *session) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	st, err := s.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

func (s *session) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	st, err := s.prepared(ctx, query)
	if err != nil {
		return s.conn.QueryRowContext(ctx, query, args...) // carries the same error
	}
	return st.QueryRowContext(ctx, args...)
}

func (s *session) Dialect() Dialect { return Dialect{RowsPerStatement: 1} }

func (s *session) copyIn(context.Context, string, string, []string, [][]any) error {
	return errors.New("SQLite inserts row by row")
}

func (s *session) commit(ctx context.Context) error {
	_, err := s.conn.ExecContext(ctx, "COMMIT")
	if err != nil {
		s.conn.ExecContext(ctx, "ROLLBACK")
		s.drop()
	}
	s.pool.free <- s
	return err
}

func (s *session) rollback(ctx context.Context) error {
	_, err := s.conn.ExecContext(ctx, "ROLLBACK")
	if err != nil {
		// The engine may have rolled back by itself (disk full, interrupt);
		// a fresh connection is the safe way on.
		s.drop()
		err = nil
	}
	s.pool.free <- s
	return err
}

// drop closes the connection for good, whatever it is in the middle of; the
// next begin opens another. Without ErrBadConn database/sql would keep the
// connection, with its transaction, for that.
func (s *session) drop() {
	if s.conn == nil {
		return
	}
	for _, st := range s.statements {
		st.Close()
	}
	s.conn.Raw(func(any) error { return driver.ErrBadConn })
	s.conn.Close()
	s.conn, s.statements = nil, nil
}

func transientSQLite(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY
}

func isUniqueSQLite(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) &&
		(e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY || e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE)
}
