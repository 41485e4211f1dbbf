package customer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// Payer is somebody who pays a client of the tenant, as that client knows him.
// Nobody looks whether it is the same person as another payer or as a
// [Customer]; only the client that made it sees it.
type Payer struct {
	ID        id.ID[Payer]
	Tenant    access.TenantID
	Client    string
	Reference string // what the client calls it by
	Contact   Contact
	CreatedAt time.Time
	UpdatedAt time.Time      // zero: never
	Zone      *time.Location // of the tenant, in which its times are shown
}

// IDPrefix is "pay".
func (Payer) IDPrefix() string { return "pay" }

// CreatePayer makes a payer, any number of times the same. reference is new.
func (s *Service) CreatePayer(ctx context.Context, c access.Caller, reference string, contact Contact) (Payer, error) {
	normal, err := contact.Normalized()
	if err != nil {
		return Payer{}, err
	}
	t, err := s.tenant(ctx, c)
	if err != nil {
		return Payer{}, err
	}
	now := t.Now(s.Clock)
	p := Payer{Zone: t.Zone, ID: id.New[Payer](s.Clock.Now()), Tenant: c.Tenant, Client: c.Client, Reference: reference, Contact: normal, CreatedAt: now}
	w, err := s.writable(ctx, p)
	if err != nil {
		return Payer{}, err
	}
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		if err := insertPayer(ctx, tx, w); err != nil {
			return fmt.Errorf("insert payer: %w", err)
		}
		return p.record(ctx, tx, c, "Create", nil, now)
	})
	return p, err
}

// Payer returns a payer of the caller; another client's is not there.
func (s *Service) Payer(ctx context.Context, c access.Caller, reference string) (p Payer, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) (err error) {
		p, err = s.mustPayer(ctx, tx, c, reference)
		return err
	})
	return p, err
}

// ReplacePayer puts contact in the place of all that was known of a payer.
func (s *Service) ReplacePayer(ctx context.Context, c access.Caller, reference string, contact Contact) (p Payer, err error) {
	normal, err := contact.Normalized()
	if err != nil {
		return Payer{}, err
	}
	now := c.Now(s.Clock)
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		if err := lockPayer(ctx, tx, c.Tenant, reference); err != nil {
			return err
		}
		old, err := s.mustPayer(ctx, tx, c, reference)
		if err != nil {
			return err
		}
		p = old
		p.Contact, p.UpdatedAt = normal, now
		w, err := s.writable(ctx, p)
		if err != nil {
			return err
		}
		if err := updatePayer(ctx, tx, w); err != nil {
			return fmt.Errorf("update payer: %w", err)
		}
		return p.record(ctx, tx, c, "Update", &old, now)
	})
	return p, err
}

// DeletePayer takes a payer away and returns it as it was. What payments copied
// of it stays.
func (s *Service) DeletePayer(ctx context.Context, c access.Caller, reference string) (p Payer, err error) {
	now := c.Now(s.Clock)
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		if err := lockPayer(ctx, tx, c.Tenant, reference); err != nil {
			return err
		}
		if p, err = s.mustPayer(ctx, tx, c, reference); err != nil {
			return err
		}
		if err := deletePayer(ctx, tx, p, now); err != nil {
			return fmt.Errorf("delete payer: %w", err)
		}
		return p.record(ctx, tx, c, "Delete", nil, now)
	})
	return p, err
}

// mustPayer returns a payer of the caller, or refuses.
func (s *Service) mustPayer(ctx context.Context, tx db.Tx, c access.Caller, reference string) (Payer, error) {
	p, found, err := s.readPayer(ctx, tx, c, reference)
	if err != nil {
		return Payer{}, fmt.Errorf("read payer: %w", err)
	}
	if !found {
		return Payer{}, errPayerNotFound
	}
	t, err := access.MustTenant(ctx, tx, c.Tenant)
	p.Zone = t.Zone
	return p, err
}

// record writes into the audit chain what became of a payer, without what is
// personal.
func (p Payer) record(ctx context.Context, tx db.Tx, c access.Caller, action string, old *Payer, at time.Time) error {
	a := c.Act(c.Real(at), audit.CustomerStream, action)
	a.EntityType, a.EntityKey = "Payer", p.Reference
	if old != nil {
		for _, f := range ContactFields() {
			if p.Contact[f] != old.Contact[f] {
				a.Changes = append(a.Changes, audit.Change{Property: string(f), Old: new(hidden), New: new(hidden)})
			}
		}
	}
	return audit.Append(ctx, tx, a)
}

// PayerCopy is what a payment copied of its payer.
type PayerCopy struct {
	Payer     id.ID[Payer]
	Payment   string
	Contact   Contact
	CopiedAt  time.Time
	KeepUntil time.Time
}

// copyYears is how long a copy is kept: the law wants more than ten years.
const copyYears = 11

// CopyPayer keeps, for a payment, what is known of a payer now: neither a change
// nor the end of the payer reaches the copy. It joins tx, which makes the
// payment. A payment copies once; again, the first copy stays.
func (s *Service) CopyPayer(ctx context.Context, tx db.Tx, c access.Caller, reference, payment string) error {
	p, err := s.mustPayer(ctx, tx, c, reference)
	if err != nil {
		return err
	}
	now := c.Now(s.Clock)
	k := PayerCopy{Payer: p.ID, Payment: payment, Contact: p.Contact, CopiedAt: now, KeepUntil: now.AddDate(copyYears, 0, 0)}
	sealed, err := s.sealContact(ctx, c.Tenant, k.Contact, "payer_copy", payment)
	if err != nil {
		return err
	}
	if err := insertPayerCopy(ctx, tx, c.Tenant, k, sealed); err != nil {
		return fmt.Errorf("insert copy of payer: %w", err)
	}
	return nil
}

// PayerCopy returns what a payment of the caller copied.
func (s *Service) PayerCopy(ctx context.Context, c access.Caller, payment string) (k PayerCopy, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		found := false
		if k, found, err = s.readPayerCopy(ctx, tx, c, payment); err != nil {
			return fmt.Errorf("read copy of payer: %w", err)
		}
		if !found {
			return errPayerNotFound
		}
		return nil
	})
	return k, err
}

// isNameField reports whether a field is a name, which is found by its folded
// text as those of customers are. All else is found by keyed hashes.
func isNameField(f PayerField) bool {
	return slices.Contains([]PayerField{PayerForename, PayerSurname, PayerCompany, PayerFullName}, f)
}
