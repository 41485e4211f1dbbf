package authorization

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/outbox"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// operation is one request on its way through a group commit.
type operation struct {
	req   *Request
	facts *Facts
	key   string
	// original is the key of the message that a reversal names; empty else.
	original string
	// conclusion, when set, ends what an earlier operation began: its client was
	// asked.
	conclusion *conclusion

	answer Answer
	trace  Trace
	// state is what was decided on. asks says that the client must be asked now;
	// awaits names a transaction whose client is being asked, which op has to wait
	// for.
	state  State
	asks   bool
	awaits TransactionID
	// additional is what it costs besides, as the client is asked.
	additional []fee.Additional
	// stale says that what was gathered is out of date: gather again.
	stale bool
	err   error
	done  chan struct{}

	// times are of the stages it has passed. submitted is when it began to wait for a
	// group, committing when that began; deciding is how long its decision took.
	times                 *Times
	submitted, committing clock.Stopwatch
	deciding              time.Duration
	// claimed is set by whoever comes first: the lane that takes op into a group, or
	// its sender who does not wait any longer.
	claimed atomic.Bool
	// within bounds, when set, how long after its beginning op is worth trying.
	began  clock.Stopwatch
	within time.Duration
}

// isLate says that nobody will wait for the answer to op.
func (op *operation) isLate() bool { return op.within > 0 && op.began.Elapsed() > op.within }

// work is what a group of operations reads under locks, changes in memory, and
// writes. Each operation sees what the one before it left.
type work struct {
	now          clock.Real
	aheads       map[access.TenantID]clock.Ahead // of the tenants of the operations
	codes        ResponseCodes
	cards        map[id.ID[issuing.Card]]issuing.CardState
	book         *ledger.Book
	counters     *control.Counters
	dues         *fee.Dues
	collected    []fee.Collected
	messages     map[string]*message
	transactions map[TransactionID]*Transaction
	entries      map[TransactionID]ledger.Entry // of posted originals
	completed    map[TransactionID]time.Time    // by root, when its last completion came

	interests                 map[string]outbox.Interest // by tenant
	events                    []outbox.Event
	pinsBlocked, cvv2sBlocked []id.ID[issuing.Card]
	pinsLearned               []id.ID[issuing.Card] // by their chips
	slips                     []*Slip
	unnamed                   []TransactionEvent // of cards that are still to be named
	notices                   []holderNotice
	feesTold                  []FeesTold

	cardsChanged        map[id.ID[issuing.Card]]bool
	transactionsChanged map[TransactionID]bool
	fresh               []*Transaction
	messagesNew         []*message
	messagesAnswered    []*message
	decisions           []storedDecision
	recording           record                 // the one that is being written, of some kilobytes
	chainsClosed        map[TransactionID]bool // by root; true when by posting

	concluded []concluded
	stoodIn   map[accountDay]money.Amount     // approved in the client's place
	pending   map[TransactionID]TransactionID // of life cycles in which a client is being asked, by root
	told      []ClientMessage
}

// open reads the state of all operations under locks, always in the same order:
// issuances of cards that are used for the first time, cards, then messages,
// then accounts, each by key. Whoever changes cards or accounts elsewhere has
// the same order (issuing/lock_store.go). Operations whose facts have become stale
// are marked and take no further part.
func open(ctx context.Context, tx db.Tx, ops []*operation, now clock.Real, codes ResponseCodes) (*work, error) {
	w := &work{
		now: now, aheads: map[access.TenantID]clock.Ahead{}, codes: codes, entries: map[TransactionID]ledger.Entry{},
		cardsChanged: map[id.ID[issuing.Card]]bool{}, transactionsChanged: map[TransactionID]bool{},
		chainsClosed: map[TransactionID]bool{}, completed: map[TransactionID]time.Time{},
	}
	for _, op := range ops {
		w.aheads[op.facts.Tenant] = op.facts.ahead
	}
	if err := w.markStale(ctx, tx, ops); err != nil {
		return nil, err
	}
	if err := w.listen(ctx, tx, ops); err != nil {
		return nil, err
	}
	if err := w.lockCards(ctx, tx, ops); err != nil {
		return nil, err
	}
	var keys []string
	for _, op := range ops {
		keys = append(keys, op.key)
		if op.original != "" {
			keys = append(keys, op.original)
		}
	}
	slices.Sort(keys)
	var err error
	if w.messages, err = readMessages(ctx, tx, slices.Compact(keys)); err != nil {
		return nil, fmt.Errorf("read messages: %w", err)
	}
	if err := w.lockAccounts(ctx, tx, ops); err != nil {
		return nil, err
	}
	if err := w.openDues(ctx, tx, ops); err != nil {
		return nil, err
	}
	if err := w.openCounters(ctx, tx, ops); err != nil {
		return nil, err
	}
	return w, w.readClients(ctx, tx, ops)
}

