package customer

import (
	"context"
	"fmt"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// MoveMobilePhone puts a number in E.164 form in the place of a customer's
// mobile phone and reports whether it was another. unique says that nobody else
// may have it.
func (s *Service) MoveMobilePhone(ctx context.Context, tx db.Tx, c access.Caller, customer id.ID[Customer], e164 string, unique bool) (changed bool, err error) {
	if err := Lock(ctx, tx, c.Tenant, customer); err != nil {
		return false, err
	}
	u, found, err := s.Read(ctx, tx, c.Tenant, customer)
	if err != nil || !found {
		return false, fmt.Errorf("read customer %s: %w", customer, db.Missing(err))
	}
	if u.Status == Closed {
		return false, errClosed.With("customerNo", u.No)
	}
	if u.Contact(MobilePhone) == e164 {
		return false, nil
	}
	old := u
	u.Communications = slices.Clone(u.Communications)
	isMobile := func(m Communication) bool { return m.Type == MobilePhone }
	if at := slices.IndexFunc(u.Communications, isMobile); at >= 0 {
		// Nobody has verified the new one.
		u.Communications[at] = Communication{Type: MobilePhone, Value: e164, IsPreferred: u.Communications[at].IsPreferred}
	} else {
		u.Communications = append(u.Communications, Communication{Type: MobilePhone, Value: e164})
	}
	now := c.Now(s.Clock)
	u.Record = u.Record.Updated(c, now)
	d, err := s.drafted(ctx, draft{Customer: u, uniquePhone: unique})
	if err != nil {
		return false, err
	}
	if err := s.replaceWhole(ctx, tx, d); err != nil {
		return false, err
	}
	return true, u.raiseChange(ctx, tx, c, old, now)
}
