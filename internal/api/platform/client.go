package platform

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
)

type clientRequest struct {
	Name             api.FreeText `json:"name" required:"true" minLength:"1" maxLength:"128"`
	Permissions      []string     `json:"permissions" required:"true" minItems:"1" maxItems:"100" doc:"Those that the client is to have, of those that the caller has; * is every one there is."`
	AllowedAddresses []string     `json:"allowedAddresses,omitempty" maxItems:"50" doc:"Addresses and networks (203.0.113.0/24, 2001:db8::/32) from where it may call; none: from everywhere."`
	RateLimit        int          `json:"rateLimit,omitempty" minimum:"0" maximum:"1000000" doc:"Requests a second, at most the tenant's; 0 is the tenant's."`
	RateBurst        int          `json:"rateBurst,omitempty" minimum:"0" maximum:"1000000" doc:"Requests at once; 0 is as many as rateLimit."`
	ConcurrencyStamp string       `json:"concurrencyStamp,omitempty" maxLength:"64" doc:"When given, it must be the stored one."`
}

// ClientDetail is an API client without its secret.
type ClientDetail struct {
	ClientID         string    `json:"clientId"`
	Family           string    `json:"family" doc:"The API dialect that it speaks: platform, openbanking, payers, ewallet or cardstore."`
	Name             string    `json:"name"`
	Permissions      []string  `json:"permissions"`
	AllowedAddresses []string  `json:"allowedAddresses"`
	RateLimit        int       `json:"rateLimit"`
	RateBurst        int       `json:"rateBurst"`
	IsActive         bool      `json:"isActive"`
	ConcurrencyStamp string    `json:"concurrencyStamp"`
	CreationTime     time.Time `json:"creationTime"`
	ModificationTime time.Time `json:"lastModificationTime"`
}

// clientSecret is a client with its secret, which is shown this once.
type clientSecret struct {
	ClientDetail
	ClientSecret string `json:"clientSecret" doc:"Shown this once."`
}

func (a *API) createClient(ctx context.Context, c access.Caller, in *struct{ Body clientRequest }) (clientSecret, error) {
	made, creds, err := a.Access.CreateClient(ctx, c, decodeClient(in.Body))
	if err != nil {
		return clientSecret{}, err
	}
	return clientSecret{encodeClient(made), string(creds.ClientSecret.Reveal())}, nil
}

func (a *API) listClients(ctx context.Context, c access.Caller, _ *struct{}) ([]ClientDetail, error) {
	all, err := a.Access.Clients(ctx, c)
	out := make([]ClientDetail, len(all))
	for i, one := range all {
		out[i] = encodeClient(one)
	}
	return out, err
}

// ClientPath names a client.
type ClientPath struct {
	ClientID string `path:"clientId" maxLength:"128"`
}

func (a *API) showClient(ctx context.Context, c access.Caller, in *ClientPath) (ClientDetail, error) {
	return clientOr(a.Access.Client(ctx, c, in.ClientID))
}

func (a *API) updateClient(ctx context.Context, c access.Caller, in *struct {
	ClientPath
	Body clientRequest
}) (ClientDetail, error) {
	return clientOr(a.Access.UpdateClient(ctx, c, in.ClientID, decodeClient(in.Body)))
}

func (a *API) disableClient(ctx context.Context, c access.Caller, in *ClientPath) (ClientDetail, error) {
	return clientOr(a.Access.SetClientActive(ctx, c, in.ClientID, false))
}

func (a *API) enableClient(ctx context.Context, c access.Caller, in *ClientPath) (ClientDetail, error) {
	return clientOr(a.Access.SetClientActive(ctx, c, in.ClientID, true))
}

type rotateClientRequest struct {
	OverlapSeconds int `json:"overlapSeconds,omitempty" minimum:"0" maximum:"604800" doc:"How long the old secret lives beside the new one; 0 ends it, and all tokens of the client, at once."`
}

func (a *API) rotateClientSecret(ctx context.Context, c access.Caller, in *struct {
	ClientPath
	Body *rotateClientRequest
}) (clientSecret, error) {
	var overlap time.Duration
	if in.Body != nil {
		overlap = time.Duration(in.Body.OverlapSeconds) * time.Second
	}
	changed, creds, err := a.Access.RotateSecret(ctx, c, in.ClientID, overlap)
	if err != nil {
		return clientSecret{}, err
	}
	return clientSecret{encodeClient(changed), string(creds.ClientSecret.Reveal())}, nil
}

func decodeClient(in clientRequest) access.ClientChange {
	return access.ClientChange{
		Name: string(in.Name), Permissions: in.Permissions, Allowed: in.AllowedAddresses,
		Rate: access.Rate{PerSecond: in.RateLimit, Burst: in.RateBurst}, ConcurrencyStamp: in.ConcurrencyStamp,
	}
}

func clientOr(c access.Client, err error) (ClientDetail, error) {
	if err != nil {
		return ClientDetail{}, err
	}
	return encodeClient(c), nil
}

func encodeClient(c access.Client) ClientDetail {
	return ClientDetail{
		ClientID: c.ID, Family: string(c.Family), Name: c.Name, Permissions: c.Permissions.Names(), AllowedAddresses: c.AllowedTexts(),
		RateLimit: c.Rate.PerSecond, RateBurst: c.Rate.Burst, IsActive: c.IsActive, ConcurrencyStamp: c.ConcurrencyStamp,
		CreationTime: c.CreatedAt, ModificationTime: c.UpdatedAt,
	}
}
