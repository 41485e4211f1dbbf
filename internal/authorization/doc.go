// Package authorization decides card transactions: the hot path, and everything
// that later happens to a decision (reversal, completion, expiry).
//
// # How a request is decided
//
//	replay → gather → decide → commit → respond
//
// gather reads and computes what cannot change under our feet: configuration,
// card, the results of cryptography. It holds no lock. decide is a pure function
// of the request, those facts, and the state that others may change at the same
// time. The state is read under row locks in a short transaction, which a group
// of waiting requests shares; each request of the group sees what the one before
// it left. An answer leaves only after its group is durable.
//
// Where the tenant owns the balance, the commit leaves the transaction Pending,
// with the money set aside; the tenant's own system is asked with nothing locked;
// and a second commit concludes (consult.go, conclude.go). Whoever meets a pending
// transaction waits for it, or ends it when its time is over.
//
// Because decide is pure and all it is made from is recorded (card data as
// results and fingerprints only), any decision can be explained, recomputed and
// verified; see Explain and Verify.
//
// # Nouns
//
// A Request is a message about a card. A Transaction is its record, as the
// cardholder sees it; the transactions of one life cycle share a root. A
// Decision is the answer with its effects and its Trace of checks.
//
// # States of a transaction
//
//	Pending (the client is being asked) ──► Approved | Cleared | Declined
//
//	Approved ──► PartiallyReversed ──► Reversed      Approved ──► Voided
//	   │  │             │
//	   │  └──► PartiallyCleared ──► Cleared ──► PartiallyRefunded ──► Refunded
//	   │                               ▲ │
//	   └──────► Expired ───────────────┘ └──► (PartiallyReversed, Reversed: 0200 only)
//	Declined, Failed and Voided are final.
//
// # Invariants
//
//   - A message key has one answer for ever; a repeat changes nothing.
//   - The money of a life cycle moves once: by presentment, or by its 0200.
//   - Whoever changes a transaction or its hold has locked its account.
//   - A tombstone makes sure that an original which comes after its reversal
//     never holds money.
//   - Every decision recomputes to itself.
package authorization
