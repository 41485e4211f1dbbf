package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// nonameCard is a card as an order of noname cards is answered.
type nonameCard struct {
	IssuanceNo  string `json:"issuanceNo"`
	CardToken   string `json:"cardToken"`
	Masked      string `json:"maskedCardNo"`
	ExpireYear  int    `json:"expireYear"`
	ExpireMonth int    `json:"expireMonth"`
	Barcode     string `json:"barcode"`
}

// nonameBatch is the answer to an order of noname cards.
type nonameBatch struct {
	BatchID   string       `json:"batchId"`
	Requested int          `json:"requestedCount"`
	Created   int          `json:"createdCount"`
	Failed    int          `json:"failedCount"`
	Status    string       `json:"status"`
	Cards     []nonameCard `json:"cards"`
}

// batchOf reads the answer to an order.
func batchOf(t *testing.T, r reply) (b nonameBatch) {
	t.Helper()
	if r.Status != http.StatusOK && r.Status != http.StatusCreated && r.Status != http.StatusAccepted {
		t.Fatalf("the order is answered %d %s", r.Status, r.Body)
	}
	if err := json.Unmarshal(r.Body, &b); err != nil {
		t.Fatal(err)
	}
	return b
}

// nonameOrder is an order of n noname cards to a branch.
func nonameOrder(n int) map[string]any {
	return map[string]any{
		"productCode": "CLASSIC", "count": n, "batchReference": "SPRING", "deliveryMethod": "Branch", "branchCode": "0001",
	}
}

// want checks how a request is answered: an error's code, or "" for success.
func (r reply) want(t *testing.T, status int, code string) reply {
	t.Helper()
	if r.Status != status || code != "" && r.code(t) != code {
		t.Fatalf("answered %d %s, want %d %s", r.Status, r.Body, status, code)
	}
	return r
}

// remainingTries is what an error says of the tries that are left.
func (r reply) remainingTries(t *testing.T) any {
	t.Helper()
	e, _ := r.member(t, "error").(map[string]any)
	data, _ := e["data"].(map[string]any)
	return data["remainingTries"]
}

// nonameWorld is a noname card at a bank, and who may get it.
type nonameWorld struct {
	bank *sim.Bank
	caller
	card nonameCard
	read *sim.Card // as it lies in the hand
	link *sim.Link
	term *sim.Terminal
}

// linkTo links the card by a CVV2.
func (w *nonameWorld) linkTo(t *testing.T, customer, cvv2 string) reply {
	t.Helper()
	return w.send(t, http.MethodPost, "/api/v1/issuing/card/noname/link", "", map[string]any{
		"cardToken": w.card.CardToken, "customerNo": customer, "encryptedCvv2": cvv2,
		"expireYear": w.card.ExpireYear, "expireMonth": w.card.ExpireMonth,
	})
}

func (w *nonameWorld) unlink(t *testing.T) reply {
	t.Helper()
	return w.send(t, http.MethodPost, "/api/v1/issuing/card/noname/unlink", "",
		map[string]any{"cardToken": w.card.CardToken, "reason": "given back"})
}

// move puts money on the account or takes it.
func (w *nonameWorld) move(t *testing.T, account, direction, amount, reference string) {
	t.Helper()
	w.send(t, http.MethodPost, "/api/v1/issuing/account/"+account+"/adjustment", "", map[string]any{
		"direction": direction, "amount": json.Number(amount), "currency": "TRY", "description": "move", "externalReference": reference,
	}).want(t, http.StatusOK, "")
}

// buy pays 20.00 at a shop and returns the message, and DE39.
func (w *nonameWorld) buy(t *testing.T) (*iso8583.Message, string) {
	t.Helper()
	r, err := w.term.Use(w.read, sim.Payment{Amount: lira(2_000), Entry: sim.Chip})
	if err != nil {
		t.Fatal(err)
	}
	answer, _, err := w.link.Ask(t.Context(), r.Message)
	if err != nil {
		t.Fatal(err)
	}
	return r.Message, answer.Text(iso8583.ResponseCode)
}

// paid wants a purchase to be answered so.
func (w *nonameWorld) paid(t *testing.T, when, want string) *iso8583.Message {
	t.Helper()
	m, got := w.buy(t)
	if got != want {
		t.Errorf("%s: answered %s, want %s", when, got, want)
	}
	return m
}

// secondCustomer makes a customer beside the one that sim opens.
func (w *nonameWorld) secondCustomer(t *testing.T) string {
	t.Helper()
	no, _ := w.send(t, http.MethodPost, "/api/v1/issuing/customer", "", map[string]any{
		"customerType": "Individual", "name": "Can", "surname": "Ak", "birthDate": "1990-02-03", "nationality": "TR",
		"identifications": []map[string]any{{"identificationType": "Tckn", "identificationNo": "12345678950"}},
		"communications":  []map[string]any{{"communicationType": "MobilePhone", "value": "+905329876543"}},
	}).want(t, http.StatusOK, "").member(t, "customerNo").(string)
	return no
}

