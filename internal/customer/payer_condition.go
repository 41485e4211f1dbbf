package customer

import (
	"context"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
)

// PayerCondition is what payers are asked for by: [PayersAll], [PayersAny],
// [PayersNot], [PayerLike] and [PayerBetween].
type PayerCondition interface {
	// holds reports whether a payer is meant.
	holds(p Payer) bool
	// narrow is a condition of the database that holds for all payers p that are
	// meant.
	narrow(ctx context.Context, s *Service, c access.Caller) (narrowing, error)
}

// narrowing is a condition of the database. Exact says that it holds for no
// others than those that are meant.
type narrowing struct {
	sql   string
	args  []any
	exact bool
}

var anybody = narrowing{sql: "1 = 1"}

type (
	// PayersAll holds where all of its parts do.
	PayersAll []PayerCondition
	// PayersAny holds where one of its parts does.
	PayersAny []PayerCondition
	// PayersNot holds where its part does not.
	PayersNot struct{ Part PayerCondition }
	// PayerLike holds where the whole of a field is like a pattern, in any case of
	// letters.
	PayerLike struct {
		Field   PayerField
		Pattern []Glyph
	}
	// PayerBetween holds where a field is there and between two values, which belong
	// to it; an empty one is no bound. A time or date is compared with as much as
	// the bound says: all of 1990 is before the end of 1990.
	PayerBetween struct {
		Field    PayerField
		From, To string
	}
)

func (a PayersAll) holds(p Payer) bool {
	for _, part := range a {
		if !part.holds(p) {
			return false
		}
	}
	return true
}

func (a PayersAny) holds(p Payer) bool {
	for _, part := range a {
		if part.holds(p) {
			return true
		}
	}
	return false
}

func (n PayersNot) holds(p Payer) bool { return !n.Part.holds(p) }

func (l PayerLike) holds(p Payer) bool {
	value := p.value(l.Field)
	return value != "" && fits(l.folded(), []rune(foldCase(value)))
}

func (b PayerBetween) holds(p Payer) bool {
	value := foldCase(p.value(b.Field))
	to := value
	if isTime(b.Field) {
		to = to[:min(len(to), len(b.To))]
	}
	return value != "" && value >= foldCase(b.From) && (b.To == "" || to <= foldCase(b.To))
}

func isTime(f PayerField) bool { return f == PayerBirthDate || f == PayerCreated || f == PayerUpdated }

func (a PayersAll) narrow(ctx context.Context, s *Service, c access.Caller) (narrowing, error) {
	return joined(ctx, s, c, a, " AND ")
}

func (a PayersAny) narrow(ctx context.Context, s *Service, c access.Caller) (narrowing, error) {
	return joined(ctx, s, c, a, " OR ")
}

func joined(ctx context.Context, s *Service, c access.Caller, parts []PayerCondition, word string) (narrowing, error) {
	whole := narrowing{exact: true}
	var texts []string
	for _, part := range parts {
		n, err := part.narrow(ctx, s, c)
		if err != nil {
			return whole, err
		}
		texts = append(texts, "("+n.sql+")")
		whole.args, whole.exact = append(whole.args, n.args...), whole.exact && n.exact
	}
	whole.sql = strings.Join(texts, word)
	return whole, nil
}

func (n PayersNot) narrow(ctx context.Context, s *Service, c access.Caller) (narrowing, error) {
	part, err := n.Part.narrow(ctx, s, c)
	if err != nil || !part.exact {
		return anybody, err // of those whom part only could mean, some are not meant
	}
	part.sql = "NOT (" + part.sql + ")"
	return part, nil
}

func (b PayerBetween) narrow(context.Context, *Service, access.Caller) (narrowing, error) {
	return anybody, nil
}

// folded is the pattern as it is compared: in no case of letters, and in the
// normal form of its field.
func (l PayerLike) folded() []Glyph {
	text, plain := plainText(l.Pattern)
	if day, ok := ParseDay(text); ok && plain && l.Field == PayerBirthDate {
		return glyphs(day)
	}
	var out []Glyph
	for _, g := range l.Pattern {
		isNumber := l.Field == PayerPhone || l.Field == PayerMobile || l.Field == PayerFax
		if !g.Wild && isNumber && strings.ContainsRune(numberSeparators, g.Rune) {
			continue
		}
		if !g.Wild {
			g.Rune = []rune(foldCase(string(g.Rune)))[0]
		}
		out = append(out, g)
	}
	return out
}

func glyphs(text string) []Glyph {
	var out []Glyph
	for _, r := range foldCase(text) {
		out = append(out, Glyph{Rune: r})
	}
	return out
}
