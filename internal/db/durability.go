package db

import (
	"context"
	"fmt"
)

// Setting is a setting of the engine with its value in force.
type Setting struct{ Name, Value string }

// Durability returns the settings that decide what a commit survives, in a
// fixed order, for reports: a figure of speed means nothing without them.
func (d *DB) Durability(ctx context.Context) (all []Setting, err error) {
	ask := "PRAGMA "
	names := []string{"journal_mode", "synchronous", "wal_autocheckpoint"}
	if d.engine == Postgres {
		ask = "SHOW "
		names = []string{"server_version", "synchronous_commit", "fsync", "full_page_writes", "wal_sync_method", "shared_buffers"}
	}
	// In a writing transaction: on SQLite the writer's connection commits, and
	// its settings are the ones that count.
	err = d.InTx(ctx, func(tx Tx) error {
		all = nil
		for _, name := range names {
			s := Setting{Name: name}
			if err := tx.QueryRow(ctx, ask+name).Scan(&s.Value); err != nil {
				return fmt.Errorf("ask for %s: %w", name, err)
			}
			all = append(all, s)
		}
		return nil
	})
	return all, err
}

// Version names the database and its version, for reports.
func (d *DB) Version(ctx context.Context) (version string, err error) {
	query := "SELECT 'SQLite ' || sqlite_version()"
	if d.engine == Postgres {
		query = "SELECT version()"
	}
	err = d.View(ctx, func(tx Tx) error { return tx.QueryRow(ctx, query).Scan(&version) })
	if err != nil {
		return "", fmt.Errorf("read version of the database: %w", err)
	}
	return version, nil
}
