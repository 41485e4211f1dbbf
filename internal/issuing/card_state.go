package issuing

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// CardState is the part of a card that authorizations change. It is read and
// written under the row's lock.
type CardState struct {
	ID                id.ID[Card]
	Status            CardStatus // a first use may activate the card
	PINStatus         PINStatus
	PINChangedAt      time.Time // read only
	PINTryCount       int
	CVV2TryCount      int
	ATC               int    // the highest accepted; -1 before the first
	ATCWindow         uint64 // which of the last 63 counters below ATC were used
	Script            ChipScript
	ScriptATC         int    // of the answer that carried Script last; -1: none has
	Tap               string // the last contactless answer that asked for a PIN; opaque here
	ContactlessCount  int
	ContactlessAmount int64
	ContactlessRuns   int         // how often a verified PIN began the two anew
	Upcoming                      // read only
	Ahead             clock.Ahead // of the tenant; read only

	locked CardStatus // the status as it was read
	number string     // the keyed hash of its card number
	shared bool       // other plastics have the same number

	holderChanges int64 // how often it got or lost a customer
}

// CardOnNetwork is a card as a message from a network finds it, with what hangs
// on it. Card has no PAN, plastic or emboss name; Issuance no phone.
type CardOnNetwork struct {
	Card     Card
	Issuance Issuance
	Customer *CustomerOnNetwork // nil for a card without a customer

	shipment ShipmentStatus
	current  CardStatus // of the card in force
	waiting  *Card      // the successor that is to be activated at a time, if this card is the one in force

	holderChanges int64
	parent        Issuance // the policies of a child's
}

// PoliciesOff lists the usage switches that are off at a moment, in the
// contract's order, those that the parent of a child has off included where the
// tenant wants that.
func (n CardOnNetwork) PoliciesOff(cfg *program.Configuration, at time.Time) []program.PolicyType {
	isChild := !n.Issuance.Parent.IsZero() && cfg.Attributes.ChildPolicyCapped
	var off []program.PolicyType
	for _, t := range program.PolicyTypes() {
		// Whether there are instalments at all, the product says in a member of its
		// own; the switch only takes them away.
		isOn := n.Issuance.policyAt(t, at).IsAllowed || t == program.PolicyInstallment && !n.Issuance.speaksOf(t, at)
		if !isOn || isChild && !n.parent.policyAt(t, at).IsAllowed {
			off = append(off, t)
		}
	}
	return off
}

// speaksOf reports whether product or card set a switch at a moment.
func (i Issuance) speaksOf(t program.PolicyType, at time.Time) bool {
	return slices.ContainsFunc(i.Policies, func(p CardPolicy) bool { return p.Type == t && p.InForceAt(at) })
}

// IsSuperseded reports whether a successor whose activation was scheduled has
// taken the card's place by now, although the job that writes it down has not
// run. A blocked card is left to the job, as its successor is.
func (n CardOnNetwork) IsSuperseded(cfg *program.Configuration, now time.Time) bool {
	if n.waiting == nil || n.current == Blocked {
		return false
	}
	may := activationConditions(cfg, *n.waiting, n.Issuance, now) == nil
	return n.waiting.StatusAt(n.waiting.Status, now, may) == Active
}

// AfterSuccession is the status of a card in status whose successor is in force.
func AfterSuccession(status CardStatus) CardStatus {
	if status == Blocked {
		return Cancelled
	}
	return retired(status)
}

// HasChangedHands reports whether the card got or lost a customer since it was
// found on the network as n: what n says of customer and account is out of date
// then.
func (c CardState) HasChangedHands(n CardOnNetwork) bool { return c.holderChanges != n.holderChanges }

// MayActivate reports whether the conditions of a first activation are met, and
// whether nothing that only privileged callers lift is in its way.
func (n CardOnNetwork) MayActivate(cfg *program.Configuration, now time.Time) bool {
	card := n.Card
	card.Status = Pending
	card.Physical = &CardBody{ShipmentStatus: n.shipment}
	return activationConditions(cfg, card, n.Issuance, now) == nil && n.current != Blocked
}

// Name is what the outside calls the card.
func (n CardOnNetwork) Name() CardName {
	out := CardName{
		Card: n.Card.ID, Token: n.Card.Token, MaskedNo: n.Card.Masked(), Sequence: n.Card.Sequence, IssuanceNo: n.Issuance.No,
		ProductCode: n.Issuance.ProductCode, AccountNo: n.Issuance.AccountNo, ExternalCardID: n.Issuance.ExternalCardID,
	}
	if n.Customer != nil {
		out.CustomerNo = n.Customer.No
	}
	return out
}