// at is what the business of a tenant calls now.
func (w *work) at(tenant access.TenantID) time.Time { return w.aheads[tenant].At(w.now) }

// atOf is what the business of the tenant of a life cycle calls now.
func (w *work) atOf(root TransactionID) time.Time {
	if t := w.transactions[root]; t != nil {
		return w.at(t.Tenant)
	}
	return w.now.Time()
}

// markStale compares the configuration that was gathered under with the one in
// force: a change holds for the next authorization on every node.
func (w *work) markStale(ctx context.Context, tx db.Tx, ops []*operation) error {
	var tenants []access.TenantID
	for _, op := range ops {
		if !op.facts.Tenant.IsZero() && !slices.Contains(tenants, op.facts.Tenant) {
			tenants = append(tenants, op.facts.Tenant)
		}
	}
	if len(tenants) == 0 {
		return nil
	}
	versions, err := program.ConfigurationVersions(ctx, tx, tenants)
	if err != nil {
		return fmt.Errorf("read configuration versions: %w", err)
	}
	for _, op := range ops {
		op.stale = op.conclusion == nil && !op.facts.Tenant.IsZero() && versions[op.facts.Tenant] != op.facts.ConfigurationVersion
	}
	return nil
}

func (w *work) lockCards(ctx context.Context, tx db.Tx, ops []*operation) error {
	var ids []id.ID[issuing.Card]
	for _, op := range ops {
		if op.facts.Card.Found {
			ids = append(ids, op.facts.Card.ID)
		}
	}
	var first []id.ID[issuing.Issuance]
	for _, op := range ops {
		if f := op.facts; f.Card.ActivatesAtFirstUse && f.PIN == Match && f.ARQC == Match {
			first = append(first, f.Card.Issuance)
		}
	}
	if len(first) > 0 {
		superseded, err := issuing.LockIssuances(ctx, tx, first)
		if err != nil {
			return err
		}
		ids = append(ids, superseded...)
	}
	var err error
	if w.cards, err = issuing.LockCardStates(ctx, tx, ids); err != nil {
		return err
	}
	for _, op := range ops {
		f := op.facts
		if op.conclusion != nil || !f.Card.Found {
			continue
		}
		card := w.cards[f.Card.ID]
		// A card that found or left its customer spends from another account. A PIN
		// that was changed since it was compared must be compared again; one that
		// waits for the chip, read again.
		if card.HasChangedHands(f.found) ||
			(f.PIN != NotPresent || card.Script != issuing.NoScript) && !card.PINChangedAt.Equal(f.Card.PINChangedAt) {
			op.stale = true
		}
	}
	return nil
}

