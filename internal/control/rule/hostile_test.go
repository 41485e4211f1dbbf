package rule

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Whoever may write a rule may write anything into 64 KB. It is answered soon,
// and so is what the linter is asked of it.
func TestCompile_endsSoonWhateverTheText(t *testing.T) {
	again := strings.Repeat
	var many []string
	for i := range 900 {
		many = append(many, fmt.Sprintf("'%04d'", i))
	}
	set := "transaction.mcc in [" + strings.Join(many, ",") + "]"
	for name, text := range map[string]string{
		"conjunction":  again("transaction.isMoto && ", 2900) + "transaction.isMoto",
		"negations":    again("!", 60000) + "transaction.isMoto",
		"parentheses":  again("(", 30000) + "transaction.isMoto" + again(")", 30000),
		"open":         again("(", 60000),
		"values":       "transaction.mcc in [" + again("'7995',", 9000) + "'7995']",
		"sets":         again(set+" || ", 9) + "transaction.isMoto",
		"negated sets": again("!("+set+") && ", 9) + "transaction.isMoto",
		"lists":        again("[", 30000),
		"a string":     "'" + again("x", 60000),
		"a name":       again("a.", 30000) + "b",
		"sums":         again("1+", 30000) + "1",
		"choices":      again("true?", 12000),
		"unknown":      again("x == 1 || ", 6000) + "x",
		"no names":     again(".a||", 15000) + "true",
		"no types":     again("a.b{c:1}||", 6000) + "true",
		"pairs":        "{" + again("1:1,", 15000) + "1:1} == 1",
		"minus":        again("-", 60000) + "1",
		"alternatives": again("(transaction.isMoto || transaction.mcc != '7995' || transaction.amount > decimal('5') || customer.age < 3) && ", 48) + "!transaction.isMoto",
		"expressions":  again("merchant.name.matches('(a|b|ab|ba|[ab]b)*c') || ", 35) + "transaction.isMoto",
	} {
		start := time.Now()
		p, problems := Compile(Source(quote(text)), Authorization, nil)
		if (p == nil) == (len(problems) == 0) {
			t.Errorf("%s: %v and %v", name, p, problems)
		}
		if p != nil {
			Ruled{Program: p, Missing: Matched}.Lint()
		}
		if d := time.Since(start); d > 10*time.Second { // some tenths of a second, on a machine that does nothing else
			t.Errorf("%s took %v", name, d)
		}
	}
}

var (
	treeExample = regexp.MustCompile("(?s)```json\n(.*?)```")
	celExample  = regexp.MustCompile("(?s)```cel\n(.*?)```")
)

// What the document shows compiles, and the first of each means the same.
func TestDocument_showsRules(t *testing.T) {
	text, err := os.ReadFile("../../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	trees, cels := treeExample.FindAllSubmatch(text, -1), celExample.FindAllSubmatch(text, -1)
	if len(trees) == 0 || len(cels) < 2 {
		t.Fatalf("%d trees and %d in CEL", len(trees), len(cels))
	}
	for _, m := range trees {
		compiled(t, string(m[1]))
	}
	for _, m := range cels {
		compiled(t, quote(string(m[1])))
	}
	if tree, cel := compiled(t, string(trees[0][1])), compiled(t, quote(string(cels[0][1]))); tree.Text() != cel.Text() {
		t.Errorf("%s and %s", tree.Text(), cel.Text())
	}
	for o := range operations {
		if !strings.Contains(string(text), "`"+string(o)+"`") {
			t.Errorf("the document does not tell of %s", o)
		}
	}
}
