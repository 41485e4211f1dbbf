package test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/sim"
)

// simulated is an answer of the testing API, as far as the tests look at it.
type simulated struct {
	TransactionID  string `json:"transactionId"`
	ResponseCode   string `json:"responseCode"`
	IsApproved     bool   `json:"isApproved"`
	Status         string `json:"status"`
	DeclineReason  string `json:"declineReason"`
	RRN            string `json:"rrn"`
	OriginalID     string `json:"originalTransactionId"`
	OriginalStatus string `json:"originalStatus"`
	Clearing       *struct {
		MatchStatus string   `json:"matchStatus"`
		Exceptions  []string `json:"exceptions"`
	} `json:"clearing"`
	AuthorizationCode string      `json:"authorizationCode"`
	ARQCResult        string      `json:"arqcResult"`
	ARPC              string      `json:"arpc"`
	PINResult         string      `json:"pinResult"`
	CVCResult         string      `json:"cvcResult"`
	CVV2Result        string      `json:"cvv2Result"`
	BillingAmount     json.Number `json:"billingAmount"`
	AvailableBalance  json.Number `json:"availableBalance"`
	Trace             []struct {
		Step       string `json:"step"`
		Outcome    string `json:"outcome"`
		Detail     string `json:"detail"`
		DurationMS *int   `json:"durationMs"`
		Inputs     []struct{ Name, Value string }
	} `json:"trace"`
	RequestMessage, ResponseMessage *dumpedMessage
	Repeat, Reversal                *struct {
		TransactionID                   string `json:"transactionId"`
		ResponseCode                    string `json:"responseCode"`
		RequestMessage, ResponseMessage dumpedMessage
	}
}

type dumpedMessage struct {
	MTI    string `json:"mti"`
	Fields []struct {
		Field int    `json:"field"`
		Value string `json:"value"`
	} `json:"fields"`
}

func (m *dumpedMessage) field(n int) string {
	for _, f := range m.Fields {
		if f.Field == n {
			return f.Value
		}
	}
	return ""
}

func (s *simulated) step(name string) string {
	for _, k := range s.Trace {
		if k.Step == name {
			return k.Outcome
		}
	}
	return ""
}

// compared is what a check compared, by name.
func (s *simulated) compared(step, name string) string {
	for _, k := range s.Trace {
		for _, in := range k.Inputs {
			if k.Step == step && in.Name == name {
				return in.Value
			}
		}
	}
	return ""
}

// simulate asks the testing API for something, and returns its answer with the
// code of a refusal.
func simulate(t *testing.T, bank *sim.Bank, act string, body map[string]any) (simulated, string) {
	t.Helper()
	var out simulated
	_, err := bank.Call(t.Context(), http.MethodPost, "/api/v1/sandbox/transaction/"+act, body, &out)
	if refused, ok := errors.AsType[*sim.APIError](err); ok {
		return out, refused.Code
	}
	if err != nil {
		t.Fatal(err)
	}
	return out, ""
}

// foreignChip is chip data of 12.50 lira whose cryptogram no card of ours made.
const foreignChip = "9F26081122334455667788" + "9F270180" + "9F100706010A03A00000" + "9F370401020304" + "9F36020100" + "95050000008000" +
	"9A03261122" + "9C0100" + "9F0206000000001250" + "5F2A020949" + "82023800" + "9F1A020792" + "9F3403420300"

// purchase is a simulated purchase with more members, or others.
func purchase(card sim.Issued, more map[string]any) map[string]any {
	body := map[string]any{"cardToken": card.Token, "transactionCode": "Purchase", "amount": 12.5, "currencyCode": "TRY"}
	for name, value := range more {
		body[name] = value
	}
	return body
}

