package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the schema up to the newest version and returns the versions
// it applied, oldest first. It is safe to call from several processes at once
// and does nothing when the schema is current.
func (d *DB) Migrate(ctx context.Context) ([]int64, error) {
	p, handle, err := d.migrator()
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	defer handle.Close()
	results, err := p.Up(ctx)
	if err != nil {
		// Another process on the same SQLite file may have been faster: goose
		// takes no lock there. If everything is applied by now, that is fine.
		if pending, e := p.HasPending(ctx); e != nil || pending {
			return nil, fmt.Errorf("migrate: %w", err)
		}
	}
	var applied []int64
	for _, r := range results {
		applied = append(applied, r.Source.Version)
	}
	return applied, nil
}

// SchemaVersion returns the version of the newest migration applied, and the
// newest one this program knows.
func (d *DB) SchemaVersion(ctx context.Context) (applied, newest int64, err error) {
	p, handle, err := d.migrator()
	if err != nil {
		return 0, 0, err
	}
	defer handle.Close()
	return p.GetVersions(ctx)
}

func (d *DB) migrator() (*goose.Provider, *sql.DB, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, nil, err
	}
	var handle *sql.DB
	dialect := goose.DialectSQLite3
	var options []goose.ProviderOption
	if d.engine == Postgres {
		dialect = goose.DialectPostgres
		locker, err := lock.NewPostgresTableLocker()
		if err != nil {
			return nil, nil, err
		}
		options = append(options, goose.WithLocker(locker))
		handle, err = sql.Open("pgx", d.dsn)
		if err != nil {
			return nil, nil, err
		}
	} else {
		handle, err = sql.Open("sqlite", d.dsn+"&_txlock=immediate")
		if err != nil {
			return nil, nil, err
		}
	}
	p, err := goose.NewProvider(dialect, handle, engineFiles{sub, d.engine}, options...)
	if err != nil {
		handle.Close()
		return nil, nil, err
	}
	return p, handle, nil
}

// engineFiles are the migrations without those that are for the other engine:
// of 0007_audit.sqlite.sql and 0007_audit.postgres.sql each engine sees its own.
type engineFiles struct {
	fs.FS
	engine Engine
}

// keyedRows marks the table of which SQLite keeps the rows in the tree of its
// primary key, and not in one by number with another that finds them by key.
// PostgreSQL knows only the latter and reads a comment.
const keyedRows = "WITHOUT ROWID"

// Open opens a file as the engine reads it.
func (f engineFiles) Open(name string) (fs.File, error) {
	file, err := f.FS.Open(name)
	if err != nil || f.engine != SQLite || !strings.HasSuffix(name, ".sql") {
		return file, err
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return engineFile{file, strings.NewReader(strings.ReplaceAll(string(text), "/* "+keyedRows+" */", keyedRows))}, nil
}

// engineFile is a file with another text.
type engineFile struct {
	fs.File
	text io.Reader
}

// Read reads the text.
func (f engineFile) Read(p []byte) (int, error) { return f.text.Read(p) }

// ReadDir lists a directory; goose finds its files by it.
func (f engineFiles) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(f.FS, name)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		_, suffix, special := strings.Cut(strings.TrimSuffix(e.Name(), ".sql"), ".")
		return special && suffix != f.engine.String()
	}), err
}
