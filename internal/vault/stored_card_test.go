package vault

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// shelf is a store on a database of its own, with one merchant.
type shelf struct {
	*Store
	t      *testing.T
	clock  *clock.Fake
	access *access.Service
	caller access.Caller
}

func eachShelf(t *testing.T, f func(t *testing.T, s *shelf)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		backend, err := soft.New(bytes.Repeat([]byte{7}, 32))
		if err != nil {
			t.Fatal(err)
		}
		c := clock.NewFake(time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC))
		s := &shelf{Store: NewStore(d, backend, c), t: t, clock: c, access: access.New(d, backend, c)}
		tenant, made, err := s.access.CreateTenant(t.Context(), access.NewTenant{Name: "Acme", Sandbox: true})
		if err != nil {
			t.Fatal(err)
		}
		s.caller = access.System(tenant)
		s.caller.Client = made.Families.CardStorePrivate.ClientID
		f(t, s)
	})
}

const (
	holderNumber = "17654932298"
	cardNumber   = "4000001200000057"
	cardCode     = "739"
)

func (s *shelf) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func owner(scope Scope) Owner { return Owner{Scope: scope, Relational: Relational{"1"}} }

// fill stores a card of each kind and leaves a temporary one of each.
func (s *shelf) fill() (temporary []Temporary) {
	s.t.Helper()
	_, err := s.Save(s.t.Context(), s.caller, NewStoredCard{
		Owner: owner(ECommerce), Nickname: "card", Holder: "Zinnur Ülgen", Number: secret.FromString(cardNumber), Month: 9, Year: 2034,
	})
	s.must(err)
	_, err = s.Save(s.t.Context(), s.caller, NewStoredCard{
		Owner: owner(Insurance), Nickname: "card", Holder: "Zinnur Ülgen", BIN: "40000012", LastFour: "0057",
		Identity: secret.FromString(holderNumber), Month: 9, Year: 2034,
	})
	s.must(err)
	token, err := s.NewToken(s.t.Context(), s.caller, 60)
	s.must(err)
	for _, in := range []NewTemporaryCard{
		{Scope: ECommerce, Holder: "Zinnur Ülgen", Number: secret.FromString(cardNumber), CVV2: secret.FromString(cardCode), Month: 9, Year: 2034},
		{Scope: Insurance, Holder: "Zinnur Ülgen", BIN: "40000012", LastFour: "0057", Identity: secret.FromString(holderNumber)},
	} {
		made, err := s.NewCard(s.t.Context(), s.caller, secret.FromString(token.Token), in)
		s.must(err)
		temporary = append(temporary, made)
	}
	_, err = s.Blacklist(s.t.Context(), s.caller, BlacklistSubject{Number: secret.FromString(cardNumber)})
	s.must(err)
	return append(temporary, token)
}

// texts are all columns of all rows of the tables, as text; what is in bytes is
// there as it is and in hexadecimal.
func (s *shelf) texts(tables ...string) string {
	s.t.Helper()
	var out strings.Builder
	for _, table := range tables {
		err := s.DB.View(s.t.Context(), func(tx db.Tx) error {
			rows, err := tx.Query(s.t.Context(), `SELECT * FROM `+table)
			if err != nil {
				return err
			}
			defer rows.Close()
			columns, err := rows.Columns()
			if err != nil {
				return err
			}
			for rows.Next() {
				values := make([]any, len(columns))
				for i := range values {
					values[i] = new(any)
				}
				if err := rows.Scan(values...); err != nil {
					return err
				}
				for _, v := range values {
					if b, ok := (*v.(*any)).([]byte); ok {
						fmt.Fprintf(&out, "%s %s\n", b, hex.EncodeToString(b))
						continue
					}
					fmt.Fprintf(&out, "%v\n", *v.(*any))
				}
			}
			return rows.Err()
		})
		s.must(err)
	}
	return out.String()
}

// Number, identity, holder and tokens lie in no row in clear, in letters or bytes,
// and neither does what is derived from them without a key.
func TestStore_liesSealed(t *testing.T) {
	eachShelf(t, func(t *testing.T, s *shelf) {
		made := s.fill()
		stored := s.texts("stored_card", "temporary_card", "temporary_token", "stored_card_blacklist", "audit_act", "audit_personal")
		if len(stored) < 1000 {
			t.Fatalf("only %d bytes were read", len(stored))
		}
		secrets := map[string]string{"number": cardNumber, "identity": holderNumber, "holder": "Zinnur"}
		for i, m := range made {
			secrets[fmt.Sprint("token ", i)] = m.Token
		}
		for name, text := range secrets {
			for _, form := range []string{text, hex.EncodeToString([]byte(text)), tokenHash(text)} {
				if form == tokenHash(text) && strings.HasPrefix(name, "token") {
					continue // random, so that its hash tells nothing
				}
				if strings.Contains(stored, form) {
					t.Errorf("the %s lies there as %s", name, form)
				}
			}
		}
	})
}