// A simulated transaction is a message on the wire: it is decided with real
// cryptography, explained step by step, and shows both messages masked.
func TestSandbox_processSendsRealMessages(t *testing.T) {
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, flags...)
		bank := openBank(t, s, flags)
		card := issue(t, bank, 1)[0]
		number, pin := card.Card.PAN.Reveal(), string(card.Card.PIN.Reveal())

		got, refused := simulate(t, bank, "process", purchase(card, map[string]any{"pin": pin, "merchantName": "CORNER SHOP"}))
		if refused != "" || got.ResponseCode != "00" || !got.IsApproved || got.ARQCResult != "Valid" || got.PINResult != "Valid" ||
			got.CVCResult != "M" || len(got.ARPC) < 16 || got.AvailableBalance != "9987.50" || got.Status != "Approved" {
			t.Fatalf("the purchase: %s %+v", refused, got)
		}
		if got.step("Wire") != "Pass" || got.Trace[0].DurationMS == nil || got.step("Balance") != "Pass" || got.step("Arpc") != "Pass" {
			t.Errorf("the trace: %+v", got.Trace)
		}
		if got.compared("Balance", "requested") != "12.50 TRY" || got.compared("Balance", "available") != "10000.00 TRY" {
			t.Errorf("the balance was compared so: %+v", got.Trace)
		}
		if got.RequestMessage.MTI != "0100" || got.ResponseMessage.MTI != "0110" || got.RequestMessage.field(4) != "000000001250" ||
			got.ResponseMessage.field(39) != "00" || !strings.HasPrefix(got.RequestMessage.field(43), "CORNER SHOP") {
			t.Errorf("the messages: %+v %+v", got.RequestMessage, got.ResponseMessage)
		}
		shown, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(shown), number) || got.RequestMessage.field(52) != "***" || got.RequestMessage.field(35) != "***" {
			t.Errorf("secrets are shown: %s", shown)
		}
		// What the wire carried is what the platform has on record, and explains.
		var trace struct{ IsRecomputed bool }
		if _, err := bank.Call(t.Context(), http.MethodGet, "/api/v1/issuing/transaction/"+got.TransactionID+"/trace", nil, &trace); err != nil || !trace.IsRecomputed {
			t.Errorf("the transaction cannot be explained: %v", err)
		}

		for _, c := range []struct {
			what           string
			more           map[string]any
			code, declined string
			check          func(simulated) bool
		}{
			{"a tap", map[string]any{"posEntryMode": "ContactlessChip"}, "00", "", func(s simulated) bool { return s.step("ContactlessLimit") == "Pass" }},
			{"a tap above the limit", map[string]any{"posEntryMode": "ContactlessChip", "amount": 3000}, "70", "PinRequired", nil},
			{"a web shop", map[string]any{"terminalType": "VirtualPos", "cvv2": string(card.Card.CVV2.Reveal()), "eci": "05"}, "00", "",
				func(s simulated) bool {
					return s.CVV2Result == "M" && s.RequestMessage.field(48) == "92=*** 94=05"
				}},
			{"a web shop with a wrong CVV2", map[string]any{"terminalType": "VirtualPos", "cvv2": "000", "forceCvcResult": "N"}, "82", "Cvv2Invalid", nil},
			{"the stripe", map[string]any{"posEntryMode": "MagneticStripeFull"}, "00", "", func(s simulated) bool { return s.CVCResult == "M" }},
			{"the stripe with a wrong CVV", map[string]any{"posEntryMode": "MagneticStripeFull", "forceCvcResult": "N"}, "82", "CvvInvalid",
				func(s simulated) bool { return s.CVCResult == "N" }},
			{"a wrong cryptogram", map[string]any{"forceArqcResult": "Invalid"}, "88", "ArqcInvalid", func(s simulated) bool { return s.ARQCResult == "Invalid" && s.ARPC == "" }},
			{"a counter again", map[string]any{"forceArqcResult": "AtcReplay"}, "88", "ArqcInvalid", func(s simulated) bool { return s.ARQCResult == "AtcReplay" }},
			{"a cryptogram of somebody else, which the tester believes", map[string]any{"emvData": foreignChip, "forceArqcResult": "Valid"}, "00", "",
				func(s simulated) bool { return s.ARQCResult == "Valid" && s.step("Forced") == "Pass" && s.ARPC == "" }},
			{"the same, which nobody believes", map[string]any{"emvData": foreignChip}, "88", "ArqcInvalid", func(s simulated) bool { return s.step("Forced") == "" }},
			{"a wrong CVV2, which the tester believes", map[string]any{"terminalType": "VirtualPos", "cvv2": other(string(card.Card.CVV2.Reveal())), "forceCvcResult": "M"}, "00", "",
				func(s simulated) bool { return s.CVV2Result == "M" }},
			{"an HSM that fails", map[string]any{"forceArqcResult": "HsmError"}, "91", "", func(s simulated) bool { return s.TransactionID == "" && !s.IsApproved }},
			{"no chip data", map[string]any{"generateArqc": false}, "88", "ArqcInvalid", nil},
			{"another expiry", map[string]any{"expireYear": 2027, "expireMonth": 1, "terminalType": "VirtualPos"}, "54", "ExpiryMismatch", nil},
			{"another expiry on the chip's track", map[string]any{"expireYear": 2027, "expireMonth": 1}, "54", "ExpiryMismatch", nil},
			{"too much", map[string]any{"amount": 100000}, "51", "InsufficientFunds", nil},
			{"too much, and less will do", map[string]any{"amount": 100000, "isPartialApprovalAllowed": true, "simulateTimeout": true}, "10", "",
				func(s simulated) bool { return s.Status == "Reversed" }},
			{"cash", map[string]any{"terminalType": "Atm", "transactionCode": "CashWithdrawal", "transactionFlowCode": "FinancialRequest", "pin": pin}, "00", "",
				func(s simulated) bool { return s.Status == "Cleared" && s.RequestMessage.MTI == "0200" }},
			{"cash with a wrong PIN", map[string]any{"terminalType": "Atm", "transactionCode": "CashWithdrawal", "pin": "0000"}, "55", "PinInvalid",
				func(s simulated) bool { return s.PINResult == "Invalid" }},
			{"the balance", map[string]any{"terminalType": "Atm", "transactionCode": "BalanceInquiry", "amount": nil, "pin": pin}, "00", "",
				func(s simulated) bool { return s.ResponseMessage.field(54) != "" }},
			{"is the card alive", map[string]any{"transactionFlowCode": "StatusCheck", "amount": 0}, "00", "", nil},
			{"a stand-in", map[string]any{"transactionFlowCode": "AuthorizationAdvice"}, "00", "", func(s simulated) bool { return s.RequestMessage.MTI == "0120" }},
			{"euros that the network has converted", map[string]any{"currencyCode": "EUR", "conversionRate": 41.5, "merchantCountry": "DE"}, "00", "",
				func(s simulated) bool {
					return s.BillingAmount == "518.75" && s.RequestMessage.field(10) == "10000415"
				}},
			{"a card number", map[string]any{"cardToken": nil, "cardNo": number}, "00", "", nil},
		} {
			got, refused := simulate(t, bank, "process", purchase(card, c.more))
			if refused != "" || got.ResponseCode != c.code || got.DeclineReason != c.declined || c.check != nil && !c.check(got) {
				t.Errorf("%s: %s %+v %+v %+v", c.what, refused, got, got.RequestMessage, got.ResponseMessage)
			}
		}
		if _, refused := simulate(t, bank, "process", purchase(card, map[string]any{"currencyCode": "EUR"})); refused != "Sandbox:ExchangeRateNotFound" {
			t.Errorf("euros without a rate: %q", refused)
		}
		// A number of our BIN that no card has, and one of somebody else's card.
		never, err := bank.NeverIssued()
		if err != nil {
			t.Fatal(err)
		}
		typed := map[string]any{"cardToken": nil, "cardNo": never.Reveal(), "terminalType": "VirtualPos"}
		if got, refused := simulate(t, bank, "process", purchase(card, typed)); refused != "" || got.ResponseCode != "14" || got.DeclineReason != "CardNotFound" {
			t.Errorf("a number that was never issued: %s %+v", refused, got)
		}
		theirs := issue(t, openBank(t, s, flags), 1)[0].Card.PAN.Reveal()
		if got, refused := simulate(t, bank, "process", purchase(card, map[string]any{"cardToken": nil, "cardNo": theirs, "terminalType": "VirtualPos"})); refused != "Issuing:CardNotFound" {
			t.Errorf("another bank's card: %q %+v", refused, got)
		}

		// What a web shop tells of a payment is kept with it.
		got, refused = simulate(t, bank, "process", purchase(card, map[string]any{
			"terminalType": "VirtualPos", "isRecurring": true, "originalRrn": "632512000001", "is3dsAuthenticated": true,
			"cavv": "AAABBEg0VhI0VniQEjRWAAAAAAA=", "isTokenised": true, "walletType": "APPLE",
		}))
		var list struct {
			Items []struct {
				IsRecurring, IsTokenised, Is3dsAuthenticated bool
				ECI, WalletType                              string
			}
		}
		if _, err := bank.Call(t.Context(), http.MethodGet, "/api/v1/issuing-transaction/card-transaction?TransactionId="+got.TransactionID, nil, &list); err != nil {
			t.Fatal(err)
		}
		if refused != "" || len(list.Items) != 1 || !list.Items[0].IsRecurring || !list.Items[0].IsTokenised || !list.Items[0].Is3dsAuthenticated ||
			list.Items[0].ECI != "05" || list.Items[0].WalletType != "APPLE" {
			t.Errorf("a recurring payment: %s %+v %+v", refused, got, list.Items)
		}
		run(t, append([]string{"verify"}, flags...)...)
	})
}

