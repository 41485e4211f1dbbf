package platform

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
)

func try(minor int64) *money.Amount {
	a := money.Must(minor, "TRY")
	return &a
}

func TestDecodeVerdict_readsWhatTheContractAllows(t *testing.T) {
	yes := func(change func(*authorization.Verdict)) authorization.Verdict {
		v := authorization.Verdict{Hearing: authorization.Answered, Approved: true}
		if change != nil {
			change(&v)
		}
		return v
	}
	for body, want := range map[string]authorization.Verdict{
		`{"approved": true}`: yes(nil),
		`{"approved": true, "responseCode": "10", "approvedAmount": 30.5, "clientReference": "K-1", "message": "part", "more": {}}`: yes(func(v *authorization.Verdict) {
			v.ResponseCode, v.ApprovedAmount, v.Reference, v.Message = "10", try(3050), "K-1", "part"
		}),
		`{"approved": true, "availableBalance": 1.00, "ledgerBalance": -2, "currencyCode": "TRY"}`: yes(func(v *authorization.Verdict) {
			v.Available, v.Ledger = try(100), try(-200)
		}),
		`{"approved": true, "availableBalance": 1.00, "currencyCode": "EUR"}`:                     yes(nil),
		`{"approved": true, "approvedAmount": null, "responseCode": "", "clientReference": null}`: yes(nil),
		`{"approved": false, "responseCode": "51"}`:                                               {Hearing: authorization.Answered, ResponseCode: "51"},
	} {
		got, err := (Dialogue{}).DecodeVerdict([]byte(body), money.MustCurrency("TRY"))
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b money.Amount) bool { return a == b })); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", body, err, diff)
		}
	}
}

func TestDecodeVerdict_refusesWhatItDoesNot(t *testing.T) {
	for _, body := range []string{
		``, `null`, `true`, `[]`, `{}`, `{"approved": null}`, `{"approved": "true"}`, `{"approved": true} x`, `{"approved": true, "approved": false}`,
		`{"approved": true, "Approved": false}`, `{"approved": true, "responseCode": "0"}`, `{"approved": true, "responseCode": "0a"}`,
		`{"approved": true, "responseCode": 0}`, `{"approved": true, "approvedAmount": "1.00"}`, `{"approved": true, "approvedAmount": 1.001}`,
		`{"approved": true, "approvedAmount": 1e40}`, `{"approved": true, "availableBalance": "x"}`, `{"approved": true, "ledgerBalance": 1.001, "availableBalance": 1}`,
		`{"approved": true, "clientReference": "` + strings.Repeat("x", 65) + `"}`, `{"approved": true, "clientReference": "4539578763621486"}`,
	} {
		if v, err := (Dialogue{}).DecodeVerdict([]byte(body), money.MustCurrency("TRY")); err == nil {
			t.Errorf("%s: got %+v", body, v)
		} else if strings.Contains(err.Error(), "4539") {
			t.Errorf("the error quotes the answer: %v", err)
		}
	}
}

func FuzzDecodeVerdict(f *testing.F) {
	f.Add([]byte(`{"approved": true, "responseCode": "10", "approvedAmount": 30.5, "clientReference": "K-1", "availableBalance": 1e2}`))
	f.Add([]byte(`{"approved": false}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := (Dialogue{}).DecodeVerdict(body, money.MustCurrency("TRY"))
		if err == nil && v.Hearing != authorization.Answered || err != nil && v != (authorization.Verdict{}) {
			t.Errorf("got %+v, %v", v, err)
		}
	})
}

// A question has every member of the contract, and neither secrets nor a card
// number.
func TestEncodeQuestion_hasEveryMemberOfTheContract(t *testing.T) {
	m := &authorization.ClientMessage{
		Type: authorization.AuthorizationMessage, MayApprovePartially: true, Names: issuing.CardName{
			Token: "979206qkzwpa0017", MaskedNo: "979206******0017", Sequence: 1, IssuanceNo: "9000000000000017", CustomerNo: "1000000123",
			ProductCode: "P1", AccountNo: "9000000000000017", ExternalCardID: "mine",
		},
	}
	at := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	m.Transaction.ID = id.New[authorization.Transaction](at)
	m.Transaction.Flow, m.Transaction.Code, m.Transaction.Status = authorization.AuthorizationRequest, authorization.Purchase, authorization.StatusPending
	m.Transaction.Amount, m.Transaction.Billing, m.Transaction.IsDebit = money.Must(1000, "EUR"), money.Must(48000, "TRY"), true
	m.Transaction.CardNetwork, m.Transaction.Domain, m.Transaction.DecidedBy = "Troy", authorization.Domestic, authorization.ByPlatform
	m.Transaction.Message = authorization.Details{
		TransmittedAt: at, LocalTime: "1121120000", MCC: "5411", MerchantName: "SHOP", TerminalID: "T1", EntryMode: "071",
		Settlement: money.Must(1000, "EUR"), ConversionRate: "60480000",
	}
	again, err := authorization.ParseClientMessage([]byte(m.String()))
	if err != nil {
		t.Fatal(err)
	}
	content, err := (Dialogue{}).EncodeQuestion("0192f7", again)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(content.Data, &got); err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(`messageId messageType transactionId originalTransactionId flowCode transactionCode network domain amounts
		additionalAmounts totalAmount conversionRate merchant pos security installmentCount isPartialApprovalAllowed accountNo externalCardId
		productCode localTransactionDate platformDecision maskedCardNo`) {
		if _, there := got[name]; !there {
			t.Errorf("%s is missing", name)
		}
	}
	amounts := got["amounts"].(map[string]any)
	for name, want := range map[string]any{
		"transaction": map[string]any{"amount": 10.0, "currencyCode": "EUR"}, "billing": map[string]any{"amount": 480.0, "currencyCode": "TRY"},
		"settlement": map[string]any{"amount": 10.0, "currencyCode": "EUR"}, "cashback": nil,
	} {
		if diff := cmp.Diff(want, amounts[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if got["platformDecision"] != nil || got["messageId"] != "0192f7" || got["externalCardId"] != "mine" || got["isPartialApprovalAllowed"] != true {
		t.Errorf("got %s", content.Data)
	}
	if content.CardToken != "979206qkzwpa0017" || content.CustomerNo != "1000000123" || content.IssuanceNo != "9000000000000017" {
		t.Errorf("the envelope has %+v", content)
	}
	m.Transaction.Status, m.Transaction.Reason = authorization.StatusDeclined, authorization.ClientTimeout
	m.Transaction.Original, m.Transaction.DecidedBy = m.Transaction.ID, authorization.ByStandIn
	if content, err = (Dialogue{}).EncodeQuestion("0192f8", m); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(content.Data), `"platformDecision":{"approved":false,"declineReason":"ClientTimeout","responseCode":null,"decidedBy":"StandIn"}`) {
		t.Errorf("got %s", content.Data)
	}
}
