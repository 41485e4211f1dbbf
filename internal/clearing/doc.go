// Package clearing takes in what merchants present: it finds the authorization
// that each record belongs to, consumes its hold and posts the money.
//
// # Nouns
//
// A File is one delivery of a network, known by its content. A Presentment is
// one record of it: a purchase, cash or refund, or one of these taken back. Its
// Match says which authorization it belongs to and how well it fits. An
// Exception is a record that a person must look at; its money has moved all the
// same, because an issuer owes the network what was presented.
//
// # Import
//
// A file is imported whole or not at all. It is read twice: once to see that it
// is whole and to find the cards, outside any transaction; once more inside the
// one transaction that posts it, in batches, so that memory holds the cards of
// a file and one batch, never the file.
//
//	resolve (no lock) → lock all accounts, in order → per batch: find, judge, post → commit
//
// # What becomes of a record
//
//	duplicate of a known one ─► Duplicate, nothing moves
//	number not issued        ─► CardInvalid, to suspense
//	takes a record back      ─► ReversalOfClearing, its exact mirror
//	authorization found:
//	  open hold              ─► Matched | MatchedWithDifference | PartiallyCleared | AmountExceeded
//	  posted by its message  ─► OnlineFinancial, only confirmed
//	  expired                ─► LatePresentment
//	  declined, reversed     ─► ForcePost, linked
//	none found               ─► ForcePost
//	refund                   ─► RefundMatched | RefundUnmatched
//
// # Invariants
//
//   - The content of a file, and a record of a network, is posted once.
//   - Hold and posting of a record change in one transaction.
//   - The totals of a file are the sums of its records.
//   - A posted record has exactly one entry; on an account, exactly one
//     transaction too.
//   - What an authorization shows as cleared is what its presentments posted.
package clearing
