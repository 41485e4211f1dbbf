package vault

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

const purposeTemporary = "temporary_card"

// What temporary tokens and cards live for.
const (
	temporaryLife     = 15 // minutes, when nobody says
	temporaryTokenMax = 1440
	temporaryCardMax  = 30
)

// Temporary is a token or card for a browser. Token is shown this once.
type Temporary struct {
	Number    int
	Token     string
	ExpiresAt time.Time // real time
}

// temporaryToken is who handed a token out.
type temporaryToken struct {
	tenant  access.TenantID
	pool    string
	client  string
	expires time.Time
}

// NewTemporaryCard is a card from a browser. Number, CVV2, Month and Year are
// for e-commerce; BIN, LastFour and Identity are for insurance. The CVV2 is looked
// at and not kept: nothing here pays with it.
type NewTemporaryCard struct {
	Scope         Scope
	Holder        string
	Number, CVV2  secret.Value
	Month, Year   int
	BIN, LastFour string
	Identity      secret.Value
	Minutes       int
}

// tokenHash is how a token is kept.
func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(token)))
	return hex.EncodeToString(sum[:])
}

// expiryOf is when something of so many minutes dies.
func (s *Store) expiryOf(minutes, most int) (time.Time, error) {
	if minutes < 0 || minutes > most {
		return time.Time{}, errStoredInvalid
	}
	if minutes == 0 {
		minutes = temporaryLife
	}
	return clock.RealNow(s.Clock).Time().Add(time.Duration(minutes) * time.Minute), nil
}

func newTemporary(expires time.Time) Temporary {
	var b [4]byte
	rand.Read(b[:]) // never fails
	return Temporary{Number: int(binary.BigEndian.Uint32(b[:])>>1) + 1, Token: newUUID(), ExpiresAt: expires}
}

// NewToken makes a token with which a browser may hand over cards for so many
// minutes, 0 for the usual.
func (s *Store) NewToken(ctx context.Context, c access.Caller, minutes int) (Temporary, error) {
	expires, err := s.expiryOf(minutes, temporaryTokenMax)
	if err != nil {
		return Temporary{}, err
	}
	out := newTemporary(expires)
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		m, err := merchant(ctx, tx, c)
		if err != nil {
			return err
		}
		return insertTemporaryToken(ctx, tx, tokenHash(out.Token), temporaryToken{c.Tenant, m, c.Client, expires})
	})
	return out, err
}

// ClientOfToken returns the client that handed a live token out.
func (s *Store) ClientOfToken(ctx context.Context, token secret.Value) (client string, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		t, found, err := readTemporaryToken(ctx, tx, tokenHash(string(token.Reveal())), clock.RealNow(s.Clock).Time())
		if err == nil && !found {
			err = errTemporaryToken
		}
		client = t.client
		return err
	})
	return client, err
}

// NewCard keeps a card from a browser for a while. The caller is the client that
// handed out the token.
func (s *Store) NewCard(ctx context.Context, c access.Caller, token secret.Value, in NewTemporaryCard) (Temporary, error) {
	if in.Scope != ECommerce && in.Scope != Insurance {
		return Temporary{}, errTemporaryKind
	}
	expires, err := s.expiryOf(in.Minutes, temporaryCardMax)
	if err != nil {
		return Temporary{}, err
	}
	if err := in.check(c.Now(s.Clock)); err != nil {
		return Temporary{}, err
	}
	out := newTemporary(expires)
	hash := tokenHash(out.Token)
	sealed, err := s.HSM.Seal(ctx, c.Tenant.String(), purposeTemporary, in.encode(), []byte("temporary_card|"+hash))
	if err != nil {
		return Temporary{}, HSMFault(err)
	}
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		t, found, err := readTemporaryToken(ctx, tx, tokenHash(string(token.Reveal())), clock.RealNow(s.Clock).Time())
		if err != nil {
			return err
		}
		if !found || t.tenant != c.Tenant || t.client != c.Client {
			return errTemporaryToken
		}
		return insertTemporaryCard(ctx, tx, hash, t, in.Scope, sealed, expires)
	})
	return out, err
}

func (in NewTemporaryCard) check(now time.Time) error {
	full := NewStoredCard{
		Owner: Owner{Scope: in.Scope, Relational: Relational{"-"}}, Nickname: "-", Holder: in.Holder, Number: in.Number,
		BIN: in.BIN, LastFour: in.LastFour, Identity: in.Identity, Month: in.Month, Year: in.Year,
	}
	if in.Scope == Insurance { // which comes without a month
		full.Month, full.Year = 12, 2099
	} else if n := in.CVV2.Len(); n != 3 && n != 4 || !fault.AllDigits(string(in.CVV2.Reveal())) {
		return errStoredInvalid
	}
	return full.check(now)
}

const temporarySeparator = "\x1f"

// encode is what is sealed; no member holds the separator.
func (in NewTemporaryCard) encode() []byte {
	return []byte(strings.Join([]string{
		in.Holder, string(in.Number.Reveal()), strconv.Itoa(in.Month), strconv.Itoa(in.Year),
		in.BIN, in.LastFour, string(in.Identity.Reveal()),
	}, temporarySeparator))
}

// SaveTemporary stores the card that a browser handed over, which is gone once it
// is stored.
func (s *Store) SaveTemporary(ctx context.Context, c access.Caller, o Owner, nickname string, token secret.Value) (k Kept, err error) {
	if !o.Relational.valid() || !isText(nickname) {
		return Kept{}, errStoredInvalid
	}
	hash := tokenHash(string(token.Reveal()))
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		m, err := merchant(ctx, tx, c)
		if err != nil {
			return err
		}
		sealed, found, err := takeTemporaryCard(ctx, tx, c.Tenant, m, hash, o.Scope, clock.RealNow(s.Clock).Time())
		if err != nil {
			return err
		}
		if !found {
			return errTemporaryCard
		}
		plain, err := s.HSM.Open(ctx, c.Tenant.String(), purposeTemporary, sealed, []byte("temporary_card|"+hash))
		if err != nil {
			return HSMFault(err)
		}
		defer clear(plain)
		in, err := decodeTemporary(o, nickname, string(plain))
		if err != nil {
			return err
		}
		if err := in.check(c.Now(s.Clock)); err != nil {
			return err
		}
		k, err = s.save(ctx, tx, c, in)
		return err
	})
	return k, err
}

func decodeTemporary(o Owner, nickname, plain string) (NewStoredCard, error) {
	f := strings.Split(plain, temporarySeparator)
	if len(f) != 7 {
		return NewStoredCard{}, fmt.Errorf("a temporary card of %d members", len(f))
	}
	month, err := strconv.Atoi(f[2])
	if err != nil {
		return NewStoredCard{}, fmt.Errorf("a temporary card without a month")
	}
	year, err := strconv.Atoi(f[3])
	if err != nil {
		return NewStoredCard{}, fmt.Errorf("a temporary card without a year")
	}
	return NewStoredCard{Owner: o, Nickname: nickname, Holder: f[0], Number: secret.FromString(f[1]), Month: month, Year: year}, nil
}

// SweepTemporary deletes tokens and cards that are over.
func (s *Store) SweepTemporary(ctx context.Context) (rows int, err error) {
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sweepTemporary(ctx, tx, clock.RealNow(s.Clock).Time())
		rows = int(n)
		return err
	})
	return rows, err
}
