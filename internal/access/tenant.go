package access

import (
	"time"

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
	ConcurrencyStamp string
	CreatedAt        time.Time
	UpdatedAt        time.Time
}

// IDPrefix is "tnt".
func (Tenant) IDPrefix() string { return "tnt" }

// InstitutionTypes lists what an institution may be.
func InstitutionTypes() []string {
	return []string{"Bank", "EMoney", "PaymentInstitution", "ProgramManager"}
}
