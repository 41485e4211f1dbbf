package platform

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/webhook"
)

type webhookTypes struct{}

// Members lists what hooks are for.
func (webhookTypes) Members() []api.Member {
	return api.Numbered(0, "Event", "Authorization", "BalanceInquiry", "FeeDebit", "Sms", "Email")
}

type webhookAuthentications struct{}

// Members lists how we show a receiver who we are.
func (webhookAuthentications) Members() []api.Member {
	return api.Numbered(0, "None", "Basic", "Bearer", "ApiKey", "OAuth2ClientCredentials", "Mtls")
}

type webhookAuthentication struct {
	Type        api.Enum[webhookAuthentications] `json:"type" required:"true"`
	UserName    string                           `json:"userName,omitempty" maxLength:"256" doc:"Basic."`
	Password    string                           `json:"password,omitempty" maxLength:"1024" writeOnly:"true" doc:"Basic."`
	Token       string                           `json:"token,omitempty" maxLength:"4096" writeOnly:"true" doc:"Bearer."`
	HeaderName  string                           `json:"headerName,omitempty" maxLength:"64" doc:"ApiKey."`
	HeaderValue string                           `json:"headerValue,omitempty" maxLength:"4096" writeOnly:"true" doc:"ApiKey."`
	TokenURL    api.FreeText                     `json:"tokenUrl,omitempty" maxLength:"2048" doc:"OAuth2ClientCredentials: where a token is fetched; the rules of url apply."`
	ClientID    string                           `json:"clientId,omitempty" maxLength:"256" doc:"OAuth2ClientCredentials."`
	Secret      string                           `json:"clientSecret,omitempty" maxLength:"1024" writeOnly:"true" doc:"OAuth2ClientCredentials."`
	Scope       string                           `json:"scope,omitempty" maxLength:"1024" doc:"OAuth2ClientCredentials; may be absent."`
	Certificate string                           `json:"clientCertificate,omitempty" maxLength:"32768" writeOnly:"true" doc:"Mtls: PEM, with its chain."`
	Key         string                           `json:"clientKey,omitempty" maxLength:"16384" writeOnly:"true" doc:"Mtls: the certificate's private key, PEM."`
}

// shownAuthentication is an authentication as it can be read back: no secrets.
type shownAuthentication struct {
	Type                 string     `json:"type"`
	UserName             *string    `json:"userName"`
	HeaderName           *string    `json:"headerName"`
	TokenURL             *string    `json:"tokenUrl"`
	ClientID             *string    `json:"clientId"`
	Scope                *string    `json:"scope"`
	CertificateExpiresAt *time.Time `json:"certificateExpiresAt"`
}

type webhookFilter struct {
	ProductCodes     []api.FreeText               `json:"productCodes" maxItems:"100" required:"false"`
	Networks         []api.Enum[networks]         `json:"networks" maxItems:"100" required:"false"`
	TransactionCodes []api.Enum[transactionCodes] `json:"transactionCodes" maxItems:"100" required:"false"`
}

type webhookRequest struct {
	Type           api.Enum[webhookTypes] `json:"webHookType" required:"true" doc:"Event is told of events; Authorization, BalanceInquiry and FeeDebit are asked; Sms and Email are given the messages to customers, which the tenant then sends itself. It cannot be changed."`
	Name           api.FreeText           `json:"name" required:"true" minLength:"1" maxLength:"100"`
	URL            api.FreeText           `json:"url" required:"true" minLength:"1" maxLength:"2048" doc:"https, a public host, port 443 or 8443; redirects are not followed."`
	EventTypes     []string               `json:"eventTypes,omitempty" maxItems:"100" doc:"Of an Event webhook: names of events, or card.*, or *."`
	Authentication *webhookAuthentication `json:"authentication,omitempty" doc:"On an update, absent leaves it as it is; type None removes it. Required, if there is one, when url leads to another scheme, host or port."`
	Headers        map[string]string      `json:"headers,omitempty" doc:"Added to each request; their values cannot be read back. On an update, absent leaves them as they are; {} removes them. Required, if there are any, when url leads to another scheme, host or port."`
	SigningSecret  string                 `json:"signingSecret,omitempty" maxLength:"128" writeOnly:"true" doc:"whsec_ and the base64 of 24 to 64 bytes; made up when absent. On an update, absent leaves it as it is."`
	TimeoutMS      *int                   `json:"timeoutMs,omitempty" minimum:"500" maximum:"10000" doc:"Absent: 10000; of a type that is asked 2000, and at most 5000."`
	MaxRetry       *int                   `json:"maxRetry,omitempty" minimum:"0" maximum:"15" doc:"Absent: 10; of a type that is asked 0, and nothing else. Retries end after 72 hours in any case."`
	Filter         *webhookFilter         `json:"filter,omitempty" doc:"What the webhook is told of, asked about or sends; an empty list chooses all. Of Sms and Email: products only."`
	IsActive       *bool                  `json:"isActive,omitempty" doc:"Absent: true."`
	Stamp          string                 `json:"concurrencyStamp,omitempty" maxLength:"64"`
}

