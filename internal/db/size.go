package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Size returns how many bytes tables and indexes take. What a log of the engine takes
// besides comes and goes.
func (d *DB) Size(ctx context.Context) (bytes int64, err error) {
	query := `SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()`
	if d.engine == Postgres {
		query = `SELECT CAST(COALESCE(SUM(pg_total_relation_size(c.oid)), 0) AS BIGINT) FROM pg_class c
			JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname = current_schema()`
	}
	err = d.View(ctx, func(tx Tx) error { return tx.QueryRow(ctx, query).Scan(&bytes) })
	if err != nil {
		return 0, fmt.Errorf("size of the database: %w", err)
	}
	return bytes, nil
}

var errNotPostgres = errors.New("only PostgreSQL has schemas, in a database named by postgres://…")

// MakeSchema makes a schema in the PostgreSQL database that dsn names, unless it is
// there, and returns the address under which it is all there is.
func MakeSchema(ctx context.Context, dsn, name string) (inside string, err error) {
	u, err := url.Parse(dsn)
	if err != nil || !strings.HasPrefix(dsn, "postgres") {
		return "", errNotPostgres // the error would quote a password
	}
	if err := execute(ctx, dsn, "CREATE SCHEMA IF NOT EXISTS "+pgx.Identifier{name}.Sanitize()); err != nil {
		return "", fmt.Errorf("make schema %s: %w", name, err)
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// DropSchema drops a schema with everything in it.
func DropSchema(ctx context.Context, dsn, name string) error {
	if err := execute(ctx, dsn, "DROP SCHEMA IF EXISTS "+pgx.Identifier{name}.Sanitize()+" CASCADE"); err != nil {
		return fmt.Errorf("drop schema %s: %w", name, err)
	}
	return nil
}

func execute(ctx context.Context, dsn, statement string) error {
	handle, err := sql.Open("pgx", dsn)
	if err != nil {
		return errNotPostgres
	}
	defer handle.Close()
	_, err = handle.ExecContext(ctx, statement)
	return err
}
