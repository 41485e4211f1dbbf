package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
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

// How much of the file connections keep, in KiB. Each payment touches pages of its
// card in a few trees; what falls out of the writer's cache is read again. A reader
// forgets all it has whenever somebody has committed, so that more than one
// transaction reads is of no use to it.
const (
	writerCache = "&_pragma=cache_size(-98304)"
	readerCache = "&_pragma=cache_size(-2048)"
)

// hasty is how a file is filled: pages that change again and again are brought into the file
// once in half a gigabyte of log. The cache has no bound of its own: it takes what there
// is of pageMemory.
const (
	hasty      = "&_pragma=synchronous(OFF)&_pragma=wal_autocheckpoint(128000)"
	hastyCache = "&_pragma=cache_size(-1000000)"
)

func openSQLite(ctx context.Context, path string, o Options) (*DB, error) {
	if path == "" {
		return nil, errors.New("sqlite: path is missing")
	}
	if o.MustExist {
		if _, err := os.Stat(path); err != nil { // the engine's own words name nothing
			return nil, fmt.Errorf("open sqlite: %w", err)
		}
	}
	if err := takePageMemory(); err != nil {
		return nil, fmt.Errorf("open sqlite: %w", err)
	}
	file := "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path) + sqlitePragmas
	cache := writerCache
	if o.Hasty {
		file, cache = file+hasty, hastyCache
	} else {
		file += durable + writerCheckpoints
	}
	if o.MustExist {
		file += "&mode=rw"
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
	pools := &sqlitePools{write: writers, read: reading}
	if !o.Hasty {
		if err := pools.startCheckpoints(ctx, path, file+readerCache, o.Log); err != nil {
			return nil, errors.Join(fmt.Errorf("open sqlite: %w", err), pools.close())
		}
	}
	return &DB{engine: SQLite, pools: pools, transient: transientSQLite, dsn: file}, nil
}

type sqlitePools struct {
	write, read *sessions
	// Both are nil where commits wait for no disk.
	checkpoints *checkpointer
	file        *os.File
}

// startCheckpoints brings the log into the file at path, from now on.
func (p *sqlitePools) startCheckpoints(ctx context.Context, path, dsn string, log *slog.Logger) (err error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if p.file, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
		return err
	}
	if p.checkpoints, err = startCheckpointer(ctx, dsn, p.file, p.write, checkpointPages, log); err != nil {
		return err
	}
	p.write.committed = p.checkpoints.wake
	return nil
}

func (p *sqlitePools) begin(ctx context.Context, readOnly bool) (transaction, error) {
	if readOnly {
		return p.read.begin(ctx)
	}
	return p.write.begin(ctx)
}

func (p *sqlitePools) close() (err error) {
	if p.checkpoints != nil {
		err = p.checkpoints.close()
	}
	err = errors.Join(err, p.read.close(), p.write.close())
	if p.file != nil {
		// Last: whoever closes a file gives up all locks that the process has on it, those
		// of SQLite among them (fcntl(2)).
		err = errors.Join(err, p.file.Close())
	}
	return err
}

// sessions is a pool of connections that keep their prepared statements:
// preparing costs SQLite more than running.
type sessions struct {
	db    *sql.DB
	free  chan *session
	begun string
	// committed, when set, is told after each commit.
	committed func()
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
	s, err := p.take(ctx)
	if err != nil {
		return nil, err
	}
	// From here on nothing may be interrupted half-way: a BEGIN that was begun
	// and then reported as cancelled would leave its transaction open.
	if _, err := s.conn.ExecContext(context.WithoutCancel(ctx), p.begun); err != nil {
		s.drop()
		p.free <- s
		return nil, err
	}
	return s, nil
}

