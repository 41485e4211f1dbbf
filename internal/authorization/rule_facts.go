package authorization

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// Transaction returns a transaction of the caller's tenant.
func (q *Queries) Transaction(ctx context.Context, c access.Caller, t TransactionID) (x Transaction, err error) {
	err = q.db.View(ctx, func(tx db.Tx) error {
		found, err := ReadTransactions(ctx, tx, []TransactionID{t})
		if err != nil {
			return fmt.Errorf("read transaction: %w", err)
		}
		if found[t] == nil || found[t].Tenant != c.Tenant {
			return fault.New(fault.NotFound, TransactionNotFound, "there is no such transaction")
		}
		x = *found[t]
		return nil
	})
	return x, err
}

// RuleFacts are what rules may ask about a transaction, as far as it tells. Its
// moment is when it came, in the tenant's zone. What depends on other
// transactions is not there, nor what is not kept of a message.
func (t *Transaction) RuleFacts(f *rule.Facts, zone *time.Location) {
	m := &t.Message
	f.SetText(rule.TransactionCode, string(t.Code))
	f.SetText(rule.TransactionFlowCode, string(t.Flow))
	f.SetText(rule.TransactionNetwork, t.CardNetwork)
	f.SetText(rule.TransactionDomain, string(t.Domain))
	if !t.Amount.Currency().IsZero() {
		f.SetAmount(rule.TransactionAmount, t.Amount)
		f.SetText(rule.TransactionTransactionCurrency, t.Amount.Currency().Code())
		f.SetFlag(rule.TransactionIsCurrencyConversion, t.Amount.Currency() != t.Billing.Currency())
	}
	f.SetAmount(rule.TransactionBillingAmount, t.Billing)
	f.SetText(rule.TransactionBillingCurrency, t.Billing.Currency().Code())
	f.SetText(rule.TransactionMCC, m.MCC)
	f.SetText(rule.TransactionPOSEntryMode, ruleValue(rule.TransactionPOSEntryMode, m.entry()))
	if len(m.EntryMode) == 3 {
		f.SetText(rule.TransactionTerminalPINCapability, ruleValue(rule.TransactionTerminalPINCapability, m.EntryMode[2:]))
	}
	f.SetText(rule.TransactionTerminalType, string(t.Terminal))
	f.SetText(rule.TransactionCardholderPresence, string(t.Presence))
	f.SetFlag(rule.TransactionIsContactless, m.IsContactless())
	f.SetFlag(rule.TransactionIsEcommerce, t.Terminal == VirtualPOS)
	f.SetFlag(rule.TransactionIsMOTO, t.Terminal == MOTO)
	f.SetText(rule.TransactionChannel, t.Terminal.channel())
	t.mannerRuleFacts(f)
	f.SetText(rule.MerchantID, m.CardAcceptorID)
	f.SetText(rule.MerchantName, m.MerchantName)
	f.SetText(rule.MerchantCity, m.MerchantCity)
	f.SetText(rule.MerchantCountry, m.MerchantCountry)
	f.SetText(rule.MerchantAcquirerID, m.AcquirerID)
	f.SetFlag(rule.MerchantIsOnUs, false) // what is decided here, an acquirer has sent
	f.SetText(rule.TerminalID, m.TerminalID)
	f.SetFlag(rule.SecurityPINVerified, t.PIN == Match || t.CVM == OfflinePIN)
	f.SetText(rule.SecurityCVCResult, cvcRuleValues[t.CVV])
	f.SetText(rule.SecurityCVV2Result, cvcRuleValues[t.CVV2])
	f.SetText(rule.SecurityARQCResult, arqcRuleValues[t.ARQC])
	local := t.CreatedAt.In(zone)
	f.SetInteger(rule.TimeLocalHour, int64(local.Hour()))
	f.SetTime(rule.TimeLocalTime, local.Hour(), local.Minute(), local.Second())
	f.SetInteger(rule.TimeDayOfWeek, int64(local.Weekday()+6)%7+1) // 1 is Monday
	f.SetInteger(rule.TimeDayOfMonth, int64(local.Day()))
	f.SetDate(rule.TimeLocalDate, clock.DateOf(t.CreatedAt, zone))
}

// mannerRuleFacts are what rules may ask about how a payment is made.
func (t *Transaction) mannerRuleFacts(f *rule.Facts) {
	m := &t.Message.Manner
	f.SetFlag(rule.TransactionIsRecurring, m.IsRecurring())
	f.SetFlag(rule.TransactionIsCredentialOnFile, m.StoredCard != "" || t.Message.entry() == "10")
	f.SetFlag(rule.TransactionIsMerchantInitiated, m.StoredCard != "" && m.StoredCard != ChosenByHolder)
	f.SetFlag(rule.TransactionIsTokenised, m.IsTokenised)
	f.SetFlag(rule.TransactionIsInstallment, m.IsInstalment())
	f.SetFlag(rule.TransactionIsPreAuthorization, t.Message.ConditionCode == conditionPreAuth)
	if m.InstalmentCount > 0 {
		f.SetInteger(rule.TransactionInstallmentCount, int64(m.InstalmentCount))
	}
	f.SetText(rule.TransactionWalletType, m.Wallet)
	if len(m.ECI) == 3 {
		f.SetText(rule.SecuritySLI, m.ECI)
	} else {
		f.SetText(rule.SecurityECI, m.ECI)
	}
	f.SetFlag(rule.SecurityIs3DSAuthenticated, m.Is3DSAuthenticated())
	f.SetText(rule.SecurityCAVVResult, m.CAVVResult())
	if shifts, isTold := m.ShiftsLiability(); isTold {
		f.SetFlag(rule.SecurityLiabilityShift, shifts)
	}
}

// ruleValue is the name of the enumeration value with these digits; empty for
// none.
func ruleValue(id rule.FieldID, digits string) string {
	code, err := strconv.Atoi(digits)
	if err != nil {
		return ""
	}
	for _, v := range id.Field().Values {
		if v.Code == code {
			return v.Name
		}
	}
	return ""
}

// channel is how the card was used, as rules name it; empty when the message
// does not tell.
func (t TerminalType) channel() string {
	switch t {
	case ATM:
		return "Atm"
	case POS, UnattendedPOS:
		return "Pos"
	case VirtualPOS:
		return "Ecommerce"
	case MOTO:
		return "Moto"
	}
	return ""
}

// The results of comparisons in the words of rules.
var (
	cvcRuleValues  = map[Result]string{Match: "M", NoMatch: "N", Unusable: "P", Unjudged: "P"}
	arqcRuleValues = map[Result]string{
		NotPresent: "NotPresent", Match: "Valid", NoMatch: "Invalid", Unusable: "Invalid", Unjudged: "NotChecked", Replayed: "AtcReplay",
	}
)
