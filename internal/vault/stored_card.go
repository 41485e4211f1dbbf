package vault

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// purposeStored is what everything of stored cards is sealed and indexed for.
const purposeStored = "stored_card"

// Scope says what cards are stored for; each set is seen by itself.
type Scope int

// The scopes.
const (
	ECommerce Scope = 1 // with their full number
	Insurance Scope = 2 // by BIN, last four digits and the holder's identity
)

// StoredCard is a card of any issuer that a merchant keeps for later payments.
type StoredCard struct {
	ID         id.ID[StoredCard]
	Tenant     access.TenantID
	Pool       string // the merchant, or the partner whose merchants share it
	Scope      Scope
	Relational Relational
	Nickname   string
	Holder     string
	BIN        string // the first eight digits, or six where it has fewer or no more were told
	LastFour   string
	Month      int
	Year       int
	CardID     string // of the card of ours that it is; empty: of another issuer, or not known
	CreatedAt  time.Time
	UpdatedAt  time.Time

	identity      secret.Value
	identityIndex string
	number        pan.PAN
	sealed        sealedStored
}

// sealedStored are the sealed columns of a row.
type sealedStored struct{ number, identity, holder []byte }

// IDPrefix is "stc".
func (StoredCard) IDPrefix() string { return "stc" }

// Relational are the ids by which a merchant finds its cards again. Cards are
// found by all three; what is absent is empty.
type Relational [3]string

// MaskedIdentity shows the first and the last three digits of the holder's
// number around so many stars; empty where there is none.
func (s StoredCard) MaskedIdentity(stars int) string {
	digits := string(s.identity.Reveal())
	if len(digits) < 6 {
		return ""
	}
	return digits[:3] + strings.Repeat("*", stars) + digits[len(digits)-3:]
}

// turkey is where a card's last month ends.
var turkey = time.FixedZone("TRT", 3*60*60)

// ExpiredAt reports whether the last day of the card's month is over.
func (s StoredCard) ExpiredAt(now time.Time) bool { return monthOver(s.Year, s.Month, now) }

func monthOver(year, month int, now time.Time) bool {
	today := clock.DateOf(now, turkey)
	return year < today.Year || year == today.Year && month < int(today.Month)
}

// Owner says whose cards are meant.
type Owner struct {
	Scope        Scope
	Relational   Relational
	PartnerBased bool
	Partner      string // its identity
}

// NewStoredCard is a card to be stored. Number is for e-commerce; BIN, LastFour
// and Identity are for insurance.
type NewStoredCard struct {
	Owner
	Nickname, Holder string
	Number           secret.Value
	BIN, LastFour    string
	Identity         secret.Value
	Month, Year      int
}

// IssuedCards finds cards of ours.
type IssuedCards interface {
	// CardOfHolder returns the id of the tenant's card with this BIN and these last
	// four digits whose holder has this identity number, or nothing unless there is
	// exactly one.
	CardOfHolder(ctx context.Context, tx db.Tx, tenant access.TenantID, bin, lastFour string, identity secret.Value) (string, error)
}

// Store keeps cards for merchants. Its fields are set before use; it is safe for
// concurrent use.
type Store struct {
	DB    *db.DB
	HSM   hsm.Sealing
	Clock clock.Clock
	// Issued finds cards of ours; nil: none is ours.
	Issued IssuedCards
}

// NewStore returns a store.
func NewStore(d *db.DB, h hsm.Sealing, c clock.Clock) *Store { return &Store{DB: d, HSM: h, Clock: c} }

// Kept is a stored card as its merchant sees it now.
type Kept struct {
	StoredCard
	Code    string // by which it is named; another one each day
	Expired bool
	Range   BINEntry // what is known of its BIN; zero when nothing is
}

// Save stores a card. Nothing asks its issuer, and a card may be stored twice.
func (s *Store) Save(ctx context.Context, c access.Caller, in NewStoredCard) (k Kept, err error) {
	if err := in.check(c.Now(s.Clock)); err != nil {
		return Kept{}, err
	}
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		k, err = s.save(ctx, tx, c, in)
		return err
	})
	return k, err
}