// Webhook is TenantWebHookDto (§14.2), without what is write-only.
type Webhook struct {
	ID                  string              `json:"id"`
	Type                string              `json:"webHookType"`
	Name                string              `json:"name"`
	URL                 string              `json:"url"`
	EventTypes          []string            `json:"eventTypes"`
	Filter              webhookFilter       `json:"filter"`
	Authentication      shownAuthentication `json:"authentication" doc:"Without its secrets."`
	HeaderNames         []string            `json:"headerNames" doc:"Of the headers that are added to each request."`
	TimeoutMS           int64               `json:"timeoutMs"`
	MaxRetry            int                 `json:"maxRetry"`
	IsActive            bool                `json:"isActive"`
	Status              string              `json:"status" enum:"Healthy,Failing,Disabled"`
	LastSuccessAt       *time.Time          `json:"lastSuccessAt"`
	LastErrorAt         *time.Time          `json:"lastErrorAt"`
	ConsecutiveFailures int                 `json:"consecutiveFailures"`
	Audited
}

type webhookWithSecret struct {
	Webhook
	Secret string `json:"secret" doc:"The signing secret, shown this once."`
}

type webhookDelivery struct {
	ID             string     `json:"deliveryId"`
	EventID        string     `json:"eventId"`
	EventType      string     `json:"eventType"`
	Status         string     `json:"status" enum:"Waiting,Delivered,Dead"`
	Attempts       int        `json:"attempts"`
	OccurredAt     time.Time  `json:"occurredAt"`
	NextAttemptAt  *time.Time `json:"nextAttemptAt"`
	EndedAt        *time.Time `json:"endedAt"`
	ResponseStatus *int       `json:"responseStatus" doc:"HTTP status of the last answer."`
	ResponseText   *string    `json:"responseText" doc:"Its beginning, or why there was none."`
}

func (a *API) registerWebhook(ctx context.Context, c access.Caller, in *struct{ Body webhookRequest }) (webhookWithSecret, error) {
	h, s, err := a.Webhooks.Register(ctx, c, decodeWebhook(in.Body))
	return webhookWithSecret{encodeWebhook(h), string(s.Reveal())}, err
}

func (a *API) listWebhooks(ctx context.Context, c access.Caller, in *struct {
	Type     api.Choice[webhookTypes] `query:"WebHookType"`
	IsActive string                   `query:"IsActive" enum:"true,false"`
}) ([]Webhook, error) {
	var d decoding
	kind := enumOf[webhookTypes](&d, "WebHookType", in.Type)
	if err := d.err(); err != nil {
		return nil, err
	}
	var active *bool
	if in.IsActive != "" {
		is := in.IsActive == "true"
		active = &is
	}
	all, err := a.Webhooks.Hooks(ctx, c, webhook.Type(kind), active)
	return encodeAll(all, encodeWebhook), err
}

func (a *API) updateWebhook(ctx context.Context, c access.Caller, in *struct {
	ID   string `path:"id" maxLength:"64"`
	Body webhookRequest
}) (Webhook, error) {
	h, err := a.Webhooks.Update(ctx, c, webhookID(in.ID), decodeWebhook(in.Body))
	return encodeWebhook(h), err
}

