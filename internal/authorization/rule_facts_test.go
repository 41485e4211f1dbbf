package authorization

import (
	"testing"
	"time"

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