// A repeat gets the first answer and changes nothing; an answer that got lost is
// taken back.
func TestSandbox_repeatsAndLostAnswers(t *testing.T) {
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, flags...)
		bank := openBank(t, s, flags)
		card := issue(t, bank, 1)[0]

		got, _ := simulate(t, bank, "process", purchase(card, map[string]any{"simulateDuplicate": true}))
		if got.Repeat == nil || got.Repeat.RequestMessage.MTI != "0101" || got.Repeat.ResponseCode != "00" ||
			got.Repeat.ResponseMessage.field(38) != got.ResponseMessage.field(38) || got.Repeat.TransactionID != got.TransactionID {
			t.Errorf("the repeat: %+v", got.Repeat)
		}
		got, _ = simulate(t, bank, "process", purchase(card, map[string]any{"simulateTimeout": true}))
		if got.Reversal == nil || got.Reversal.RequestMessage.MTI != "0420" || got.Reversal.RequestMessage.field(39) != "68" ||
			got.Reversal.ResponseCode != "00" || got.Status != "Reversed" || got.ResponseMessage != nil {
			t.Errorf("the lost answer: %+v", got)
		}
		var account struct{ Held, Available json.Number }
		if _, err := bank.Call(t.Context(), http.MethodGet, "/api/v1/issuing/account/"+card.Account, nil, &account); err != nil ||
			account.Held != "12.50" || account.Available != "9987.50" {
			t.Errorf("the account: %+v %v", account, err)
		}
		run(t, append([]string{"verify"}, flags...)...)
	})
}

