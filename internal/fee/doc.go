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
// # Invariants
//
//   - A fee is rounded once, half up, to a minor unit, and each tax by itself.
//   - What several presentments pay together is the fee on what they come to
//     together.
package fee
