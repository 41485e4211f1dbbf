package platform

import (
	"testing"

	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// A number that the platform encrypted for a tester finds the card where
// requests carry encrypted numbers.
func TestEncryptCardNumber_isWhatFindTakes(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t)).stock()
	token := w.newCard()
	keyID, _ := w.dataKey()
	var sealed struct {
		EncryptedCardNo string `json:"encryptedCardNo"`
	}
	w.ask(200, "POST", "/api/v1/sandbox/encrypt-card-number", map[string]any{"cardNo": w.clearCard(token).CardNo, "keyId": keyID}, &sealed)
	var found struct {
		Card struct {
			CardToken string `json:"cardToken"`
		} `json:"card"`
	}
	w.ask(200, "POST", "/api/v1/issuing/card/find", map[string]any{
		"encryptedCardNo": sealed.EncryptedCardNo, "encryption": map[string]any{"keyId": keyID, "algorithm": "A256GCM"},
	}, &found)
	if found.Card.CardToken != token {
		t.Errorf("found %q, want %q", found.Card.CardToken, token)
	}
}
