package rule

import "testing"

// An institution is a number: the zeros that messages fill it up with do not count,
// in a list either. Merchants are texts, and each character counts.
func TestLists_holdInstitutionsAsNumbers(t *testing.T) {
	lists := NewLists([]List{{Code: "PLACES", Values: []string{"007", "000", "12", "0X9"}, IsActive: true}})
	for _, c := range []struct {
		field FieldID
		value string
		in    bool
	}{
		{MerchantAcquirerID, "7", true}, {MerchantAcquirerID, "12", true}, {MerchantAcquirerID, "8", false},
		{MerchantID, "007", true}, {MerchantID, "7", false}, {MerchantID, "12", true}, {MerchantID, "0X9", true}, {MerchantID, "000", true},
	} {
		for _, negated := range []string{"", "!"} {
			p, problems := Compile(Source(quote(negated+c.field.String()+`.in_list("PLACES")`)), Authorization, lists)
			if len(problems) > 0 {
				t.Fatalf("%v", problems)
			}
			var f Facts
			f.SetText(c.field, c.value)
			if got := p.Match(&f, Matched); got != (c.in == (negated == "")) {
				t.Errorf("%s%s %q in the list: %t", negated, c.field, c.value, got)
			}
		}
	}
	// Nobody is the institution of zeros only.
	p, _ := Compile(Source(quote(`merchant.acquirerId.in_list("PLACES")`)), Authorization, lists)
	if n := p.steps[0].in.size(); n != 3 {
		t.Errorf("%d institutions", n)
	}
}
