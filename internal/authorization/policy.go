package authorization

import (
	"slices"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/program"
)

// checkPolicy refuses what a usage switch of the card that it needs forbids
// (contract §3.4, step 6, and §8.8).
func checkPolicy(_ *Decision, req *Request, f *Facts, _ State, row codeRow) Check {
	needed := policiesFor(req, f, row)
	if len(needed) == 0 {
		return skipped()
	}
	off := strings.Fields(f.Card.PoliciesOff)
	names := make([]string, len(needed))
	for i, p := range needed {
		names[i] = string(p)
	}
	looked := []Input{
		{"needed", strings.Join(names, " ")}, textInput("merchantCountry", req.MerchantCountry), textInput("cardCountry", f.Card.Country),
	}
	for _, p := range needed {
		switch {
		case !slices.Contains(off, string(p)):
		case p == program.PolicyNonSecureEcommerce:
			return failed(ThreeDSRequired, "%s is off", p).of(string(p)).with(looked...)
		default:
			return failed(PolicyNotAllowed, "%s is off", p).of(string(p)).with(looked...)
		}
	}
	return passed("%s", strings.Join(names, ", ")).with(looked...)
}

// policiesFor lists the switches that a request needs, all of them on: the one of
// its channel at home or abroad, and those of how the card was read and paid
// with. Questions and most of what gives money need none.
func policiesFor(req *Request, f *Facts, row codeRow) []program.PolicyType {
	switch {
	case row.code == CashDeposit:
		return []program.PolicyType{program.PolicyCashDeposit}
	case row.code == Payment:
		return []program.PolicyType{program.PolicyIncomingTransfer}
	case row.dir != debit || row.code == Adjustment:
		return nil
	}
	m := &req.Details
	// A place that is not known is no place at home.
	home := m.domain(f.Card.Country) == Domestic
	needed := []program.PolicyType{m.channelPolicy(row, home)}
	add := func(p program.PolicyType, needs bool) {
		if needs {
			needed = append(needed, p)
		}
	}
	present, known := m.CardPresent()
	away := known && !present
	// A merchant that uses a number it keeps cannot ask for the CVV2, nor, unless
	// the cardholder is there, for 3-D Secure. A token comes with a value like a
	// CAVV.
	isStored := m.StoredCard != "" || m.entry() == "10"
	byMerchant := m.StoredCard != "" && m.StoredCard != ChosenByHolder
	add(program.PolicyNonSecureEcommerce, away && m.isRemote() && !m.HasCAVV && !byMerchant)
	if away && f.CVV2 == NotPresent && !isStored {
		needed = append(needed, atHome(home, program.PolicyDomesticNoCVV2, program.PolicyInternationalNoCVV2))
	}
	switch m.entry() {
	case "02", "90", "91":
		needed = append(needed, program.PolicyMagneticStripe)
	case "79", "80":
		needed = append(needed, program.PolicyChipFallback)
	}
	add(program.PolicyQuasiCashAndGambling, row.code == QuasiCash || isOfGroup(m.MCC, "QUASI_CASH") || isOfGroup(m.MCC, "GAMBLING"))
	add(program.PolicyRecurring, m.IsRecurring())
	add(program.PolicyMobileWallet, m.Wallet != "")
	add(program.PolicyInstallment, m.IsInstalment())
	return needed
}

// channelPolicy is the switch of the channel.
func (d *Details) channelPolicy(row codeRow, home bool) program.PolicyType {
	switch {
	case row.code == CashWithdrawal || row.code == CashAdvance:
		return atHome(home, program.PolicyDomesticCash, program.PolicyInternationalCash)
	case d.IsContactless():
		return atHome(home, program.PolicyDomesticContactless, program.PolicyInternationalContactless)
	case d.terminalType() == MOTO:
		return atHome(home, program.PolicyDomesticMOTO, program.PolicyInternationalMOTO)
	case d.isRemote():
		return atHome(home, program.PolicyDomesticEcommerce, program.PolicyInternationalEcommerce)
	}
	return atHome(home, program.PolicyDomesticPOS, program.PolicyInternationalPOS)
}

func atHome(home bool, domestic, international program.PolicyType) program.PolicyType {
	if home {
		return domestic
	}
	return international
}

// isOfGroup reports whether a merchant category belongs to a group.
func isOfGroup(mcc, group string) bool {
	ranges, _ := MCCGroupRanges(group)
	return slices.ContainsFunc(ranges, func(r MCCRange) bool { return r.From <= mcc && mcc <= r.To })
}

// policiesOff is how the switches that are off are recorded.
func policiesOff(off []program.PolicyType) string {
	names := make([]string, len(off))
	for i, p := range off {
		names[i] = string(p)
	}
	return strings.Join(names, " ")
}
