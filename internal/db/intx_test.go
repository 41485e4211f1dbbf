package db

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

func openTest(t testing.TB) *DB {
	t.Helper()
	d, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "t.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestClose_returnsAgain(t *testing.T) {
	d := openTest(t)
	for range 2 {
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestInTx_reportsFailedCommit(t *testing.T) {
	d := openTest(t)
	full := errors.New("disk full")
	d.beforeCommit = func() error { return full }
	err := d.InTx(t.Context(), func(tx Tx) error {
		_, err := tx.Exec(t.Context(), "CREATE TABLE a (b TEXT)")
		return err
	})
	if !errors.Is(err, full) {
		t.Errorf("got %v, want the commit's error", err)
	}
	d.beforeCommit = nil
	err = d.View(t.Context(), func(tx Tx) error {
		_, err := tx.Query(t.Context(), "SELECT b FROM a")
		return err
	})
	if err == nil {
		t.Error("the table of a failed commit is there")
	}
}

func TestInTx_runsAgainAfterConflicts(t *testing.T) {
	d := openTest(t)
	conflict := &pgconn.PgError{Code: "40001"}
	d.transient = transientPostgres
	for _, failures := range []int{0, 2, 4, 5} {
		runs := 0
		err := d.InTx(t.Context(), func(tx Tx) error {
			runs++
			if runs <= failures {
				return conflict
			}
			return nil
		})
		if failures < attemptsMax {
			if err != nil || runs != failures+1 {
				t.Errorf("%d conflicts: got %d runs, %v", failures, runs, err)
			}
		} else if !errors.Is(err, conflict) || runs != attemptsMax {
			t.Errorf("%d conflicts: got %d runs, %v; want it given up", failures, runs, err)
		}
	}
}

func TestAfterCommit_belongsToTheRunThatCommits(t *testing.T) {
	d := openTest(t)
	d.transient = transientPostgres
	runs, called := 0, []int{}
	err := d.InTx(t.Context(), func(tx Tx) error {
		runs++
		run := runs
		AfterCommit(tx, func() { called = append(called, run) })
		if run < 3 {
			return &pgconn.PgError{Code: "40001"}
		}
		return nil
	})
	if err != nil || !slices.Equal(called, []int{3}) {
		t.Errorf("called by the runs %v, %v; want the third only", called, err)
	}
	for name, hook := range map[string]*func() error{"before": &d.beforeCommit, "after": &d.afterCommit} {
		*hook = func() error { return errors.New("the line is cut") }
		err := d.InTx(t.Context(), func(tx Tx) error {
			AfterCommit(tx, func() { t.Errorf("%s: called though the outcome is unknown", name) })
			return nil
		})
		if !errors.Is(err, ErrOutcomeUnknown) {
			t.Errorf("%s: got %v", name, err)
		}
		*hook = nil
	}
}

func TestInTx_endsWithItsContext(t *testing.T) {
	d := openTest(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.InTx(ctx, func(Tx) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if err := d.InTx(t.Context(), func(Tx) error { return nil }); err != nil {
		t.Errorf("the writer is gone: %v", err)
	}
}

// A caller may give up at any moment: before, during and after BEGIN, or inside
// a statement. Neither the writer nor a reader may keep a transaction for it.
func TestInTx_aCallerWhoGivesUpLeavesTheConnectionUsable(t *testing.T) {
	d := openTest(t)
	err := d.InTx(t.Context(), func(tx Tx) error {
		_, err := tx.Exec(t.Context(), "CREATE TABLE a (b BIGINT)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2000 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%400)*time.Microsecond)
		_ = d.InTx(ctx, func(tx Tx) error {
			for range 5 {
				if _, err := tx.Exec(ctx, "INSERT INTO a VALUES (1)"); err != nil {
					return err
				}
			}
			return nil
		})
		_ = d.View(ctx, func(tx Tx) error { return tx.QueryRow(ctx, "SELECT COUNT(*) FROM a").Scan(new(int)) })
		cancel()
		if err := d.InTx(t.Context(), func(Tx) error { return nil }); err != nil {
			t.Fatalf("round %d: the writer: %v", i, err)
		}
		if err := d.View(t.Context(), func(Tx) error { return nil }); err != nil {
			t.Fatalf("round %d: a reader: %v", i, err)
		}
	}
	rows := 0
	err = d.View(t.Context(), func(tx Tx) error { return tx.QueryRow(t.Context(), "SELECT COUNT(*) FROM a").Scan(&rows) })
	if err != nil || rows%5 != 0 {
		t.Errorf("got %d rows, %v; want whole transactions of five", rows, err)
	}
}
