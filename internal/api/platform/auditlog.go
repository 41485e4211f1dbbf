package platform

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/program"
)

type (
	cardActions       struct{}
	definitionActions struct{}
	definedEntities   struct{}
	auditChannels     struct{}
)

// Members of the enumerations of this resource (contract §16). A filter takes
// those that this build never writes, too, and finds nothing.
func (cardActions) Members() []api.Member {
	return api.Numbered(1, "Create", "BulkCreate", "Link", "Unlink", "StatusChange", "Renew", "Replace", "PolicyChange",
		"PhoneChange", "DigitalSlipChange", "AutoRenewalChange", "PinVerify", "PinSet", "PinChange", "PinUnblock",
		"PinSetRandom", "PinSms", "Cvv2Verify", "Cvv2Reset", "Cvv2View", "Detokenize", "PersoStatus", "ShipmentStatus",
		"VelocityOverride", "NoteAdd", "StatusSchedule", "Find")
}

func (definitionActions) Members() []api.Member {
	return api.Numbered(1, "Create", "Update", "Delete", "PolicyChange")
}

func (definedEntities) Members() []api.Member {
	return api.Numbered(1, "Product", "Group", "BinRange", "Art", "Bin", "IssuingAttribute", "ExchangeRate",
		"CurrencyConversion")
}

// Members lists the channels of acts: those of requests, and that of what
// networks set off.
func (auditChannels) Members() []api.Member {
	return api.Numbered(0, append(access.Channels(), "Network")...)
}

// AuditQuery is what the three lists are filtered by.
type AuditQuery struct {
	api.Paging
	DateFrom    string                    `query:"DateFrom" doc:"ISO 8601 with offset, or a day; absent: 366 days before DateTo, and never more."`
	DateTo      string                    `query:"DateTo" doc:"ISO 8601 with offset, or a day, which is included; absent: now."`
	ActionTypes []string                  `query:"ActionTypes,explode" maxItems:"30"`
	UserName    string                    `query:"UserName" maxLength:"128"`
	ClientID    string                    `query:"ClientId" maxLength:"64"`
	Channel     api.Choice[auditChannels] `query:"Channel"`
}

// auditDays is how many days a list spans at most.
const auditDays = 366

func (a *API) auditFilter(q *decoding, zone *time.Location, in AuditQuery, stream audit.Stream, actions []string) audit.Filter {
	f := audit.Filter{
		Stream: stream, From: q.from("DateFrom", in.DateFrom, zone), To: q.until("DateTo", in.DateTo, zone), Actions: actions,
		User: in.UserName, Client: in.ClientID, Channel: enumOf[auditChannels](q, "Channel", in.Channel),
	}
	if f.To.IsZero() {
		f.To = a.Clock.Now()
	}
	if f.From.IsZero() {
		f.From = f.To.Add(-auditDays * hoursDay)
	}
	if f.To.Before(f.From) || f.To.Sub(f.From) > auditDays*hoursDay {
		q.fail("DateFrom", "range", "must be at most 366 days before DateTo")
	}
	page := q.page(in.Paging, "executionTime")
	f.Skip, f.Take = page.Skip, page.Limit
	f.OldestFirst = len(page.Sort) > 0 && !page.Sort[0].Descending
	return f
}

// auditChange is one property before and after.
type auditChange struct {
	Property string  `json:"property"`
	OldValue *string `json:"oldValue"`
	NewValue *string `json:"newValue"`
}

// AuditItem is what the items of the three lists share.
type AuditItem struct {
	ID            string        `json:"id" doc:"The place in the tenant's audit chain."`
	ExecutionTime time.Time     `json:"executionTime"`
	ActionType    string        `json:"actionType"`
	EntityType    string        `json:"entityType"`
	EntityKey     string        `json:"entityKey"`
	Description   *string       `json:"description"`
	Changes       []auditChange `json:"changes"`
	UserID        *string       `json:"userId" doc:"Of the user that signed in, where one did."`
	UserName      *string       `json:"userName" doc:"Of the user that signed in; else X-User-Reference of the request."`
	ClientID      string        `json:"clientId"`
	Channel       string        `json:"channel"`
	IPAddress     *string       `json:"ipAddress"`
	CorrelationID *string       `json:"correlationId"`
	Result        string        `json:"result" enum:"Success,Failure"`
	ErrorCode     *string       `json:"errorCode"`
}

