// Package algo computes payment cryptography: pure functions over bytes, proven
// by the public vectors in hsm/testdata/vectors.
//
// It takes clear keys and PINs, so only hsm/* and sim may import it; everybody
// else asks the hsm interface. Functions on the path of an authorization take
// expanded keys ([Pair], [crypto/cipher.Block]) so that a caller can keep them.
//
// DES in Go is table-driven and not constant time: run it where nobody else
// shares the processor. Comparisons of results are the caller's, in constant
// time and at a fixed length.
//
// # Invariants
//
//   - No input makes a function panic; a refusal is one of four errors
//     ([ErrInput], [ErrPINBlock], [ErrKeyBlock], [ErrKey]) without detail.
//   - Nothing here keeps what it was given.
package algo