func (s *Store) save(ctx context.Context, tx db.Tx, c access.Caller, in NewStoredCard) (Kept, error) {
	pool, err := s.poolOf(ctx, tx, c, in.PartnerBased, in.Partner)
	if err != nil {
		return Kept{}, err
	}
	now := clock.RealNow(s.Clock).Time()
	card := StoredCard{
		ID: id.New[StoredCard](now), Tenant: c.Tenant, Pool: pool, Scope: in.Scope, Relational: in.Relational,
		Nickname: in.Nickname, Holder: in.Holder, BIN: in.BIN, LastFour: in.LastFour, Month: in.Month, Year: in.Year,
		CreatedAt: now, UpdatedAt: now, identity: in.Identity,
	}
	if in.Scope == ECommerce {
		card.number, _ = pan.Parse(string(in.Number.Reveal())) // checked before
		card.BIN, card.LastFour = card.number.Prefix(8), card.number.Last4()
		if card.number.Len() < 16 {
			card.BIN = card.number.Prefix(6)
		}
	} else if s.Issued != nil {
		if card.CardID, err = s.Issued.CardOfHolder(ctx, tx, c.Tenant, card.BIN, card.LastFour, card.identity); err != nil {
			return Kept{}, err
		}
	}
	if err := s.seal(ctx, &card); err != nil {
		return Kept{}, HSMFault(err)
	}
	if err := insertStoredCard(ctx, tx, card); err != nil {
		return Kept{}, err
	}
	k, err := s.kept(ctx, tx, card, c.Now(s.Clock))
	if err != nil {
		return Kept{}, err
	}
	return k, s.record(ctx, tx, c, "StoredCardCreate", card, nil, &card)
}

// check looks at everything that does not need the database.
func (in NewStoredCard) check(now time.Time) error {
	if !in.Relational.valid() || !isText(in.Nickname) || !isText(in.Holder) {
		return errStoredInvalid
	}
	if in.Scope == ECommerce {
		if number, err := pan.Parse(string(in.Number.Reveal())); err != nil || !number.ValidLuhn() {
			return errCardNumber
		}
	} else if len(in.BIN) != 6 && len(in.BIN) != 8 || !fault.AllDigits(in.BIN) || len(in.LastFour) != 4 || !fault.AllDigits(in.LastFour) {
		return errCardNumber
	}
	if err := checkMonth(in.Year, in.Month, now); err != nil {
		return err
	}
	if in.Scope == Insurance {
		return checkIdentity(in.Identity)
	}
	return nil
}

func checkMonth(year, month int, now time.Time) error {
	switch {
	case month < 1 || month > 12:
		return errCardMonth
	case year < 2000 || year > 2099:
		return errCardYear
	case monthOver(year, month, now):
		return errCardExpired
	}
	return nil
}

func checkIdentity(identity secret.Value) error {
	digits := string(identity.Reveal())
	switch {
	case digits == "":
		return errStoredInvalid
	case len(digits) == 10:
		if !country.ValidVKN(digits) {
			return errTaxNumber
		}
	case !country.ValidTCKN(digits):
		return errIdentityNumber
	}
	return nil
}

// textMax is how long names and ids may be.
const textMax = 128

// isText reports whether s is a name that may be kept: never one that holds a
// card number.
func isText(s string) bool {
	return strings.TrimSpace(s) != "" && len([]rune(s)) <= textMax && fault.Printable(s) && !pan.ContainsPAN(s)
}

// valid reports whether the ids can be sent as headers again.
func (r Relational) valid() bool {
	for i, s := range r {
		if i == 0 && strings.TrimSpace(s) == "" || len(s) > textMax || pan.ContainsPAN(s) || strings.TrimSpace(s) != s {
			return false
		}
		for _, b := range []byte(s) {
			if b < 0x20 || b > 0x7E {
				return false
			}
		}
	}
	return true
}

// Cards returns the stored cards of an owner, newest first.
func (s *Store) Cards(ctx context.Context, c access.Caller, o Owner) (all []Kept, err error) {
	if !o.Relational.valid() {
		return nil, errStoredInvalid
	}
	err = s.DB.View(ctx, func(tx db.Tx) error {
		all = nil
		pool, err := s.poolOf(ctx, tx, c, o.PartnerBased, o.Partner)
		if err != nil {
			return err
		}
		rows, err := storedCardsOf(ctx, tx, c.Tenant, pool, o.Scope, o.Relational)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := s.open(ctx, &row); err != nil {
				return HSMFault(err)
			}
			k, err := s.kept(ctx, tx, row, c.Now(s.Clock))
			if err != nil {
				return err
			}
			all = append(all, k)
		}
		return nil
	})
	return all, err
}

// StoredChange is what may be changed of a stored card. An empty nickname leaves
// it as it is.
type StoredChange struct {
	Code        string
	Nickname    string
	Month, Year int
}

// Update changes the stored card that a code names, if it is the owner's.
func (s *Store) Update(ctx context.Context, c access.Caller, o Owner, in StoredChange) error {
	if !o.Relational.valid() || in.Nickname != "" && !isText(in.Nickname) {
		return errStoredInvalid
	}
	if err := checkMonth(in.Year, in.Month, c.Now(s.Clock)); err != nil {
		return err
	}
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		before, err := s.owned(ctx, tx, c, o, in.Code)
		if err != nil {
			return err
		}
		after := before
		after.Month, after.Year, after.UpdatedAt = in.Month, in.Year, clock.RealNow(s.Clock).Time()
		if in.Nickname != "" {
			after.Nickname = in.Nickname
		}
		if err := updateStoredCard(ctx, tx, after); err != nil {
			return err
		}
		return s.record(ctx, tx, c, "StoredCardUpdate", after, &before, &after)
	})
}

