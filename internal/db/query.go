package db

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/list"
)

// OrderBy renders ORDER BY from an allow-list; the tie breaker makes it total.
func OrderBy(p list.Page, columns map[string]string, standard, tie string) string {
	text := ""
	for _, k := range p.Sort {
		column, known := columns[k.Name]
		if !known {
			continue
		}
		if k.Descending {
			column += " DESC"
		}
		text += column + ", "
	}
	if text == "" {
		text = standard + ", "
	}
	return " ORDER BY " + text + tie
}

// Count counts what a statement SELECT 1 … finds, as far as [list.TotalMax] and
// one more.
func Count(ctx context.Context, tx Tx, query string, args ...any) (int, error) {
	n, _, err := One(ctx, tx, ScanCount, `SELECT COUNT(*) FROM (`+query+` LIMIT `+strconv.Itoa(list.TotalMax+1)+`) AS counted`, args...)
	return n, err
}

// Some is a table of which only so many rows of the lead condition are there as
// a list looks through.
func Some(table, lead string) string {
	return `(SELECT * FROM ` + table + ` WHERE ` + lead + ` LIMIT ` + strconv.Itoa(list.LookMax) + `)`
}

// Exceeds reports whether a table has more rows of the lead condition than a list
// looks through.
func Exceeds(ctx context.Context, tx Tx, table, lead string, args ...any) (bool, error) {
	n, _, err := One(ctx, tx, ScanCount, `SELECT COUNT(*) FROM (SELECT 1 FROM `+table+` WHERE `+lead+` LIMIT `+
		strconv.Itoa(list.LookMax+1)+`) AS counted`, args...)
	return n > list.LookMax, err
}

// TooMany refuses a list that could be had only by going through a whole table.
func TooMany(field, text string) error {
	return fault.New(fault.Invalid, "validation_error", "the request is not valid").OnField(field, "too_many", text)
}

// Orderable refuses an order of more rows than are ever sorted, unless its first
// key is one of those by which they are stored.
func Orderable(p list.Page, total int, stored ...string) error {
	if total <= list.TotalMax || len(p.Sort) == 0 || len(p.Sort) == 1 && slices.Contains(stored, p.Sort[0].Name) {
		return nil
	}
	return TooMany("Sorting", "must stand with filters that select at most 10,000, or be by one of "+strings.Join(stored, ", "))
}

// Equal adds an optional condition; what cannot be a key equals none.
func Equal[T ~string](w *Where, column string, value T) {
	switch {
	case value == "":
	case fault.Printable(string(value)):
		w.And(column+" = ?", string(value))
	default:
		w.And("1 = 0")
	}
}

// ScanCount reads a row that is one number.
func ScanCount(row Scanner) (n int, err error) { return n, row.Scan(&n) }

// OrNull makes an absent text NULL.
func OrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// LockRow locks the row of a tenant that l finds by one key.
func LockRow(ctx context.Context, tx Tx, l *Lookup, tenant any, row string) error {
	return l.Query(ctx, tx, []any{tenant}, []string{row}, func(s Scanner) error {
		var locked string
		return s.Scan(&locked)
	})
}

// ErrGone says that a row which others refer to does not exist: our mistake.
var ErrGone = errors.New("it does not exist")

// Missing is err, or an error that says a row that must exist does not.
func Missing(err error) error {
	if err != nil {
		return err
	}
	return ErrGone
}
