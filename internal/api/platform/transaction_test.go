package platform

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/api/apitest"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// The conversations in testdata/money begin in a stocked world whose cards can
// pay:
//
//	pay TOKEN 12.50         a purchase is asked for, by field 0100
//	abroad TOKEN 2.00 EUR 12.50  one in another currency, as the network converts it
//	withdraw TOKEN 12.50    one that posts at once, by 0200
//	order TOKEN 12.50 3 05  one of a series, over the network with a wallet's token, in
//	                        three parts and with ECI 05
//	reverse                 the last of these is taken back
//
// Process of the testing API asks for a purchase, too.
func TestMoneyConversations(t *testing.T) {
	apitest.RunFiles(t, "testdata/money/*.txt", func(t *testing.T) *apitest.Conversation {
		d := dbtest.SQLite(t)
		w := newWorld(t, d).stock()
		w.openTill(d)
		return w.Conversation
	})
}

type plainCodes struct{}

func (plainCodes) ResponseCode(_ string, o authorization.Outcome) string {
	switch o {
	case authorization.OutcomeApproved:
		return "00"
	case authorization.Outcome(authorization.InsufficientFunds):
		return "51"
	}
	return "05"
}

type unobserved struct{}

func (unobserved) Stages(*authorization.Times)                       {}
func (unobserved) Decided(authorization.Flow, authorization.Outcome) {}
func (unobserved) Group(int, clock.Stopwatch)                        {}
func (unobserved) Shed(string, string)                               {}

// openTill adds the commands by which cards pay.
func (w *world) openTill(d *db.DB) {
	engine := authorization.NewEngine(w.t.Context(), d, w.services.Issuing.HSM, w.services.Programs, w.services.Issuing, plainCodes{}, w.clock,
		slog.New(slog.DiscardHandler), unobserved{}, authorization.Config{Controls: w.services.Controls})
	w.t.Cleanup(engine.Close)
	n := 0
	var last *authorization.Request
	send := func(r *authorization.Request) (a authorization.Answer) {
		w.t.Helper()
		must(w.t, func() (err error) { a, err = engine.Authorize(w.t.Context(), r); return err })
		return a
	}
	request := func(flow authorization.Flow, mti string, args []string) *authorization.Request {
		n++
		c := access.System(w.tenants[w.bearer])
		clear, err := w.services.Issuing.RevealCard(w.t.Context(), c, args[0], 0)
		if err != nil {
			w.t.Fatal(err)
		}
		amount, err := money.Parse(args[1], money.MustCurrency("TRY"))
		if err != nil {
			w.t.Fatal(err)
		}
		now := w.clock.Now()
		r := &authorization.Request{
			Flow: flow, Amount: amount, ReceivedAt: now, Expiry: clear.Card.Expires.YYMM(),
			Details: authorization.Details{
				Link: "generic", Network: "generic", MTI: mti, ProcessingCode: "000000", STAN: fmt.Sprintf("%06d", n),
				RRN: fmt.Sprintf("6325%08d", n), TransmittedAt: now.Truncate(time.Second), LocalTime: now.Add(3 * time.Hour).Format("0102150405"),
				AcquirerID: "700001", TerminalID: "TERM0001", CardAcceptorID: "SHOP00000000001", MerchantName: "CORNER SHOP",
				MerchantCity: "ISTANBUL", MerchantCountry: "TR", MCC: "5411", EntryMode: "012", ConditionCode: "00",
			},
		}
		r.Card.PAN = clear.Number
		return r
	}
	w.services.Tester.(*unlinked).pay = func(token string, amount money.Amount) authorization.Answer {
		return send(request(authorization.AuthorizationRequest, "0100", []string{token, amount.Decimal()}))
	}
	maps.Copy(w.Commands, map[string]func([]string){
		"pay": func(args []string) {
			last = request(authorization.AuthorizationRequest, "0100", args)
			send(last)
		},
		"abroad": func(args []string) {
			last = request(authorization.AuthorizationRequest, "0100", args)
			billing, err := money.Parse(args[3], last.Amount.Currency())
			must(w.t, func() error { return err })
			last.Billing = &billing
			last.Amount, err = money.Parse(args[1], money.MustCurrency(args[2]))
			must(w.t, func() error { return err })
			send(last)
		},
		"order": func(args []string) { // over the network, of a series, in so many parts, with this ECI
			last = request(authorization.AuthorizationRequest, "0100", args)
			last.EntryMode, last.ConditionCode, last.MCC = "812", "59", "5541"
			last.Manner = authorization.Manner{
				StoredCard: authorization.RecurringPayment, IsTokenised: true, Wallet: "APAY", InstalmentCount: int(args[2][0] - '0'), InstalmentNo: 1, ECI: args[3], HasCAVV: true,
			}
			send(last)
		},
		"withdraw": func(args []string) {
			last = request(authorization.FinancialRequest, "0200", args)
			send(last)
		},
		"reverse": func([]string) {
			r := *last
			n++
			key := authorization.NewKey(last.Details, last.MTI[1]-'0', last.MTI[2]-'0')
			r.Flow, r.MTI, r.STAN, r.Original = authorization.ReversalRequest, "0400", fmt.Sprintf("%06d", n), &key
			r.TransmittedAt = w.clock.Now()
			send(&r)
		},
	})
}

