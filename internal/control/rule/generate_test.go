package rule

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"
)

// The fields that generated rules are about: one of each type, nullable or not.
var generatedFields = []FieldID{
	TransactionMCC, TransactionDomain, TransactionFlowCode, TransactionIsContactless, TransactionAmount, TransactionBillingAmount,
	TransactionCashbackAmount, TransactionInstallmentCount, TimeLocalHour, TimeLocalTime, TimeLocalDate, CustomerSegmentCode,
	MerchantName, MerchantCountry, CustomerNationality, TransactionMCCGroup, CustomerAge, CounterCardCount1h, CounterCardAmount24h,
}

// generatedLists are the named lists of all tests.
var generatedLists = NewLists([]List{
	{Code: "GAMBLING", Values: []string{"7995", "7801"}, IsActive: true},
	{Code: "CASH", Values: []string{"6010", "6011"}, IsActive: true},
	{Code: "HOURS", Values: []string{"1", "2", "23"}, IsNumeric: true, IsActive: true},
	{Code: "OFF", Values: []string{"7995"}},
})

// constantsOf are the values that generated rules and facts have, as JSON: few,
// so that they meet.
func constantsOf(id FieldID) []string {
	switch id {
	case TransactionMCC:
		return []string{`"7995"`, `"5411"`, `"6011"`}
	case TransactionDomain:
		return []string{`"OnUs"`, `"Domestic"`, `"International"`}
	case TransactionFlowCode:
		return []string{`"AuthorizationRequest"`, `"FinancialRequest"`, `"StatusCheck"`}
	case TransactionIsContactless:
		return []string{"true", "false"}
	case TransactionAmount, TransactionBillingAmount, TransactionCashbackAmount, CounterCardAmount24h:
		return []string{"0", "10", "10.5", "10.05", "999999999999.99"}
	case TimeLocalTime:
		return []string{`"00:00"`, `"06:00"`, `"22:00:01"`}
	case TimeLocalDate:
		return []string{`"1969-12-31"`, `"2024-02-29"`, `"2026-03-31"`}
	case CustomerSegmentCode:
		return []string{`"VIP"`, `"STAFF"`, `"say \"hi\" \\ || true"`}
	case MerchantName:
		return []string{`"Migros"`, `"MIGROS JET"`, `"Şok \\ \"x\""`}
	case MerchantCountry, CustomerNationality:
		return []string{`"TR"`, `"DE"`}
	case TransactionMCCGroup:
		return []string{`"GAMBLING"`, `"CASH"`}
	}
	return []string{"0", "1", "2", "23"}
}

// drawLeaf writes a random leaf.
func drawLeaf(t *rapid.T) string {
	id := rapid.SampledFrom(generatedFields).Draw(t, "field")
	o := rapid.SampledFrom(id.Field().Operators()).Draw(t, "operator")
	constant := rapid.SampledFrom(constantsOf(id))
	value := ""
	switch operations[o].operand {
	case oneValue:
		value = `,"value":` + constant.Draw(t, "value")
		if id == TransactionAmount && rapid.Bool().Draw(t, "other field") {
			value = `,"valueField":"` + rapid.SampledFrom([]string{"transaction.billingAmount", "transaction.cashbackAmount"}).Draw(t, "other") + `"`
		}
		if id == MerchantCountry && rapid.Bool().Draw(t, "other field") {
			value = `,"valueField":"customer.nationality"`
		}
	case oneText:
		value = `,"value":` + rapid.SampledFrom([]string{`"mig"`, `"5"`, `"JET"`, `"o"`, `"\\\\"`, `"79"`}).Draw(t, "text")
	case manyValue:
		value = `,"value":[` + strings.Join(rapid.SliceOfN(constant, 1, 3).Draw(t, "values"), ",") + "]"
	case twoValues:
		all := constantsOf(id)
		low := rapid.IntRange(0, len(all)-1).Draw(t, "low")
		high := rapid.IntRange(low, len(all)-1).Draw(t, "high")
		if id == TimeLocalTime && rapid.Bool().Draw(t, "over midnight") {
			low, high = high, low
		}
		if id == TransactionAmount || id.Field().Type == Decimal { // not in order there
			low, high = 0, 2
		}
		value = fmt.Sprintf(`,"value":[%s,%s]`, all[low], all[high])
	case listCode:
		value = `,"value":"` + rapid.SampledFrom([]string{"GAMBLING", "CASH", "OFF"}).Draw(t, "list") + `"`
		if id.Field().Type == Integer {
			value = `,"value":"HOURS"`
		}
	}
	return fmt.Sprintf(`{"field":%q,"operator":%q%s}`, id, o, value)
}

// drawGroup writes a random group, depth being how deep it is.
func drawGroup(t *rapid.T, depth int) string {
	var rules []string
	for range rapid.IntRange(1, 3).Draw(t, "members") {
		if depth < 4 && rapid.IntRange(0, 2).Draw(t, "nested") == 0 {
			rules = append(rules, drawGroup(t, depth+1))
		} else {
			rules = append(rules, drawLeaf(t))
		}
	}
	not := ""
	if rapid.IntRange(0, 2).Draw(t, "not") == 0 {
		not = `"not":true,`
	}
	return fmt.Sprintf(`{"condition":%q,%s"rules":[%s]}`, rapid.SampledFrom([]string{"and", "or"}).Draw(t, "condition"), not, strings.Join(rules, ","))
}

// setJSON sets a field to a constant.
func setJSON(f *Facts, id FieldID, text string) {
	c := &checker{problems: &problems{}, context: Authorization, lists: generatedLists}
	kind := rawString
	switch {
	case text == "true" || text == "false":
		kind = rawFlag
	case text[0] != '"':
		kind = rawNumber
	default:
		text = unquote(text)
	}
	v, ok := c.value(id.Field(), &raw{kind: kind, text: text})
	if !ok {
		panic(fmt.Sprint(id, text, c.found))
	}
	if id.Field().Type == StringList {
		f.SetList(id, []string{v.text})
		return
	}
	f.slots[id] = slot{text: v.text, number: v.number, known: true}
}

// drawFacts sets each field to one of its constants, or leaves it missing.
func drawFacts(t *rapid.T) *Facts {
	f := &Facts{}
	for _, id := range generatedFields {
		all := constantsOf(id)
		if i := rapid.IntRange(-1, len(all)-1).Draw(t, id.String()); i >= 0 {
			setJSON(f, id, all[i])
		}
	}
	if f.Known(TransactionMCCGroup) && rapid.Bool().Draw(t, "no group") {
		f.SetList(TransactionMCCGroup, nil)
	}
	return f
}

var allMissing = []Missing{TwoValued, Matched, Unmatched}
