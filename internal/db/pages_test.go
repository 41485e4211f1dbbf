package db

import (
	"fmt"
	"path/filepath"
	"testing"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// TestPageMemory_holdsThePages asks SQLite where the pages of a file are.
func TestPageMemory_holdsThePages(t *testing.T) {
	ctx := t.Context()
	d, err := openSQLite(ctx, filepath.Join(t.TempDir(), "pages.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	before, _ := pageStatus(t, sqlite3.SQLITE_STATUS_PAGECACHE_USED)
	if err := d.InTx(ctx, func(tx Tx) error {
		if _, err := tx.Exec(ctx, "CREATE TABLE fill (id TEXT PRIMARY KEY, what TEXT)"); err != nil {
			return err
		}
		for i := range 4000 {
			if _, err := tx.Exec(ctx, "INSERT INTO fill (id, what) VALUES ($1, $2)", fmt.Sprint(i), fmt.Sprintf("%01000d", i)); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	after, _ := pageStatus(t, sqlite3.SQLITE_STATUS_PAGECACHE_USED)
	if took := after - before; took < 1000 {
		t.Errorf("4 MB of rows took %d slots of the page memory", took)
	}
	if _, most := pageStatus(t, sqlite3.SQLITE_STATUS_PAGECACHE_OVERFLOW); most > 64<<10 {
		t.Errorf("%d bytes of pages were beside the page memory", most)
	}
}

// pageStatus is a figure that SQLite counts for the whole process, now and at most.
func pageStatus(t *testing.T, what int32) (now, most int32) {
	t.Helper()
	tls := libc.NewTLS()
	defer tls.Close()
	figures := libc.Xcalloc(tls, 2, 4)
	defer libc.Xfree(tls, figures)
	if code := sqlite3.Xsqlite3_status(tls, what, figures, figures+4, 0); code != sqlite3.SQLITE_OK {
		t.Fatalf("sqlite3_status: error %d", code)
	}
	return libc.AtomicLoadPInt32(figures), libc.AtomicLoadPInt32(figures + 4)
}
