package db

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"sync"
)

// Bulk is a statement over many rows: the same text for both engines, with as
// many rows in one statement as suits the engine (one on SQLite, where a
// prepared statement in a loop is faster; up to 256 on PostgreSQL: any number up
// to 16, beyond that powers of two, so that the prepared texts repeat).
//
// The text is Head + "($1,$2),($3,$4)" + Tail. A Bulk is declared once per
// statement, as a package-level variable, and is safe for concurrent use.
type Bulk struct {
	Head string
	// Columns is the number of values in a row.
	Columns int
	// Types, when given, has one SQL type per column for statements in which
	// the engine cannot infer them: WITH v (id, n) AS (VALUES …) UPDATE … FROM v.
	Types []string
	Tail  string
	// Alone, when given, is the statement for a single row, its values in the same
	// order: an UPDATE by key, which takes SQLite half as long as to make a table of
	// one row and join it.
	Alone string

	texts sync.Map // rows → string
}

// Exec runs the statement over args, which hold Columns values for each row.
func (b *Bulk) Exec(ctx context.Context, tx Tx, args []any) error {
	return b.each(tx, args, func(text string, args []any) error {
		_, err := tx.Exec(ctx, text, args...)
		return err
	})
}

// Query runs the statement over args and hands every returned row to scan.
func (b *Bulk) Query(ctx context.Context, tx Tx, args []any, scan func(Scanner) error) error {
	return b.each(tx, args, func(text string, args []any) error {
		rows, err := tx.Query(ctx, text, args...)
		if err != nil {
			return err
		}
		return drain(rows, scan)
	})
}

func (b *Bulk) each(tx Tx, args []any, run func(text string, args []any) error) error {
	d := tx.Dialect()
	for len(args) > 0 {
		rows := repeating(min(len(args)/b.Columns, d.RowsPerStatement))
		n := rows * b.Columns
		if err := run(b.text(rows, d), args[:n]); err != nil {
			return err
		}
		args = args[n:]
	}
	return nil
}

func (b *Bulk) text(rows int, d Dialect) string {
	if rows == 1 && b.Alone != "" {
		return b.Alone
	}
	key := rows
	if d.cast {
		key = -rows
	}
	if t, ok := b.texts.Load(key); ok {
		return t.(string)
	}
	var s strings.Builder
	s.WriteString(b.Head)
	for r := range rows {
		if r > 0 {
			s.WriteByte(',')
		}
		s.WriteByte('(')
		for c := range b.Columns {
			if c > 0 {
				s.WriteByte(',')
			}
			p := "$" + strconv.Itoa(r*b.Columns+c+1)
			if d.cast && b.Types != nil {
				p = "CAST(" + p + " AS " + b.Types[c] + ")"
			}
			s.WriteString(p)
		}
		s.WriteByte(')')
	}
	s.WriteString(b.Tail)
	b.texts.Store(key, s.String())
	return s.String()
}

// Lookup is a SELECT by a list of keys: Head + "($1,$2,…)" + Tail, the list
// split as suits the engine. Lock appends the engine's row lock, so that the
// rows stay as read until the transaction ends; keys should then be sorted,
// so that two transactions lock in one order. Where Tail has an ORDER BY it must
// end in that, with a column of text: rows are locked in the order of its bytes,
// which is that of Go. A Lookup is safe for concurrent
// use.
type Lookup struct {
	Head string
	Tail string
	Lock bool

	texts sync.Map
}

// Query hands every row found for keys to scan. Before the keys it binds the
// leading arguments, if any; Head refers to them as $1….
func (l *Lookup) Query(ctx context.Context, tx Tx, leading []any, keys []string, scan func(Scanner) error) error {
	d := tx.Dialect()
	for len(keys) > 0 {
		some := keys[:min(len(keys), d.RowsPerStatement)]
		n := 1
		for n < len(some) {
			n *= 2
		}
		args := make([]any, 0, len(leading)+n)
		args = append(args, leading...)
		for i := range n { // up to a power of two, by naming the last key again
			args = append(args, some[min(i, len(some)-1)])
		}
		rows, err := tx.Query(ctx, l.text(n, len(leading), d), args...)
		if err != nil {
			return err
		}
		if err := drain(rows, scan); err != nil {
			return err
		}
		keys = keys[len(some):]
	}
	return nil
}

func (l *Lookup) text(n, leading int, d Dialect) string {
	type key struct {
		n    int
		lock string
	}
	k := key{n, d.RowLock}
	if t, ok := l.texts.Load(k); ok {
		return t.(string)
	}
	var s strings.Builder
	s.WriteString(l.Head)
	for i := range n {
		s.WriteByte("(,"[min(i, 1)])
		s.WriteByte('$')
		s.WriteString(strconv.Itoa(leading + i + 1))
	}
	s.WriteString(")" + l.Tail)
	if l.Lock {
		if strings.Contains(l.Tail, "ORDER BY") {
			s.WriteString(d.byteOrder)
		}
		s.WriteString(d.RowLock)
	}
	l.texts.Store(k, s.String())
	return s.String()
}

func drain(rows *sql.Rows, scan func(Scanner) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// repeating returns how many of n rows one statement takes, n ≥ 1: all of a few,
// else the largest power of two, so that texts come again and again.
func repeating(n int) int {
	if n <= 16 {
		return n
	}
	p := 16
	for p*2 <= n {
		p *= 2
	}
	return p
}

// Where collects optional conditions of a query. Conditions are written with
// "?" and numbered as they are added, so that filters combine freely while
// values never enter the text.
type Where struct {
	sql  strings.Builder
	args []any
}

// And adds a condition; the number of "?" must be the number of args.
func (w *Where) And(condition string, args ...any) {
	if w.sql.Len() > 0 {
		w.sql.WriteString(" AND ")
	}
	w.sql.WriteString(w.Number(condition, args...))
}

// Number binds the arguments of a text outside the conditions, of which there
// must be as many as "?", and returns it with its placeholders.
func (w *Where) Number(text string, args ...any) string {
	var out strings.Builder
	for _, r := range text {
		if r != '?' {
			out.WriteRune(r)
			continue
		}
		out.WriteString(w.Bind(args[0]))
		args = args[1:]
	}
	return out.String()
}

// Bind adds an argument outside the conditions (a LIMIT) and returns its
// placeholder.
func (w *Where) Bind(arg any) string {
	w.args = append(w.args, arg)
	return "$" + strconv.Itoa(len(w.args))
}

// SQL returns the conditions joined by AND; without any it is always true.
func (w *Where) SQL() string {
	if w.sql.Len() == 0 {
		return "1 = 1"
	}
	return w.sql.String()
}

// Args returns the bound arguments in order.
func (w *Where) Args() []any { return w.args }
