package clearing

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

// batchMax is how many records are read, judged and written together.
const batchMax = 500

// record is one presentment on its way, and what became of it.
type record struct {
	*Presentment
	place *place
	key   string
	ref   int // its place in the batch

	status MatchStatus
	rule   string
	// posted says that an entry was made; transaction is the fresh one on the
	// account, original what the record belongs to.
	posted      bool
	transaction *authorization.Transaction
	original    *authorization.Transaction
	causes      []Cause
}

// known is a record of this batch, or of an earlier import, that another one
// refers to.
type known struct {
	key         string
	tenant      access.TenantID
	status      MatchStatus
	posted      bool
	transaction authorization.TransactionID
	original    authorization.TransactionID
	minor       int64
	currency    string
}

// batch is a part of a file with all that its records concern, read under the
// locks of their accounts, changed in memory, and written. Each record sees
// what the one before it left.
type batch struct {
	in      Import
	places  *resolver
	limits  *authorization.Limits
	records []*record

	known        map[string]known
	found        map[int][]authorization.Found
	transactions map[authorization.TransactionID]*authorization.Transaction
	chains       map[authorization.TransactionID]*chain
	entries      map[string]ledger.Entry
	book         *ledger.Book
	dues         *fee.Dues
	collected    []fee.Collected
	feesTold     []authorization.FeesTold

	fresh     []*authorization.Transaction
	changed   map[authorization.TransactionID]*authorization.Transaction
	presented *authorization.Presented // of the whole file
}

func newBatch(in Import, r *resolver, limits *authorization.Limits, presented *authorization.Presented) *batch {
	return &batch{
		in: in, places: r, limits: limits, presented: presented, known: map[string]known{},
		transactions: map[authorization.TransactionID]*authorization.Transaction{},
		chains:       map[authorization.TransactionID]*chain{}, entries: map[string]ledger.Entry{},
		changed: map[authorization.TransactionID]*authorization.Transaction{},
	}
}

// add takes one more record in. A card that was not there when the file was
// read first makes run fail.
func (b *batch) add(p *Presentment) {
	c := *p
	b.records = append(b.records, &record{Presentment: &c, place: b.places.places[c.PAN], key: c.key(b.in.Network), ref: len(b.records)})
}

// run judges the records and writes what they change.
func (b *batch) run(ctx context.Context, tx db.Tx) error {
	if len(b.records) == 0 {
		return nil
	}
	for _, r := range b.records {
		if r.place == nil {
			return fmt.Errorf("line %d has a card that the file did not have before", r.Line)
		}
	}
	if err := b.open(ctx, tx); err != nil {
		return err
	}
	for _, r := range b.records {
		noted := b.presented.Len()
		if err := b.judge(r); err != nil {
			return fmt.Errorf("post line %d: %w", r.Line, err)
		}
		if err := b.chargeFees(ctx, tx, r); err != nil {
			return err
		}
		if r.transaction != nil {
			spent, kept := b.feesOf(r.transaction)
			b.presented.By(noted, r.transaction, spent, kept)
		}
		b.remember(r)
	}
	return b.write(ctx, tx)
}

// open reads everything that the records may concern.
func (b *batch) open(ctx context.Context, tx db.Tx) error {
	var err error
	if err = b.readKnown(ctx, tx); err != nil {
		return fmt.Errorf("read earlier records: %w", err)
	}
	if err = b.find(ctx, tx); err != nil {
		return err
	}
	if err = b.readEntries(ctx, tx); err != nil {
		return fmt.Errorf("read entries: %w", err)
	}
	var accounts []ledger.AccountID
	var holds []ledger.HoldID
	for _, r := range b.records {
		if len(r.place.cards) > 0 {
			accounts = append(accounts, r.place.account)
		}
	}
	for _, t := range b.transactions {
		accounts = append(accounts, t.Account)
		holds = append(holds, t.Hold)
	}
	if b.book, err = ledger.OpenBook(ctx, tx, accounts, holds); err != nil {
		return err
	}
	return b.openDues(ctx, tx)
}

// at is what the business of a record's tenant calls now.
func (b *batch) at(r *record) time.Time { return r.place.at(b.in.At) }

// tenantAt is what the business of a tenant with records in the batch calls now.
func (b *batch) tenantAt(tenant access.TenantID) time.Time {
	for _, r := range b.records {
		if r.place.tenant == tenant {
			return b.at(r)
		}
	}
	return b.in.At.Time()
}

