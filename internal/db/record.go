package db

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"slices"
	"strings"
)

// Statement is one that ran in a transaction which was recorded.
type Statement struct {
	// Text of rows that the engine is handed in its own way is the INSERT as far as
	// "VALUES ".
	Text string
	// Args are copies: what [driver.Value] may be, or lists.
	Args []any
	// Rows is how many rows it changed. Of what returned rows it is not known: -1.
	Rows int64
}

// Record has f told of the statements of each writing transaction that commits from
// now on, in the order in which they ran, until stop is called. It is for benchmarks
// that do the same again. f is called before InTx returns, of several transactions at
// once; a transaction that is under way is not recorded.
func (d *DB) Record(f func([]Statement)) (stop func()) {
	d.recorder.Store(&f)
	return func() { d.recorder.CompareAndSwap(&f, nil) }
}

// Run runs a statement again with other args, of the same kinds, and returns how many
// rows it changed or returned.
func (s Statement) Run(ctx context.Context, tx Tx, args []any) (rows int64, err error) {
	if strings.HasSuffix(s.Text, values) { // rows that went the engine's own way
		again := &Bulk{Head: s.Text, Columns: len(args) / int(s.Rows)}
		return s.Rows, again.Exec(ctx, tx, args)
	}
	if s.Rows >= 0 {
		return Affected(tx.Exec(ctx, s.Text, args...))
	}
	found, err := tx.Query(ctx, s.Text, args...)
	if err != nil {
		return 0, err
	}
	err = drain(found, func(Scanner) error {
		rows++
		return nil
	})
	return rows, err
}

// Writes reports whether it changes rows, and does not only read or lock them.
func (s Statement) Writes() bool {
	verb, rest, _ := strings.Cut(strings.TrimLeft(s.Text, " \t\n"), " ")
	switch strings.ToUpper(verb) {
	case "INSERT", "UPDATE", "DELETE":
		return true
	case "WITH":
		return slices.ContainsFunc([]string{"INSERT INTO ", "UPDATE ", "DELETE FROM "}, func(change string) bool {
			return strings.Contains(strings.ReplaceAll(rest, "FOR UPDATE", ""), change)
		})
	}
	return false
}

// recorded is a transaction that keeps its statements. It embeds none, so that no way
// to execute something is forgotten here when another one comes.
type recorded struct {
	of  transaction
	all []Statement
}

func (r *recorded) Dialect() Dialect                   { return r.of.Dialect() }
func (r *recorded) commit(ctx context.Context) error   { return r.of.commit(ctx) }
func (r *recorded) rollback(ctx context.Context) error { return r.of.rollback(ctx) }

func (r *recorded) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	res, err := r.of.Exec(ctx, query, args...)
	if err == nil {
		n, err := res.RowsAffected()
		if err != nil {
			return nil, err
		}
		r.all = append(r.all, Statement{query, copied(args), n})
	}
	return res, err
}

func (r *recorded) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	r.all = append(r.all, Statement{query, copied(args), -1})
	return r.of.Query(ctx, query, args...)
}

func (r *recorded) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	r.all = append(r.all, Statement{query, copied(args), -1})
	return r.of.QueryRow(ctx, query, args...)
}

func (r *recorded) copyIn(ctx context.Context, statement, table string, columns []string, rows [][]any) error {
	err := r.of.copyIn(ctx, statement, table, columns, rows)
	if err == nil {
		r.all = append(r.all, Statement{statement, copied(slices.Concat(rows...)), int64(len(rows))})
	}
	return err
}

// copied are args as the drivers see them, which whoever gave them may change.
func copied(args []any) []any {
	all := make([]any, len(args))
	for i, v := range args {
		if plain, err := driver.DefaultParameterConverter.ConvertValue(v); err == nil {
			v = plain
		}
		if b, ok := v.([]byte); ok {
			v = bytes.Clone(b)
		}
		all[i] = v
	}
	return all
}
