package customer

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// PayerSort is one order of payers.
type PayerSort struct {
	Field      PayerField
	Descending bool
}

// PayerFilter selects a page of payers.
type PayerFilter struct {
	Condition PayerCondition // nil: all
	Sort      []PayerSort    // none: in the order of creation
	After     []string       // the position after which the page begins; nil: the beginning
	Skip      int
	Limit     int
}

// PayerPage is a page of payers.
type PayerPage struct {
	Payers []Payer
	Total  int      // of all pages
	Next   []string // the position of the last one; nil: there is none

	zone *time.Location
}

// Payers returns the payers of the caller that f selects.
//
// Whole values, and beginnings of names, are found in the database. For anything
// else those that could fit are opened and looked at; more than
// [list.TotalMax] of them are Invalid: the condition must say more.
func (s *Service) Payers(ctx context.Context, c access.Caller, f PayerFilter) (page PayerPage, err error) {
	t, err := s.tenant(ctx, c)
	if err != nil {
		return page, err
	}
	page.zone = t.Zone
	n := narrowing{sql: "1 = 1", exact: true}
	if f.Condition != nil {
		if n, err = f.Condition.narrow(ctx, s, c); err != nil {
			return page, err
		}
	}
	var w db.Where
	w.And("p.tenant_id = ? AND p.client_id = ? AND p.deleted_at IS NULL", c.Tenant, c.Client)
	w.And("("+n.sql+")", n.args...)
	err = s.DB.View(ctx, func(tx db.Tx) (err error) {
		if n.exact && f.byCreation() {
			return s.storedPage(ctx, tx, &w, f, &page)
		}
		return s.lookedPage(ctx, tx, &w, f, &page)
	})
	return page, err
}

// byCreation reports whether the order is that in which payers are stored.
func (f PayerFilter) byCreation() bool {
	return len(f.Sort) == 0 || len(f.Sort) == 1 && f.Sort[0].Field == PayerCreated
}

// mark says where the next page begins.
func (p *PayerPage) mark(f PayerFilter) {
	if len(p.Payers) > 0 {
		p.Next = f.position(p.Payers[len(p.Payers)-1])
	}
}

// position is where a payer stands in the order: what it is sorted by, then its
// id.
func (f PayerFilter) position(p Payer) []string {
	var at []string
	for _, k := range f.Sort {
		if k.Field == PayerCreated { // ids are in that order
			at = append(at, p.ID.String())
			continue
		}
		at = append(at, foldCase(p.value(k.Field)))
	}
	return append(at, p.ID.String())
}

// compare compares two positions; one that is too short comes first.
func (f PayerFilter) compare(a, b []string) int {
	for i := range min(len(a), len(b)) {
		order := cmp.Compare(a[i], b[i])
		last := i >= len(f.Sort)
		switch {
		case order == 0:
		case !last && f.Sort[i].Descending:
			return -order
		default:
			return order
		}
	}
	return cmp.Compare(len(a), len(b))
}

// value is the text of a field of a payer.
func (p Payer) value(f PayerField) string {
	switch f {
	case PayerReference:
		return p.Reference
	case PayerCreated:
		return payerTime(p.CreatedAt, p.Zone)
	case PayerUpdated:
		return payerTime(p.UpdatedAt, p.Zone)
	}
	return p.Contact[f]
}

func payerTime(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format("2006-01-02T15:04:05-07:00")
}

// SealScroll makes of what somebody wants to go on with later a text that says
// nothing to anybody else.
func (s *Service) SealScroll(ctx context.Context, c access.Caller, plain []byte) (string, error) {
	sealed, err := s.HSM.Seal(ctx, c.Tenant.String(), Purpose, plain, hsm.PlaceOf(c.Tenant, "payer", "scroll", c.Client))
	if err != nil {
		return "", fmt.Errorf("seal scroll: %w", vault.HSMFault(err))
	}
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// OpenScroll returns what [Service.SealScroll] sealed for the same client.
func (s *Service) OpenScroll(ctx context.Context, c access.Caller, text string) ([]byte, error) {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, ErrScroll
	}
	plain, err := s.HSM.Open(ctx, c.Tenant.String(), Purpose, sealed, hsm.PlaceOf(c.Tenant, "payer", "scroll", c.Client))
	if err != nil {
		return nil, ErrScroll.Wrap(err)
	}
	return plain, nil
}

// Glyph is one sign of a pattern: a rune, or a wild card.
type Glyph struct {
	Rune rune
	Wild bool // * stands for any text, ? for one sign
}

// fits reports whether a folded pattern matches the whole of a folded text.
func fits(pattern []Glyph, text []rune) bool {
	star, mark, i, j := -1, 0, 0, 0
	for j < len(text) {
		switch {
		case i < len(pattern) && pattern[i].Wild && pattern[i].Rune == '*':
			star, mark = i, j
			i++
		case i < len(pattern) && (pattern[i].Wild || pattern[i].Rune == text[j]):
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(pattern) && pattern[i].Wild && pattern[i].Rune == '*' {
		i++
	}
	return i == len(pattern)
}

// plainText is a pattern as text, and whether it has no wild card.
func plainText(pattern []Glyph) (string, bool) {
	var b strings.Builder
	for _, g := range pattern {
		if g.Wild {
			return b.String(), false
		}
		b.WriteRune(g.Rune)
	}
	return b.String(), true
}
