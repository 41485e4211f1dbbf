package issuing

import (
	"context"
	"crypto/subtle"
	"fmt"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// NonameCheck is what has to be read off a noname card to link it.
type NonameCheck string

// The checks.
const (
	CheckNone               NonameCheck = "None"
	CheckExpiry             NonameCheck = "ExpiryDate"
	CheckCVV2               NonameCheck = "Cvv2"
	CheckExpiryAndCVV2      NonameCheck = "ExpiryAndCvv2" // where none is named
	CheckLastFourAndBarcode NonameCheck = "LastFourAndBarcode"
)

// wants says which values the check compares.
func (k NonameCheck) wants() (expiry, cvv2, barcode bool) {
	return k == CheckExpiry || k == CheckExpiryAndCVV2, k == CheckCVV2 || k == CheckExpiryAndCVV2, k == CheckLastFourAndBarcode
}

// NonameLink is a wish to make a noname card a customer's. The card is named by
// its token or by its encrypted number.
type NonameLink struct {
	CardToken   string
	CardNo      Sensitive
	CustomerNo  string
	Check       NonameCheck
	Expires     Expiry
	CVV2        Sensitive
	LastFour    string
	Barcode     string
	PhoneNumber string // E.164; empty is the customer's mobile phone
	AccountNo   string // empty is the card's own
	Activate    bool
	Policies    []program.Policy
	Channel     string
	Description string
}

func (in *NonameLink) check() error {
	if in.Check == "" {
		in.Check = CheckExpiryAndCVV2
	}
	var v fault.Checks
	byNumber := len(in.CardNo.Field) > 0 || !in.CardNo.Clear.IsZero()
	v.Is("cardToken", in.CardToken != "" || byNumber, "required", "or encryptedCardNo is required")
	v.Is("cardToken", in.CardToken == "" || !byNumber, "both", "must not stand beside encryptedCardNo")
	v.Text("customerNo", in.CustomerNo, 1, 20)
	v.Text("description", in.Description, 0, 250)
	v.Is("accountNo", in.AccountNo == "" || accountSyntax.MatchString(in.AccountNo), "malformed", "must be 1 to 34 letters, digits and . _ : -")
	in.PhoneNumber = checkPhone(&v, "phoneNumber", in.PhoneNumber)
	checkPolicies(&v, in.Policies)
	expiry, cvv2, barcode := in.Check.wants()
	v.Is("expireMonth", !expiry || !in.Expires.IsZero(), "required", "and expireYear are required for this check")
	v.Is("encryptedCvv2", !cvv2 || len(in.CVV2.Field) > 0 || !in.CVV2.Clear.IsZero(), "required", "is required for this check")
	v.Is("lastFour", !barcode || in.LastFour != "", "required", "is required for this check")
	v.Is("barcode", !barcode || in.Barcode != "", "required", "is required for this check")
	return v.Err(errInvalid)
}

// LinkNoname makes a noname card a customer's. What was read off the card is
// compared first: a wrong value counts as a wrong CVV2, which is durable before
// the answer is given, and once these are used up every check is cvv2_blocked.
//
// Balance and transactions stay with the issuance. Its account becomes the
// customer's, under the number that is named if that is new; an account that
// the customer has already takes its place only while nothing is on the card's
// own. Of two links at once one wins, and the other is card_already_linked.
func (s *Service) LinkNoname(ctx context.Context, c access.Caller, in NonameLink) (IssuedCard, error) {
	if err := in.check(); err != nil {
		return IssuedCard{}, err
	}
	token := in.CardToken
	if token == "" {
		var err error
		if token, err = s.tokenByNumber(ctx, c, in.CardNo); err != nil {
			return IssuedCard{}, err
		}
	}
	card, err := s.openForUse(ctx, c, token, 0)
	if err != nil {
		return IssuedCard{}, err
	}
	var n NonameCard
	err = s.DB.View(ctx, func(tx db.Tx) (err error) {
		n, err = s.linkable(ctx, tx, c, card.Card, card.issuance)
		return err
	})
	if err != nil {
		return IssuedCard{}, err
	}
	if err := s.tryNoname(ctx, c, card, n, in); err != nil {
		return IssuedCard{}, err
	}
	var out IssuedCard
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		l := linking{s: s, tx: tx, c: c, in: in, cfg: card.cfg, product: card.product}
		if err := l.run(ctx, card.Card); err != nil {
			return err
		}
		out, err = s.issuedCard(ctx, tx, c, token, 0)
		return err
	})
	return out, err
}

// linkable refuses a card that cannot be linked now, and returns what it has for
// being noname.
func (s *Service) linkable(ctx context.Context, tx db.Tx, c access.Caller, card Card, i Issuance) (NonameCard, error) {
	n, found, err := readNoname(ctx, tx, i.Tenant, i.ID)
	switch {
	case err != nil:
		return n, fmt.Errorf("read noname card: %w", err)
	case !found:
		return n, errCardNotNoname
	case !i.Customer.IsZero():
		return n, errCardLinked
	case card.Status != Pending && card.Status != Active || i.CurrentCard != card.ID:
		return n, errStatusNotSuitable.With("status", string(card.Status)).With("operation", "noname/link")
	case !n.LinkDueAt.IsZero() && !c.Now(s.Clock).Before(n.LinkDueAt):
		// The deadline holds before the job has cancelled the card.
		return n, errStatusNotSuitable.With("status", string(Cancelled)).With("operation", "noname/link")
	}
	return n, nil
}

