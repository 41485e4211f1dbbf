// Package iso8583 reads and writes ISO 8583:1987 messages.
//
// A [Dialect] is a table of fields and message rules, loaded from a data file
// and checked whole before it is used; the codec holds no knowledge of one
// network. A [Message] is a set of numbered data elements over one owned
// buffer: parsing into a message that was used before allocates nothing. A
// [Framing] says how messages follow one another on a stream, and a [Reader]
// takes them off it one at a time.
//
// The package decides nothing: what a message means, whether it repeats
// another and how it is answered is the business of its caller.
//
// Card numbers, tracks, PIN blocks and verification values pass through here.
// No error of this package quotes a byte of a message, no value of it prints
// one, and [Dialect.Describe] is the only way to show a message: it masks by
// the sensitivity class that the dialect gives to each field.
package iso8583