// take waits for a connection that nobody uses. Who has it gives it back to free.
func (p *sessions) take(ctx context.Context) (s *session, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case s = <-p.free:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if s.conn == nil {
		if s.conn, err = p.db.Conn(context.WithoutCancel(ctx)); err != nil {
			s.conn = nil
			p.free <- s
			return nil, err
		}
		s.statements = map[string]*statement{}
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
	statements map[string]*statement
}

// statement is a text with what the engine made of it, which is made when it is
// needed: what only writes goes to the driver directly, for database/sql spends on each
// row as much as some rows take.
type statement struct {
	text  string
	order []int // of its arguments; nil leaves them in theirs

	query  *sql.Stmt
	exec   driver.Stmt
	values []driver.NamedValue // of exec
}

// ordered are args in the order of the text.
func (t *statement) ordered(args []any) ([]any, error) {
	if t.order == nil {
		return args, nil
	}
	if len(args) != len(t.order) {
		return nil, fmt.Errorf("%d arguments for %d parameters", len(args), len(t.order))
	}
	if slices.IsSorted(t.order) {
		return args, nil
	}
	all := make([]any, len(args))
	for i, n := range t.order {
		all[i] = args[n]
	}
	return all, nil
}

// bind puts args into the values of the statement.
func (t *statement) bind(args []any) (err error) {
	t.values = t.values[:0]
	if args, err = t.ordered(args); err != nil {
		return err
	}
	for i, arg := range args {
		v := driver.NamedValue{Ordinal: i + 1}
		if v.Value, err = driver.DefaultParameterConverter.ConvertValue(arg); err != nil {
			return fmt.Errorf("argument for parameter %d: %w", i+1, err)
		}
		t.values = append(t.values, v)
	}
	return nil
}

// statementsMax bounds the prepared statements of a connection. Texts are
// constants of the code and combinations of optional filters, so the bound is
// not reached in practice.
const statementsMax = 1024

func (s *session) statement(query string) *statement {
	if t, ok := s.statements[query]; ok {
		return t
	}
	if len(s.statements) >= statementsMax {
		for text, t := range s.statements {
			s.forget(t)
			delete(s.statements, text)
			break
		}
	}
	t := &statement{}
	t.text, t.order = unnumbered(query)
	s.statements[query] = t
	return t
}

// forget closes what was made of t. What the driver made for us it closes only on a
// connection that still is one.
func (s *session) forget(t *statement) {
	if t.query != nil {
		t.query.Close()
	}
	if t.exec != nil {
		s.conn.Raw(func(any) error { return t.exec.Close() })
	}
}

func (s *session) prepared(ctx context.Context, query string) (_ *statement, err error) {
	t := s.statement(query)
	if t.query == nil {
		t.query, err = s.conn.PrepareContext(ctx, t.text)
	}
	return t, err
}

func (s *session) Exec(ctx context.Context, query string, args ...any) (res sql.Result, err error) {
	t := s.statement(query)
	defer func() { clear(t.values) }() // what they hold is not kept
	if err := t.bind(args); err != nil {
		return nil, err
	}
	var panicked any // Raw would give up the connection, and with it the rollback
	defer func() {
		if panicked != nil {
			panic(panicked)
		}
	}()
	err = s.conn.Raw(func(conn any) (err error) {
		defer func() { panicked = recover() }()
		if t.exec == nil {
			if t.exec, err = conn.(driver.ConnPrepareContext).PrepareContext(ctx, t.text); err != nil {
				return err
			}
		}
		res, err = t.exec.(driver.StmtExecContext).ExecContext(ctx, t.values)
		return err
	})
	return res, err
}

func (s *session) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	t, err := s.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	if args, err = t.ordered(args); err != nil {
		return nil, err
	}
	return t.query.QueryContext(ctx, args...)
}

func (s *session) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	t, err := s.prepared(ctx, query)
	if err == nil {
		var ordered []any
		if ordered, err = t.ordered(args); err == nil {
			return t.query.QueryRowContext(ctx, ordered...)
		}
	}
	return s.conn.QueryRowContext(ctx, query, args...) // carries the same error
}

// unnumbered is query with "?" for its parameters, and which argument each is: the
// driver looks at the name of a parameter that has one, in each row again. Where an
// argument stands twice nothing changes, for the engine takes expressions as the same
// only when their parameters are: order is nil then.
func unnumbered(query string) (text string, order []int) {
	var out strings.Builder
	seen := map[int]bool{}
	for rest := query; rest != ""; {
		n := strings.IndexAny(rest, "$?;'\"-/")
		if n < 0 {
			out.WriteString(rest)
			break
		}
		out.WriteString(rest[:n])
		rest = rest[n:]
		end := 1
		switch {
		case rest[0] == '?', rest[0] == ';': // of several statements each counts for itself
			return query, nil
		case rest[0] == '$':
			for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
				end++
			}
			which, err := strconv.Atoi(rest[1:end])
			if err != nil || which < 1 || seen[which] {
				return query, nil
			}
			seen[which] = true
			order = append(order, which-1)
			out.WriteByte('?')
			rest = rest[end:]
			continue
		case rest[0] == '\'' || rest[0] == '"':
			end = quoted(rest, 1, rest[:1])
		case strings.HasPrefix(rest, "--"):
			end = quoted(rest, 2, "\n")
		case strings.HasPrefix(rest, "/*"):
			end = quoted(rest, 2, "*/")
		}
		out.WriteString(rest[:end])
		rest = rest[end:]
	}
	for i := range order {
		if !seen[i+1] {
			return query, nil
		}
	}
	if order == nil {
		return query, nil
	}
	return out.String(), order
}

// quoted is how long what text begins with is: opening bytes, and all up to and with end.
func quoted(text string, opening int, end string) int {
	n := strings.Index(text[opening:], end)
	if n < 0 {
		return len(text)
	}
	return opening + n + len(end)
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
	if s.pool.committed != nil {
		s.pool.committed()
	}
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
	for _, t := range s.statements {
		s.forget(t)
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