// tryNoname compares what was read off the card and counts it.
func (s *Service) tryNoname(ctx context.Context, c access.Caller, card cardInUse, n NonameCard, in NonameLink) error {
	if in.Check == CheckNone {
		return nil
	}
	limit := card.product.CVV2TryLimit
	if card.CVV2TryCount >= limit {
		return errCVV2Blocked
	}
	right, err := s.compareNoname(ctx, c, card, n, in)
	if err != nil {
		return err
	}
	// Who knows the expiry alone must not be able to win new CVV2 tries by it.
	_, cvv2, _ := in.Check.wants()
	tries, err := s.countCVV2Try(ctx, c, card, right, cvv2 && card.product.CVV2ResetOnSuccess, "Link", string(errCardVerification.Code))
	if err != nil {
		return err
	}
	if !tries.IsValid {
		return errCardVerification.With("remainingTries", tries.Left)
	}
	return nil
}

// compareNoname compares everything that the check wants, whatever the first of
// it says: how long it takes tells nothing.
func (s *Service) compareNoname(ctx context.Context, c access.Caller, card cardInUse, n NonameCard, in NonameLink) (bool, error) {
	expiry, cvv2, barcode := in.Check.wants()
	right := true
	if expiry {
		right = in.Expires == card.Expires
	}
	if barcode {
		same := func(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
		lastFour, code := same(in.LastFour, card.LastFour), same(in.Barcode, n.Barcode)
		right = lastFour && code
	}
	if !cvv2 {
		return right, nil
	}
	got, err := s.openSensitive(ctx, c, card.cfg, in.CardToken, in.CVV2)
	if err != nil {
		return false, err
	}
	defer got.Clear()
	number, err := s.openPAN(ctx, card.Card)
	if err != nil {
		return false, err
	}
	same, err := s.HSM.VerifyCardValue(ctx, card.keys.CVK, hsm.CVV2, cardValueInput(card.Card, number), got)
	if err != nil {
		return false, fmt.Errorf("verify CVV2: %w", hsmFault(err))
	}
	return same && right, nil
}

// lockIssued locks an issuance with its cards, and reads them.
func (s *Service) lockIssued(ctx context.Context, tx db.Tx, c access.Caller, issuance id.ID[Issuance]) ([]Card, Issuance, error) {
	i, err := lockWithCards(ctx, tx, c.Tenant, issuance)
	if err != nil {
		return nil, i, err
	}
	cards, err := readCardsOfIssuance(ctx, tx, c.Tenant, issuance)
	if err != nil {
		return nil, i, fmt.Errorf("read cards of issuance: %w", err)
	}
	return cards, i, nil
}

// linking is one link inside its transaction.
type linking struct {
	s       *Service
	tx      db.Tx
	c       access.Caller
	in      NonameLink
	cfg     *program.Configuration
	product program.Product
}

// run links card, after looking again at what others may have changed: issuance,
// cards and customer are locked in this order, the account last.
func (l linking) run(ctx context.Context, card Card) error {
	cards, i, err := l.s.lockIssued(ctx, l.tx, l.c, card.Issuance)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(cards, func(k Card) bool { return k.ID == card.ID })
	if at < 0 {
		return errStale
	}
	card = cards[at]
	n, err := l.s.linkable(ctx, l.tx, l.c, card, i)
	if err != nil {
		return err
	}
	holder, err := l.holder(ctx, i)
	if err != nil {
		return err
	}
	now := l.c.Now(l.s.Clock)
	before := i
	i.Customer, i.UpdatedAt = holder.ID, now
	if err := l.takeAccount(ctx, &i, n); err != nil {
		return err
	}
	if err := checkLocks(l.product, l.in.Policies); err != nil {
		return err
	}
	i.Policies = slices.Clone(i.Policies)
	for _, p := range l.in.Policies {
		i.Policies = append(i.Policies, CardPolicy{Policy: p, FromCard: true, UpdatedAt: now})
	}
	if i.PhoneNumber = l.in.PhoneNumber; i.PhoneNumber == "" {
		i.PhoneNumber = holder.Contact(customer.MobilePhone)
	}
	if i.sealedPhone, err = l.s.sealPhone(ctx, i); err != nil {
		return err
	}
	if err := saveHolder(ctx, l.tx, i); err != nil {
		return fmt.Errorf("save holder: %w", err)
	}
	if err := dropDeadline(ctx, l.tx, i.Tenant, i.ID); err != nil {
		return fmt.Errorf("drop deadline: %w", err)
	}
	if l.s.Limits != nil {
		if err := l.s.Limits.Linked(ctx, l.tx, i); err != nil {
			return err
		}
	}
	return l.tell(ctx, card, before, i, holder)
}

// holder is the customer, locked, if it may have one more card of the product.
func (l linking) holder(ctx context.Context, i Issuance) (customer.Customer, error) {
	u, err := l.s.customers.Named(ctx, l.tx, l.c.Tenant, l.in.CustomerNo)
	if err != nil {
		return u, err
	}
	if err := customer.Lock(ctx, l.tx, l.c.Tenant, u.ID); err != nil {
		return u, err
	}
	if u, err = l.s.customers.Named(ctx, l.tx, l.c.Tenant, l.in.CustomerNo); err != nil {
		return u, err
	}
	if u.Status != customer.Active {
		return u, errCustomerInactive
	}
	d := draft{cfg: l.cfg, product: l.product, customer: u, issuance: i}
	if err := d.checkHolder(l.c.Now(l.s.Clock)); err != nil {
		return u, err
	}
	return u, checkPlaces(ctx, l.tx, d)
}

// takeAccount makes the issuance spend from the account that the wish names.
func (l linking) takeAccount(ctx context.Context, i *Issuance, n NonameCard) error {
	owner := i.Customer.String()
	// The card's own account has no line.
	give := func() error {
		if !fits(l.cfg, l.product, ledger.Account{Kind: ledger.Liability}) {
			return errAccountKind.With("accountNo", l.in.AccountNo)
		}
		given, err := ledger.GiveAccount(ctx, l.tx, i.Tenant, n.Account, i.ID.String(), owner)
		if err == nil && !given {
			err = fmt.Errorf("account %s is not the card's own", n.Account)
		}
		return err
	}
	if l.in.AccountNo == "" || l.in.AccountNo == i.AccountNo {
		return give()
	}
	_, known, err := ledger.FindCardAccount(ctx, l.tx, i.Tenant, l.in.AccountNo)
	if err != nil {
		return err
	}
	if !known {
		i.AccountNo = l.in.AccountNo
		if err := give(); err != nil {
			return err
		}
		return ledger.RenameAccount(ctx, l.tx, i.Tenant, n.Account, i.AccountNo)
	}
	theirs, err := ledger.OpenCardAccount(ctx, l.tx, i.Tenant, l.in.AccountNo, owner, l.product.Currency, clock.RealNow(l.s.Clock), l.c.Ahead)
	if err != nil {
		return err // another customer's, or in another currency
	}
	if !fits(l.cfg, l.product, theirs) {
		return errAccountKind.With("accountNo", theirs.Number)
	}
	own, err := lockAccount(ctx, l.tx, n.Account)
	if err != nil {
		return err
	}
	if !own.Posted.IsZero() || !own.Held.IsZero() {
		return errLinkBalance.With("accountNo", i.AccountNo)
	}
	i.Account, i.AccountNo = theirs.ID, theirs.Number
	if l.s.Fees == nil {
		return nil
	}
	return l.s.Fees.AccountTaken(ctx, l.tx, l.c, own.ID, theirs.ID)
}

// lockAccount reads an account and keeps others from moving money on it.
func lockAccount(ctx context.Context, tx db.Tx, account ledger.AccountID) (ledger.Account, error) {
	book, err := ledger.OpenBook(ctx, tx, []ledger.AccountID{account}, nil)
	if err != nil {
		return ledger.Account{}, err
	}
	a, found := book.Account(account)
	if !found {
		return a, fmt.Errorf("read account %s: %w", account, db.ErrGone)
	}
	return a, nil
}

// tell activates the card where that is wished, raises what happened and writes
// it down.
func (l linking) tell(ctx context.Context, card Card, before, i Issuance, holder customer.Customer) error {
	m := mover{s: l.s, c: l.c, in: NewStatus{Status: Active, Description: l.in.Description, Channel: l.in.Channel}}
	status := card.Status
	if l.in.Activate && status == Pending {
		if err := activationConditions(l.cfg, card, i, l.c.Now(l.s.Clock)); err != nil {
			return err
		}
		to := m.to(FirstActivation)
		if _, err := moveCard(ctx, l.tx, i.Tenant, card.ID, status, to); err != nil {
			return fmt.Errorf("activate card %s: %w", card.ID, err)
		}
		status = to.Status
		if err := raiseStatus(ctx, l.tx, l.c, card.ID, card.Status, to); err != nil {
			return err
		}
	}
	if err := raiseHolder(ctx, l.tx, l.c, EventCardLinked, card.ID, i.UpdatedAt, holder.No); err != nil {
		return err
	}
	a := l.s.cardAct(l.c, "Link", card)
	a.Channel, a.Description = channelOf(l.c, l.in.Channel), l.in.Description
	a.Changes = audit.Changes(holding{AccountNo: before.AccountNo, Status: card.Status},
		holding{CustomerNo: holder.No, AccountNo: i.AccountNo, Status: status, CheckMethod: l.in.Check})
	return audit.Append(ctx, l.tx, a)
}

// holding is what the audit record says of who has a noname card.
type holding struct {
	CustomerNo  string
	AccountNo   string
	Status      CardStatus
	Reason      StatusReason
	CheckMethod NonameCheck
}
