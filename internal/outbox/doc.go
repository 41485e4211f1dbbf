// Package outbox keeps what has to be told to others until it is told.
//
// # Nouns
//
// A domain adds an [Event] in the transaction that makes its fact, so that the
// one exists exactly when the other does. A [Relay] gives events on: it numbers
// them, and whoever consumes them writes one [Message] for each receiver. A
// message is what is to be done about an event, in a lane: messages of one lane
// go to one place. A [Worker] carries out the messages of one topic.
//
// # States
//
//	Waiting → Delivered
//	Waiting → Dead (retries used up, or hopeless) → Waiting (given another chance)
//
// # Invariants
//
//   - Events of one key are given on in the order in which the transactions that
//     raised them waited for one another, numbered without gaps.
//   - A message is worked on by the one who holds its lease. A lease that has
//     run out may be taken by another, so a message may be sent twice: at least
//     once, not at most once.
//   - Within a lane, a message waits for those of its ordering key that came
//     before it, until the oldest of them has failed for [BlockLife].
//   - Lanes are worked side by side; none waits for another.
package outbox
