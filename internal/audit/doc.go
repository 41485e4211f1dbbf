// Package audit records who did what: card acts, changes of the configuration,
// tokens given and denied.
//
// An [Act] is appended in the transaction of what it tells of, so neither is
// there without the other. The acts of a tenant form a chain: each has the next
// position and a hash over the hash before it and its own fields (the encoding:
// docs/adr/0008-audit-encoding.md). [Service.Verify] finds what does not fit,
// and a [Checkpoint] that was kept elsewhere finds a chain that was written anew.
//
// Invariants: positions of a tenant are 1, 2, 3 … without a gap; a row is never
// changed or deleted, which triggers refuse; personal values (the user, the
// address, the free text) stand apart, and the chain holds salted digests of
// them, so that they can be erased.
//
// Append last in a transaction: it holds the end of the tenant's chain until
// the commit.
package audit