func (a *API) unregisterWebhook(ctx context.Context, c access.Caller, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (nothing, error) {
	return nothing{}, a.Webhooks.Unregister(ctx, c, webhookID(in.ID))
}

func (a *API) rotateWebhookSecret(ctx context.Context, c access.Caller, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (webhookWithSecret, error) {
	h, s, err := a.Webhooks.RotateSecret(ctx, c, webhookID(in.ID))
	return webhookWithSecret{encodeWebhook(h), string(s.Reveal())}, err
}

func (a *API) testWebhook(ctx context.Context, c access.Caller, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (webhookDelivery, error) {
	d, err := a.Webhooks.Test(ctx, c, webhookID(in.ID))
	return encodeDelivery(d), err
}

func (a *API) listDeliveries(ctx context.Context, c access.Caller, in *struct {
	ID       string `path:"id" maxLength:"64"`
	OnlyDead string `query:"OnlyDead" enum:"true,false" doc:"Only those that were given up."`
	api.Paging
}) (api.Page[webhookDelivery], error) {
	var d decoding
	page := d.page(in.Paging)
	if err := d.err(); err != nil {
		return api.Page[webhookDelivery]{}, err
	}
	all, total, err := a.Webhooks.Deliveries(ctx, c, webhookID(in.ID), in.OnlyDead == "true", page.Skip, page.Limit)
	return api.PageOf(total, encodeAll(all, encodeDelivery)), err
}

func (a *API) redeliver(ctx context.Context, c access.Caller, in *struct {
	ID         string `path:"id" maxLength:"64"`
	DeliveryID string `path:"deliveryId" maxLength:"64"`
}) (webhookDelivery, error) {
	delivery, _ := id.ParseUUID[webhook.Delivery](in.DeliveryID) // zero is not found
	d, err := a.Webhooks.Redeliver(ctx, c, webhookID(in.ID), delivery)
	return encodeDelivery(d), err
}

// webhookID reads an id; what is none is not found, as zero.
func webhookID(text string) id.ID[webhook.Hook] {
	hook, _ := id.ParseUUID[webhook.Hook](text)
	return hook
}

func decodeWebhook(in webhookRequest) webhook.NewHook {
	out := webhook.NewHook{
		Type: webhook.Type(in.Type), Name: string(in.Name), URL: string(in.URL), EventTypes: in.EventTypes,
		SigningSecret: secretOf(in.SigningSecret), Headers: in.Headers,
		Timeout: time.Duration(value(in.TimeoutMS)) * time.Millisecond, RetriesMax: in.MaxRetry,
		IsActive: in.IsActive, ConcurrencyStamp: in.Stamp,
	}
	if f := in.Filter; f != nil {
		out.Filter = webhook.Filter{Products: texts[string](f.ProductCodes), Networks: texts[string](f.Networks), Codes: texts[string](f.TransactionCodes)}
	}
	if x := in.Authentication; x != nil {
		out.Authentication = &webhook.Authentication{
			Type: webhook.AuthenticationType(x.Type), UserName: x.UserName, Password: secretOf(x.Password),
			Token: secretOf(x.Token), HeaderName: x.HeaderName, HeaderValue: secretOf(x.HeaderValue),
			TokenURL: string(x.TokenURL), ClientID: x.ClientID, ClientSecret: secretOf(x.Secret), Scope: x.Scope,
			Certificate: secretOf(x.Certificate), PrivateKey: secretOf(x.Key),
		}
	}
	return out
}

// texts changes the type of each element.
func texts[T, F ~string](list []F) []T {
	all := make([]T, len(list))
	for i, one := range list {
		all[i] = T(one)
	}
	return all
}

func secretOf(text string) secret.Value {
	if text == "" {
		return secret.Value{}
	}
	return secret.FromString(text)
}

func encodeWebhook(h webhook.Hook) Webhook {
	return Webhook{
		ID: h.ID.UUID(), Type: string(h.Type), Name: h.Name, URL: h.URL, EventTypes: texts[string](h.EventTypes),
		Filter: webhookFilter{
			texts[api.FreeText](h.Filter.Products), texts[api.Enum[networks]](h.Filter.Networks), texts[api.Enum[transactionCodes]](h.Filter.Codes),
		},
		Authentication: shownAuthentication{
			Type: string(h.Shown.Type), UserName: orNil(h.Shown.UserName), HeaderName: orNil(h.Shown.HeaderName),
			TokenURL: orNil(h.Shown.TokenURL), ClientID: orNil(h.Shown.ClientID), Scope: orNil(h.Shown.Scope),
			CertificateExpiresAt: timeOrNil(h.Shown.CertificateExpiresAt),
		},
		HeaderNames: texts[string](h.HeaderNames), TimeoutMS: h.Timeout.Milliseconds(),
		MaxRetry: h.RetriesMax, IsActive: h.IsActive, Status: string(h.Health()), LastSuccessAt: timeOrNil(h.LastSuccessAt),
		LastErrorAt: timeOrNil(h.LastErrorAt), ConsecutiveFailures: h.ConsecutiveFailures,
		Audited: Audited{
			CreationTime: h.CreatedAt, CreatorID: h.CreatedBy, LastModificationTime: h.UpdatedAt, LastModifierID: h.UpdatedBy,
			ConcurrencyStamp: orNil(h.ConcurrencyStamp),
		},
	}
}

func encodeDelivery(d webhook.Delivery) webhookDelivery {
	out := webhookDelivery{
		ID: d.ID.UUID(), EventID: d.EventID.UUID(), EventType: d.Name, Status: string(d.Status), Attempts: d.Attempts,
		OccurredAt: d.OccurredAt, EndedAt: timeOrNil(d.EndedAt), ResponseText: orNil(d.ResultText),
	}
	if d.Status == webhook.Waiting {
		out.NextAttemptAt = timeOrNil(d.DueAt)
	}
	if d.ResultCode > 0 {
		out.ResponseStatus = &d.ResultCode
	}
	return out
}
