package issuing

import "github.com/sarraf-platform/sarraf/internal/fault"

// Refusals about noname cards.
var (
	errBatchNotFound      = fault.New(fault.NotFound, "noname_batch_not_found", "there is no such batch")
	errCardNotNoname      = fault.New(fault.Refused, "card_not_noname", "the card is no noname card")
	errCardLinked         = fault.New(fault.Conflict, "card_already_linked", "the card has a customer")
	errCardNotLinked      = fault.New(fault.Conflict, "card_not_linked", "the card has no customer")
	errCardVerification   = fault.New(fault.Refused, "card_verification_failed", "what was read off the card is wrong")
	errLinkBalance        = fault.New(fault.Refused, "link_blocked_by_balance", "the card has money of its own and cannot spend from another account")
	errUnlinkTransactions = fault.New(fault.Refused, "unlink_blocked_by_open_transactions", "transactions of the card are still open")
	errUnlinkBalance      = fault.New(fault.Refused, "unlink_blocked_by_balance", "there is money on the card's account, or owed")
	errUnlinkChildren     = fault.New(fault.Refused, "unlink_blocked_by_child_cards", "supplementary cards hang on the card")
)

// nonameCodes are the codes of the refusals above.
var nonameCodes = fault.CodesOf(errBatchNotFound, errCardNotNoname, errCardLinked, errCardNotLinked, errCardVerification,
	errLinkBalance, errUnlinkTransactions, errUnlinkBalance, errUnlinkChildren)
