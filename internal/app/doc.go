// Package app builds the platform out of its parts, starts them in order and
// stops them in reverse, and holds what the commands of the binary do. It knows
// all packages but bench, which measures what is built here.
//
// [Core] is the services, for commands that listen to nobody; [Platform] is that
// with listeners and background jobs, for those that serve.
//
// # Order
//
// Log, root key, database (migrated by serve and demo), HSM, services,
// background jobs, listeners – HTTP first, then ISO 8583 – and last readiness.
// The end runs backwards: not ready, no new connections and no new requests,
// answers to everything that was accepted, jobs, HSM, database.
//
// # Invariants
//
//   - A request that was accepted is answered or durable, whatever ends us.
//   - Nothing that looks like a card number leaves through the log.
//   - A command exits with 0 when all is well, 1 when what it was asked about
//     is not, 2 when it was asked wrongly.
package app