// find reads the transactions that the records may belong to. Those of former
// holders of a card are on accounts that nobody locked yet: they are read again
// under their locks.
func (b *batch) find(ctx context.Context, tx db.Tx) (err error) {
	locked := map[ledger.AccountID]bool{}
	for _, r := range b.records {
		locked[r.place.account] = true
	}
	for {
		if b.found, err = authorization.FindByTraits(ctx, tx, b.traits()); err != nil {
			return fmt.Errorf("find authorizations: %w", err)
		}
		clear(b.transactions)
		clear(b.chains)
		if err = b.readTransactions(ctx, tx); err != nil {
			return fmt.Errorf("read transactions: %w", err)
		}
		var former []ledger.AccountID
		for _, t := range b.transactions {
			if !locked[t.Account] {
				locked[t.Account] = true
				former = append(former, t.Account)
			}
		}
		if len(former) == 0 {
			return nil
		}
		if _, err = ledger.OpenBook(ctx, tx, former, nil); err != nil {
			return err
		}
	}
}

// refersTo is the key of the record that r takes back, presents again or
// refunds; empty when it names none.
func (r *record) refersTo(network string) string {
	switch {
	case r.Reversal:
		return keyOf(network, r.ARN, r.Function, false, r.Sequence)
	case r.Kind == Refund && r.OriginalARN != "":
		return keyOf(network, r.OriginalARN, FirstPresentment, false, 1)
	case r.Function != FirstPresentment:
		return keyOf(network, r.ARN, FirstPresentment, false, r.Sequence)
	}
	return ""
}