// lockAccounts opens the book on every account that may move: the cards' own,
// and those of the transactions that reversals and completions refer to. Which
// account a transaction is on never changes, so it is read first, and read
// again once the account is locked.
func (w *work) lockAccounts(ctx context.Context, tx db.Tx, ops []*operation) error {
	var originals []TransactionID
	var accounts []ledger.AccountID
	for _, op := range ops {
		accounts = append(accounts, op.facts.Card.Account)
		if m := w.messages[op.original]; m != nil && !m.tombstone {
			originals = append(originals, m.transaction)
		}
		originals = append(originals, op.facts.Candidate)
		if op.conclusion != nil {
			originals = append(originals, op.facts.Transaction)
		}
	}
	var holds []ledger.HoldID
	found, err := ReadTransactions(ctx, tx, originals)
	if err != nil {
		return fmt.Errorf("read originals: %w", err)
	}
	for _, t := range found {
		accounts = append(accounts, t.Account)
		holds = append(holds, t.Hold)
		originals = append(originals, t.Root)
	}
	if w.book, err = ledger.OpenBook(ctx, tx, accounts, holds); err != nil {
		return err
	}
	if err := w.markOvertaken(ctx, tx, ops); err != nil {
		return fmt.Errorf("find original again: %w", err)
	}
	if w.transactions, err = ReadTransactions(ctx, tx, originals); err != nil {
		return fmt.Errorf("read originals: %w", err)
	}
	for _, t := range w.transactions {
		switch {
		case t.IsPosted():
			entries, err := ledger.EntriesByKeys(ctx, tx, t.Tenant, []string{EntryKey(t.ID)})
			if err != nil {
				return fmt.Errorf("read entry of original: %w", err)
			}
			w.entries[t.ID] = entries[EntryKey(t.ID)]
		case t.ID != t.Root && !t.Hold.IsZero():
			chains, err := ReadChains(ctx, tx, []TransactionID{t.Root})
			if err != nil {
				return fmt.Errorf("read chain of original: %w", err)
			}
			for _, member := range chains[t.Root] {
				if member.completes() {
					w.complete(member)
				}
			}
		}
	}
	return nil
}

// markOvertaken finds advices and increments whose authorization was not there
// when they were gathered, but is now: a network's own answer to a request that
// we answered too late must not hold the money again.
func (w *work) markOvertaken(ctx context.Context, tx db.Tx, ops []*operation) error {
	for _, op := range ops {
		if op.stale || op.conclusion != nil || !op.seeksOriginal() || w.messages[op.key] != nil {
			continue
		}
		_, found, err := findOpenByRRN(ctx, tx, op.facts, op.req)
		if err != nil {
			return err
		}
		op.stale = found
	}
	return nil
}

// seeksOriginal says that op refers to an authorization that was not found.
func (op *operation) seeksOriginal() bool {
	return op.facts.Card.Found && op.facts.Candidate.IsZero() && !op.req.Flow.IsReversal() && (op.req.IsIncrement || op.req.Flow.IsAdvice())
}

// isOvertaken is markOvertaken for what the same group has just authorized.
func (w *work) isOvertaken(op *operation) bool {
	return op.seeksOriginal() && op.req.RRN != "" && slices.ContainsFunc(w.fresh, func(t *Transaction) bool {
		return slices.Contains(op.facts.plastics, t.Card) && t.Message.RRN == op.req.RRN && t.Message.TerminalID == op.req.TerminalID &&
			t.Message.CardAcceptorID == op.req.CardAcceptorID && t.ID == t.Root && !t.Hold.IsZero() && (t.Status.HoldsMoney() || t.Status == StatusPending) &&
			(op.req.AuthorizationCode == "" || t.AuthorizationCode == op.req.AuthorizationCode ||
				op.req.Flow == AuthorizationAdvice && t.Amount == op.req.Amount)
	})
}

// completes says that t is a completion that stands: it brought the hold of an
// earlier authorization to its own amount.
func (t *Transaction) completes() bool {
	return t.IsAdvice && t.ID != t.Root && !t.Hold.IsZero() && t.Status.HoldsMoney()
}

// complete remembers when a completion came. An increment that comes after it
// adds to it; those before are replaced by it.
func (w *work) complete(t *Transaction) {
	if t.CreatedAt.After(w.completed[t.Root]) {
		w.completed[t.Root] = t.CreatedAt
	}
}

