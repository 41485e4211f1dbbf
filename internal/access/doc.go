// Package access knows who may call: tenants, their API clients, the tokens
// those clients carry, and which of their requests were already answered.
//
// # Nouns
//
// A [Tenant] is one institution or programme; every other row of the platform
// belongs to one. A client is the credentials of a program that calls us; it
// belongs to a tenant, holds [Permissions], may be bound to addresses and has a
// [Rate]. A [User] is a person that signs in through a client with a password;
// it may do what its [Role] permits and the client may, too. A [Caller] is a
// client that has shown a valid access token, its own or a user's, with what its request says about itself; every
// use case of every domain takes one. An access token is a JWT signed with
// ES256 that lives an hour; a refresh token is an opaque value that works once.
//
// A cardholder is a customer who signs in at a page of ours, with a password and a
// one-time password, and gives a client a [Consent]. It is never a user.
//
// # States of a refresh token
//
//	issued ──used──▶ used ──presented again──▶ family revoked
//	   │
//	   └──14 days──▶ expired
//
// # States of an idempotency key
//
//	(absent) ──claim──▶ in progress ──answer──▶ answered ──24 h──▶ (absent)
//	                        │
//	                        └──lease of 60 s ends──▶ may be claimed again
//
// # States of a cardholder's session
//
//	visiting ──password──▶ asked for a one-time password ──right──▶ signed in ──15 min idle, 8 h──▶ ended
//	   ▲                                              │
//	   └───────three wrong ones, or three minutes─────┘
//
// # Invariants
//
//   - A secret or token is stored as a hash only; none is ever printed.
//   - A client that is disabled, or whose tenant is, stops at its next request.
//   - A used refresh token that comes back revokes every token of its family.
//   - Tokens carry the generation of their client; disabling it, or giving it a
//     new secret at once, begins the next one and revokes its refresh tokens.
//   - Nobody grants a permission that it does not hold, or manages a client
//     that holds more than itself.
//   - A password is hashed with Argon2id, outside of any transaction, and takes
//     as long for a name that nobody has.
//   - Five wrong secrets lock a client, five wrong passwords a user, for fifteen minutes, and the answer of a
//     locked client cannot be told from that of a wrong secret.
//   - A code of a consent works once, for its client, address and verifier; one that
//     comes again ends the tokens it gave.
//   - No token is issued under a consent that is revoked, and none outlives it.
//   - The effect of an idempotent request and its kept answer commit together.
//   - The business time of a tenant is never behind the clock, goes forward only,
//     and is ahead in a sandbox only. Tokens, keys and records go by the clock.
package access
