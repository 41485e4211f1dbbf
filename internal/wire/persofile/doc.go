// Package persofile reads and writes the project's own formats for the card
// bureau, JSON lines with a header and a trailer of control totals: the
// personalisation order, from which cards are made, and the status report, in
// which the bureau and the courier tell what became of them.
// docs/personalization-file.md describes both for people who make or read
// them.
//
// A reader hands out one record at a time and checks the trailer at the end.
// Until it has returned io.EOF nothing is proved. The trailer also carries a
// message authentication code, which only the holder of the file's key can
// check; the package hands out what it is computed over.
//
// Card numbers, tracks, card values and keys stand in these files encrypted
// only. The package knows their form, not their content, and no error quotes a
// value.
package persofile
