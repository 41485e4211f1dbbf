// Package issuing knows issuances and cards: how they are issued, what becomes
// of them, and everything their holders and the bank may do with them. What a
// card is configured as, package program knows; whose it is, package customer.
//
// # Nouns
//
//	Customer 0..1─* Issuance *─1 Product     (0 only while a card has no name yet)
//	Issuance 1─* Card                        (one of them is current)
//
// An [Issuance] is the logical card that a customer holds and that survives
// renewals; a [Card] is one PAN with its expiry and sequence.
//
// # States
//
//	card:      Pending → Active ⇄ Inactive
//	           any of them → Blocked (and back), Lost
//	           any of them, and Lost → Stolen, Fraud, Cancelled (final)
//	           Pending, Active, Inactive → Damaged, Renewed (final)
//	           any but Lost → Expired (final)
//	           who may make which move: [CardStatus.MoverTo]
//
//	renewal:   Issuance.CurrentCard is the plastic in force, Issuance.Successor
//	           the one that waits. The successor comes into force when it is
//	           activated or the other comes to its end; then the other is Renewed.
//
//	PIN:       NotSet → Active → Blocked (tries used up) → Active (set again)
//
// # Invariants
//
//   - A card number is given out once; it leaves this package sealed, hashed or
//     masked only.
//   - A status changes only from the status it was judged by, and every change
//     is a line of the card's history. Closing a main card closes its
//     supplementary cards.
//   - An issuance has one card in force and at most one successor. Both change in
//     the transaction that changes the statuses of the two.
//   - A scheduled change of status, and the end of an overlap, hold from their
//     time on, whether a job has written them down or not.
//   - No two plastics of a card number have the same expiry.
//   - The result of a PIN or CVV2 try is durable before it is answered, and
//     however many tries arrive at once, only as many as the product allows
//     are answered. A PIN is nowhere, only what the HSM verifies it by; a CVV2
//     is computed anew each time.
//   - The cards of a noname batch and its counts are committed together, and the
//     counts add up to what was ordered when it is done. A noname card has an
//     account of its own, whoever it is linked to.
//   - An issuance is linked and unlinked under the locks of itself, its cards and
//     the customer. The order of all locks stands in lock_store.go.
//   - Where a plastic goes and the phone of a card lie sealed for their row, as
//     everything personal does.
package issuing
