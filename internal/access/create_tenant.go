package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/fold"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// NewTenant describes a tenant to create. Only Name is required.
type NewTenant struct {
	Name            string // 1 to 128 characters
	Code            string // empty: made from the name
	Sandbox         bool
	InstitutionType string // empty: EMoney
	TimeZone        string // empty: Europe/Istanbul
	Language        string // empty: tr
	DefaultCurrency string // empty: TRY
}

// Credentials are what a client shows to get a token. The secret exists in
// clear only here, when it is made.
type Credentials struct {
	ClientID     string
	ClientSecret secret.Value
}

// TenantCredentials are those of the clients that a new tenant gets: the first
// of the platform family, which holds every permission, and one for each
// neighbour family.
type TenantCredentials struct {
	Credentials
	Families FamilyCredentials
}

// CreateTenant creates a tenant, its first client, which holds every
// permission, and a client of each neighbour family. A code that is taken is a Conflict when it was asked for; one
// made from the name is varied until it is free.
func (s *Service) CreateTenant(ctx context.Context, in NewTenant) (Tenant, TenantCredentials, error) {
	t, err := s.newTenant(in)
	if err != nil {
		return Tenant{}, TenantCredentials{}, err
	}
	creds := TenantCredentials{newCredentials(), newFamilyCredentials()}
	for range tenantCodeTries {
		t, err = s.insertTenant(ctx, t, creds, in.Code == "")
		if in.Code != "" || !errors.Is(err, errTenantTaken) { // else somebody took it since it was looked for
			break
		}
	}
	if err != nil {
		return Tenant{}, TenantCredentials{}, fmt.Errorf("create tenant: %w", err)
	}
	return t, creds, nil
}

// tenantCodeTries is how many codes are made of a name before something must be wrong.
const tenantCodeTries = 20

// insertTenant writes a tenant with its clients, under another code where that may be
// and its own is taken.
func (s *Service) insertTenant(ctx context.Context, t Tenant, creds TenantCredentials, mayVary bool) (Tenant, error) {
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		if mayVary {
			if _, taken, err := FindTenantByCode(ctx, tx, t.Code); err != nil {
				return err
			} else if taken {
				t.Code = strings.TrimRight(t.Code[:min(len(t.Code), 26)], "-") + "-" + random(3)
			}
		}
		if err := insertTenant(ctx, tx, t); err != nil {
			if db.IsUnique(err) {
				return errTenantTaken
			}
			return fmt.Errorf("insert tenant: %w", err)
		}
		c := Client{
			ID: creds.ClientID, Tenant: t.ID, Family: Platform, Name: t.Name, Permissions: EveryPermission(), IsActive: true,
			ConcurrencyStamp: random(16), CreatedAt: t.CreatedAt, UpdatedAt: t.CreatedAt,
		}
		if err := insertClient(ctx, tx, c, hashOf(creds.ClientSecret.Reveal())); err != nil {
			return fmt.Errorf("insert client: %w", err)
		}
		if err := s.tell(ctx, tx, t.ID); err != nil {
			return err
		}
		if err := recordTenant(ctx, tx, System(t), t.CreatedAt, "TenantCreate", nil, &t); err != nil {
			return err
		}
		if err := recordClient(ctx, tx, System(t), t.CreatedAt, "ClientCreate", nil, &c); err != nil {
			return err
		}
		return s.insertFamilyClients(ctx, tx, t, creds.Families)
	})
	return t, err
}

// tell lets the watcher know that the tenant is new or changed.
func (s *Service) tell(ctx context.Context, tx db.Tx, tenant TenantID) error {
	if s.Watcher == nil {
		return nil
	}
	return s.Watcher.TenantChanged(ctx, tx, tenant)
}

