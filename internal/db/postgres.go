package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// PostgreSQL: transactions run side by side at READ COMMITTED. Every rule that
// must hold is therefore one conditional statement, a unique index, or sits
// behind row locks taken in id order; 40001 and 40P01 are retried, so that a
// distributed engine that serializes optimistically works too.

func openPostgres(ctx context.Context, dsn string, o Options) (*DB, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		// pgx quotes the DSN, which may hold a password.
		return nil, errors.New("open postgres: the address cannot be parsed")
	}
	if o.Hasty {
		cfg.RuntimeParams["synchronous_commit"] = "off"
	}
	handle := stdlib.OpenDB(*cfg)
	n := o.Connections
	if n <= 0 {
		n = 16
	}
	handle.SetMaxOpenConns(n)
	handle.SetMaxIdleConns(n)
	handle.SetConnMaxIdleTime(5 * time.Minute)
	if err := handle.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open postgres: %w", err), handle.Close())
	}
	return &DB{engine: Postgres, pools: postgresPool{handle}, transient: transientPostgres, dsn: dsn}, nil
}

type postgresPool struct{ db *sql.DB }

func (p postgresPool) begin(ctx context.Context, readOnly bool) (transaction, error) {
	var o *sql.TxOptions
	if readOnly {
		o = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	conn, err := p.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	// For rows that go by COPY; see copyIn.
	var own *pgx.Conn
	if err := conn.Raw(func(c any) error {
		own = c.(*stdlib.Conn).Conn()
		return nil
	}); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	// The transaction outlives a cancelled caller until its closure returns:
	// database/sql would otherwise roll back underneath it.
	tx, err := conn.BeginTx(context.WithoutCancel(ctx), o)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return postgresTx{tx, conn, own}, nil
}

func (p postgresPool) close() error { return p.db.Close() }

type postgresTx struct {
	tx   *sql.Tx
	conn *sql.Conn
	own  *pgx.Conn // of conn
}

func (t postgresTx) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return t.tx.ExecContext(ctx, query, args...)
}

func (t postgresTx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.tx.QueryContext(ctx, query, args...)
}

func (t postgresTx) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return t.tx.QueryRowContext(ctx, query, args...)
}

func (t postgresTx) Dialect() Dialect {
	return Dialect{RowLock: " FOR UPDATE", byteOrder: ` COLLATE "C"`, RowsPerStatement: 256, limitLockWait: "SET LOCAL lock_timeout = %d", manyRows: true}
}

// copyIn uses the connection below database/sql, which nobody else does as long as the
// transaction is open. Not in [sql.Conn.Raw]: after a panic, or when the connection is
// gone, that waits for the transaction to end.
func (t postgresTx) copyIn(ctx context.Context, _, table string, columns []string, rows [][]any) error {
	_, err := t.own.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromRows(rows))
	if err != nil && ctx.Err() != nil {
		return errors.Join(ctx.Err(), err) // else it might only tell of the connection
	}
	return err
}

func (t postgresTx) commit(context.Context) error {
	return errors.Join(t.tx.Commit(), t.conn.Close())
}

func (t postgresTx) rollback(context.Context) error {
	return errors.Join(t.tx.Rollback(), t.conn.Close())
}

func transientPostgres(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01")
}

func isLockedPostgres(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "55P03"
}

func isUniquePostgres(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "23505"
}