// state is what op is decided on, as it stands now.
func (w *work) state(op *operation) State {
	f := op.facts
	zero := money.Zero(f.Billing.Currency())
	s := State{Posted: zero, Held: zero, Card: w.cards[f.Card.ID], Velocity: usedOf(f.Velocity, w.counters, f.Tenant), Fees: w.freeUsed(op)}
	if a, ok := w.book.Account(f.Card.Account); ok {
		s.AccountExists, s.Posted, s.Held, s.Credit = true, a.Posted, a.Held, creditOf(a, f.Card.Issuance.String())
	}
	if m := w.messages[op.key]; m != nil && m.tombstone {
		s.ReversedBefore = true
	}
	ref := f.Candidate
	if m := w.messages[op.original]; m != nil && !m.tombstone {
		ref = m.transaction
	}
	if t := w.transactions[ref]; t != nil && !ref.IsZero() {
		s.Original = w.original(t, f)
		if m := w.messages[op.original]; m != nil && m.answer.Approved.Currency() == t.Amount.Currency() && m.answer.Approved.Sign() > 0 {
			s.Original.Amount = m.answer.Approved // less than DE4 after a partial approval
		}
		s.Remains = remaining(op.req, s.Original)
		if !op.req.Flow.IsReversal() {
			s.Dues = w.dues.Of(t.Root.String())
		}
	}
	return s
}

func (w *work) original(t *Transaction, f *Facts) Original {
	o := Original{
		Found: true, SameCard: slices.Contains(f.plastics, t.Card), ID: t.ID, Root: t.Root, Status: t.Status,
		IsDebit: t.IsDebit, Amount: t.Amount, Billing: t.Billing, Reversed: t.Reversed, Hold: t.Hold,
		Remaining: money.Zero(t.Billing.Currency()), IsPosted: t.IsPosted(), Entry: w.entries[t.ID].ID,
		Cleared: t.Cleared, IsCompleted: t.ID != t.Root && !t.completes() && !t.CreatedAt.After(w.completed[t.Root]),
	}
	if h, ok := w.book.Hold(t.Hold); ok {
		o.Remaining = h.Remaining()
	}
	return o
}

// step answers one operation: as before when its message is known, else by a
// decision whose effects it applies in memory.
func (w *work) step(op *operation) error {
	if op.conclusion != nil {
		return w.conclude(op)
	}
	if op.awaits = w.awaited(op); !op.awaits.IsZero() {
		return nil
	}
	if m := w.messages[op.key]; m != nil && !m.tombstone {
		if m.fingerprint == op.facts.fingerprint {
			op.answer = m.answer
			op.answer.Script = dueScript(op.req, w.cards[op.facts.Card.ID])
			op.answer.IsRepeat = true
			return nil
		}
		op.answer = Answer{Reason: DuplicateTransaction, Outcome: Outcome(DuplicateTransaction), Approved: op.req.Amount,
			ResponseCode: w.responseCode(op, Outcome(DuplicateTransaction))}
		return nil
	}
	if w.isOvertaken(op) {
		op.stale = true
		return nil
	}
	s := w.state(op)
	watched := usedOf(op.facts.watchers, w.counters, op.facts.Tenant)
	watch := clock.StartStopwatch()
	d := decideBriefly(op.req, op.facts, s)
	op.deciding = watch.Elapsed()
	if d.Status == StatusPending {
		op.state, op.asks = s, true
	}
	t, err := w.enact(op, d, s)
	if err != nil {
		return fmt.Errorf("apply decision: %w", err)
	}
	if a, ok := w.book.Account(t.Account); ok && op.facts.Client.Mode != program.BalanceExternal {
		t.HasBalance, t.PostedAfter, t.AvailableAfter = true, a.Posted, a.AvailableTo(t.holder())
	}
	if err := w.answerTo(op, d, t); err != nil {
		return err
	}
	w.record(op, d, s, t)
	w.tellClient(op, d, t)
	w.settle(t.Root)
	if !op.asks {
		w.tell(op, d, t)
		w.alert(op, s, watched, t)
	}
	return nil
}

