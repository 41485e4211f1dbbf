// Package vector runs files of cryptographic test vectors over hsm/algo.
//
// A file is a JSON object with an "algorithm" and "vectors", each with an id,
// an operation, its inputs and either outputs or the class of a refusal; the
// format is described in hsm/testdata/vectors/README.md. A vector passes when
// every output it names comes out, or, when it names a refusal, when the
// algorithm refuses – in any words. Operations this package does not know are
// counted as unsupported, never as passed.
package vector
