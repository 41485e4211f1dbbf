// Package fee computes and keeps what cardholders pay besides the price: fees on
// transactions and the taxes on them.
//
// # Nouns
//
// [Terms] are how a fee is computed, with its taxes at the rates of one day. They
// are frozen for the life cycle of a transaction: a change of price or tax does
// not reach what was authorized before. A [Charge] is what they come to on an
// amount: the fee, and a line for each tax. [Applied] is a fee as it applies to
// one transaction.
//
// [OnTransaction], [OnIssuance] and [Yearly] are fees as tenants define them:
// [control.Definitions], linked and chosen like controls. [Applicable] says which
// fees on transactions apply. What a card costs besides is a [CardFee]: ordered
// when the card is made or a year of it begins, charged by jobs.
//
//	       ┌──────────────────► Cancelled
//	Waiting ─► Due ─► Charged ─► Refunded
//	            └─► Pending ─► Failed       Free
//
// # Invariants
//
//   - Of each group of fees one applies at most; each event of a card, and each of
//     its years, is charged for once.
//
//   - A fee is rounded once, half up, to a minor unit, and each tax by itself.
//
//   - What several presentments pay together is the fee on what they come to
//     together.
package fee