func encodeAudit(e audit.Entry) AuditItem {
	item := AuditItem{
		ID: strconv.FormatInt(e.Position, 10), ExecutionTime: e.At, ActionType: e.Action, EntityType: e.EntityType, EntityKey: e.EntityKey,
		Description: orNil(e.Description), Changes: make([]auditChange, len(e.Changes)), UserID: orNil(e.UserID), UserName: orNil(e.User), ClientID: e.Client,
		Channel: e.Channel, IPAddress: orNil(e.IP), CorrelationID: orNil(e.CorrelationID), Result: string(e.Result),
		ErrorCode: orNil(e.ErrorCode),
	}
	for i, c := range e.Changes {
		item.Changes[i] = encodeChange(e.EntityType, c)
	}
	return item
}

type cardAudit struct {
	AuditItem
	CardToken    *string `json:"cardToken"`
	MaskedCardNo *string `json:"maskedCardNo"`
	IssuanceNo   *string `json:"issuanceNo"`
	CustomerNo   *string `json:"customerNo"`
}

func (a *API) listCardAudits(ctx context.Context, c access.Caller, in *struct {
	AuditQuery
	CardToken  string `query:"CardToken" maxLength:"32" doc:"One of CardToken, IssuanceNo and CustomerNo is required."`
	IssuanceNo string `query:"IssuanceNo" maxLength:"16"`
	CustomerNo string `query:"CustomerNo" maxLength:"20"`
}) (api.Page[cardAudit], error) {
	tenant, err := a.Access.Tenant(ctx, c)
	if err != nil {
		return api.Page[cardAudit]{}, err
	}
	var q decoding
	f := a.auditFilter(&q, tenant.Zone, in.AuditQuery, audit.CardStream, membersOf[cardActions, string](&q, "ActionTypes", in.ActionTypes))
	q.oneSelector(true, in.CardToken, in.IssuanceNo, in.CustomerNo)
	if err := q.err(); err != nil {
		return api.Page[cardAudit]{}, err
	}
	holding := issuing.Holding{CardToken: in.CardToken, IssuanceNo: in.IssuanceNo, CustomerNo: in.CustomerNo}
	entries, total, names, err := a.auditsOf(ctx, c, f, holding)
	if err != nil {
		return api.Page[cardAudit]{}, err
	}
	rows := make([]cardAudit, len(entries))
	for i, e := range entries {
		n := names[e.CardID]
		rows[i] = cardAudit{encodeAudit(e), orNil(n.Token), orNil(n.MaskedNo), orNil(n.IssuanceNo), orNil(n.CustomerNo)}
	}
	return api.PageOf(total, rows), nil
}

// oneSelector refuses more than one of the selectors of cards, and none where
// one is required.
func (d *decoding) oneSelector(required bool, selectors ...string) {
	n := 0
	for _, s := range selectors {
		if s != "" {
			n++
		}
	}
	switch {
	case n > 1:
		d.fail("CardToken", "ambiguous", "must not stand with IssuanceNo or CustomerNo: one of them selects")
	case n == 0 && required:
		d.fail("CardToken", "required", "or one of IssuanceNo, CustomerNo is required")
	}
}

// auditsOf lists the acts on the cards that h names, or on any where it names
// none, and what those cards are called.
func (a *API) auditsOf(ctx context.Context, c access.Caller, f audit.Filter, h issuing.Holding) ([]audit.Entry, int, map[string]issuing.CardName, error) {
	if h != (issuing.Holding{}) {
		held, err := a.Issuing.Held(ctx, c, h)
		if err != nil {
			return nil, 0, nil, err
		}
		for _, card := range held.Cards {
			f.CardIDs = append(f.CardIDs, card.String())
		}
		if len(held.Cards) == 0 {
			for _, issuance := range held.Issuances {
				f.IssuanceIDs = append(f.IssuanceIDs, issuance.String())
			}
		}
		if len(held.Issuances) == 0 {
			return nil, 0, nil, nil
		}
	}
	entries, total, err := a.Audit.List(ctx, c.Tenant.String(), f)
	if err != nil {
		return nil, 0, nil, err
	}
	var cards []id.ID[issuing.Card]
	for _, e := range entries {
		if card, err := id.Parse[issuing.Card](e.CardID); err == nil {
			cards = append(cards, card)
		}
	}
	byID, err := a.Issuing.CardNames(ctx, c, cards)
	names := make(map[string]issuing.CardName, len(byID))
	for card, n := range byID {
		names[card.String()] = n
	}
	return entries, total, names, err
}

type productAudit struct {
	AuditItem
	ProductCode *string `json:"productCode"`
}

