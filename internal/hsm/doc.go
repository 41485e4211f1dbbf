// Package hsm names the operations Sarraf asks of a hardware security module,
// by purpose, in the vocabulary of card issuing.
//
// # Principles
//
// No method takes or returns a clear key or a clear PIN. A card value leaves
// only as a [secret.Value]. Verify methods answer match or no match; an error
// means that no comparison could be made. Whatever would expose a PIN between
// two steps is one call. The backend enforces usage, mode, tenant and test
// mark itself; a caller cannot override them. The one exception is [Sandbox],
// which serves testers and refuses every key that is not marked as a test key.
//
// # Nouns
//
// A [KeyRef] carries its own key block (TR-31 version D, ANSI X9.143) under a
// key only the backend knows, so a backend keeps no state and a reference can
// live in a table row. The block's header is authoritative: when a column
// beside it says something else, the reference is refused with [ErrIntegrity].
// A [Verifier] is what may be stored of a PIN: a PVV or an offset.
//
// # Errors
//
// Every refusal is one of the sentinel errors of this package, wrapped with
// what was being done and with nothing that came in. None of them tells a
// caller which check inside a block or PIN block failed.
//
// # Invariants
//
//   - A key works only for its tenant, its usage and its mode.
//   - A value sealed for one tenant, purpose or row does not open for another.
//   - Clear key or PIN bytes never reach an error text, a log or a fmt verb.
//
// Implementations: hsm/soft in process. hsm/hsmtest is the suite every backend
// must pass, hsm/vector runs public test vectors over hsm/algo.
package hsm