// What follows a transaction goes the same ways: voids and online refunds over
// the wire, presentments and refunds through a clearing file.
func TestSandbox_voidsRefundsAndPresentments(t *testing.T) {
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, flags...)
		bank := openBank(t, s, flags)
		card := issue(t, bank, 1)[0]
		balance := func(want string) {
			t.Helper()
			var got struct{ Posted, Held json.Number }
			if _, err := bank.Call(t.Context(), http.MethodGet, "/api/v1/issuing/account/"+card.Account, nil, &got); err != nil {
				t.Fatal(err)
			}
			if text := got.Posted.String() + " " + got.Held.String(); text != want {
				t.Errorf("posted and held %s, want %s", text, want)
			}
		}
		buy := func(more map[string]any) simulated {
			t.Helper()
			got, refused := simulate(t, bank, "process", purchase(card, more))
			if !got.IsApproved {
				t.Fatalf("a purchase: %s %+v", refused, got)
			}
			return got
		}
		ask := func(act string, body map[string]any) simulated {
			t.Helper()
			got, refused := simulate(t, bank, act, body)
			if refused != "" {
				t.Errorf("%s %v: %s", act, body, refused)
			}
			return got
		}
		refuse := func(act, code string, body map[string]any) {
			t.Helper()
			if _, refused := simulate(t, bank, act, body); refused != code {
				t.Errorf("%s %v: %q, want %q", act, body, refused, code)
			}
		}

		// Taken back: all by its identifier, all by its references, a part.
		first := buy(nil)
		got := ask("void", map[string]any{"originalTransactionId": first.TransactionID})
		if got.ResponseCode != "00" || got.OriginalStatus != "Voided" || got.OriginalID != first.TransactionID ||
			got.RequestMessage.MTI != "0400" || got.RequestMessage.field(39) != "17" {
			t.Errorf("the void: %+v", got)
		}
		second := buy(nil)
		got = ask("void", map[string]any{"rrn": second.RRN, "authorizationCode": second.AuthorizationCode, "cardToken": card.Token, "reversalReason": "Timeout", "flowCode": "ReversalAdvice"})
		if got.OriginalStatus != "Reversed" || got.RequestMessage.MTI != "0420" || got.RequestMessage.field(39) != "68" {
			t.Errorf("the reversal: %+v", got)
		}
		balance("10000.00 0.00")
		third := buy(nil)
		got = ask("void", map[string]any{"originalTransactionId": third.TransactionID, "amount": 2.5})
		if got.OriginalStatus != "PartiallyReversed" || !strings.HasPrefix(got.RequestMessage.field(95), "000000001000") {
			t.Errorf("the partial void: %+v %+v", got, got.RequestMessage)
		}
		balance("10000.00 10.00")
		refuse("void", "Common:ValidationError", map[string]any{"originalTransactionId": third.TransactionID, "amount": 10.5})
		refuse("refund", "Sandbox:RefundExceedsOriginal", map[string]any{"originalTransactionId": third.TransactionID, "amount": 1, "currencyCode": "TRY"})

		// Presented, in two parts; what was presented is refunded, not voided.
		got = ask("clear", map[string]any{"transactionId": third.TransactionID, "amount": 4, "currencyCode": "TRY", "isFinal": false})
		if got.Clearing == nil || got.Clearing.MatchStatus != "PartiallyCleared" || got.OriginalStatus != "PartiallyCleared" || got.Status != "Cleared" {
			t.Errorf("the first part: %+v %+v", got, got.Clearing)
		}
		balance("9996.00 6.00")
		refuse("void", "Sandbox:AlreadyCleared", map[string]any{"originalTransactionId": third.TransactionID})
		got = ask("clear", map[string]any{"transactionId": third.TransactionID})
		if got.Clearing.MatchStatus != "Matched" || got.BillingAmount != "6.00" || got.OriginalStatus != "Cleared" {
			t.Errorf("the rest: %+v %+v", got, got.Clearing)
		}
		balance("9990.00 0.00")
		refuse("refund", "Sandbox:RefundExceedsOriginal", map[string]any{"originalTransactionId": third.TransactionID, "amount": 10.01, "currencyCode": "TRY"})
		got = ask("refund", map[string]any{"originalTransactionId": third.TransactionID, "amount": 3, "currencyCode": "TRY"})
		if got.Clearing == nil || got.Clearing.MatchStatus != "RefundMatched" || got.OriginalID != third.TransactionID || got.OriginalStatus != "PartiallyRefunded" {
			t.Errorf("the refund: %+v %+v", got, got.Clearing)
		}
		balance("9993.00 0.00")
		refuse("refund", "Sandbox:RefundExceedsOriginal", map[string]any{"originalTransactionId": third.TransactionID, "amount": 7.01, "currencyCode": "TRY"})

		// Online refunds: one is only announced, and its presentment credits; the
		// other credits at once. And one that nobody knows the purchase of.
		got = ask("refund", map[string]any{"originalTransactionId": third.TransactionID, "amount": 1, "currencyCode": "TRY", "isOnlineRefund": true})
		if got.ResponseCode != "00" || got.RequestMessage.MTI != "0100" || got.RequestMessage.field(3) != "200000" {
			t.Errorf("the online refund: %+v", got)
		}
		balance("9993.00 0.00")
		if got = ask("clear", map[string]any{"transactionId": got.TransactionID}); got.Clearing.MatchStatus != "RefundUnmatched" || got.Status != "Cleared" {
			t.Errorf("the presentment of a refund: %+v", got.Clearing)
		}
		balance("9994.00 0.00")
		ask("refund", map[string]any{"cardToken": card.Token, "amount": 1, "currencyCode": "TRY", "isOnlineRefund": true, "transactionFlowCode": "FinancialRequest"})
		balance("9995.00 0.00")
		if got = ask("refund", map[string]any{"cardToken": card.Token, "amount": 2, "currencyCode": "TRY"}); got.Clearing.MatchStatus != "RefundUnmatched" {
			t.Errorf("the refund of nothing: %+v", got.Clearing)
		}
		balance("9997.00 0.00")

		// What nobody asked for is posted all the same.
		got = ask("clear", map[string]any{"forced": true, "cardToken": card.Token, "amount": 6, "currencyCode": "TRY", "merchantName": "VENDING"})
		if got.Clearing.MatchStatus != "ForcePost" || len(got.Clearing.Exceptions) == 0 || got.TransactionID == "" {
			t.Errorf("the forced record: %+v %+v", got, got.Clearing)
		}
		balance("9991.00 0.00")
		refuse("void", "Sandbox:NotReversible", map[string]any{"originalTransactionId": got.TransactionID})
		// Cash moves with its message: the void posts it back.
		cash := buy(map[string]any{"terminalType": "Atm", "transactionCode": "CashWithdrawal", "transactionFlowCode": "FinancialRequest", "pin": string(card.Card.PIN.Reveal())})
		balance("9978.50 0.00")
		ask("void", map[string]any{"originalTransactionId": cash.TransactionID})
		balance("9991.00 0.00")
		run(t, append([]string{"verify"}, flags...)...)
	})
}

