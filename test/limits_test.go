package test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// issuingCall asks the issuing API, which must not refuse.
func issuingCall(t *testing.T, bank *sim.Bank, method, path string, in, out any) {
	t.Helper()
	if _, err := bank.Call(t.Context(), method, "/api/v1/issuing"+path, in, out); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
}

// machine is a cash machine of an acquirer of its own.
func machine(t *testing.T) *sim.Terminal {
	t.Helper()
	m := shop(t)
	m.ID, m.Name, m.MCC, m.Type = "ATM00001", "Cash machine", "6011", 0x14
	return m
}

// withdraw takes cash with the card's PIN, and returns what was sent with the
// response code.
func withdraw(t *testing.T, link *sim.Link, m *sim.Terminal, card sim.Issued, amount money.Amount) (*sim.Request, string) {
	t.Helper()
	r, err := m.Use(card.Card, sim.Payment{MTI: iso8583.FinancialRequest, Kind: sim.Cash, Amount: amount, Entry: sim.Chip, PIN: card.Card.PIN})
	if err != nil {
		t.Fatal(err)
	}
	answer, _, err := link.Ask(t.Context(), r.Message)
	if err != nil {
		t.Fatal(err)
	}
	return r, answer.Text(iso8583.ResponseCode)
}

// cardLimit is how a velocity control stands for a card, as the API shows it.
type cardLimit struct {
	VelocityCheckCode      string
	Limit, Used, Available struct {
		Amount json.Number
		Count  *int
	}
	Source struct{ LinkType, LinkCode string }
}

// limitOf is how the one velocity control that holds for a card stands.
func limitOf(t *testing.T, bank *sim.Bank, token string) cardLimit {
	t.Helper()
	var limits []cardLimit
	issuingCall(t, bank, http.MethodGet, "/velocity-control/card/"+token+"/limits", nil, &limits)
	if len(limits) != 1 {
		t.Fatalf("%d limits hold for the card", len(limits))
	}
	return limits[0]
}

// cashLimit defines how much cash may be taken a day, in one limit group.
func cashLimit(t *testing.T, bank *sim.Bank, code string, most int, links ...map[string]any) {
	t.Helper()
	issuingCall(t, bank, http.MethodPost, "/velocity-control", map[string]any{
		"code": code, "name": "Daily cash", "limitGroup": "DAILY_CASH", "currencyCode": "TRY", "period": "Day", "maxAmount": most,
		"criteria": map[string]any{"transactionCodes": []string{"CashWithdrawal", "CashAdvance"}}, "links": links,
	}, nil)
}

// wantLedger fails unless what is posted on an account is so much.
func wantLedger(t *testing.T, bank *sim.Bank, card sim.Issued, posted string) {
	t.Helper()
	var got struct{ Posted json.Number }
	issuingCall(t, bank, http.MethodGet, "/account/"+card.Account, nil, &got)
	if got.Posted.String() != posted {
		t.Errorf("%s is posted, want %s", got.Posted, posted)
	}
}

// usedBy are the transactions that a limit of a card is used by, newest first.
func usedBy(t *testing.T, bank *sim.Bank, token, code string) (amounts []string) {
	t.Helper()
	var page struct {
		TotalCount int
		Items      []struct {
			CountedAmount json.Number
			Status        string
		}
	}
	issuingCall(t, bank, http.MethodGet, "/velocity-control/card/"+token+"/limits/"+code+"/transaction", nil, &page)
	for _, x := range page.Items {
		amounts = append(amounts, x.CountedAmount.String())
	}
	slices.Sort(amounts)
	return amounts
}
