package authorization

import (
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// What a transaction says in our words, rules know under the same: a word that
// they do not know could never be compared with.
func TestRuleFacts_areWordsThatRulesKnow(t *testing.T) {
	says := func(id rule.FieldID, word string) {
		t.Helper()
		for _, v := range id.Field().Values {
			if v.Name == word {
				return
			}
		}
		t.Errorf("%s has no value %q", id, word)
	}
	for _, w := range []Flow{
		AuthorizationRequest, FinancialRequest, AuthorizationAdvice, FinancialAdvice, ReversalRequest, ReversalAdvice, Clearing,
		ClearingReversal, Refund, StatusCheck,
	} {
		says(rule.TransactionFlowCode, string(w))
	}
	for _, row := range processingCodes {
		says(rule.TransactionCode, string(row.code))
	}
	says(rule.TransactionCode, string(InstallmentSale))
	for _, w := range []Domain{Domestic, International} {
		says(rule.TransactionDomain, string(w))
	}
	for _, w := range []TerminalType{UnspecifiedTerminal, ATM, POS, UnattendedPOS, VirtualPOS, MOTO} {
		says(rule.TransactionTerminalType, string(w))
		if c := w.channel(); c != "" {
			says(rule.TransactionChannel, c)
		}
	}
	for _, w := range []CardholderPresence{Present, NotThere, MailOrder, PhoneOrder, ElectronicOrder, StandingOrder, StandingInstalment} {
		says(rule.TransactionCardholderPresence, string(w))
	}
	for _, w := range cvcRuleValues {
		says(rule.SecurityCVCResult, w)
	}
	for _, r := range []Result{NotPresent, Match, NoMatch, Unusable, Unjudged, Replayed} {
		says(rule.SecurityARQCResult, arqcRuleValues[r])
	}
	for _, s := range issuing.CardStatuses() {
		says(rule.CardStatus, string(s))
	}
}

// The moment of a transaction is one of the tenant's zone, and its week begins
// on Monday.
func TestRuleFacts_areOfTheTenantsZone(t *testing.T) {
	istanbul, err := time.LoadLocation("Europe/Istanbul")
	if err != nil {
		t.Fatal(err)
	}
	x := Transaction{
		CreatedAt: time.Date(2026, 5, 31, 22, 30, 15, 0, time.UTC), Amount: money.Must(1050, "USD"), Billing: money.Must(42_000, "TRY"),
		Message: Details{EntryMode: "812", MCC: "5411"},
	}
	for zone, want := range map[*time.Location]map[rule.FieldID]string{
		time.UTC: {rule.TimeLocalDate: `"2026-05-31"`, rule.TimeDayOfWeek: "7", rule.TimeLocalHour: "22", rule.TimeLocalTime: `"22:30:15"`, rule.TimeDayOfMonth: "31"},
		istanbul: {rule.TimeLocalDate: `"2026-06-01"`, rule.TimeDayOfWeek: "1", rule.TimeLocalHour: "1", rule.TimeLocalTime: `"01:30:15"`, rule.TimeDayOfMonth: "1"},
	} {
		var f rule.Facts
		x.RuleFacts(&f, zone)
		want[rule.TransactionAmount], want[rule.TransactionBillingAmount] = "10.50", "420.00"
		want[rule.TransactionIsCurrencyConversion], want[rule.TransactionPOSEntryMode] = "true", `"Ecommerce"`
		want[rule.TransactionTerminalPINCapability], want[rule.MerchantCountry] = `"NotPinCapable"`, "null"
		for id, value := range want {
			if got := f.JSON(id); got != value {
				t.Errorf("%s: %s is %s, want %s", zone, id, got, value)
			}
		}
	}
}

// What a request brings besides its details, rules know: one that refuses much cash
// with a purchase would else never refuse.
func TestRuleFacts_areAllThatTheRequestBrings(t *testing.T) {
	cash := money.Must(5000, "TRY")
	req := &Request{
		Amount: money.Must(10_000, "TRY"), Cashback: &cash, MayApprovePartially: true,
		Details: Details{MTI: "0100", ProcessingCode: "090000", EntryMode: "051", MCC: "5411"},
	}
	f := Facts{Billing: req.Amount}
	var got rule.Facts
	f.ruleFacts(&got, req, time.UTC)
	for id, want := range map[rule.FieldID]string{
		rule.TransactionCashbackAmount: "50.00", rule.TransactionIsPartialApprovalSupported: "true", rule.MerchantIsOnUs: "false",
	} {
		if value := got.JSON(id); value != want {
			t.Errorf("%s is %s, want %s", id, value, want)
		}
	}
	req.Cashback, got = nil, rule.Facts{}
	f.ruleFacts(&got, req, time.UTC)
	if got.Known(rule.TransactionCashbackAmount) {
		t.Error("there is cash in a purchase without any")
	}
}

// What no authorization can tell, rules may test for null.
func TestRuleFacts_thatAreNeverThereAreNullable(t *testing.T) {
	var f rule.Facts
	x := Facts{
		Card: CardFacts{ExpiryYYMM: "2912"}, Product: ProductFacts{Code: "P", Currency: "TRY"}, Uses: UseFacts{AreKnown: true},
		Subject: SubjectFacts{
			CardBIN: "979206", Level: "Gold", FormFactor: "Virtual", Status: "Active", CreatedOn: clock.Date{Year: 2026, Month: 1, Day: 1},
			CardType: "Prepaid", Brand: "Troy",
		},
		Billing: money.Must(100, "TRY"),
	}
	x.ruleFacts(&f, &Request{
		Amount: x.Billing, Flow: AuthorizationRequest,
		Details: Details{MTI: "0100", ProcessingCode: "000000", EntryMode: "051", MCC: "5411", CardAcceptorID: "SHOP", TerminalID: "T1"},
	}, time.UTC)
	f.SetList(rule.TransactionMCCGroup, nil)
	for _, id := range rule.Fields(rule.Authorization) {
		if !f.Known(id) && !id.Field().IsNullable {
			t.Errorf("%s is never there, and rules may not ask whether it is", id)
		}
	}
}

// Facts are filled for each authorization that rules are asked about.
func BenchmarkRuleFacts(b *testing.B) {
	zone, err := time.LoadLocation("Europe/Istanbul")
	if err != nil {
		b.Fatal(err)
	}
	x := Transaction{
		Flow: AuthorizationRequest, Code: Purchase, CardNetwork: "Troy", Domain: Domestic, Terminal: POS, Presence: Present,
		CreatedAt: time.Date(2026, 5, 31, 22, 30, 15, 0, time.UTC), Amount: money.Must(1050, "TRY"), Billing: money.Must(1050, "TRY"),
		Message: Details{EntryMode: "051", MCC: "5411", CardAcceptorID: "M1", MerchantName: "Shop", MerchantCountry: "TR", TerminalID: "T1"},
	}
	var f rule.Facts
	b.ReportAllocs()
	for b.Loop() {
		f = rule.Facts{}
		x.RuleFacts(&f, zone)
	}
}