func (s *Service) newTenant(in NewTenant) (Tenant, error) {
	now := s.Clock.Now()
	t := Tenant{
		ID: id.New[Tenant](now), Code: in.Code, IsActive: true, Environment: Production, ClientRefresh: true,
		ConcurrencyStamp: random(16), CreatedAt: now, UpdatedAt: now,
	}
	if in.Sandbox {
		t.Environment = Sandbox
	}
	if t.Code == "" {
		t.Code = codeFrom(in.Name)
	}
	err := t.set(TenantChange{
		Name: in.Name, InstitutionType: or(in.InstitutionType, "EMoney"), TimeZone: or(in.TimeZone, "Europe/Istanbul"),
		Language: or(in.Language, "tr"), DefaultCurrency: or(in.DefaultCurrency, "TRY"),
	})
	bad := faultOf(err)
	if !validCode(t.Code) {
		bad = bad.OnField("code", "malformed", "must have 1 to 32 lower-case letters, digits or '-'")
	}
	if len(bad.Fields) > 0 {
		return Tenant{}, bad
	}
	return t, nil
}

// set puts a change into t, or returns a fault that names everything wrong
// with it and leaves t unspecified.
func (t *Tenant) set(in TenantChange) error {
	bad := fault.New(fault.Invalid, CodeInvalid, "the tenant is not valid")
	if n := len([]rune(in.Name)); strings.TrimSpace(in.Name) == "" || n > 128 {
		bad = bad.OnField("name", "length", "must have 1 to 128 characters")
	}
	if !utf8.ValidString(in.Name) || strings.ContainsFunc(in.Name, unicode.IsControl) {
		bad = bad.OnField("name", "malformed", "must be text without control characters")
	}
	if !contains(InstitutionTypes(), in.InstitutionType) {
		bad = bad.OnField("institutionType", "unknown", "must be one of "+strings.Join(InstitutionTypes(), ", "))
	}
	zone, err := time.LoadLocation(in.TimeZone)
	if err != nil || in.TimeZone == "" || in.TimeZone == "Local" {
		bad = bad.OnField("timeZone", "unknown", "must be the name of a time zone, as Europe/Istanbul")
	}
	if in.Language != "tr" && in.Language != "en" {
		bad = bad.OnField("language", "unknown", "must be tr or en")
	}
	currency, err := money.ParseCurrency(in.DefaultCurrency)
	if err != nil {
		bad = bad.OnField("defaultCurrency", "not_a_currency", "must be a currency of ISO 4217")
	}
	for _, f := range []struct{ name, value string }{{"taxNumber", in.TaxNumber}, {"address", in.Address}, {"contact", in.Contact}} {
		if len([]rune(f.value)) > 512 {
			bad = bad.OnField(f.name, "too_long", "must have at most 512 characters")
		}
	}
	if len(bad.Fields) > 0 {
		return bad
	}
	t.Name, t.InstitutionType, t.Zone, t.Language, t.DefaultCurrency = in.Name, in.InstitutionType, zone, in.Language, currency
	t.TaxNumber, t.Address, t.Contact = in.TaxNumber, in.Address, in.Contact
	return nil
}

// faultOf returns err as the fault it is, or an empty one of kind Invalid to
// collect fields in.
func faultOf(err error) *fault.Error {
	if f, ok := fault.As(err); ok {
		return f
	}
	return fault.New(fault.Invalid, CodeInvalid, "the tenant is not valid")
}

// codeFrom makes a code of the letters and digits of name, without their accents.
func codeFrom(name string) string {
	var b strings.Builder
	for _, r := range fold.Text(name) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() == 32 {
			break
		}
	}
	return or(strings.TrimRight(b.String(), "-"), "tenant")
}

func validCode(s string) bool {
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-') {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 32
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

func newCredentials() Credentials {
	return Credentials{ClientID: "sc_" + random(16), ClientSecret: newToken("sk_")}
}

// random returns n random bytes in hexadecimal digits.
func random(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// newToken returns prefix and 256 random bits in base64url.
func newToken(prefix string) secret.Value {
	b := make([]byte, 32)
	rand.Read(b)
	return secret.FromString(prefix + base64.RawURLEncoding.EncodeToString(b))
}

// hashOf is how a secret of 256 random bits is stored: with so much entropy
// SHA-256 is as good as a slow hash.
func hashOf(value []byte) string {
	sum := sha256.Sum256(value)
	return hex.EncodeToString(sum[:])
}
