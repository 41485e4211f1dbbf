// Package dbtest gives each test a fresh, migrated database on every engine
// that can be had.
//
// SQLite is always there. PostgreSQL is the server that SARRAF_TEST_POSTGRES
// names, or a private throw-away cluster started from server binaries found on
// the machine. With CI=true a missing PostgreSQL fails the test; elsewhere that
// half is skipped.
package dbtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/db"
)

// Each runs f as the subtests "sqlite" and "postgres", each with a database of
// its own that is gone when the subtest ends.
func Each(t *testing.T, f func(t *testing.T, d *db.DB)) {
	t.Helper()
	EachFresh(t, func(t *testing.T, fresh func(testing.TB) *db.DB) { f(t, fresh(t)) })
}

// EachFresh is [Each] for tests that need more than one database: fresh opens another
// empty one of the engine.
func EachFresh(t *testing.T, f func(t *testing.T, fresh func(testing.TB) *db.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, SQLite) })
	t.Run("postgres", func(t *testing.T) { f(t, Postgres) })
}

var template = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "sarraf-template")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "template.db")
	ctx := context.Background()
	d, err := db.Open(ctx, "sqlite:"+file, db.Options{})
	if err != nil {
		return nil, err
	}
	if _, err := d.Migrate(ctx); err != nil {
		d.Close()
		return nil, err
	}
	if err := d.Close(); err != nil { // checkpoints the WAL into the file
		return nil, err
	}
	return os.ReadFile(file)
})

// SQLite returns a fresh migrated SQLite database in a file of the test's own.
func SQLite(t testing.TB) *db.DB {
	t.Helper()
	return open(t, SQLiteDSN(t))
}

// SQLiteDSN is the address of a fresh migrated SQLite database, for tests that
// open it themselves.
func SQLiteDSN(t testing.TB) string {
	t.Helper()
	content, err := template()
	if err != nil {
		t.Fatalf("make template database: %v", err)
	}
	file := filepath.Join(t.TempDir(), "sarraf.db")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + file
}

// Postgres returns a fresh migrated PostgreSQL database, or skips the test (or
// fails it, with CI=true) where there is no server.
func Postgres(t testing.TB) *db.DB {
	t.Helper()
	return open(t, PostgresDSN(t))
}

func open(t testing.TB, dsn string) *db.DB {
	t.Helper()
	return Open(t, dsn, db.Options{})
}

// Open opens a database with options of the test's own and closes it when the
// test ends.
func Open(t testing.TB, dsn string, o db.Options) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), dsn, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close database: %v", err)
		}
	})
	return d
}

var (
	server = sync.OnceValues(func() (string, error) {
		if dsn := os.Getenv("SARRAF_TEST_POSTGRES"); dsn != "" {
			return dsn, nil
		}
		return startCluster()
	})
	migrated = sync.OnceValues(func() (string, error) {
		admin, err := server()
		if err != nil {
			return "", err
		}
		name := fmt.Sprintf("sarraf_template_%d", os.Getpid())
		if err := createDatabase(admin, name, ""); err != nil {
			return "", err
		}
		ctx := context.Background()
		d, err := db.Open(ctx, inDatabase(admin, name), db.Options{})
		if err != nil {
			return "", err
		}
		defer d.Close()
		_, err = d.Migrate(ctx)
		return name, err
	})
	count    atomic.Int64
	creation sync.Mutex
)

// PostgresDSN is the address of a fresh migrated PostgreSQL database, for tests
// that open it themselves. It skips or fails like [Postgres].
func PostgresDSN(t testing.TB) string {
	t.Helper()
	admin, err := server()
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("PostgreSQL is required in CI: %v", err)
		}
		t.Skipf("no PostgreSQL: %v", err)
	}
	from, err := migrated()
	if err != nil {
		t.Fatalf("make template database: %v", err)
	}
	name := fmt.Sprintf("sarraf_test_%d_%d", os.Getpid(), count.Add(1))
	creation.Lock() // a template must not be copied twice at once
	err = createDatabase(admin, name, from)
	creation.Unlock()
	if err != nil {
		t.Fatalf("make database: %v", err)
	}
	t.Cleanup(func() {
		if err := execute(admin, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop database: %v", err)
		}
	})
	return inDatabase(admin, name)
}

func inDatabase(admin, name string) string {
	u, err := url.Parse(admin)
	if err != nil {
		return admin
	}
	u.Path = "/" + name
	return u.String()
}

func createDatabase(admin, name, template string) error {
	q := "CREATE DATABASE " + name
	if template != "" {
		q += " TEMPLATE " + template
	}
	return execute(admin, q)
}

// binaries returns the directory of the PostgreSQL server programs.
func binaries() (string, error) {
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if executable(filepath.Join(dir, "initdb")) && executable(filepath.Join(dir, "postgres")) {
			return dir, nil
		}
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("set SARRAF_TEST_POSTGRES or install the server (Debian: postgresql-15)")
	}
	newest := found[0]
	for _, f := range found[1:] {
		if len(f) > len(newest) || len(f) == len(newest) && strings.Compare(f, newest) > 0 {
			newest = f
		}
	}
	return filepath.Dir(newest), nil
}

func executable(path string) bool {
	st, err := os.Stat(path)
	return err == nil && !st.IsDir() && st.Mode()&0o111 != 0
}
