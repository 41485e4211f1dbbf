// Package clearingfile reads and writes the project's own clearing format:
// JSON lines, a header, presentments, and a trailer with their count and
// their sums per currency. docs/clearing-file.md describes it for people who
// make or read such files.
//
// A [Reader] hands out one presentment at a time, so that a file of any
// length is read in constant memory, and checks the trailer at the end. Until
// it has returned io.EOF nothing is proved: who imports a file commits after
// that and not before.
//
// Card numbers stand in these files in clear. They leave the package as
// [pan.PAN], and no error quotes a value.
package clearingfile
