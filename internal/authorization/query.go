package authorization

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

// TransactionFilter chooses transactions of a tenant. One of the selectors – ID,
// RRN, NetworkTransactionID, or Cards and Issuances – leads the search, and the
// rest narrows what it finds: no list looks through a tenant's transactions.
// What is empty does not filter.
type TransactionFilter struct {
	ID                   TransactionID
	RRN                  string
	NetworkTransactionID string
	// Issuances is a selector when it is not nil. An empty list finds nothing, whatever
	// else selects.
	Issuances []id.ID[issuing.Issuance]
	// Cards narrow it to what was done with these plastics of the Issuances.
	Cards []id.ID[issuing.Card]

	From, To        time.Time // of when it came; To is excluded
	Statuses        []Status
	Flows           []Flow
	Codes           []Code
	Networks        []string
	MCCs            []MCCRange
	ExceptMCCs      []MCCRange
	MCCGroups       []MCCRange // of groups; see MCCGroupRanges
	Countries       []string   // alpha-2
	ExceptCountries []string
	Currencies      []string // of the transaction
	// MerchantIDs, TerminalIDs and AcquirerIDs may end in "*".
	MerchantIDs, TerminalIDs, AcquirerIDs []string
	// EntryModes are the first two digits of DE22.
	EntryModes []string
	Domains    []Domain
	Terminals  []TerminalType
	Presences  []CardholderPresence
	// IsContactless and IsPINVerified choose what was, or was not, tapped and
	// verified by a right PIN, online or by the chip; nil is both.
	IsContactless, IsPINVerified *bool
	// IsRecurring to Is3DSAuthenticated choose by what the message said of itself,
	// or did not; see Manner.
	IsRecurring, IsTokenised, IsInstalment, Is3DSAuthenticated *bool
	// MinMinor and MaxMinor bound the billing amount, in minor units.
	MinMinor, MaxMinor *int64
	OnlyFinancial      bool // what moved or held money
	WithoutDeclined    bool

	Sort       []SortKey
	Skip, Take int
	// WithFields asks for ListedTransaction.Fields.
	WithFields bool
}

// SortKey is one member to sort by; see TransactionSorts.
type SortKey struct {
	By   string
	Desc bool
}

// ListedTransaction is a transaction as lists show it.
type ListedTransaction struct {
	Transaction
	// Held is the hold of its life cycle; HasHold is false when it never had
	// one.
	Held    ledger.Hold
	HasHold bool
	// Slip is the slip that was left out, while it is kept; nil for none.
	Slip *Slip
	// Related are the other transactions of its life cycle, oldest first.
	Related []Transaction
	// Fields are the fields of the message, in their order, as far as they are
	// kept; none for a clearing record.
	Fields []MessageField
}

// Transactions returns a page of the transactions of the caller's tenant and
// how many there are; the count stops at 10,001. Without Sort, the newest come
// first: by the time that their senders gave them or, of more than 10,000, by
// when they came. More than 10,000 are not sorted otherwise.
func (q *Queries) Transactions(ctx context.Context, c access.Caller, f TransactionFilter) (page []ListedTransaction, total int, err error) {
	if !f.selects() {
		return nil, 0, nil
	}
	err = q.db.View(ctx, func(tx db.Tx) error {
		page, total, err = listTransactions(ctx, tx, c.Tenant, f)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list transactions: %w", err)
	}
	return page, total, nil
}

// selects reports whether the filter's selector can find anything.
func (f *TransactionFilter) selects() bool {
	if f.Issuances != nil && len(f.Issuances) == 0 {
		return false
	}
	return !f.ID.IsZero() || f.RRN != "" || f.NetworkTransactionID != "" || len(f.Issuances) > 0
}

// Named returns those of the transactions that are of the caller's tenant, by
// their identifiers.
func (q *Queries) Named(ctx context.Context, c access.Caller, ids []TransactionID) (found map[TransactionID]*Transaction, err error) {
	err = q.db.View(ctx, func(tx db.Tx) error {
		found, err = ReadTransactions(ctx, tx, ids)
		maps.DeleteFunc(found, func(_ TransactionID, t *Transaction) bool { return t.Tenant != c.Tenant })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read transactions: %w", err)
	}
	return found, nil
}