// A temporary card is sealed without its security code.
func TestNewCard_keepsNoSecurityCode(t *testing.T) {
	eachShelf(t, func(t *testing.T, s *shelf) {
		made := s.fill()[0]
		hash := tokenHash(made.Token)
		var sealed []byte
		s.must(s.DB.View(t.Context(), func(tx db.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT sealed FROM temporary_card WHERE token_hash = $1`, hash).Scan(&sealed)
		}))
		plain, err := s.HSM.Open(t.Context(), s.caller.Tenant.String(), purposeTemporary, sealed, []byte("temporary_card|"+hash))
		s.must(err)
		if !strings.Contains(string(plain), cardNumber) || strings.Contains(strings.ReplaceAll(string(plain), cardNumber, ""), cardCode) {
			t.Error("what is sealed is not the card, or holds its code")
		}
	})
}

func TestSweepTemporary_forgetsWhatIsOver(t *testing.T) {
	eachShelf(t, func(t *testing.T, s *shelf) {
		s.fill()
		for _, step := range []struct {
			after time.Duration
			gone  int
		}{{15*time.Minute - time.Microsecond, 0}, {time.Microsecond, 2}, {45 * time.Minute, 1}, {time.Hour, 0}} {
			s.clock.Advance(step.after)
			if n, err := s.SweepTemporary(t.Context()); err != nil || n != step.gone {
				t.Errorf("after %v more: %d are gone, want %d, %v", step.after, n, step.gone, err)
			}
		}
	})
}

// Every act on a stored card is in the audit chain, without who holds it.
func TestStore_acts(t *testing.T) {
	eachShelf(t, func(t *testing.T, s *shelf) {
		s.fill()
		all, err := s.Cards(t.Context(), s.caller, owner(Insurance))
		s.must(err)
		s.must(s.Update(t.Context(), s.caller, owner(Insurance), StoredChange{Code: all[0].Code, Nickname: "other", Month: 1, Year: 2035}))
		s.must(s.Delete(t.Context(), s.caller, owner(Insurance), all[0].Code))
		s.must(s.AddPartnerMerchant(t.Context(), s.caller, "fleet-1", s.caller.Client))
		s.must(s.Whitelist(t.Context(), s.caller, BlacklistSubject{Number: secret.FromString(cardNumber)}))
		var acts []string
		s.must(s.DB.View(t.Context(), func(tx db.Tx) error {
			acts, err = db.Collect(t.Context(), tx, scanText, `SELECT action FROM audit_act WHERE stream = $1 ORDER BY position`, string(audit.StoreStream))
			return err
		}))
		want := "StoredCardCreate StoredCardCreate BlacklistAdd StoredCardUpdate StoredCardDelete PartnerMerchantAdd BlacklistRemove"
		if got := strings.Join(acts, " "); got != want {
			t.Errorf("acts %s", got)
		}
	})
}

// A card lasts through the last day of its month in Turkey, and as long as it is
// changed to.
func TestCards_tellWhatHasExpired(t *testing.T) {
	eachShelf(t, func(t *testing.T, s *shelf) {
		_, err := s.Save(t.Context(), s.caller, NewStoredCard{
			Owner: owner(ECommerce), Nickname: "card", Holder: "Zinnur Ülgen", Number: secret.FromString(cardNumber), Month: 3, Year: 2026,
		})
		s.must(err)
		list := func() Kept {
			t.Helper()
			all, err := s.Cards(t.Context(), s.caller, owner(ECommerce))
			s.must(err)
			return all[0]
		}
		s.clock.Advance(12*time.Hour - time.Second) // it is 23:59:59 in Turkey
		if list().Expired {
			t.Error("it expires on the last day of its month")
		}
		s.clock.Advance(time.Second)
		if !list().Expired {
			t.Error("it lasts beyond its month")
		}
		change := StoredChange{Code: list().Code, Month: 3, Year: 2026}
		if err := s.Update(t.Context(), s.caller, owner(ECommerce), change); codeOf(err) != CodeCardExpired {
			t.Errorf("changed to a month that is over: %v", err)
		}
		change.Month = 4
		s.must(s.Update(t.Context(), s.caller, owner(ECommerce), change))
		if k := list(); k.Expired || k.Nickname != "card" {
			t.Errorf("after the change: %+v", k.Expired)
		}
	})
}

// A loaded table is looked at alone and whole, eight digits before six; one that
// is refused changes nothing.
func TestLoadBINTable(t *testing.T) {
	eachShelf(t, func(t *testing.T, s *shelf) {
		bank := func(digits string) string {
			b, err := s.BIN(t.Context(), digits)
			if err != nil && codeOf(err) != CodeBINNotFound {
				t.Fatal(err)
			}
			return b.Bank
		}
		load := func(text string) (int, error) {
			all, err := ParseBINTable(strings.NewReader(text))
			if err != nil {
				return 0, err
			}
			return s.LoadBINTable(t.Context(), all)
		}
		if got := bank("41197901"); !strings.Contains(got, "VAKIFLAR") {
			t.Errorf("built in: %q", got)
		}
		version, err := load(binHeader + "\n400000,1,Six,2,1,1,1\n40000012,2,Eight,2,0,2,2\n")
		if err != nil || version != 1 {
			t.Fatal(version, err)
		}
		for digits, want := range map[string]string{"40000012": "Eight", "40000013": "Six", "400000": "Six", "41197901": "", "400001": ""} {
			if got := bank(digits); got != want {
				t.Errorf("%s: %q, want %q", digits, got, want)
			}
		}
		for _, bad := range []string{
			"", "bin\n", binHeader, binHeader + "\n4000,1,x,1,1,1,1", binHeader + "\n4000001,1,x,1,1,1,1", binHeader + "\n400000,1,x,1,1,1",
			binHeader + "\n400000,-1,x,1,1,1,1", binHeader + "\n400000,1,x\x00,1,1,1,1", binHeader + "\n400000,1,x,1,1,1,1\n400000,1,x,1,1,1,1",
			binHeader + "\n400000,1,\"x,1,1,1,1",
		} {
			if _, err := load(bad); !errors.Is(err, ErrBINTable) {
				t.Errorf("%q: %v", bad, err)
			}
		}
		many := strings.Builder{}
		many.WriteString("\ufeff" + binHeader + "\r\n")
		for i := range 3000 {
			fmt.Fprintf(&many, "%06d,3,\"Bank, of %d\",1,0,1,1\r\n", 500000+i, i)
		}
		if version, err := load(many.String()); err != nil || version != 2 || bank("502999") != "Bank, of 2999" || bank("400000") != "" {
			t.Errorf("version %d, %v, %q, %q", version, err, bank("502999"), bank("400000"))
		}
	})
}

// What is taken as a BIN table is one: its ranges are looked up as they stand.
func FuzzParseBINTable(f *testing.F) {
	f.Add(builtIn)
	f.Add("\ufeff" + binHeader + "\r\n40000012,1,\"A, B\",1,2,3,4\r\n")
	f.Add(binHeader + "\n400000,1,\"x\ny\",1,1,1,1")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := ParseBINTable(strings.NewReader(text))
		if err != nil {
			if !errors.Is(err, ErrBINTable) || len(all) > 0 {
				t.Fatalf("%d ranges and %v", len(all), err)
			}
			return
		}
		seen := map[string]bool{}
		for _, b := range all {
			if len(b.BIN) != 6 && len(b.BIN) != 8 || strings.Trim(b.BIN, "0123456789") != "" || seen[b.BIN] || !fault.Printable(b.Bank) ||
				min(b.BankID, b.BrandID, b.FamilyID, b.KindID, b.TypeID) < 0 {
				t.Fatalf("took %+v", b)
			}
			seen[b.BIN] = true
		}
		if len(seen) == 0 {
			t.Fatal("took an empty table")
		}
	})
}

// A code that is read is one that was given out.
func FuzzReadCode(f *testing.F) {
	backend, err := soft.New(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		f.Fatal(err)
	}
	s := NewStore(nil, backend, clock.NewFake(time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC)))
	now := s.Clock.Now()
	caller := access.Caller{Tenant: id.New[access.Tenant](now)}
	card := StoredCard{ID: id.New[StoredCard](now), Tenant: caller.Tenant, Pool: "pool", Scope: Insurance}
	good, err := s.codeOf(f.Context(), card, now)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(strings.Repeat("A", 56))
	f.Add("")
	f.Fuzz(func(t *testing.T, code string) {
		_, err := s.readCode(t.Context(), caller, card.Pool, card.Scope, code)
		if (err == nil) != (code == good) || err != nil && codeOf(err) != CodeUniqueCode {
			t.Errorf("%q: %v", code, err)
		}
	})
}
