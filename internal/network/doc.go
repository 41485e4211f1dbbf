// Package network serves ISO 8583 links: it frames, parses, translates each
// message into an authorization.Request, and the answer back. It decides
// nothing.
//
// A link is one TCP port with a dialect. Every peer that connects to it speaks
// for the same link, so a repeat or reversal may come over another connection
// than its original. On one connection many messages are worked on at the same
// time and answered in the order in which they are decided, not received; a
// connection that reads slowly holds up nobody but itself.
//
// # What is refused here, before the core is asked
//
//	garbage where a length should be   the connection ends: its boundaries are lost
//	a frame that stops half-way        the connection ends after StallTimeout
//	a message that cannot be parsed    DE39 30, when its kind could be read; else nothing
//	a field that must be there         DE39 30
//	a message of an unknown kind       DE39 40, when it is a request
//
// # Time
//
// A message that was accepted is always worked on to its end: its answer is
// written, or, when the connection is gone, its decision is durable and a
// repeat finds it.
package network
