package customer

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/list"
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
	now := c.Now(s.Clock)
	n := in
	n.Text = strings.TrimSpace(n.Text)
	n.ID, n.CreatedAt, n.CreatedBy, n.Author = id.New[Note](s.Clock.Now()), now, c.By(), c.UserReference
	if n.Author == "" {
		n.Author = c.Name
	}
	var v fault.Checks
	fault.OneOf(&v, "entityType", n.Subject, []NoteSubject{NoteOnCustomer, NoteOnCard})
	// Lines may break in a note, but not a card number.
	flat := strings.NewReplacer("\n", " ", "\r", " ", "\t", " ").Replace(n.Text)
	v.Text("note", flat, 1, 2000)
	v.Is("note", !pan.ContainsPAN(strings.Join(strings.Fields(flat), " ")), "card_number", "must not contain a card number")
	v.Text("category", n.Category, 0, 50)
	if err := v.Err(errInvalid); err != nil {
		return Note{}, err
	}
	sealed, err := s.sealNote(ctx, c.Tenant, n)
	if err != nil {
		return Note{}, err
	}
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		if err := s.subjectExists(ctx, tx, c.Tenant, n.Subject, n.Key); err != nil {
			return err
		}
		if err := insertNote(ctx, tx, c.Tenant, n, sealed); err != nil {
			return fmt.Errorf("insert note: %w", err)
		}
		if n.Subject != NoteOnCard {
			return recordNote(ctx, tx, c, n)
		}
		return s.Cards.CardNoted(ctx, tx, c, n.Key)
	})
	if err != nil {
		return Note{}, err
	}
	return n, nil
}

// Notes returns a page of the notes about a customer or a card, newest first,
// and how many there are: exact up to 10,000, and 10,001 for more.
func (s *Service) Notes(ctx context.Context, c access.Caller, subject NoteSubject, key string, p list.Page) (page []Note, total int, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		if err := s.subjectExists(ctx, tx, c.Tenant, subject, key); err != nil {
			return err
		}
		page, total, err = s.listNotes(ctx, tx, c.Tenant, subject, key, p)
		return err
	})
	return page, total, err
}

// subjectExists refuses a key that names nothing of the tenant.
func (s *Service) subjectExists(ctx context.Context, tx db.Tx, tenant access.TenantID, about NoteSubject, key string) error {
	if about == NoteOnCard {
		return s.Cards.CardExists(ctx, tx, tenant, key)
	}
	if !fault.Printable(key) || key == "" {
		return errNotFound
	}
	customers, err := customersByKey(ctx, tx, tenant, key, "")
	if err != nil {
		return fmt.Errorf("look for customer: %w", err)
	}
	if len(customers) == 0 {
		return errNotFound
	}
	return nil
}
