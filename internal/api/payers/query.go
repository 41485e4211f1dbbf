package payers

import (
	"strings"

	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// What a search expression may have at most.
const (
	expressionMax  = 4096 // bytes
	nestingMax     = 16
	conditionsMax  = 64
	conditionRunes = 512
)

// ParseExpression reads what clients search by:
//
//	expr  := term { ("AND"|"OR") term }      term := ["NOT"] ( "(" expr ")" | field ":" cond )
//	field := name { "." name }               cond := text | quoted | text with * or ? | "[" value "TO" value "]"
//
// AND binds tighter than OR. A text runs to white space or a bracket that
// closes; in a quoted one, \ takes the meaning from the sign after it, and * and
// ? have none.
func ParseExpression(text string) (customer.PayerCondition, error) {
	if len(text) > expressionMax || !api.Storable(text) {
		return nil, badExpression("is longer than 4096 bytes, or no text")
	}
	p := &expression{rest: text}
	c, err := p.either(0)
	if err != nil {
		return nil, err
	}
	if p.skip(); p.rest != "" {
		return nil, badExpression("has something after its end")
	}
	return c, nil
}

func badExpression(why string) *fault.Error {
	return api.Invalid().OnField("q", "malformed", why)
}

// expression is a search expression as far as it is read.
type expression struct {
	rest       string
	conditions int
}

const white = " \t\r\n"

func (p *expression) skip() { p.rest = strings.TrimLeft(p.rest, white) }

// word takes a word of the grammar, if it comes next.
func (p *expression) word(w string) bool {
	p.skip()
	after, ok := strings.CutPrefix(p.rest, w)
	if !ok || after != "" && !strings.ContainsRune(white+"(", rune(after[0])) {
		return false
	}
	p.rest = after
	return true
}

// sign takes a sign, if it comes next.
func (p *expression) sign(s string) bool {
	p.skip()
	after, ok := strings.CutPrefix(p.rest, s)
	if ok {
		p.rest = after
	}
	return ok
}

func (p *expression) either(depth int) (customer.PayerCondition, error) {
	all, err := p.both(depth)
	if err != nil {
		return nil, err
	}
	any := customer.PayersAny{all}
	for p.word("OR") {
		if all, err = p.both(depth); err != nil {
			return nil, err
		}
		any = append(any, all)
	}
	if len(any) == 1 {
		return all, nil
	}
	return any, nil
}

func (p *expression) both(depth int) (customer.PayerCondition, error) {
	term, err := p.term(depth)
	if err != nil {
		return nil, err
	}
	all := customer.PayersAll{term}
	for p.word("AND") {
		if term, err = p.term(depth); err != nil {
			return nil, err
		}
		all = append(all, term)
	}
	if len(all) == 1 {
		return term, nil
	}
	return all, nil
}

func (p *expression) term(depth int) (customer.PayerCondition, error) {
	if p.word("NOT") {
		part, err := p.primary(depth)
		if err != nil {
			return nil, err
		}
		return customer.PayersNot{Part: part}, nil
	}
	return p.primary(depth)
}

func (p *expression) primary(depth int) (customer.PayerCondition, error) {
	if p.sign("(") {
		if depth++; depth > nestingMax {
			return nil, badExpression("is nested deeper than 16 levels")
		}
		c, err := p.either(depth)
		if err != nil {
			return nil, err
		}
		if !p.sign(")") {
			return nil, badExpression("lacks a bracket that closes")
		}
		return c, nil
	}
	if p.conditions++; p.conditions > conditionsMax {
		return nil, badExpression("has more than 64 conditions")
	}
	p.skip()
	name, rest, found := strings.Cut(p.rest, ":")
	field, known := fieldOf(name)
	if !found || !known {
		return nil, badExpression("must name a field of the model, then a colon")
	}
	p.rest = rest
	return p.condition(field)
}

func (p *expression) condition(f customer.PayerField) (customer.PayerCondition, error) {
	p.skip()
	switch {
	case p.sign("["):
		return p.between(f)
	case strings.HasPrefix(p.rest, `"`):
		pattern, err := p.quoted()
		return customer.PayerLike{Field: f, Pattern: pattern}, err
	}
	text := p.text(white + ")")
	if text == "" {
		return nil, badExpression("lacks a value")
	}
	var pattern []customer.Glyph
	for _, r := range text {
		pattern = append(pattern, customer.Glyph{Rune: r, Wild: r == '*' || r == '?'})
	}
	return customer.PayerLike{Field: f, Pattern: pattern}, tooLong(pattern)
}

func tooLong(pattern []customer.Glyph) error {
	if len(pattern) > conditionRunes {
		return badExpression("has a value of more than 512 characters")
	}
	return nil
}

// text takes what comes before one of the signs of end.
func (p *expression) text(end string) string {
	at := strings.IndexAny(p.rest, end)
	if at < 0 {
		at = len(p.rest)
	}
	text := p.rest[:at]
	p.rest = p.rest[at:]
	return text
}

// quoted takes a text in quotation marks.
func (p *expression) quoted() ([]customer.Glyph, error) {
	var pattern []customer.Glyph
	escaped := false
	for at, r := range p.rest[1:] {
		switch {
		case escaped:
			escaped = false
		case r == '\\':
			escaped = true
			continue
		case r == '"':
			p.rest = p.rest[at+2:]
			if len(pattern) == 0 {
				return nil, badExpression("lacks a value")
			}
			return pattern, tooLong(pattern)
		}
		pattern = append(pattern, customer.Glyph{Rune: r})
	}
	return nil, badExpression("lacks a quotation mark")
}

// between takes the rest of a range; * is no bound.
func (p *expression) between(f customer.PayerField) (customer.PayerCondition, error) {
	from, err := p.bound()
	if err != nil {
		return nil, err
	}
	if !p.word("TO") {
		return nil, badExpression("must have TO between the values of a range")
	}
	to, err := p.bound()
	if err != nil {
		return nil, err
	}
	if !p.sign("]") {
		return nil, badExpression("lacks a bracket that closes")
	}
	return customer.PayerBetween{Field: f, From: from, To: to}, nil
}

func (p *expression) bound() (string, error) {
	p.skip()
	if strings.HasPrefix(p.rest, `"`) {
		pattern, err := p.quoted()
		var b strings.Builder
		for _, g := range pattern {
			b.WriteRune(g.Rune)
		}
		return b.String(), err
	}
	text := p.text(white + "]")
	switch text {
	case "":
		return "", badExpression("lacks a value of a range")
	case "*":
		return "", nil
	}
	return text, nil
}
