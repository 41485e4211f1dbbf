package platform

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
)

type institutionTypes struct{}

func (institutionTypes) Members() []api.Member { return api.Numbered(0, access.InstitutionTypes()...) }

type tenantRequest struct {
	Name             api.FreeText               `json:"name" required:"true" minLength:"1" maxLength:"128"`
	InstitutionType  api.Enum[institutionTypes] `json:"institutionType" required:"true"`
	TaxNumber        api.FreeText               `json:"taxNumber,omitempty" maxLength:"32"`
	Address          api.FreeText               `json:"address,omitempty" maxLength:"512"`
	Contact          api.FreeText               `json:"contact,omitempty" maxLength:"512"`
	TimeZone         string                     `json:"timeZone" required:"true" maxLength:"64" doc:"A name of the IANA time zone database."`
	Language         string                     `json:"language" required:"true" enum:"tr,en"`
	DefaultCurrency  string                     `json:"defaultCurrency" required:"true" maxLength:"3"`
	ConcurrencyStamp string                     `json:"concurrencyStamp,omitempty" maxLength:"64" doc:"When given, it must be the stored one."`
}

type tenantDetail struct {
	TenantID         string    `json:"tenantId"`
	Code             string    `json:"code"`
	Name             string    `json:"name"`
	InstitutionType  string    `json:"institutionType"`
	TaxNumber        string    `json:"taxNumber"`
	Address          string    `json:"address"`
	Contact          string    `json:"contact"`
	TimeZone         string    `json:"timeZone"`
	Language         string    `json:"language"`
	Environment      string    `json:"environment" enum:"Production,Sandbox"`
	DefaultCurrency  string    `json:"defaultCurrency"`
	IsActive         bool      `json:"isActive"`
	ClientRefresh    bool      `json:"clientRefreshTokens" doc:"Clients get a refresh token with their own credentials, too; set by the platform."`
	RateLimit        int       `json:"rateLimit" doc:"Requests a second of each client that has no rate of its own; 0 is the platform's. Set by the platform."`
	RateBurst        int       `json:"rateBurst"`
	BusinessTime     time.Time `json:"businessTime" doc:"What its business calls now. Ahead of the clock in a sandbox whose time was moved."`
	ConcurrencyStamp string    `json:"concurrencyStamp"`
	CreationTime     time.Time `json:"creationTime"`
	ModificationTime time.Time `json:"lastModificationTime"`
}

func (a *API) showTenant(ctx context.Context, c access.Caller, _ *struct{}) (tenantDetail, error) {
	t, err := a.Access.Tenant(ctx, c)
	if err != nil {
		return tenantDetail{}, err
	}
	return encodeTenant(t, t.Now(a.Clock)), nil
}

func (a *API) updateTenant(ctx context.Context, c access.Caller, in *struct{ Body tenantRequest }) (tenantDetail, error) {
	t, err := a.Access.UpdateTenant(ctx, c, decodeTenant(in.Body))
	if err != nil {
		return tenantDetail{}, err
	}
	return encodeTenant(t, t.Now(a.Clock)), nil
}

func decodeTenant(in tenantRequest) access.TenantChange {
	return access.TenantChange{
		Name: string(in.Name), InstitutionType: string(in.InstitutionType), TaxNumber: string(in.TaxNumber),
		Address: string(in.Address), Contact: string(in.Contact), TimeZone: in.TimeZone, Language: in.Language,
		DefaultCurrency: in.DefaultCurrency, ConcurrencyStamp: in.ConcurrencyStamp,
	}
}

func encodeTenant(t access.Tenant, now time.Time) tenantDetail {
	return tenantDetail{
		TenantID: t.ID.UUID(), Code: t.Code, Name: t.Name, InstitutionType: t.InstitutionType, TaxNumber: t.TaxNumber,
		Address: t.Address, Contact: t.Contact, TimeZone: t.Zone.String(), Language: t.Language,
		Environment: string(t.Environment), DefaultCurrency: t.DefaultCurrency.Code(), IsActive: t.IsActive,
		ClientRefresh: t.ClientRefresh, RateLimit: t.Rate.PerSecond, RateBurst: t.Rate.Burst,
		BusinessTime: now, ConcurrencyStamp: t.ConcurrencyStamp, CreationTime: t.CreatedAt, ModificationTime: t.UpdatedAt,
	}
}
