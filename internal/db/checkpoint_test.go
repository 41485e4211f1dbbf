package db

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// writePages commits n rows of which each takes a page, and returns how long the log is.
func writePages(t *testing.T, d *DB, n int) (pages int) {
	t.Helper()
	for range n {
		err := d.InTx(t.Context(), func(tx Tx) error {
			_, err := tx.Exec(t.Context(), "INSERT INTO n (v) VALUES (zeroblob($1))", 4000)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	l, err := walCheckpoint(t.Context(), d.pools.(*sqlitePools).checkpoints.pool, "NOOP")
	if err != nil {
		t.Fatal(err)
	}
	return l.pages
}

func rowsOf(t *testing.T, tx Tx) (n int) {
	t.Helper()
	if err := tx.QueryRow(t.Context(), "SELECT COUNT(*) FROM n").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// makeN makes the table that is written to.
func makeN(t *testing.T, d *DB) {
	t.Helper()
	err := d.InTx(t.Context(), func(tx Tx) error {
		_, err := tx.Exec(t.Context(), "CREATE TABLE n (v BLOB)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The log begins anew once it is long, unless somebody still reads what it would
// overwrite: then later. Nobody waits for a reader.
func TestCheckpointer_beginsTheLogAnew(t *testing.T) {
	d := openTest(t)
	c := d.pools.(*sqlitePools).checkpoints
	c.stop() // it is asked here
	<-c.ended
	c.pages = 100
	do := func(want error) {
		t.Helper()
		// A reader ends when the test does: who waited for one would wait as long as a
		// connection does for a lock.
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := c.checkpoint(ctx); !errors.Is(err, want) {
			t.Fatalf("%v, want %v", err, want)
		}
	}
	makeN(t, d)

	was := writePages(t, d, 10)
	do(nil)
	if is := writePages(t, d, 1); is <= was {
		t.Errorf("the log has %d pages after %d: it began anew before it was long", is, was)
	}
	was = writePages(t, d, 100)
	do(nil)
	if is := writePages(t, d, 1); is > 10 {
		t.Errorf("the log has %d pages after %d: it did not begin anew", is, was)
	}

	writePages(t, d, 1)
	err := d.View(t.Context(), func(tx Tx) error {
		before := rowsOf(t, tx)
		was = writePages(t, d, 100)
		do(errStillRead)
		if is := writePages(t, d, 1); is <= was {
			t.Errorf("the log has %d pages after %d: it began anew under a reader", is, was)
		}
		if after := rowsOf(t, tx); after != before {
			t.Errorf("a reader saw %d rows and then %d", before, after)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	do(nil)
	if is := writePages(t, d, 1); is > 10 {
		t.Errorf("the log has %d pages: it did not begin anew after the reader had ended", is)
	}
}

// What it does beside the writer is done without being asked.
func TestCheckpointer_isWokenByCommits(t *testing.T) {
	d := openTest(t)
	restart(t, d, 1, slog.New(slog.DiscardHandler))
	makeN(t, d)
	begun := time.Now()
	for last, anew := 0, false; !anew; {
		pages := writePages(t, d, 1)
		last, anew = pages, pages < last
		if time.Since(begun) > time.Minute {
			t.Fatalf("the log has %d pages and did not begin anew", pages)
		}
	}
}

// restart lets the log of d be brought into the file whenever it has so many pages.
func restart(t testing.TB, d *DB, pages int, log *slog.Logger) {
	t.Helper()
	p := d.pools.(*sqlitePools)
	if err := p.checkpoints.close(); err != nil {
		t.Fatal(err)
	}
	c, err := startCheckpointer(context.Background(), d.dsn, p.file, p.write, pages, log)
	if err != nil {
		t.Fatal(err)
	}
	p.checkpoints, p.write.committed = c, c.wake
}

// lines is a log that is read while it is written.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// A log that cannot come into the file is told of, once; payments go on.
func TestCheckpointer_tellsThatItFails(t *testing.T) {
	d := openTest(t)
	p := d.pools.(*sqlitePools)
	closed, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	file := p.file
	p.file = closed
	t.Cleanup(func() { p.file = file })
	said := &lines{}
	restart(t, d, 1, slog.New(slog.NewTextHandler(said, nil)))
	makeN(t, d)
	for begun := time.Now(); said.String() == ""; {
		writePages(t, d, 1)
		if time.Since(begun) > time.Minute {
			t.Fatal("nobody was told")
		}
	}
	for range 5 {
		writePages(t, d, 1)
		time.Sleep(checkpointPause)
	}
	if n := strings.Count(said.String(), "level=ERROR"); n != 1 {
		t.Errorf("told %d times, want once:\n%s", n, said)
	}
}
