// Package line is the calculus of a revolving credit line: what of a debt is of
// what, what a payment pays, what bears interest, and what a term ends with. It
// knows no database and no time but the dates it is told.
//
// # Nouns
//
// A [Line] is the debt of one account, in buckets: a [Kind] of debt in a
// [Region]. A debt is unbilled until the cut of its term, then billed. Billed
// purchases are fresh until the due date; what is unpaid of them by then
// revolves, and bears interest.
//
// [Terms] are the rates and shares that a line goes by, each with the date from
// which it holds.
//
// A [Cut] is what a term ended with: its debt, its minimum payment, its interest.
//
// # How days pass
//
// Interest is of what is owed at the end of a day. So everything that happens on
// a day is told first, and then the line is rolled to the next: see [Line.Roll].
// Whoever tells a line of something later than its last day rolls it first.
//
// # Invariants
//
//   - The debt is the sum of the buckets, less what is in credit; no bucket is
//     below zero, and nothing is in credit while anything is owed.
//   - Interest is never of interest, taxes or fees.
//   - Interest is kept in exact fractions and rounded once, half up, at the cut.
//   - What is past due is no more than what is unpaid of the minimum.
package line
