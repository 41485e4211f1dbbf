package db

import (
	"context"
	"errors"

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
