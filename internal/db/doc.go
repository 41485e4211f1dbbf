// Package db opens the database and runs transactions on it.
//
// Two engines are served by one SQL text: SQLite, embedded, for a single
// machine, and PostgreSQL (or an engine that speaks its wire protocol) for
// everything larger. sqlite.go and postgres.go hold all that differs. Domains
// write their SQL once, with $1 placeholders and portable types (TEXT, BIGINT,
// BOOLEAN, BYTEA), against a [Tx] that cannot commit: only [DB.InTx] begins and
// commits.
//
// Durability is not negotiable: SQLite runs in WAL mode with synchronous=FULL,
// PostgreSQL with its own defaults, and InTx reports success only after the
// engine has made the transaction durable.
package db
