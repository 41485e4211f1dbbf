package vault

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// Blacklisted is a card that a pool wants no payments of. The zero value is none.
type Blacklisted struct {
	ID        string
	CreatedAt time.Time
}

// BlacklistSubject names a card: one that is stored by its code, any other by its
// number.
type BlacklistSubject struct {
	PartnerBased bool
	Partner      string
	IsStored     bool
	Code         string
	Number       secret.Value
}

// Blacklist puts a card on the list of its pool.
func (s *Store) Blacklist(ctx context.Context, c access.Caller, in BlacklistSubject) (b Blacklisted, err error) {
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		pool, subject, err := s.subject(ctx, tx, c, in)
		if err != nil {
			return err
		}
		b = Blacklisted{newUUID(), clock.RealNow(s.Clock).Time()}
		fresh, err := insertBlacklisted(ctx, tx, c.Tenant, pool, subject, b)
		if err != nil {
			return err
		}
		if !fresh {
			return errBlacklisted
		}
		return s.recordBlacklist(ctx, tx, c, "BlacklistAdd", b)
	})
	return b, err
}

// Whitelist takes a card off the list of its pool.
func (s *Store) Whitelist(ctx context.Context, c access.Caller, in BlacklistSubject) error {
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		pool, subject, err := s.subject(ctx, tx, c, in)
		if err != nil {
			return err
		}
		b, found, err := deleteBlacklisted(ctx, tx, c.Tenant, pool, subject)
		if err != nil {
			return err
		}
		if !found {
			return errNotBlacklisted
		}
		return s.recordBlacklist(ctx, tx, c, "BlacklistRemove", b)
	})
}

// BlacklistOf tells whether a card is on the list of its pool. What names no card,
// or no pool of the caller's, is on none.
func (s *Store) BlacklistOf(ctx context.Context, c access.Caller, in BlacklistSubject) (b Blacklisted, found bool, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		pool, subject, err := s.subject(ctx, tx, c, in)
		if f, ok := fault.As(err); ok && (f.Kind == fault.Invalid || f.Kind == fault.Refused || f.Kind == fault.NotFound) {
			return nil
		}
		if err == nil {
			b, found, err = readBlacklisted(ctx, tx, c.Tenant, pool, subject)
		}
		return err
	})
	return b, found, err
}

// subject is the keyed hash of what a card is: its number, or for a card that is
// stored without one its BIN, last digits and holder.
func (s *Store) subject(ctx context.Context, tx db.Tx, c access.Caller, in BlacklistSubject) (pool, subject string, err error) {
	if pool, err = s.poolOf(ctx, tx, c, in.PartnerBased, in.Partner); err != nil {
		return "", "", err
	}
	what := "pan|" + string(in.Number.Reveal())
	if in.IsStored {
		if what, err = s.storedSubject(ctx, tx, c, pool, in.Code); err != nil {
			return "", "", err
		}
	} else if number, err := pan.Parse(string(in.Number.Reveal())); err != nil || !number.ValidLuhn() {
		return "", "", errCardNumber
	}
	index, err := s.HSM.Index(ctx, c.Tenant.String(), purposeStored, []byte(what))
	return pool, hex.EncodeToString(index), HSMFault(err)
}

func (s *Store) storedSubject(ctx context.Context, tx db.Tx, c access.Caller, pool, code string) (string, error) {
	named, err := s.readCode(ctx, c, pool, ECommerce, code)
	if err != nil {
		if named, err = s.readCode(ctx, c, pool, Insurance, code); err != nil {
			return "", err
		}
	}
	card, found, err := readStoredCard(ctx, tx, c.Tenant, named)
	switch {
	case err != nil:
		return "", err
	case !found || card.Pool != pool:
		return "", errStoredNotFound
	case card.Scope == Insurance:
		return "insurance|" + card.BIN + "|" + card.LastFour + "|" + card.identityIndex, nil
	}
	number, err := s.HSM.Open(ctx, c.Tenant.String(), purposeStored, card.sealed.number, card.place("pan"))
	if err != nil {
		return "", HSMFault(err)
	}
	return "pan|" + string(number), nil
}

func (s *Store) recordBlacklist(ctx context.Context, tx db.Tx, c access.Caller, action string, b Blacklisted) error {
	a := c.Act(clock.RealNow(s.Clock), audit.StoreStream, action)
	a.EntityType, a.EntityKey = "StoredCardBlacklist", b.ID
	return audit.Append(ctx, tx, a)
}
