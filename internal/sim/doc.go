// Package sim is the world outside: the cards in people's hands, the terminals
// that read them, the acquirer whose link brings their messages, and the
// clearing file that comes at night. It speaks to the platform through the
// doors everybody has – ISO 8583 over TCP and files – and knows nothing of its
// inside, so that it can serve as the reference peer of network.
//
// # Nouns
//
// A [Card] holds what the chip, the stripe and the printed side of a card
// hold, and the PIN its owner knows; it signs and counts. A [Terminal] reads a
// card in one of several ways ([Entry]) and makes a message of it. An
// [Acquirer] numbers the messages of its terminals. A [Link] carries them and
// brings the answers back, in whatever order they come.
//
// # Invariants
//
//   - With a seed and a fake clock, the same calls make the same bytes.
//   - Card data is printed masked or not at all.
//   - A card's transaction counter never goes back, and no cryptogram is made
//     twice under one value of it.
//
// It is a simulator: the keys it is given are test keys, and nothing here
// checks what a certified terminal must check.
package sim
