// Package payers is the family of payment customers: the interface that
// secuconnect's clients know, on our core.
//
// Answers are the bare model, also of what was created; a list is wrapped, with
// the number of all that were found; what was deleted comes back as a list of
// one. A client is one merchant with one contract and sees its own rows only.
// Tokens are opaque and live twenty minutes.
package payers
