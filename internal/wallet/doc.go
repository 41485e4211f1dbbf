// Package wallet keeps stored-value wallets: who they belong to, what may move in
// and out of them, and every movement.
//
// # Nouns
//
// An Account belongs to a person or a business, has a KYC level and one or more
// Wallets. A wallet is four accounts of the ledger: its payment balance, filled
// from cards and spent by payments only; its cash balance; and of each the part
// that is held. A Transaction is one movement of a wallet's money. A Month is what
// moved in a calendar month, and Limits say what wallets of a level may hold and
// move in one. A QR is a code by which a wallet asks for a payment or a transfer; it
// has the key and the identifier of what its approval will move.
//
// # How money moves
//
// Every movement is one database transaction: its key is taken, the wallets it
// touches are held in the order of their numbers, its rules are asked, the
// ledger is posted to through a book, the months are changed. So of fifty equal
// requests one moves money, and no limit can be passed by two requests at once.
//
// Money that came from a card never becomes cash: nothing moves from the payment
// balance to a cash balance but a payment to a business.
package wallet
