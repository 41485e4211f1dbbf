package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"testing"
)

// Parameters lose their numbers where each stands once, and only those that are some.
func TestUnnumbered(t *testing.T) {
	for _, c := range []struct {
		query, text string
		order       []int
	}{
		{`SELECT 1`, `SELECT 1`, nil},
		{`SELECT a FROM t WHERE b = $1`, `SELECT a FROM t WHERE b = ?`, []int{0}},
		{`UPDATE t SET a = $2, b=$3 WHERE id = $1`, `UPDATE t SET a = ?, b=? WHERE id = ?`, []int{1, 2, 0}},
		{`VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)`, `VALUES (?,?,?,?,?,?,?,?,?,?)`, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
		{`SELECT a + $1 FROM t GROUP BY a + $1`, `SELECT a + $1 FROM t GROUP BY a + $1`, nil},
		{`SELECT $2`, `SELECT $2`, nil},
		{`SELECT $1, ?`, `SELECT $1, ?`, nil},
		{`SELECT '$1 it''s ?', "a$2", $1`, `SELECT '$1 it''s ?', "a$2", ?`, []int{0}},
		{"SELECT a - b / $1 -- of $2\n, $2 /*/ $3 */", "SELECT a - b / ? -- of $2\n, ? /*/ $3 */", []int{0, 1}},
		{`DELETE FROM a WHERE b = $1; DELETE FROM a WHERE b = $2`, `DELETE FROM a WHERE b = $1; DELETE FROM a WHERE b = $2`, nil},
		{`SELECT $a`, `SELECT $a`, nil},
		{`SELECT 'open $1`, `SELECT 'open $1`, nil},
	} {
		if text, order := unnumbered(c.query); text != c.text || !slices.Equal(order, c.order) {
			t.Errorf("%s:\n%s, %v", c.query, text, order)
		}
	}
}

// A statement is told of its arguments when there are too few or too many.
func TestSession_refusesAnotherNumberOfArguments(t *testing.T) {
	d := openTest(t)
	for _, args := range [][]any{{}, {int64(1)}, {int64(1), int64(2), int64(3)}} {
		err := d.InTx(t.Context(), func(tx Tx) error {
			if _, err := tx.Exec(t.Context(), "CREATE TABLE n (id BIGINT, a BIGINT)"); err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(t.Context(), "UPDATE n SET a = $2 WHERE id = $1", args...); err == nil {
				t.Errorf("Exec took %d", len(args))
			}
			if rows, err := tx.Query(t.Context(), "SELECT a FROM n WHERE a = $2 AND id = $1", args...); err == nil {
				rows.Close()
				t.Errorf("Query took %d", len(args))
			}
			return errAgainForTest
		})
		if err != errAgainForTest {
			t.Fatal(err)
		}
	}
}

type panics struct{}

func (panics) Value() (driver.Value, error) { panic("a value panics") }

// panicsInDriver is a context in which the driver panics.
type panicsInDriver struct{ context.Context }

func (panicsInDriver) Done() <-chan struct{} { panic("the driver panics") }

// A panic harms its transaction only, in a value or in the driver: the one writer goes on.
func TestSession_survivesPanics(t *testing.T) {
	d := openTest(t)
	for _, c := range []struct {
		ctx   context.Context
		value any
	}{{t.Context(), panics{}}, {panicsInDriver{t.Context()}, int64(1)}, {t.Context(), panics{}}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			_ = d.InTx(t.Context(), func(tx Tx) error {
				_, err := tx.Exec(t.Context(), "CREATE TABLE IF NOT EXISTS n (id BIGINT)")
				if err == nil {
					_, err = tx.Exec(c.ctx, "INSERT INTO n (id) VALUES ($1)", c.value)
				}
				return err
			})
		}()
	}
	err := d.InTx(t.Context(), func(tx Tx) error {
		_, err := tx.Exec(t.Context(), "CREATE TABLE n (id BIGINT)")
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

var errAgainForTest = errors.New("not to be kept")
