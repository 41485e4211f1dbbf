package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Bulk is a statement over many rows, written once for both engines. Its text is
// Head + "($1,$2),($3,$4)" + Tail, and Head ends in "VALUES ". How the rows get there is the
// engine's affair:
//
//   - SQLite takes one row after the other, for a prepared statement in a loop is
//     what it does fastest;
//   - PostgreSQL takes what is inserted and has no Tail by COPY, which plans nothing
//     and writes whole pages; rows whose Types are given as one array for each
//     column, so that the text is the same for any number of them; and others in a
//     VALUES list of up to 256 (any number up to 16, beyond that powers of two, so
//     that prepared texts repeat).
//
// A Bulk is declared once per statement, as a package-level variable, and is safe
// for concurrent use.
type Bulk struct {
	Head string
	// Columns is the number of values in a row.
	Columns int
	// Types, when given, has one SQL type per column – TEXT, BIGINT, BOOLEAN, BYTEA – for
	// statements in which the engine cannot infer them: WITH v (id, n) AS (VALUES …)
	// UPDATE … FROM v.
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
	if tx.Dialect().manyRows && b.Tail == "" && len(args) > b.Columns {
		return b.copy(ctx, tx, args)
	}
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
	if d.manyRows && b.Types != nil && len(args) > b.Columns {
		arrays, err := b.arrays(args)
		if err != nil {
			return err
		}
		return run(b.arrayText(), arrays)
	}
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
	if d.manyRows {
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
			if d.manyRows && b.Types != nil {
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

// arrayText is the statement over one array for each column.
func (b *Bulk) arrayText() string {
	const key = 0 // no text has so many rows
	if t, ok := b.texts.Load(key); ok {
		return t.(string)
	}
	var s strings.Builder
	s.WriteString(strings.TrimSuffix(b.Head, values))
	s.WriteString("SELECT * FROM unnest(")
	for c, t := range b.Types {
		if c > 0 {
			s.WriteByte(',')
		}
		s.WriteString("$" + strconv.Itoa(c+1) + "::" + t + "[]")
	}
	s.WriteString(")" + b.Tail)
	b.texts.Store(key, s.String())
	return s.String()
}

// values ends each Head.
const values = "VALUES "

// arrays are the columns of rows.
func (b *Bulk) arrays(args []any) ([]any, error) {
	columns := make([]any, b.Columns)
	for c, t := range b.Types {
		var err error
		switch t {
		case "TEXT":
			columns[c], err = column[string](args, c, b.Columns)
		case "BIGINT":
			columns[c], err = column[int64](args, c, b.Columns)
		case "BOOLEAN":
			columns[c], err = column[bool](args, c, b.Columns)
		case "BYTEA":
			columns[c], err = column[[]byte](args, c, b.Columns)
		default:
			err = fmt.Errorf("no array of %s", t)
		}
		if err != nil {
			return nil, fmt.Errorf("column %d: %w", c+1, err)
		}
	}
	return columns, nil
}

// column is one column of rows, which may have NULLs.
func column[T any](args []any, c, columns int) ([]*T, error) {
	n := len(args) / columns
	all, cells := make([]*T, n), make([]T, n)
	for i := range all {
		v, err := driver.DefaultParameterConverter.ConvertValue(args[i*columns+c])
		if err != nil {
			return nil, err
		}
		if v == nil {
			continue
		}
		cell, ok := v.(T)
		if !ok {
			return nil, fmt.Errorf("a value is a %T", v)
		}
		cells[i], all[i] = cell, &cells[i]
	}
	return all, nil
}

// copy inserts rows by the engine's own way to take many.
func (b *Bulk) copy(ctx context.Context, tx Tx, args []any) error {
	table, columns, err := b.target()
	if err != nil {
		return err
	}
	rows := make([][]any, 0, len(args)/b.Columns)
	for row := range slices.Chunk(args, b.Columns) {
		for i, v := range row {
			if row[i], err = driver.DefaultParameterConverter.ConvertValue(v); err != nil {
				return fmt.Errorf("%s of %s: %w", columns[i], table, err)
			}
		}
		rows = append(rows, row)
	}
	run := tx.(*running)
	return run.transaction.copyIn(ctx, b.Head, table, columns, rows)
}

// insertion is what INSERT names.
type insertion struct {
	table   string
	columns []string
}

// target reads from Head into what it inserts.
func (b *Bulk) target() (table string, columns []string, err error) {
	const key = "target"
	if t, ok := b.texts.Load(key); ok {
		i := t.(insertion)
		return i.table, i.columns, nil
	}
	text, ok := strings.CutPrefix(b.Head, "INSERT INTO ")
	table, list, found := strings.Cut(strings.TrimSuffix(text, values), "(")
	if !ok || !found {
		return "", nil, fmt.Errorf("%q inserts nothing", b.Head)
	}
	i := insertion{table: strings.TrimSpace(table)}
	for name := range strings.SplitSeq(strings.TrimRight(list, ") \n\t"), ",") {
		i.columns = append(i.columns, strings.TrimSpace(name))
	}
	if len(i.columns) != b.Columns {
		return "", nil, fmt.Errorf("%q names %d columns, not %d", b.Head, len(i.columns), b.Columns)
	}
	b.texts.Store(key, i)
	return i.table, i.columns, nil
}

// Lookup is a SELECT by a list of keys: Head + "($1)" + Tail, for one after the other on
// SQLite; PostgreSQL takes all as one array. Head ends in "IN ". Lock appends the engine's row lock, so that the
// rows stay as read until the transaction ends; keys should then be sorted,
// so that two transactions lock in one order. Where Tail has an ORDER BY it must
// end in that, with a column of text: rows are locked in the order of its bytes,
// which is that of Go. A Lookup is safe for concurrent
// use.
type Lookup struct {
	Head string
	Tail string
	Lock bool
	// Together lets SQLite look for up to 16 keys at once, which saves a third. It is for
	// what is read with each payment, by a key that no other condition stands beside but
	// one of the same index: of several keys beside a tenant the engine thinks that to go
	// through all of the tenant is less.
	Together bool

	texts sync.Map
}

// Query hands every row found for keys to scan. Before the keys it binds the
// leading arguments, if any; Head refers to them as $1….
func (l *Lookup) Query(ctx context.Context, tx Tx, leading []any, keys []string, scan func(Scanner) error) error {
	if l.Lock && len(keys) > 1 && !strings.Contains(l.Tail, "ORDER BY") {
		return fmt.Errorf("%q locks several rows in no order", l.Head)
	}
	d := tx.Dialect()
	if d.manyRows && len(keys) > 0 {
		return l.run(ctx, tx, l.text(len(leading), 0, d), append(slices.Clip(leading), keys), scan)
	}
	args := slices.Clip(leading)
	for len(keys) > 0 {
		n := 1
		if l.Together {
			for n = lookupKeys; n > len(keys); {
				n /= lookupStep
			}
		}
		args = args[:len(leading)]
		for _, key := range keys[:n] {
			args = append(args, key)
		}
		if err := l.run(ctx, tx, l.text(len(leading), n, d), args, scan); err != nil {
			return err
		}
		keys = keys[n:]
	}
	return nil
}

// On SQLite a statement takes lookupKeys together, and of what is left of them a
// lookupStep-th again and again, so that texts repeat. To begin a statement and describe
// its rows costs as much as to find one; more keys save nothing more.
const lookupKeys, lookupStep = 16, 4

func (l *Lookup) run(ctx context.Context, tx Tx, text string, args []any, scan func(Scanner) error) error {
	rows, err := tx.Query(ctx, text, args...)
	if err != nil {
		return err
	}
	return drain(rows, scan)
}

// text is the statement over n keys, or over one array of them as rows: with = ANY a
// plan that was made while the table was small compares each row with each key.
func (l *Lookup) text(leading, n int, d Dialect) string {
	if t, ok := l.texts.Load(n); ok {
		return t.(string)
	}
	var keys strings.Builder
	if d.manyRows {
		keys.WriteString("(SELECT unnest($" + strconv.Itoa(leading+1) + "::TEXT[]))")
	} else {
		for i := range n {
			keys.WriteByte("(,"[min(i, 1)])
			keys.WriteString("$" + strconv.Itoa(leading+1+i))
		}
		keys.WriteByte(')')
	}
	text := l.Head + keys.String() + l.Tail
	if l.Lock {
		if strings.Contains(l.Tail, "ORDER BY") {
			text += d.byteOrder
		}
		text += d.RowLock
	}
	l.texts.Store(n, text)
	return text
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