// Refunds by message add up, as those by clearing do: together they give back no
// more than was cleared.
func TestSandbox_refundsNoMoreThanWasCleared(t *testing.T) {
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, flags...)
		bank := openBank(t, s, flags)
		card := issue(t, bank, 1)[0]
		bought, _ := simulate(t, bank, "process", purchase(card, map[string]any{"amount": 100}))
		if _, refused := simulate(t, bank, "clear", map[string]any{"transactionId": bought.TransactionID}); refused != "" {
			t.Fatalf("the presentment: %s", refused)
		}
		const exceeds = "Sandbox:RefundExceedsOriginal"
		var announced simulated
		for _, c := range []struct {
			amount   float64
			isOnline bool
			flow     string
			want     string
		}{
			{80, true, "AuthorizationRequest", ""}, {80, true, "AuthorizationRequest", exceeds}, {20.01, false, "", exceeds}, {5, false, "", ""},
			{15.01, true, "FinancialRequest", exceeds}, {15, true, "FinancialRequest", ""}, {0.01, true, "AuthorizationRequest", exceeds},
		} {
			body := map[string]any{"originalTransactionId": bought.TransactionID, "amount": c.amount, "currencyCode": "TRY", "isOnlineRefund": c.isOnline}
			if c.flow != "" {
				body["transactionFlowCode"] = c.flow
			}
			got, refused := simulate(t, bank, "refund", body)
			if refused != c.want {
				t.Errorf("a refund of %v: %q, want %q", c.amount, refused, c.want)
			}
			if c.amount == 80 && refused == "" {
				announced = got
			}
		}
		// One that was presented still counts once; one that was taken back does not.
		if _, refused := simulate(t, bank, "clear", map[string]any{"transactionId": announced.TransactionID}); refused != "" {
			t.Errorf("the presentment of a refund: %s", refused)
		}
		more := map[string]any{"originalTransactionId": bought.TransactionID, "amount": 1, "currencyCode": "TRY", "isOnlineRefund": true}
		if _, refused := simulate(t, bank, "refund", more); refused != exceeds {
			t.Errorf("after the presentment: %q", refused)
		}
		run(t, append([]string{"verify"}, flags...)...)
	})
}