func (b *batch) readKnown(ctx context.Context, tx db.Tx) error {
	var keys []string
	for _, r := range b.records {
		keys = append(keys, r.key)
		if k := r.refersTo(b.in.Network); k != "" {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	all, err := readKnown(ctx, tx, slices.Compact(keys))
	for _, k := range all {
		b.known[k.key] = k
	}
	return err
}

// traits asks for the authorizations of every record that needs one, by every
// plastic of its number.
func (b *batch) traits() []authorization.Trait {
	var all []authorization.Trait
	for _, r := range b.records {
		if r.Reversal || r.Function != FirstPresentment {
			continue
		}
		window := windowMax()
		if r.Kind == Refund {
			window = refundWindow
		}
		for _, card := range r.place.cards {
			all = append(all, authorization.Trait{
				Ref: r.ref, Tenant: r.place.tenant, Issuance: r.place.issuance, Card: card.id, Since: b.at(r).Add(-window),
				NetworkTransactionID: r.NetworkTransactionID, AuthorizationCode: r.AuthorizationCode, RRN: r.RRN, STAN: r.STAN,
				Amount: r.Transaction,
			})
		}
	}
	return all
}

// readTransactions reads what was found and what known records became, with the
// life cycles of both. One transaction is one value, however it was found.
func (b *batch) readTransactions(ctx context.Context, tx db.Tx) error {
	var roots, others []authorization.TransactionID
	for _, list := range b.found {
		for _, f := range list {
			roots = append(roots, f.Root)
			others = append(others, f.ID, f.Root)
		}
	}
	if err := b.readChains(ctx, tx, roots); err != nil {
		return err
	}
	// What a chain does not hold: the declined, and what records became.
	for _, k := range b.known {
		others = append(others, k.transaction, k.original)
	}
	others = slices.DeleteFunc(others, func(t authorization.TransactionID) bool { return b.transactions[t] != nil })
	more, err := authorization.ReadTransactions(ctx, tx, others)
	if err != nil {
		return err
	}
	roots = roots[:0]
	for d, t := range more {
		b.transactions[d] = t
		roots = append(roots, t.Root)
	}
	return b.readChains(ctx, tx, roots)
}

// readChains reads the life cycles that begin with roots and are not read yet.
func (b *batch) readChains(ctx context.Context, tx db.Tx, roots []authorization.TransactionID) error {
	roots = slices.DeleteFunc(roots, func(t authorization.TransactionID) bool { return b.chains[t] != nil })
	chains, err := authorization.ReadChains(ctx, tx, roots)
	if err != nil {
		return err
	}
	for _, members := range chains {
		for i, m := range members {
			if t := b.transactions[m.ID]; t != nil {
				members[i] = t
			} else {
				b.transactions[m.ID] = m
			}
		}
	}
	for _, root := range roots {
		// A declined head stands alone, and comes with the rest.
		if head := b.transactions[root]; head != nil && b.chains[root] == nil {
			b.chains[root] = newChain(head, chains[root])
		}
	}
	return nil
}

// readEntries reads the entries that reversals mirror.
func (b *batch) readEntries(ctx context.Context, tx db.Tx) error {
	keys, reversals := map[access.TenantID][]string{}, false
	for _, r := range b.records {
		if !r.Reversal {
			continue
		}
		reversals = true
		if k, ok := b.known[r.refersTo(b.in.Network)]; ok {
			keys[k.tenant] = append(keys[k.tenant], entryOf(k))
		}
	}
	if reversals { // one may take back what a record of this batch confirms
		for _, t := range b.transactions {
			if t.IsPosted() {
				keys[t.Tenant] = append(keys[t.Tenant], authorization.EntryKey(t.ID))
			}
		}
	}
	for tenant, list := range keys {
		slices.Sort(list)
		found, err := ledger.EntriesByKeys(ctx, tx, tenant, slices.Compact(list))
		if err != nil {
			return err
		}
		for key, e := range found {
			b.entries[key] = e
		}
	}
	return nil
}

// entryOf is the key of the entry that moved a known record's money: its own,
// or its message's when it only confirmed that.
func entryOf(k known) string {
	if k.status == OnlineFinancial {
		return authorization.EntryKey(k.original)
	}
	return entryKey(k.key)
}

// remember lets later records of the batch refer to r.
func (b *batch) remember(r *record) {
	if r.status == Duplicate {
		return
	}
	k := known{key: r.key, tenant: r.place.tenant, status: r.status, posted: r.posted,
		minor: r.Transaction.Minor(), currency: r.Transaction.Currency().Code()}
	if t := r.transaction; t != nil {
		k.transaction = t.ID
		b.transactions[t.ID] = t
	}
	if r.original != nil {
		k.original = r.original.ID
	}
	b.known[r.key] = k
}

// write puts everything that changed into the database.
func (b *batch) write(ctx context.Context, tx db.Tx) error {
	if err := b.book.Write(ctx, tx); err != nil {
		return err
	}
	if err := b.dues.Write(ctx, tx); err != nil {
		return err
	}
	if err := authorization.InsertTransactions(ctx, tx, b.fresh); err != nil {
		return fmt.Errorf("insert transactions: %w", err)
	}
	changed := make([]*authorization.Transaction, 0, len(b.changed))
	for _, t := range b.changed {
		changed = append(changed, t)
	}
	slices.SortFunc(changed, func(x, y *authorization.Transaction) int {
		return x.ID.Compare(y.ID)
	})
	if err := authorization.UpdateTransactions(ctx, tx, changed, b.tenantAt); err != nil {
		return fmt.Errorf("update transactions: %w", err)
	}
	if err := authorization.NoteCollected(ctx, tx, b.collected, b.in.At); err != nil {
		return err
	}
	if err := insertRecords(ctx, tx, b.in.ID, b.records); err != nil {
		return fmt.Errorf("insert records: %w", err)
	}
	if err := insertExceptions(ctx, tx, b.in, b.records); err != nil {
		return fmt.Errorf("insert exceptions: %w", err)
	}
	if err := b.raise(ctx, tx); err != nil {
		return err
	}
	return authorization.TellClients(ctx, tx, b.told(), b.in.At)
}

// told are the messages about what was posted for clients that own their
// balances.
func (b *batch) told() []authorization.ClientMessage {
	var all []authorization.ClientMessage
	for _, r := range b.records {
		if r.transaction == nil || r.place.names == nil {
			continue
		}
		m := authorization.ClientMessage{
			Type: authorization.ClearingMessage, Names: r.place.names[r.transaction.Card], Transaction: *r.transaction,
		}
		if r.transaction.Flow == authorization.Refund {
			m.Type = authorization.RefundMessage
		}
		all = append(all, m)
	}
	return all
}

// count adds what became of the records to a summary.
func (b *batch) count(to Summary) {
	for _, r := range b.records {
		to.ByStatus[r.status]++
		for _, c := range r.causes {
			to.ByCause[c]++
		}
	}
}
