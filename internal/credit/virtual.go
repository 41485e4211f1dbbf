package credit

import (
	"cmp"
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// virtualCardsMax is how many virtual cards a main card may have in force, unless
// the service says another number.
const virtualCardsMax = 5

// VirtualCard is a virtual card that was just made.
type VirtualCard struct {
	issuing.IssuedCard
	// Left is how many more its main card may have.
	Left int
}

// CreateVirtualCard makes a virtual card of a main card: a supplementary card of the
// same customer without a plastic, with a share of the credit account. Limits are
// decimals; an absent one is zero, an absent next one the same limit.
func (s *Service) CreateVirtualCard(ctx context.Context, c access.Caller, mainCard string, in Share) (VirtualCard, error) {
	if in.Limit == "" {
		in.Limit = "0"
	}
	limit, next, err := in.minor()
	if err != nil {
		return VirtualCard{}, err
	}
	main, err := s.Cards.Card(ctx, c, mainCard)
	if err != nil {
		return VirtualCard{}, err
	}
	if _, err := s.Account(ctx, c, main.Issuance.AccountNo); err != nil {
		return VirtualCard{}, errForeignCard.Wrap(err)
	}
	made, err := s.Cards.IssueCard(ctx, c, issuing.NewCard{
		CustomerNo: main.Customer.No, ProductCode: main.Issuance.ProductCode, FormFactor: program.Virtual, ParentIssuanceNo: main.Issuance.No,
		Virtual: &issuing.VirtualCard{Limit: limit, Next: next, Most: s.virtualCards()},
	})
	if err != nil {
		return VirtualCard{}, err
	}
	n, err := s.Cards.VirtualCards(ctx, c, main.Issuance.ID)
	return VirtualCard{made, max(0, s.virtualCards()-n)}, err
}

// virtualCards is how many virtual cards a main card may have in force.
func (s *Service) virtualCards() int { return cmp.Or(s.VirtualCardsMax, virtualCardsMax) }