// Delete deletes the stored card that a code names, if it is the owner's.
func (s *Store) Delete(ctx context.Context, c access.Caller, o Owner, code string) error {
	if !o.Relational.valid() {
		return errStoredInvalid
	}
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		card, err := s.owned(ctx, tx, c, o, code)
		if err != nil {
			return err
		}
		if err := deleteStoredCard(ctx, tx, card.Tenant, card.ID); err != nil {
			return err
		}
		return s.record(ctx, tx, c, "StoredCardDelete", card, &card, nil)
	})
}

// owned returns the card that a code names and holds its row.
func (s *Store) owned(ctx context.Context, tx db.Tx, c access.Caller, o Owner, code string) (StoredCard, error) {
	pool, err := s.poolOf(ctx, tx, c, o.PartnerBased, o.Partner)
	if err != nil {
		return StoredCard{}, err
	}
	named, err := s.readCode(ctx, c, pool, o.Scope, code)
	if err != nil {
		return StoredCard{}, err
	}
	card, found, err := lockStoredCard(ctx, tx, c.Tenant, named)
	if err != nil {
		return StoredCard{}, err
	}
	if !found || card.Pool != pool || card.Scope != o.Scope || card.Relational != o.Relational {
		return StoredCard{}, errStoredNotFound
	}
	return card, nil
}

func (s *Store) kept(ctx context.Context, tx db.Tx, card StoredCard, now time.Time) (k Kept, err error) {
	k = Kept{StoredCard: card, Expired: card.ExpiredAt(now)}
	if k.Code, err = s.codeOf(ctx, card, now); err != nil {
		return Kept{}, HSMFault(err)
	}
	k.Range, err = lookUp(ctx, tx, card.BIN)
	return k, err
}

// place names a sealed column of a card.
func (s StoredCard) place(column string) []byte {
	return []byte("stored_card|" + column + "|" + s.ID.String())
}

// seal fills the columns of what must not be read.
func (s *Store) seal(ctx context.Context, card *StoredCard) (err error) {
	tenant := card.Tenant.String()
	if card.sealed.holder, err = s.HSM.Seal(ctx, tenant, purposeStored, []byte(card.Holder), card.place("holder")); err != nil {
		return err
	}
	if card.Scope == ECommerce {
		card.sealed.number, err = s.HSM.Seal(ctx, tenant, purposeStored, []byte(card.number.Reveal()), card.place("pan"))
		return err
	}
	if card.sealed.identity, err = s.HSM.Seal(ctx, tenant, purposeStored, card.identity.Reveal(), card.place("identity")); err != nil {
		return err
	}
	index, err := s.HSM.Index(ctx, tenant, purposeStored, append([]byte("identity|"), card.identity.Reveal()...))
	card.identityIndex = hex.EncodeToString(index)
	return err
}

// open reads what a merchant is shown; the number stays closed.
func (s *Store) open(ctx context.Context, card *StoredCard) error {
	holder, err := s.HSM.Open(ctx, card.Tenant.String(), purposeStored, card.sealed.holder, card.place("holder"))
	if err != nil {
		return err
	}
	card.Holder = string(holder)
	if card.Scope == Insurance {
		identity, err := s.HSM.Open(ctx, card.Tenant.String(), purposeStored, card.sealed.identity, card.place("identity"))
		if err != nil {
			return err
		}
		card.identity = secret.New(identity)
		clear(identity)
	}
	return nil
}

// record writes an act on a stored card into the audit chain.
func (s *Store) record(ctx context.Context, tx db.Tx, c access.Caller, action string, card StoredCard, before, after *StoredCard) error {
	a := c.Act(clock.RealNow(s.Clock), audit.StoreStream, action)
	a.EntityType, a.EntityKey, a.CardID = "StoredCard", card.ID.String(), card.CardID
	a.Changes = audit.Changes(before.shown(), after.shown())
	return audit.Append(ctx, tx, a)
}

// storedShown is what the audit chain says of a stored card.
type storedShown struct {
	Scope, BIN, LastFour, Expires string
}

func (s *StoredCard) shown() any {
	if s == nil {
		return nil
	}
	return storedShown{
		Scope: strconv.Itoa(int(s.Scope)), BIN: s.BIN, LastFour: s.LastFour,
		Expires: strconv.Itoa(s.Year) + "-" + strconv.Itoa(s.Month),
	}
}

// newUUID is a random UUID (version 4).
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0F|0x40, b[8]&0x3F|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