// CustomerOnNetwork is what an authorization needs of a customer.
type CustomerOnNetwork struct {
	ID       string
	No       string
	Type     customer.Type
	Status   customer.Status
	KYCLevel customer.KYCLevel
	Segment  string
	Since    time.Time

	stamp string // tells one version of the customer from another
}

// PersonOf returns what is sealed of the customer of a card that was found on the
// network; nothing for a card without one.
func (s *Service) PersonOf(ctx context.Context, n CardOnNetwork) (customer.Person, error) {
	if n.Customer == nil {
		return customer.Person{}, nil
	}
	return s.customers.Person(ctx, n.Issuance.Tenant, n.Issuance.Customer, n.Customer.stamp)
}

// PANIndex is how the cards of a number are found without telling it.
type PANIndex struct {
	Tenant access.TenantID
	Hash   string // keyed, as text
	Length int    // of the number
}

// IndexOf returns how the cards of a number are found. It opens nothing: one keyed
// hash.
func (s *Service) IndexOf(ctx context.Context, tenant access.TenantID, p pan.PAN) (PANIndex, error) {
	hash, err := s.indexPAN(ctx, tenant, p)
	return PANIndex{Tenant: tenant, Hash: hash, Length: p.Len()}, err
}

// CardsOfNumber are the cards of a number, newest first; none of an unknown one.
type CardsOfNumber struct {
	Cards []CardOnNetwork
	Err   error // why one of them cannot be read
}

// CardsAt returns the cards of each of these numbers, and lets [Service.PersonOf] have
// their customers in memory. It takes two queries at most for each tenant; a card that
// cannot be read spoils its own number only. Numbers that are equal share what is
// returned.
func (s *Service) CardsAt(ctx context.Context, numbers []PANIndex) ([]CardsOfNumber, error) {
	return s.cardsAt(ctx, numbers, true)
}

// cardsAt is CardsAt; with persons it lets those of the customers be in memory.
func (s *Service) cardsAt(ctx context.Context, numbers []PANIndex, persons bool) ([]CardsOfNumber, error) {
	hashes := map[access.TenantID][]string{}
	for _, n := range numbers {
		hashes[n.Tenant] = append(hashes[n.Tenant], n.Hash)
	}
	found := make(map[PANIndex]CardsOfNumber, len(numbers))
	err := s.DB.View(ctx, func(tx db.Tx) error {
		for tenant, of := range hashes {
			slices.Sort(of)
			holders := map[id.ID[customer.Customer]]string{}
			err := readCardsOnNetwork(ctx, tx, tenant, slices.Compact(of), func(hash string, card CardOnNetwork, err error) {
				at := PANIndex{Tenant: tenant, Hash: hash}
				of := found[at]
				of.Cards, of.Err = append(of.Cards, card), errors.Join(of.Err, err)
				found[at] = of
				if card.Customer != nil {
					holders[card.Issuance.Customer] = card.Customer.stamp
				}
			})
			if err != nil {
				return err
			}
			if !persons {
				continue
			}
			if err := s.customers.LearnPersons(ctx, tx, tenant, holders); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find cards by number: %w", err)
	}
	all := make([]CardsOfNumber, len(numbers))
	for i, n := range numbers {
		all[i] = found[PANIndex{Tenant: n.Tenant, Hash: n.Hash}]
		for k := range all[i].Cards {
			all[i].Cards[k].Card.PANLength = n.Length
		}
	}
	return all, nil
}

// CardsByPAN returns every card of the tenant that has this number, newest
// first; none for an unknown number. It opens nothing: one keyed hash and one
// query.
func (s *Service) CardsByPAN(ctx context.Context, tenant access.TenantID, p pan.PAN) ([]CardOnNetwork, error) {
	index, err := s.IndexOf(ctx, tenant, p)
	if err != nil {
		return nil, err
	}
	all, err := s.cardsAt(ctx, []PANIndex{index}, false)
	if err != nil {
		return nil, err
	}
	if err := all[0].Err; err != nil {
		return nil, fmt.Errorf("find cards by number: %w", err)
	}
	return all[0].Cards, nil
}

// indexPAN is the keyed hash by which a number is found, as text.
func (s *Service) indexPAN(ctx context.Context, tenant access.TenantID, p pan.PAN) (string, error) {
	index, err := s.HSM.Index(ctx, tenant.String(), purposePAN, []byte(p.Reveal()))
	if err != nil {
		return "", fmt.Errorf("index card number: %w", hsmFault(err))
	}
	return hex.EncodeToString(index), nil
}
