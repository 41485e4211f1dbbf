package platform

import (
	"fmt"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// A link to a card is found by every name that the card has or had, whichever it was
// made by, and made again it is called otherwise but the same.
func TestLinks_areFoundByEveryNameOfACard(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d).stock()
		type issued struct {
			CardToken, IssuanceNo string
			NewCard               struct{ CardToken string }
		}
		var card, other issued
		order := map[string]any{"customerNo": "1", "productCode": "VIRTUAL"}
		w.ask(200, "POST", "/api/v1/issuing/card", order, &card)
		w.ask(200, "POST", "/api/v1/issuing/card", order, &other)
		link := func(code string) map[string]any { return map[string]any{"linkType": "Card", "linkCode": code} }
		w.ask(200, "POST", "/api/v1/issuing/velocity-control", map[string]any{
			"code": "NAMES", "name": "Names", "currencyCode": "TRY", "period": "Day", "maxAmount": 5000,
			"links": []any{link(card.IssuanceNo), link(other.CardToken), map[string]any{"linkType": "Customer", "linkCode": "1"}},
		}, nil)
		find := func(want, query string) {
			t.Helper()
			var found []struct{ LinkType, LinkCode string }
			w.ask(200, "GET", "/api/v1/issuing/velocity-control/link?VelocityCheckCode=NAMES&"+query, nil, &found)
			if got := fmt.Sprint(found); got != want {
				t.Errorf("%s: %s, want %s", query, got, want)
			}
		}
		called := func(name string) string { return "[{Card " + name + "}]" }
		for _, name := range []string{card.IssuanceNo, card.CardToken} {
			find(called(card.IssuanceNo), "LinkCode="+name)
			find(called(card.IssuanceNo), "LinkType=Card&LinkCode="+name)
			find("[]", "LinkType=Customer&LinkCode="+name)
		}
		again := link(card.CardToken)
		again["velocityCheckCode"] = "NAMES"
		w.ask(200, "POST", "/api/v1/issuing/velocity-control/link", again, nil)
		w.ask(200, "POST", "/api/v1/issuing/card/"+card.CardToken+"/renew", map[string]any{"renewalReason": "Lost"}, &card)
		if card.NewCard.CardToken == "" || card.NewCard.CardToken == card.CardToken {
			t.Fatalf("it has no other token: %+v", card)
		}
		for _, name := range []string{card.IssuanceNo, card.CardToken, card.NewCard.CardToken} {
			find(called(card.CardToken), "LinkCode="+name)
		}
		find(called(other.CardToken), "LinkCode="+other.IssuanceNo)
		find("[{Customer 1}]", "LinkCode=1")
		find("[]", "LinkCode=NOBODY")
	})
}