// Simulations of one card wait for each other, since a card is in one terminal at
// a time; those of two nodes meet on one database.
func TestSandbox_playsOneCardManyTimes(t *testing.T) {
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, append(flags, "--network-framing", "len4ascii")...)
		bank := openBank(t, s, flags)
		card := issue(t, bank, 1)[0]
		const n = 12
		codes := make(chan string, n)
		for range n {
			go func() {
				var got simulated
				_, err := bank.Call(t.Context(), http.MethodPost, "/api/v1/sandbox/transaction/process", purchase(card, nil), &got)
				if err != nil {
					got.ResponseCode = err.Error()
				}
				codes <- got.ResponseCode
			}()
		}
		for range n {
			if code := <-codes; code != "00" {
				t.Errorf("answered %s", code)
			}
		}
		// A number that is chosen again within its second is another's.
		first, _ := simulate(t, bank, "process", purchase(card, map[string]any{"stan": "000042", "terminalType": "VirtualPos"}))
		again, _ := simulate(t, bank, "process", purchase(card, map[string]any{"stan": "000042", "terminalType": "VirtualPos", "amount": 2}))
		if again.ResponseCode == "94" && again.TransactionID == first.TransactionID {
			t.Errorf("the second message is told to be the first: %+v", again)
		}
		// A chip that has counted to its end is no failure of ours.
		simulate(t, bank, "process", purchase(card, map[string]any{"atc": 65535}))
		if _, refused := simulate(t, bank, "process", purchase(card, nil)); refused != "Sandbox:ChipUsedUp" {
			t.Errorf("a chip at its end: %q", refused)
		}
		run(t, append([]string{"verify"}, flags...)...)
	})
}

