// Package outbound is how this program speaks to the HTTP servers of others: to
// which addresses it goes, how a receiver knows that a request is ours, and what
// of an answer may be kept.
//
// # Invariants
//
//   - A connection is made only to addresses that [Guard] lets pass, or that
//     the installation's configuration opens; looked at when it is made, so that
//     a name that resolves to something else a moment later changes nothing.
//   - Redirects are not followed, no proxy is used, no cookie is kept.
//   - What is told of a failure does not map our network, and what is kept of an
//     answer holds nothing that could be a card number.
package outbound