// TestAcceptance_nonameCardIsLinked: a wrong CVV2 counts, the right one makes
// the card its customer's and active; it cannot be taken from its customer while
// a hold is open or money is left on it, and waits for another one after that
// (contract/platform.md §20, scenario 10).
func TestAcceptance_nonameCardIsLinked(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, append(flags, "--webhook-allow-loopback", "true")...)
		made := newTenant(t, flags)
		w := &nonameWorld{bank: made.openBank(t, s), caller: made.signIn(t, s), term: shop(t)}
		w.link = connect(t, s, w.term, 10*time.Second)
		hook := listen(t, w.bank, "card.*")
		first, err := w.bank.OpenCustomer(t.Context(), "Ada", "Deniz", "+905321234567")
		if err != nil {
			t.Fatal(err)
		}
		second := w.secondCustomer(t)
		batch := batchOf(t, w.send(t, http.MethodPost, "/api/v1/issuing/card/noname", "", nonameOrder(3)))
		if batch.Status != "Completed" || batch.Created != 3 || len(batch.Cards) != 3 {
			t.Fatalf("the batch: %+v", batch)
		}
		w.card = batch.Cards[1]
		if w.read, err = w.bank.ReadCard(t.Context(), w.card.CardToken, 1); err != nil {
			t.Fatal(err)
		}
		w.paid(t, "a card that is nobody's", "62")

		checkLinkTries(t, w, first)
		linked := w.linkTo(t, first, string(w.read.CVV2.Reveal())).want(t, http.StatusOK, "")
		if status := linked.member(t, "cardStatus"); status != "Active" {
			t.Errorf("linked, the card is %v", status)
		}
		hook.wait(t, "card.linked", w.card.CardToken)
		w.linkTo(t, second, string(w.read.CVV2.Reveal())).want(t, http.StatusConflict, "Issuing:CardAlreadyLinked")
		if _, err := w.bank.SetPIN(t.Context(), w.card.CardToken, "7392"); err != nil {
			t.Fatal(err)
		}
		checkUnlink(t, w)
		hook.wait(t, "card.unlinked", w.card.CardToken)
		w.paid(t, "an unlinked card", "62")
		w.unlink(t).want(t, http.StatusConflict, "Issuing:CardNotLinked")

		// The card is another customer's now, with nothing of the first one's.
		again := w.linkTo(t, second, string(w.read.CVV2.Reveal())).want(t, http.StatusOK, "")
		if again.member(t, "cardStatus") != "Active" || again.member(t, "customerNo") != second || again.member(t, "pinStatus") != "NotSet" {
			t.Errorf("linked again: %s", again.Body)
		}
		w.paid(t, "with nothing on its new account", "51")
		account, _ := again.member(t, "accountNo").(string)
		w.move(t, account, "Credit", "50.00", "load-2")
		w.paid(t, "the second customer's", "00")
		if n := hook.count("card.linked", w.card.CardToken); n > 2 {
			t.Errorf("card.linked came %d times", n)
		}
		run(t, append([]string{"verify"}, flags...)...)
		run(t, append([]string{"audit", "verify"}, flags...)...)
	})
}

// checkLinkTries uses the CVV2 tries of the card up and gives them back.
func checkLinkTries(t *testing.T, w *nonameWorld, customer string) {
	t.Helper()
	right := string(w.read.CVV2.Reveal())
	for i := range 3 {
		r := w.linkTo(t, customer, other(right)).want(t, http.StatusUnprocessableEntity, "Issuing:CardVerificationFailed")
		if got, want := fmt.Sprint(r.remainingTries(t)), fmt.Sprint(2-i); got != want {
			t.Errorf("wrong CVV2 %d: %s tries left, want %s", i+1, got, want)
		}
	}
	w.linkTo(t, customer, right).want(t, http.StatusLocked, "Issuing:Cvv2Blocked")
	w.send(t, http.MethodPost, "/api/v1/issuing/card/"+w.card.CardToken+"/cvv2/reset-counters", "",
		map[string]any{"cardToken": w.card.CardToken}).want(t, http.StatusOK, "")
}

// checkUnlink pays with the linked card and takes it from its customer, as soon
// as that is allowed.
func checkUnlink(t *testing.T, w *nonameWorld) {
	t.Helper()
	w.move(t, w.card.IssuanceNo, "Credit", "100.00", "load-1")
	bought := w.paid(t, "a linked card", "00")
	w.unlink(t).want(t, http.StatusUnprocessableEntity, "Issuing:UnlinkBlockedByOpenTransactions")
	reversal, err := w.term.Acquirer.Reverse(bought, nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer, _, err := w.link.Ask(t.Context(), reversal); err != nil || answer.Text(iso8583.ResponseCode) != "00" {
		t.Fatalf("the reversal: %v", err)
	}
	w.unlink(t).want(t, http.StatusUnprocessableEntity, "Issuing:UnlinkBlockedByBalance")
	before := w.send(t, http.MethodGet, "/api/v1/issuing/card/"+w.card.CardToken, "", nil).want(t, http.StatusOK, "")
	if card, _ := before.member(t, "card").(map[string]any); card["cardStatus"] != "Active" || card["pinStatus"] != "Active" {
		t.Errorf("what was refused changed the card: %s", before.Body)
	}
	w.move(t, w.card.IssuanceNo, "Debit", "100.00", "empty-1")
	got := w.unlink(t).want(t, http.StatusOK, "")
	for member, want := range map[string]any{
		"cardStatus": "Pending", "statusReason": "NonameUnlinked", "pinStatus": "NotSet", "customerNo": nil, "phoneNumber": nil,
	} {
		if got.member(t, member) != want {
			t.Errorf("unlinked: %s is %v, want %v", member, got.member(t, member), want)
		}
	}
}