// What follows one transaction waits for each other: nothing is presented or given
// back more often than there is of it.
func TestSandbox_refundsNoMoreThanThereIsAtOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, flags...)
		bank := openBank(t, s, flags)
		card := issue(t, bank, 1)[0]
		bought, _ := simulate(t, bank, "process", purchase(card, nil))
		const n = 5
		// atOnce asks n times at once, and returns how many are not refused.
		atOnce := func(act string, body map[string]any) (done int) {
			errs := make(chan error, n)
			for range n {
				go func() {
					_, err := bank.Call(t.Context(), http.MethodPost, "/api/v1/sandbox/transaction/"+act, body, nil)
					errs <- err
				}()
			}
			for range n {
				if err := <-errs; err == nil {
					done++
				} else if _, refused := errors.AsType[*sim.APIError](err); !refused {
					t.Error(err)
				}
			}
			return done
		}
		if done := atOnce("clear", map[string]any{"transactionId": bought.TransactionID}); done != 1 {
			t.Errorf("what is left was presented %d times", done)
		}
		back := map[string]any{"originalTransactionId": bought.TransactionID, "amount": 10, "currencyCode": "TRY"}
		if done := atOnce("refund", back); done != 1 {
			t.Errorf("10.00 of 12.50 were given back %d times", done)
		}
	})
}
