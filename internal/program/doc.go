// Package program knows what the cards of a tenant are configured as: BINs,
// ranges, key sets, products, card arts and the tenant's attributes.
//
// # Nouns
//
//	Tenant 1─* BIN 1─* BINRange 1─* Product *─1 Group
//
// A [BIN] is what routes a card number to its tenant; it carries the name of
// its [KeySet]. A [BINRange] is where card numbers are taken from. A [Product]
// is what a card is sold as. All of these and the tenant's [Attributes] are its
// [Configuration], an immutable snapshot that decisions are made under.
//
// # States
//
//	BIN, range, product:  Active ⇄ Passive; groups and products are deleted softly
//
// # Invariants
//
//   - A BIN belongs to one tenant of the platform, and no tenant's BIN lies
//     inside another's. So the prefix of a card number names its tenant.
//   - Ranges of one BIN do not overlap; a range never shrinks.
//   - A card number comes from a range and passes the Luhn check.
//   - Every change of the configuration raises the tenant's configuration
//     version in the same transaction.
//   - Codes are never used again, not even after deletion.
//   - A card art that a plastic has is not deleted.
//   - Every product is in one of the tenant's billing currencies, where it has
//     said which ([CurrencyConversion]).
//   - A pair of currencies has one [ExchangeRate] from each moment on. Rates are
//     exact, and no part of the configuration.
package program
