// Package customer knows who holds cards: the persons and companies of a
// tenant, the segments they are in, and what was noted about them.
//
// # Nouns
//
//	Customer 1─* Identification, Communication, Address   (one per type)
//	Customer *─0..1 Segment
//	Note *─1 customer or card
//
// A [Customer] is a person or company. A [Segment] is a class of customers that
// rules and prices treat alike. A [Note] is what somebody wrote down about a
// customer, or about one of the cards that lie above this package and are asked
// for through [Cards].
//
// # States
//
//	customer:  Active ⇄ Passive ⇄ Blocked,  any of them → Deceased
//	           any of them → Closed (final, and only without open cards)
//
// # Invariants
//
//   - What a customer is found by is unique: number, external id, and each
//     identification. Get-or-create never changes a customer that exists.
//   - A segment that customers name is not deleted.
//   - Notes are only ever added.
//   - Personal values are sealed for their row; beside them lie keyed hashes
//     and folded name words only.
package customer
