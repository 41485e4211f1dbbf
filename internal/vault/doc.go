// Package vault keeps payment keys, each as a key block that only the HSM can
// open, and hands transport keys to API clients.
//
// # Nouns
//
// A [Key] is a key reference in a table row. Its label says what it is for
// ("<key set>/cvk"); a label may have several versions. A transport key is
// shared with one API client for a day: either it encrypts single JSON fields
// (usage D0), or it is a ZPK (P0) under which the client sends PIN blocks.
//
// # States of a transport key
//
//	exchanged ──next exchange of the same use──▶ one more hour ──▶ expired
//	    │                                                             ▲
//	    └────────────────────── 24 hours ─────────────────────────────┘
//
// # Invariants
//
//   - A key is found only by its own tenant, a transport key only by its client.
//   - In production a transport key goes only to a public key that an
//     administrator has registered.
//   - Nothing here can open a key block.
package vault