func (a *API) listProductAudits(ctx context.Context, c access.Caller, in *struct {
	AuditQuery
	ProductCode string                      `query:"ProductCode" maxLength:"32"`
	EntityType  api.Choice[definedEntities] `query:"EntityType" doc:"Product, Group, BinRange, Art, Bin, IssuingAttribute, ExchangeRate or CurrencyConversion."`
}) (api.Page[productAudit], error) {
	tenant, err := a.Access.Tenant(ctx, c)
	if err != nil {
		return api.Page[productAudit]{}, err
	}
	var q decoding
	f := a.auditFilter(&q, tenant.Zone, in.AuditQuery, audit.ProductStream, membersOf[definitionActions, string](&q, "ActionTypes", in.ActionTypes))
	if kind := enumOf[definedEntities](&q, "EntityType", in.EntityType); kind != "" {
		f.EntityTypes = []string{kind}
	}
	if err := q.err(); err != nil {
		return api.Page[productAudit]{}, err
	}
	f.ProductCode = in.ProductCode
	entries, total, err := a.Audit.List(ctx, c.Tenant.String(), f)
	if err != nil {
		return api.Page[productAudit]{}, err
	}
	rows := make([]productAudit, len(entries))
	for i, e := range entries {
		rows[i] = productAudit{encodeAudit(e), orNil(e.ProductCode)}
	}
	return api.PageOf(total, rows), nil
}

type policyAudit struct {
	AuditItem
	CardToken  *string `json:"cardToken"`
	PolicyType *string `json:"policyType" doc:"The type that a card policy was changed of; null for several, which the changes name."`
	Kind       string  `json:"kind" doc:"CardPolicy, Velocity, Authorization or Fee."`
	Code       *string `json:"code" doc:"Of the control; the changes of a card policy name its types."`
}

func (a *API) listPolicyAudits(ctx context.Context, c access.Caller, in *struct {
	AuditQuery
	CardToken   string `query:"CardToken" maxLength:"32"`
	IssuanceNo  string `query:"IssuanceNo" maxLength:"16"`
	ControlCode string `query:"ControlCode" maxLength:"32"`
	PolicyType  string `query:"PolicyType" maxLength:"32"`
}) (api.Page[policyAudit], error) {
	tenant, err := a.Access.Tenant(ctx, c)
	if err != nil {
		return api.Page[policyAudit]{}, err
	}
	var q decoding
	f := a.auditFilter(&q, tenant.Zone, in.AuditQuery, audit.PolicyStream, membersOf[definitionActions, string](&q, "ActionTypes", in.ActionTypes))
	q.oneSelector(false, in.CardToken, in.IssuanceNo)
	if in.PolicyType != "" && !slices.Contains(program.PolicyTypes(), program.PolicyType(in.PolicyType)) {
		q.fail("PolicyType", "unknown", "must be a policy type")
	}
	f.Property = in.PolicyType
	if in.ControlCode != "" && in.PolicyType != "" {
		q.fail("ControlCode", "ambiguous", "must not stand with PolicyType")
	}
	if err := q.err(); err != nil {
		return api.Page[policyAudit]{}, err
	}
	f.EntityKey = in.ControlCode
	entries, total, names, err := a.auditsOf(ctx, c, f, issuing.Holding{CardToken: in.CardToken, IssuanceNo: in.IssuanceNo})
	if err != nil {
		return api.Page[policyAudit]{}, err
	}
	rows := make([]policyAudit, len(entries))
	for i, e := range entries {
		rows[i] = policyAudit{encodeAudit(e), orNil(names[e.CardID].Token), nil, policyKind(e.EntityType), orNil(e.EntityKey)}
		if e.CardID != "" { // the changes name the types
			rows[i].Kind, rows[i].Code = "CardPolicy", nil
			rows[i].PolicyType = onlyPolicyType(e.Changes)
		}
	}
	return api.PageOf(total, rows), nil
}

// policyKind is what the contract calls the kind of what a record is about: a
// control, a fee, a link of one; else as the record calls it.
func policyKind(entity string) string {
	switch name := strings.TrimSuffix(entity, "Link"); {
	case strings.HasPrefix(name, "Velocity"):
		return "Velocity"
	case strings.HasPrefix(name, "Authorization"):
		return "Authorization"
	case strings.HasSuffix(name, "Fee"):
		return "Fee"
	}
	return entity
}

// onlyPolicyType is the type of all changes; nil when they are of several.
func onlyPolicyType(changes []audit.Change) *string {
	only := ""
	for _, c := range changes {
		name, _, _ := strings.Cut(c.Property, ".") // .timed
		if only != "" && name != only || !slices.Contains(program.PolicyTypes(), program.PolicyType(name)) {
			return nil
		}
		only = name
	}
	return orNil(only)
}
