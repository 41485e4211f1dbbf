package access

import (
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Environment says whether a tenant's cards are real.
type Environment string

// The environments.
const (
	Production Environment = "Production"
	Sandbox    Environment = "Sandbox"
)

// TenantID identifies a tenant. Outward it is shown as its UUID.
type TenantID = id.ID[Tenant]

// Tenant is one institution or programme.
type Tenant struct {
	ID               TenantID
	Code             string // unique on the platform: lower-case letters, digits, '-'
	Name             string
	InstitutionType  string // Bank, EMoney, PaymentInstitution or ProgramManager
	TaxNumber        string
	Address          string
	Contact          string
	Zone             *time.Location // business days and cut-offs
	Language         string         // "tr" or "en"
	Environment      Environment
	DefaultCurrency  money.Currency
	IsActive         bool
	Ahead            clock.Ahead // of its business time; nothing but in a sandbox
	ClientRefresh    bool        // clients get a refresh token with their own credentials, too
	Rate             Rate        // of each client that has none of its own; zero: the server's
	ConcurrencyStamp string
	CreatedAt        time.Time
	UpdatedAt        time.Time
}

// Now returns what the tenant's business calls now.
func (t Tenant) Now(c clock.Clock) time.Time { return t.Ahead.Now(c) }

// IDPrefix is "tnt".
func (Tenant) IDPrefix() string { return "tnt" }

// InstitutionTypes lists what an institution may be.
func InstitutionTypes() []string {
	return []string{"Bank", "EMoney", "PaymentInstitution", "ProgramManager"}
}

// shown is what the audit record compares of a tenant. Who is to be called there
// is personal and stays out.
func (t Tenant) shown() any {
	return struct {
		Code, Name, InstitutionType, TaxNumber, TimeZone, Language, Environment, DefaultCurrency string
		IsActive, ClientRefresh                                                                  bool
		RateLimit, RateBurst                                                                     int
	}{
		t.Code, t.Name, t.InstitutionType, t.TaxNumber, t.Zone.String(), t.Language, string(t.Environment), t.DefaultCurrency.Code(),
		t.IsActive, t.ClientRefresh, t.Rate.PerSecond, t.Rate.Burst,
	}
}