// enact makes the record of op and lets d act: on the money, on the card and its
// original, on fees and on what is counted. It is all that replay does, too.
func (w *work) enact(op *operation, d Decision, s State) (*Transaction, error) {
	t := op.transaction(d, s)
	t.Account = w.bearer(op, s.Original)
	before := w.stood(w.transactions[s.Original.ID])
	w.standFees(s.Original)
	if err := w.apply(op, d, s, t); err != nil {
		return nil, err
	}
	if err := w.chargeFees(op, d, s.Original, t, t.Hold); err != nil {
		return nil, fmt.Errorf("charge fees: %w", err)
	}
	if err := w.collectFees(op, d, t); err != nil {
		return nil, err
	}
	op.additional = t.Additional
	w.count(op, d, s.Original, t, before)
	return t, nil
}

// bearer is the account that op moves the money of: that of the card, or of what
// a reversal undoes. What a card did while it was nobody's is on the account of
// its holder by now, as what is presented of it is.
func (w *work) bearer(op *operation, o Original) ledger.AccountID {
	own := op.facts.Card.Account
	orig := w.transactions[o.ID]
	if !op.req.Flow.IsReversal() || !o.SameCard || orig == nil {
		return own
	}
	was, known := w.book.Account(orig.Account)
	now, exists := w.book.Account(own)
	if !known || exists && was.Currency == now.Currency && was.Owner == orig.Issuance.String() {
		return own
	}
	return was.ID
}

// settle closes in memory what closeChain will close in the database, so that
// the operations after it see a life cycle whose hold came to an end as they
// would in another group.
func (w *work) settle(root TransactionID) {
	cleared, closed := w.chainsClosed[root]
	if !closed {
		return
	}
	for _, t := range w.transactions {
		if t.Root == root && !t.Hold.IsZero() && t.Status.HoldsMoney() {
			t.settle(cleared)
			w.transactionsChanged[t.ID] = true
		}
	}
}

// remaining is what DE95 leaves of o in the account's currency: its billing
// part, or its transaction part, in proportion to the original where that was
// converted (settled questions, "DE95"). Nil is a full reversal.
func remaining(req *Request, o Original) *money.Amount {
	account := o.Billing.Currency()
	if b := req.ReplacementBilling; b != nil && !b.IsZero() {
		remains, err := money.New(b.Minor(), account)
		if err != nil {
			return &o.Billing
		}
		return &remains
	}
	r := req.Replacement
	switch {
	case r == nil || r.IsZero():
		return nil
	case r.Currency() == account:
		return r
	case r.Currency() != o.Amount.Currency() || r.Minor() >= o.Amount.Minor():
		return &o.Billing // no less than all of it: nothing is undone
	}
	remains, err := o.Billing.MulDiv(r.Minor(), o.Amount.Minor(), money.HalfUp)
	if err != nil {
		return &o.Billing
	}
	return &remains
}

// transaction is the record of op under decision d.
func (op *operation) transaction(d Decision, s State) *Transaction {
	req, f := op.req, op.facts
	row := classify(req.ProcessingCode, req.MCC, req.Amount)
	zero := money.Zero(d.Approved.Currency())
	t := &Transaction{
		ID: f.Transaction, Tenant: f.Tenant, Root: f.Transaction, Status: d.Status, Reason: d.Reason,
		Card: f.Card.ID, Issuance: f.Card.Issuance, Account: f.Card.Account, Amount: req.Amount,
		Billing: d.Approved, Reversed: zero, Cleared: zero, Refunded: zero,
		IsDebit: row.dir == debit, IsAdvice: req.Flow.IsAdvice(), Message: req.Details,
		BusinessOn: f.BusinessOn, CreatedAt: f.Now, UpdatedAt: f.Now,
	}
	t.Flow, t.Code = req.named(row)
	t.CardNetwork, t.DecidedBy, t.MatchedControls = f.Card.Network, d.By, d.Matched
	t.Classify(f.Card.Country)
	t.judged(req, f, s, d)
	if d.Status == StatusDeclined || d.Status == StatusFailed {
		t.Billing = f.Billing // what was asked for
	}
	if o := s.Original; o.Found && o.SameCard {
		if req.Flow.IsReversal() || o.Status.HoldsMoney() && row.dir != credit && req.Flow != FinancialRequest {
			t.Original, t.Root = o.ID, o.Root
		}
		if req.Flow.IsReversal() {
			t.IsDebit = !o.IsDebit
		}
	}
	return t
}

