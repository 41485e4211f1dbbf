package issuing

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// NoteSubject is what a note is about.
type NoteSubject string

// What a note can be about, and what its key then is.
const (
	NoteOnCustomer NoteSubject = "Customer" // a customer number
	NoteOnCard     NoteSubject = "Card"     // a card token
)

// Note is what somebody wrote down. Notes are only ever added.
type Note struct {
	ID        id.ID[Note]
	Subject   NoteSubject
	Key       string // of the subject, as the subject's kind says
	Text      string // 1 to 2000 characters, kept sealed
	Category  string
	IsPinned  bool
	CreatedAt time.Time
	CreatedBy string
	Author    string // the person whom the client named, or the client's own name
}

// IDPrefix is the prefix of note identifiers.
func (Note) IDPrefix() string { return "note" }

// AddNote writes a note about a customer or a card of the caller's tenant, also
// of a closed one. In takes Subject, Key, Text, Category and IsPinned.
func (s *Service) AddNote(ctx context.Context, c access.Caller, in Note) (Note, error) {
	now := s.Clock.Now()
	n := in
	n.Text = strings.TrimSpace(n.Text)
	n.ID, n.CreatedAt, n.CreatedBy, n.Author = id.New[Note](now), now, c.By(), c.UserReference
	if n.Author == "" {
		n.Author = c.Name
	}
	var v checks
	oneOf(&v, "entityType", n.Subject, []NoteSubject{NoteOnCustomer, NoteOnCard})
	// Lines may break in a note, but not a card number.
	flat := strings.NewReplacer("\n", " ", "\r", " ", "\t", " ").Replace(n.Text)
	v.text("note", flat, 1, 2000)
	v.is("note", !pan.ContainsPAN(strings.Join(strings.Fields(flat), " ")), "card_number", "must not contain a card number")
	v.text("category", n.Category, 0, 50)
	if err := v.err(); err != nil {
		return Note{}, err
	}
	sealed, err := s.sealNote(ctx, c.Tenant, n)
	if err != nil {
		return Note{}, err
	}
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		if err := n.Subject.exists(ctx, tx, c.Tenant, n.Key); err != nil {
			return err
		}
		if err := insertNote(ctx, tx, c.Tenant, n, sealed); err != nil {
			return fmt.Errorf("insert note: %w", err)
		}
		if n.Subject != NoteOnCard {
			return nil
		}
		card, found, err := readCard(ctx, tx, c.Tenant, n.Key, 0)
		if err != nil || !found {
			return fmt.Errorf("read card: %w", missing(err))
		}
		return s.recordCard(ctx, tx, c, "NoteAdd", card)
	})
	if err != nil {
		return Note{}, err
	}
	return n, nil
}

// Notes returns a page of the notes about a customer or a card, newest first,
// and how many there are: exact up to 10,000, and 10,001 for more.
func (s *Service) Notes(ctx context.Context, c access.Caller, subject NoteSubject, key string, p Page) (page []Note, total int, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		if err := subject.exists(ctx, tx, c.Tenant, key); err != nil {
			return err
		}
		page, total, err = s.listNotes(ctx, tx, c.Tenant, subject, key, p)
		return err
	})
	return page, total, err
}

// exists refuses a key that names nothing of the tenant.
func (b NoteSubject) exists(ctx context.Context, tx db.Tx, tenant access.TenantID, key string) error {
	if b == NoteOnCard {
		if !printable(key) {
			return errCardNotFound
		}
		if _, found, err := readCard(ctx, tx, tenant, key, 0); err != nil {
			return fmt.Errorf("read card: %w", err)
		} else if !found {
			return errCardNotFound
		}
		return nil
	}
	if !printable(key) || key == "" {
		return errCustomerNotFound
	}
	customers, err := customersByKey(ctx, tx, tenant, key, "")
	if err != nil {
		return fmt.Errorf("look for customer: %w", err)
	}
	if len(customers) == 0 {
		return errCustomerNotFound
	}
	return nil
}
