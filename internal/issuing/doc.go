// Package issuing knows what cards are made of and the cards that are made: BINs,
// ranges and products, issuances and cards. Whose they are, package customer
// knows.
//
// # Nouns
//
//	Tenant 1─* BIN 1─* BINRange 1─* Product *─1 ProductGroup
//	Customer 0..1─* Issuance *─1 Product     (0 only while a card has no name yet)
//	Issuance 1─* Card                        (one of them is current)
//
// A [BIN] is what routes a card number to its tenant; it carries the name of
// its [KeySet]. A [BINRange] is where card numbers are taken from. A [Product]
// is what a card is sold as. All of these and the tenant's [Attributes] are its
// [Configuration], an immutable snapshot that decisions are made under.
//
// An [Issuance] is the logical card that a customer holds and that survives
// renewals; a [Card] is one PAN with its expiry and sequence.
//
// # States
//
//	BIN, range, product:  Active ⇄ Passive; groups and products are deleted softly
//
//	card:      Pending → Active ⇄ Inactive
//	           any of them → Blocked (and back), Lost
//	           any of them, and Lost → Stolen, Fraud, Cancelled (final)
//	           Pending, Active, Inactive → Damaged, Renewed (final)
//	           any but Lost → Expired (final)
//	           who may make which move: [CardStatus.MoverTo]
//
//	PIN:       NotSet → Active → Blocked (tries used up) → Active (set again)
//
// # Invariants
//
//   - A BIN belongs to one tenant of the platform, and no tenant's BIN lies
//     inside another's. So the prefix of a card number names its tenant.
//   - Ranges of one BIN do not overlap; a range never shrinks.
//   - Every change of the configuration raises the tenant's configuration
//     version in the same transaction.
//   - Codes are never used again, not even after deletion.
//   - A card number comes from a range, passes the Luhn check, and is given out
//     once; it leaves this package sealed, hashed or masked only.
//   - A status changes only from the status it was judged by, and every change
//     is a line of the card's history. Closing a main card closes its
//     supplementary cards.
//   - The result of a PIN or CVV2 try is durable before it is answered, and
//     however many tries arrive at once, only as many as the product allows
//     are answered. A PIN is nowhere, only what the HSM verifies it by; a CVV2
//     is computed anew each time.
//   - A card art that a plastic has is not deleted.
//   - Where a plastic goes and the phone of a card lie sealed for their row, as
//     everything personal does.
package issuing