// apply moves the money and changes the card and the original in memory.
func (w *work) apply(op *operation, d Decision, s State, t *Transaction) error {
	f, o := op.facts, s.Original
	if d.CardChanged {
		w.changeCard(f, s.Card, d.Card)
	}
	if d.Hold.Sign() > 0 {
		place := w.book.PlaceHold
		if d.Forced {
			place = w.book.ForceHold
		}
		hold := ledger.NewHold(f.Hold, f.Tenant, f.Card.Account, d.Hold, f.HoldExpires)
		hold.IsCash, hold.Holder = t.Code.isCash(), t.holder()
		if err := place(hold); err != nil {
			return err
		}
		t.Hold = f.Hold
	}
	if d.IncreaseBy.Sign() > 0 {
		increase := w.book.IncreaseHold
		if d.Forced {
			increase = w.book.ForceIncrease
		}
		if err := increase(o.Hold, d.IncreaseBy); err != nil {
			return err
		}
		w.book.ExtendHold(o.Hold, f.HoldExpires)
	}
	if (d.Status == StatusApproved || d.Status == StatusPending) && t.IsDebit && !op.req.Flow.IsReversal() && !t.Original.IsZero() {
		t.Hold = o.Hold // an increment or completion lives on its original's hold
	}
	if d.Post.Sign() > 0 {
		if err := w.post(op, d, o, t); err != nil {
			return err
		}
	}
	w.applyToOriginal(op, d, o, t)
	return nil
}

// changeCard keeps the state of a card, and what counts per number in the states
// of its other plastics.
func (w *work) changeCard(f *Facts, was, is issuing.CardState) {
	w.cards[is.ID] = is
	for _, k := range issuing.ShareTries(w.cards, is.ID) {
		w.cardsChanged[k] = true
	}
	if is.PINStatus == issuing.PINBlocked && was.PINStatus != issuing.PINBlocked {
		w.pinsBlocked = append(w.pinsBlocked, is.ID)
	}
	if was.Script == issuing.ScriptPINChange && is.Script == issuing.NoScript && !f.tellsPIN {
		w.pinsLearned = append(w.pinsLearned, is.ID)
	}
	if limit := f.Product.CVV2TryLimit; is.CVV2TryCount >= limit && was.CVV2TryCount < limit {
		w.cvv2sBlocked = append(w.cvv2sBlocked, is.ID)
	}
}

// tellBlocked raises the events of what became blocked, after the cards were
// written.
func (w *work) tellBlocked(ctx context.Context, tx db.Tx) error {
	if err := issuing.ForgetPINs(ctx, tx, w.pinsLearned); err != nil {
		return err
	}
	for _, card := range w.pinsBlocked {
		if err := issuing.RaisePINBlocked(ctx, tx, card, w.now); err != nil {
			return err
		}
	}
	for _, card := range w.cvv2sBlocked {
		if err := issuing.RaiseCVV2Blocked(ctx, tx, card, w.now); err != nil {
			return err
		}
	}
	return nil
}

