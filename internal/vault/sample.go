package vault

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// Sample is what the sample requests of the document of stored cards name.
type Sample struct {
	Customer string   // RelationalId1 of whose cards they are
	Masked   []string // the first eight digits and the last four of each card
}

// MakeSample stores it for the caller's own merchant: a card by its number, and one by
// its first and last digits and the identity of its holder. What is there stays.
func (s *Store) MakeSample(ctx context.Context, c access.Caller) (Sample, error) {
	out := Sample{Customer: "sample-customer"}
	year := c.Now(s.Clock).Year() + 4
	for _, in := range []NewStoredCard{
		{Owner: Owner{Scope: ECommerce}, Nickname: "World", Number: secret.FromString("4119790112345679")},
		{Owner: Owner{Scope: Insurance}, Nickname: "Insurance", BIN: "41197901", LastFour: "5679", Identity: secret.FromString("10000000146")},
	} {
		in.Relational = Relational{out.Customer}
		there, err := s.Cards(ctx, c, in.Owner)
		if err != nil {
			return out, err
		}
		if len(there) == 0 {
			in.Holder, in.Month, in.Year = "Deniz Kaya", 12, year
			made, err := s.Save(ctx, c, in)
			if err != nil {
				return out, err
			}
			there = []Kept{made}
		}
		out.Masked = append(out.Masked, there[0].BIN+"****"+there[0].LastFour)
	}
	return out, nil
}