func TestLocalDate_givesTheNearestYear(t *testing.T) {
	for _, c := range []struct{ text, sent, want string }{
		{"1121120000", "2026-11-21T09:00:00Z", "2026-11-21T12:00:00"},
		{"0101010000", "2026-12-31T22:00:00Z", "2027-01-01T01:00:00"},
		{"1231235900", "2027-01-01T00:10:00Z", "2026-12-31T23:59:00"},
		{"0229120000", "2028-02-29T09:00:00Z", "2028-02-29T12:00:00"},
		{"0230120000", "2028-02-29T09:00:00Z", ""},
		{"", "2028-02-29T09:00:00Z", ""},
	} {
		sent, err := time.Parse(time.RFC3339, c.sent)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if p := localDate(c.text, sent); p != nil {
			got = *p
		}
		if got != c.want {
			t.Errorf("%s sent at %s: got %s, want %s", c.text, c.sent, got, c.want)
		}
	}
}

func TestRateOf_readsTheDecimalsOfField10(t *testing.T) {
	for field, want := range map[string]api.Decimal{
		"61234567": "1.234567", "00000042": "42", "70000001": "0.0000001", "91000000": "0.001", "60000000": "", "6123": "", "6123456X": "", "": "",
	} {
		if got := rateOf(field); got != want {
			t.Errorf("%q: got %q, want %q", field, got, want)
		}
	}
}

// Members of §9.1 of the contract, in its order: none is ever absent.
const members91 = `transactionId originalTransactionId parentAuthorizationId networkTransactionId rrn stan authorizationCode
	acquirerReferenceNumber batchId correlationId flowCode transactionCode transactionNetwork transactionDomain status isDebit
	isFinancial isAdvice isStandIn isForcePost mti processingCode responseCode networkResponseCode declineReason declineDetail
	decidedBy cardToken maskedCardNo cardSequenceNo issuanceNo customerNo productCode accountNo externalCardId walletType
	deviceTokenRef transactionAmount transactionCurrency billingAmount billingCurrency settlementAmount settlementCurrency
	conversionRate conversionDate cashbackAmount additionalAmounts totalFeeAmount totalTaxAmount totalAmount clearedAmount
	reversedAmount refundedAmount openHoldAmount holdExpiryDate transactionDate transmissionDate systemDate businessDate
	settlementDate clearingDate merchantId merchantName merchantCity merchantCountry merchantPostalCode mcc mccGroup terminalId
	terminalType acquirerId forwardingInstitutionId paymentFacilitatorId subMerchantId posEntryMode terminalPinCapability
	cardholderPresence cardPresence cardholderActivatedTerminalLevel isContactless isRecurring isMoto isEcommerce isTokenised
	cvmMethod pinResult cvcResult cvv2Result arqcResult cavvResult eci sli is3dsAuthenticated threeDsVersion avsResult riskScore
	installmentCount installmentNo installmentPlan availableBalance ledgerBalance digitalSlipType isPaperSuppressed slipReference
	related messageFieldsSummary`

func TestCardTransaction_hasEveryMemberOfTheContract(t *testing.T) {
	var bare authorization.ListedTransaction
	for _, a := range []*money.Amount{&bare.Amount, &bare.Billing, &bare.Cleared, &bare.Reversed, &bare.Refunded} {
		*a = money.Must(0, "TRY")
	}
	for _, with := range []bool{false, true} {
		text, err := json.Marshal(encodeTransaction(bare, issuing.CardName{}, with))
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]json.RawMessage
		must(t, func() error { return json.Unmarshal(text, &got) })
		want := strings.Fields(members91)
		for _, name := range want {
			if _, present := got[name]; !present {
				t.Errorf("%s is missing", name)
			}
		}
		if len(got) != len(want)+2 || got["digitalSlip"] == nil || got["matchedControls"] == nil { // of §8.9 and §12.3 besides
			t.Errorf("got %d members, want %d: %s", len(got), len(want)+2, text)
		}
		for name, value := range map[string]string{"additionalAmounts": "[]", "related": "[]", "sli": "null", "declineDetail": "null"} {
			if string(got[name]) != value {
				t.Errorf("%s: got %s, want %s", name, got[name], value)
			}
		}
		if empty := string(got["messageFieldsSummary"]) == "[]"; empty != with {
			t.Errorf("messageFieldsSummary: got %s", got["messageFieldsSummary"])
		}
	}
}