func (w *work) post(op *operation, d Decision, o Original, t *Transaction) error {
	f := op.facts
	account, ok := w.book.Account(t.Account)
	if !ok {
		return fmt.Errorf("account %s does not exist", t.Account)
	}
	e := ledger.Entry{
		ID: f.Entry, Tenant: t.Tenant, Key: EntryKey(t.ID), Transaction: t.ID.String(),
		Description: t.Message.MerchantName, BusinessOn: f.BusinessOn, At: f.Now,
	}
	network := ledger.Control(t.Tenant, ledger.SettlementCode(t.Message.Network, f.BusinessOn), account.Currency)
	orig := w.transactions[o.ID]
	if e.Description == "" && orig != nil { // reversals name no merchant
		e.Description = orig.Message.MerchantName
	}
	switch {
	case d.Mirror && !w.entries[o.ID].ID.IsZero() && orig.Account == account.ID:
		e.Event, e.Reverses, e.Postings = "REV", w.entries[o.ID].ID, w.entries[o.ID].Mirror()
	case d.PostSide == ledger.Debit:
		e.Event, e.Postings = "A15", ledger.Move(account, network, d.Post)
	default:
		e.Event, e.Postings = "A12", ledger.Move(network, account, d.Post)
	}
	e.Purpose = t.CreditPurpose(nil)
	if d.PostSide == ledger.Credit && o.Found {
		e.Purpose = t.CreditPurpose(w.transactions[o.ID])
	}
	if !op.req.Flow.IsReversal() {
		if d.PostSide == ledger.Debit && !d.Forced {
			if err := w.book.MayDebit(account.ID, d.Post); err != nil {
				return err
			}
		}
		w.entries[t.ID] = e
	}
	return w.book.Post(e)
}

func (w *work) applyToOriginal(op *operation, d Decision, o Original, t *Transaction) {
	orig := w.transactions[o.ID]
	if orig == nil || !o.SameCard {
		return
	}
	changed := d.OriginalStatus != ""
	if d.ReverseBy.Sign() > 0 {
		given := w.book.ReverseHold(o.Hold, d.ReverseBy)
		orig.Reversed = plus(orig.Reversed, least(given, orig.Outstanding()))
		changed = true
	}
	if d.ConsumeBy.Sign() > 0 {
		orig.Cleared = plus(orig.Cleared, w.book.ClearHold(o.Hold, d.ConsumeBy))
		w.book.ReleaseHold(o.Hold)
		changed = true
	}
	if back := plus(d.ReverseOriginal, d.Post); op.req.Flow.IsReversal() && back.Sign() > 0 {
		orig.Reversed = plus(orig.Reversed, back)
		changed = true
	}
	if d.OriginalStatus != "" {
		orig.Status = d.OriginalStatus
	}
	if changed {
		w.transactionsChanged[orig.ID] = true
	}
	if t.completes() {
		w.complete(t)
	}
	// A hold that came to its end takes its whole life cycle with it.
	if h, ok := w.book.Hold(o.Hold); ok && !h.IsOpen() && (d.ReverseBy.Sign() > 0 || d.ConsumeBy.Sign() > 0) {
		w.chainsClosed[orig.Root] = d.ConsumeBy.Sign() > 0
	}
}

func (w *work) responseCode(op *operation, o Outcome) string {
	if code, ok := op.facts.codes[string(o)]; ok {
		return code
	}
	return w.codes.ResponseCode(op.req.Network, o)
}

// answerTo makes the answer. An advice is acknowledged unless it could not be
// booked at all; a reversal advice always.
func (w *work) answerTo(op *operation, d Decision, t *Transaction) error {
	if d.Status == StatusPending {
		op.answer = Answer{Transaction: t.ID, Outcome: OutcomePending, Approved: op.req.Amount}
		op.trace = d.Trace
		return nil
	}
	told := d.Outcome
	if op.req.Flow == ReversalAdvice || op.req.Flow.IsAdvice() && d.Status != StatusFailed && d.Reason != DuplicateTransaction {
		told = OutcomeApproved
	}
	if t.ResponseCode = d.ResponseCode; t.ResponseCode == "" {
		t.ResponseCode = w.responseCode(op, told)
	}
	if d.Reason == Approved {
		t.AuthorizationCode = op.facts.AuthorizationCode
	}
	if op.req.Flow.IsAdvice() || op.req.Flow.IsReversal() {
		t.AuthorizationCode = op.req.AuthorizationCode
	}
	op.answer = Answer{
		Transaction: t.ID, Outcome: told, Reason: d.Reason, ResponseCode: t.ResponseCode,
		AuthorizationCode: t.AuthorizationCode, Approved: op.req.Amount,
		HasBalance: t.HasBalance, Posted: t.PostedAfter, Available: t.AvailableAfter,
		Script: dueScript(op.req, w.cards[op.facts.Card.ID]), Slip: d.Slip,
	}
	if d.Outcome == OutcomeApprovedPartially {
		back, err := op.req.Amount.MulDiv(d.Approved.Minor(), op.facts.Billing.Minor(), money.Down)
		if err != nil {
			return fmt.Errorf("approved amount: %w", err)
		}
		op.answer.Approved = back
	}
	op.trace = d.Trace
	return nil
}

