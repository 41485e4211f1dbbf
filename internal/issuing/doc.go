// Package issuing knows what cards are made of and to whom they belong: BINs,
// ranges and products, customers, issuances and cards.
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
// A [Customer] is a person or company. An [Issuance] is the logical card that
// survives renewals; a [Card] is one PAN with its expiry and sequence.
//
// # States
//
//	BIN, range, product:  Active ⇄ Passive; groups and products are deleted softly
//
//	customer:  Active ⇄ Passive ⇄ Blocked,  any of them → Deceased
//	           any of them → Closed (final, and only without open cards)
//
//	card:      see [CardStatus.MoverTo]
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
//   - What a customer is found by is unique: number, external id, and each
//     identification. Get-or-create never changes a customer that exists.
//   - Personal values are sealed for their row; beside them lie keyed hashes
//     and folded name words only.
package issuing
