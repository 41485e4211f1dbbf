// Package webhook tells the systems of a tenant what happened, and asks those
// that own their balances before money is held (docs/authorization-hook.md).
//
// # Nouns
//
// A [Hook] is an address of the tenant that wants to hear of some events. Each
// event becomes one message of the outbox for each hook that wants it, in the
// hook's own lane: a [Delivery]. The body is made once per event and the same
// for all; each hook has its own secret to sign with.
//
// Hooks of the types Authorization and BalanceInquiry are asked. A question is
// sent once, and somebody waits for the answer; a fact goes to the same hook as a
// delivery, until it is acknowledged. Hooks of the types Sms and Email are given
// the messages to customers that their tenant sends itself.
//
// # States
//
//	hook:      Healthy ⇄ Failing → Disabled (100 failures in a row over an hour; Event hooks only)
//	           Disabled → Healthy (by an update that leaves it active)
//	delivery:  those of an outbox message
//
// # Invariants
//
//   - The body of a message to a customer lies sealed, and no PIN is in one.
//   - A secret is shown once, when it is made, and lies sealed.
//   - A request goes only to addresses that [outbound.Guard] lets pass, checked when the
//     connection is made, so that a name that resolves to something else a
//     moment later changes nothing. Redirects are not followed.
//   - No transaction is open while a receiver is waited for.
//   - Of one hook a bounded number of answers is waited for; beyond it nobody is
//     asked. Hooks do not wait for one another.
//   - What a receiver answers is never believed: its first characters are kept
//     for people, without what could be a card number.
package webhook