// written is what op took until it is written.
func (op *operation) written() Times {
	t := *op.times
	t[StageDecide] += op.deciding
	return t
}

// record keeps the message, the transaction and the decision for writing.
func (w *work) record(op *operation, d Decision, s State, t *Transaction) {
	w.fresh = append(w.fresh, t)
	w.transactions[t.ID] = t
	m := &message{key: op.key, fingerprint: op.facts.fingerprint, tenant: t.Tenant, transaction: t.ID, answer: op.answer, at: w.now.Time()}
	if s.ReversedBefore {
		w.messagesAnswered = append(w.messagesAnswered, m)
	} else {
		w.messagesNew = append(w.messagesNew, m)
	}
	w.messages[op.key] = m
	if d.Tombstone && w.messages[op.original] == nil {
		tomb := &message{key: op.original, tombstone: true, tenant: t.Tenant, transaction: t.ID, at: w.now.Time()}
		w.messagesNew = append(w.messagesNew, tomb)
		w.messages[op.original] = tomb
	}
	w.recording = record{Request: *op.req, Facts: *op.facts, State: s}
	w.decisions = append(w.decisions, storedDecision{
		transaction: t.ID, tenant: t.Tenant, configuration: op.facts.ConfigurationHash, record: w.recording.String(), trace: d.Trace, times: op.written(), at: w.now.Time(),
	})
}

// write puts all changes into the database.
func (w *work) write(ctx context.Context, tx db.Tx) error {
	var states []issuing.CardState
	for k := range w.cardsChanged {
		states = append(states, w.cards[k])
	}
	firstUses, err := issuing.SaveCardStates(ctx, tx, states, w.now)
	if err != nil {
		return err
	}
	if err := w.tellBlocked(ctx, tx); err != nil {
		return fmt.Errorf("tell what is blocked: %w", err)
	}
	if err := w.book.Write(ctx, tx); err != nil {
		return err
	}
	if err := w.dues.Write(ctx, tx); err != nil {
		return err
	}
	if err := w.counters.Write(ctx, tx); err != nil {
		return fmt.Errorf("write velocity counters: %w", err)
	}
	if err := InsertTransactions(ctx, tx, w.fresh); err != nil {
		return fmt.Errorf("insert transactions: %w", err)
	}
	var changed []*Transaction
	for k := range w.transactionsChanged {
		changed = append(changed, w.transactions[k])
	}
	if err := w.writeConclusions(ctx, tx); err != nil {
		return err
	}
	if err := NoteCollected(ctx, tx, w.collected, w.now); err != nil {
		return err
	}
	if err := UpdateTransactions(ctx, tx, changed, w.at); err != nil {
		return fmt.Errorf("update transactions: %w", err)
	}
	for root, cleared := range w.chainsClosed {
		if err := closeChain(ctx, tx, root, cleared, w.atOf(root)); err != nil {
			return fmt.Errorf("close life cycle: %w", err)
		}
	}
	if err := insertMessages(ctx, tx, w.messagesNew); err != nil {
		return fmt.Errorf("insert messages: %w", err)
	}
	if err := answerTombstones(ctx, tx, w.messagesAnswered); err != nil {
		return fmt.Errorf("answer tombstones: %w", err)
	}
	if err := insertDecisions(ctx, tx, w.decisions); err != nil {
		return fmt.Errorf("insert decisions: %w", err)
	}
	if err := w.writeTold(ctx, tx); err != nil {
		return err
	}
	if err := outbox.Add(ctx, tx, clientEvents(w.told, w.now)...); err != nil {
		return err
	}
	return issuing.RecordFirstUses(ctx, tx, firstUses)
}
