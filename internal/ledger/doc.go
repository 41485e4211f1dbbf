// Package ledger is the one place where money moves: double-entry accounts,
// balanced entries, and holds above them.
//
// # Nouns
//
// An Account belongs to a tenant, has a kind (asset, liability, income,
// expense, technical, suspense) and one currency. An Entry is one balanced
// movement of at least two Postings; it is never changed, only reversed by
// another entry. A Hold is money set aside on an account for one life cycle of
// a card payment: it lowers what is available and moves nothing.
//
// available = posted − Σ (remaining + fees)(open holds)
// remaining = authorized − reversed − cleared − released
//
// # How it is used
//
// A [Book] holds the accounts and holds that one transaction works on, read
// under row locks in id order. Rules run on the book in memory; Write puts all
// that changed into the database at once. So a hundred payments that share a
// transaction cost a handful of statements, and each sees what the one before
// it left.
//
//	book, err := ledger.OpenBook(ctx, tx, accounts, holds)
//	err = book.PlaceHold(hold)        // ErrInsufficientFunds changes nothing
//	err = book.Post(entry)
//	err = book.Write(ctx, tx)
//
// Whoever changes a hold, or a record whose amounts mirror one, first locks the
// hold's account through a book: the account's row serializes all of them.
//
// # Control accounts
//
// Every payment of a tenant touches its settlement account. Were its balance a
// column, its row would serialize all payments, so control accounts keep none:
// their balance is the sum of their postings. Only customers' accounts keep
// posted and held.
//
// # Invariants
//
// Each has a check in verify.go and a line in docs/invariants.md.
//   - Debits equal credits, per entry and currency.
//   - An account's posted is the fold of its postings, its held the sum of what
//     its open holds have remaining, and of the fees they hold.
//   - A posting is in its account's currency; an entry has at least two.
//   - No hold is reversed, cleared and released beyond what was authorized.
//   - An entry is reversed at most once, by its exact mirror.
package ledger
