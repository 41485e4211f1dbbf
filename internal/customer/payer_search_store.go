package customer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/list"
)

// storedPage fills page from the database alone.
func (s *Service) storedPage(ctx context.Context, tx db.Tx, w *db.Where, f PayerFilter, page *PayerPage) (err error) {
	if page.Total, _, err = db.One(ctx, tx, db.ScanCount, `SELECT COUNT(*) FROM payer p WHERE `+w.SQL(), w.Args()...); err != nil {
		return fmt.Errorf("count payers: %w", err)
	}
	order, beyond := "p.id", "p.id > ?"
	if len(f.Sort) > 0 && f.Sort[0].Descending {
		order, beyond = "p.id DESC", "p.id < ?"
	}
	if len(f.After) > 0 {
		w.And(beyond, f.After[len(f.After)-1])
	}
	rows, err := db.Collect(ctx, tx, scanPayer, `SELECT `+payerColumns+` FROM payer p WHERE `+w.SQL()+` ORDER BY `+order+
		` LIMIT `+w.Bind(f.Limit)+` OFFSET `+w.Bind(f.Skip), w.Args()...)
	if err != nil {
		return fmt.Errorf("list payers: %w", err)
	}
	for _, row := range rows {
		p, err := s.openedPayer(ctx, row)
		if err != nil {
			return err
		}
		p.Zone = page.zone
		page.Payers = append(page.Payers, p)
	}
	page.mark(f)
	return nil
}

// lookedPage opens all that could be meant and chooses among them.
func (s *Service) lookedPage(ctx context.Context, tx db.Tx, w *db.Where, f PayerFilter, page *PayerPage) error {
	rows, err := db.Collect(ctx, tx, scanPayer, `SELECT `+payerColumns+` FROM payer p WHERE `+w.SQL()+` ORDER BY p.id LIMIT `+
		w.Bind(list.TotalMax+1), w.Args()...)
	if err != nil {
		return fmt.Errorf("look through payers: %w", err)
	}
	if len(rows) > list.TotalMax {
		return db.TooMany("q", "must name whole values: there are too many payers to look through, or to sort")
	}
	var all []Payer
	for _, row := range rows {
		p, err := s.openedPayer(ctx, row)
		if err != nil {
			return err
		}
		p.Zone = page.zone
		if f.Condition == nil || f.Condition.holds(p) {
			all = append(all, p)
		}
	}
	page.Total = len(all)
	slices.SortFunc(all, func(a, b Payer) int { return f.compare(f.position(a), f.position(b)) })
	if f.After != nil {
		all = slices.DeleteFunc(all, func(p Payer) bool { return f.compare(f.position(p), f.After) <= 0 })
	}
	all = all[min(f.Skip, len(all)):]
	page.Payers = all[:min(f.Limit, len(all))]
	page.mark(f)
	return nil
}

const payersByTerm = `p.id IN (SELECT t.payer_id FROM payer_term t WHERE t.tenant_id = ? AND t.client_id = ? AND t.field = ? AND `

func (l PayerLike) narrow(ctx context.Context, s *Service, c access.Caller) (narrowing, error) {
	pattern := l.folded()
	text, plain := plainText(pattern)
	args := []any{c.Tenant, c.Client, string(l.Field)}
	switch {
	case isTime(l.Field) && l.Field != PayerBirthDate, l.Field == PayerReference && !plain, !plain && !isNameField(l.Field), text == "":
		return anybody, nil
	case l.Field == PayerReference:
		return narrowing{sql: "p.reference = ?", args: []any{strings.ToUpper(text)}, exact: true}, nil
	case plain:
		term, err := s.payerTerm(ctx, c.Tenant, l.Field, text)
		return narrowing{sql: payersByTerm + `t.term = ?)`, args: append(args, term), exact: true}, err
	}
	beginning := len(pattern) == len([]rune(text))+1 && pattern[len(pattern)-1].Rune == '*'
	return narrowing{sql: payersByTerm + `t.term >= ? AND t.term < ?)`, args: append(args, []byte(text), afterPrefix(text)), exact: beginning}, nil
}
