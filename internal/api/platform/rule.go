package platform

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/locale"
)

type (
	ruleContexts         struct{}
	authorizationActions struct{}
)

// Members of the enumerations of this resource.
func (ruleContexts) Members() []api.Member         { return numbered(1, rule.Contexts()) }
func (authorizationActions) Members() []api.Member { return numbered(1, control.Actions()) }

// ruleSource is a rule as it is written: an object (a tree) or a string (CEL),
// kept as its text. The zero value is none, which is null.
type ruleSource string

// UnmarshalJSON keeps the text.
func (s *ruleSource) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil
	}
	if len(text) == 0 || text[0] != '{' && text[0] != '"' {
		return errors.New("must be an object or a string")
	}
	*s = ruleSource(text)
	return nil
}

// MarshalJSON writes the text.
func (s ruleSource) MarshalJSON() ([]byte, error) { return jsonText(s).MarshalJSON() }

// Schema says that it is one of two.
func (ruleSource) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Description: "A rule (contract/platform.md §10.3): a tree of groups and conditions, or CEL. null is always true.",
		AnyOf: []*huma.Schema{
			{Type: huma.TypeString},
			{Type: huma.TypeObject, AdditionalProperties: true},
		},
	}
}

// jsonText is a value of any kind, as its JSON; empty is null.
type jsonText string

// MarshalJSON writes the text.
func (t jsonText) MarshalJSON() ([]byte, error) {
	if t == "" {
		return []byte("null"), nil
	}
	return []byte(t), nil
}

// Schema is of anything.
func (jsonText) Schema(huma.Registry) *huma.Schema { return &huma.Schema{} }

// ruleFacts are facts by field name, kept as their text.
type ruleFacts string

// UnmarshalJSON keeps the text.
func (f *ruleFacts) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil
	}
	if len(text) == 0 || text[0] != '{' {
		return errors.New("must be an object")
	}
	*f = ruleFacts(text)
	return nil
}

// Schema is an object.
func (ruleFacts) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// queryBuilderField is QueryBuilderFieldDto (§10.2).
type queryBuilderField struct {
	Field      string            `json:"field"`
	Label      string            `json:"label"`
	Group      string            `json:"group"`
	Type       string            `json:"type" enum:"string,integer,decimal,boolean,date,time,enum,stringList"`
	Operators  []string          `json:"operators"`
	Input      string            `json:"input" enum:"text,number,select,multiselect,checkbox,date,time,lookup"`
	Values     []queryFieldValue `json:"values" nullable:"true" doc:"Of an enumeration; of mccGroup the groups that every tenant has beside its lists."`
	LookupURL  *string           `json:"lookupUrl" doc:"The list to choose from."`
	Validation *queryFieldBounds `json:"validation"`
	Nullable   bool              `json:"nullable" doc:"It may be missing at run time."`
	Contexts   []string          `json:"contexts"`
}

type queryFieldValue struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

type queryFieldBounds struct {
	Min       *int64      `json:"min"`
	Max       *int64      `json:"max"`
	Step      api.Decimal `json:"step" nullable:"true"`
	Pattern   *string     `json:"pattern"`
	MaxLength *int        `json:"maxLength"`
}

func (a *API) listRuleFields(ctx context.Context, _ access.Caller, in *struct {
	Context string `query:"context" required:"true" doc:"Velocity, Authorization, TransactionFee, IssuanceFee or AnnualFee."`
}) ([]queryBuilderField, error) {
	var d decoding
	where := rule.Context(enumOf[ruleContexts](&d, "context", in.Context))
	if err := d.err(); err != nil {
		return nil, err
	}
	language := api.ExchangeOf(ctx).Language
	return encodeAll(rule.Fields(where), func(id rule.FieldID) queryBuilderField { return encodeRuleField(id.Field(), language) }), nil
}

func encodeRuleField(f *rule.Field, language string) queryBuilderField {
	label := func(key string) string {
		text, _ := locale.Text(language, key, nil)
		return text
	}
	out := queryBuilderField{
		Field: f.Name, Label: label("rule.field." + f.Name), Group: label("rule.group." + f.Group()), Type: string(f.Type),
		Operators: namesOf(f.Operators()), Input: string(f.Input()), LookupURL: orNil(f.Lookup), Nullable: f.IsNullable,
		Contexts: namesOf(f.Contexts),
	}
	for _, v := range f.Values {
		out.Values = append(out.Values, queryFieldValue{v.Name, label("rule.value." + f.Enumeration + "." + v.Name)})
	}
	if f.Min != nil || f.Max != nil || f.Step != "" || f.Pattern != nil || f.MaxLength > 0 {
		out.Validation = &queryFieldBounds{Min: f.Min, Max: f.Max, Step: api.Decimal(f.Step)}
		if f.Pattern != nil {
			out.Validation.Pattern = orNil(f.Pattern.String())
		}
		if f.MaxLength > 0 {
			out.Validation.MaxLength = &f.MaxLength
		}
	}
	return out
}

type validateRuleRequest struct {
	Context api.Enum[ruleContexts]         `json:"context" required:"true"`
	Rule    ruleSource                     `json:"rule"`
	Action  api.Enum[authorizationActions] `json:"action,omitempty" doc:"Of the control that has the rule: it decides what a missing value counts as. Absent: Decline in the context Authorization."`
}

type ruleValidation struct {
	IsValid        bool         `json:"isValid"`
	Errors         []ruleRemark `json:"errors"`
	Warnings       []ruleRemark `json:"warnings" doc:"What is valid and can hardly be meant."`
	NormalizedRule ruleSource   `json:"normalizedRule" doc:"As a tree; null with errors, and for a rule that is always true."`
	Text           *string      `json:"text" doc:"In CEL."`
	Fields         []string     `json:"fields" doc:"What the rule reads."`
	Lists          []string     `json:"lists" doc:"The named lists that it looks into."`
	Cost           int          `json:"cost"`
	CostMax        int          `json:"costMax"`
}

type ruleRemark struct {
	Path    string      `json:"path" doc:"Dotted in a tree, @line:column in CEL; empty for the whole rule."`
	Code    string      `json:"code"`
	Message string      `json:"message"`
	Example []ruleGiven `json:"example" nullable:"true" doc:"Facts to which the rule applies."`
}

type ruleGiven struct {
	Field string   `json:"field"`
	Value jsonText `json:"value"`
}

func (a *API) validateRule(ctx context.Context, c access.Caller, in *struct{ Body validateRuleRequest }) (ruleValidation, error) {
	where := rule.Context(in.Body.Context)
	j, err := a.Controls.JudgeRule(ctx, c, rule.Source(in.Body.Rule), where, missingOf(where, in.Body.Action))
	if err != nil {
		return ruleValidation{}, err
	}
	return encodeJudgement(j, api.ExchangeOf(ctx).Language), nil
}

// missingOf is what a missing value counts as in a rule of this context and
// action.
func missingOf(where rule.Context, action api.Enum[authorizationActions]) rule.Missing {
	if where != rule.Authorization {
		return rule.TwoValued
	}
	return given(action, control.Decline).Missing()
}

func encodeJudgement(j control.Judgement, language string) ruleValidation {
	out := ruleValidation{
		IsValid: j.Program != nil, Errors: []ruleRemark{}, Warnings: []ruleRemark{}, Fields: []string{}, Lists: []string{}, CostMax: rule.CostMax,
	}
	for _, p := range j.Problems {
		out.Errors = append(out.Errors, ruleRemark{Path: p.Path, Code: string(p.Code), Message: p.Text(language)})
	}
	if j.Program == nil {
		return out
	}
	for _, f := range j.Findings {
		text, _ := locale.Text(language, f.Key(), nil)
		remark := ruleRemark{Path: f.Path, Code: string(f.Code), Message: text}
		for _, g := range f.Example {
			remark.Example = append(remark.Example, ruleGiven{g.Field.String(), jsonText(g.Value)})
		}
		out.Warnings = append(out.Warnings, remark)
	}
	for _, id := range j.Program.Fields() {
		out.Fields = append(out.Fields, id.String())
	}
	out.Lists = append(out.Lists, j.Program.Lists()...)
	out.NormalizedRule, out.Text, out.Cost = ruleSource(j.Program.Normalized()), orNil(j.Program.Text()), j.Program.Cost()
	return out
}

type evaluateRuleRequest struct {
	Context       api.Enum[ruleContexts]         `json:"context" required:"true"`
	Rule          ruleSource                     `json:"rule"`
	Action        api.Enum[authorizationActions] `json:"action,omitempty" doc:"Of the control that has the rule: it decides what a missing value counts as. Absent: Decline in the context Authorization."`
	Facts         ruleFacts                      `json:"facts,omitempty" doc:"Values by field name; null and what is absent is missing."`
	TransactionID string                         `json:"transactionId,omitempty" maxLength:"36" doc:"In place of facts: a transaction, of what it was decided on."`
}

type ruleEvaluation struct {
	Result          bool            `json:"result"`
	MissingCountsAs string          `json:"missingCountsAs" enum:"TwoValued,Matched,Unmatched" doc:"What a comparison with a missing value counts as, unless the rule tests the field for null."`
	Trace           []ruleTraceStep `json:"trace"`
	UnknownFields   []string        `json:"unknownFields" doc:"What the rule reads and the facts do not hold."`
}

type ruleTraceStep struct {
	Path      string   `json:"path"`
	Field     string   `json:"field"`
	Operator  string   `json:"operator"`
	Expected  jsonText `json:"expected"`
	Actual    jsonText `json:"actual"`
	Result    bool     `json:"result" doc:"What the condition counts as."`
	IsMissing bool     `json:"isMissing" doc:"A value was missing."`
}

func (a *API) evaluateRule(ctx context.Context, c access.Caller, in *struct{ Body evaluateRuleRequest }) (ruleEvaluation, error) {
	where := rule.Context(in.Body.Context)
	facts, err := a.decodeFacts(ctx, c, in.Body, where)
	if err != nil {
		return ruleEvaluation{}, err
	}
	missing := missingOf(where, in.Body.Action)
	t, err := a.Controls.TryRule(ctx, c, rule.Source(in.Body.Rule), where, missing, facts)
	if err != nil {
		return ruleEvaluation{}, err
	}
	out := ruleEvaluation{Result: t.Result, MissingCountsAs: missing.String(), Trace: []ruleTraceStep{}, UnknownFields: []string{}}
	for _, s := range t.Steps {
		out.Trace = append(out.Trace, ruleTraceStep{
			s.Path, s.Field.String(), string(s.Operator), jsonText(s.Expected), jsonText(s.Actual), s.Result, s.IsMissing,
		})
	}
	for _, id := range t.Unknown {
		out.UnknownFields = append(out.UnknownFields, id.String())
	}
	return out, nil
}

// decodeFacts reads what a rule is tried on: facts, or a transaction.
func (a *API) decodeFacts(ctx context.Context, c access.Caller, in evaluateRuleRequest, where rule.Context) (rule.Facts, error) {
	var d decoding
	if (in.Facts == "") == (in.TransactionID == "") {
		d.fail("facts", "one_of", "must be given, or transactionId in its place")
		return rule.Facts{}, d.err()
	}
	if in.TransactionID == "" {
		facts, problems := rule.ParseFacts(string(in.Facts), where)
		for _, p := range problems {
			d.fail(p.At("facts"), string(p.Code), p.Text("en"))
		}
		return facts, d.err()
	}
	if err := a.permitTransactions(ctx, c); err != nil {
		return rule.Facts{}, err
	}
	transaction, err := id.ParseUUID[authorization.Transaction](in.TransactionID)
	if err != nil {
		d.fail("transactionId", "malformed", "must be a UUID")
		return rule.Facts{}, d.err()
	}
	return a.factsOf(ctx, c, transaction)
}

// factsOf are the facts of a transaction: those that it was decided on or, of a
// record that was not decided, what it tells, and its card, product and customer as
// they are now.
func (a *API) factsOf(ctx context.Context, c access.Caller, transaction authorization.TransactionID) (rule.Facts, error) {
	if f, decided, err := a.Transactions.RuleFacts(ctx, c, transaction); decided || err != nil {
		return f, err
	}
	var f rule.Facts
	tenant, err := a.Access.Tenant(ctx, c)
	if err != nil {
		return f, err
	}
	t, err := a.Transactions.Transaction(ctx, c, transaction)
	if err != nil {
		return f, err
	}
	t.RuleFacts(&f, tenant.Zone)
	if t.Card.IsZero() {
		return f, nil
	}
	k, err := a.Issuing.CardOf(ctx, c, t.Card)
	if err != nil {
		return f, err
	}
	authorization.CardRuleFacts(&f, k, t.CreatedAt, tenant.Zone)
	return f, nil
}

// valueKinds are what the values of a named list are.
type valueKinds struct{}

// Members lists them.
func (valueKinds) Members() []api.Member { return numbered(1, control.ValueTypes()) }

// listValue is a value of a named list: a text, or an integer that may be
// written as a number.
type listValue string

// UnmarshalJSON reads a string or an integer.
func (v *listValue) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '"' {
		return json.Unmarshal(text, (*string)(v))
	}
	*v = listValue(text)
	return nil
}

// Schema is a string or an integer.
func (listValue) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{{Type: huma.TypeString}, {Type: huma.TypeInteger}}}
}

type namedListRequest struct {
	Code      string               `json:"code,omitempty" maxLength:"32" doc:"Of a new list; it never changes."`
	Name      api.FreeText         `json:"name" required:"true" minLength:"1" maxLength:"100"`
	ValueType api.Enum[valueKinds] `json:"valueType,omitempty" doc:"Absent: String, or as it is. It never changes."`
	Values    []listValue          `json:"values" required:"true" nullable:"false" doc:"At most 50,000; kept in order, each once."`
	IsActive  *bool                `json:"isActive,omitempty" doc:"Absent: true. A list that is not active holds nothing."`
	Stamp     string               `json:"concurrencyStamp,omitempty" maxLength:"64"`
}

// BodyMax leaves room for as many values as a list may have.
func (namedListRequest) BodyMax() int64 { return 4 << 20 }

// ElementsMax is how many those are.
func (namedListRequest) ElementsMax() int { return control.ListValuesMax }

type namedList struct {
	NamedListHead
	Values []string `json:"values"`
}

// NamedListHead is a named list without its values.
type NamedListHead struct {
	Code       string `json:"code"`
	Name       string `json:"name"`
	ValueType  string `json:"valueType"`
	ValueCount int    `json:"valueCount"`
	IsActive   bool   `json:"isActive"`
	Audited
}

func (a *API) createNamedList(ctx context.Context, c access.Caller, in *struct{ Body namedListRequest }) (namedList, error) {
	l := decodeNamedList(in.Body)
	l.Type = given(in.Body.ValueType, control.StringValues)
	l, err := a.Controls.CreateList(ctx, c, l)
	return encodeNamedList(l), err
}

func (a *API) updateNamedList(ctx context.Context, c access.Caller, in *struct {
	Code string `path:"listCode"`
	Body namedListRequest
}) (namedList, error) {
	in.Body.Code = in.Code
	l, err := a.Controls.UpdateList(ctx, c, decodeNamedList(in.Body), in.Body.Stamp)
	return encodeNamedList(l), err
}

func (a *API) showNamedList(ctx context.Context, c access.Caller, in *struct {
	Code string `path:"listCode"`
}) (namedList, error) {
	l, err := a.Controls.List(ctx, c, in.Code)
	return encodeNamedList(l), err
}

func (a *API) listNamedLists(ctx context.Context, c access.Caller, in *struct {
	api.Paging
	Filter string `query:"Filter" maxLength:"100"`
}) (api.Page[NamedListHead], error) {
	var d decoding
	p := d.page(in.Paging, "code", "name", "creationTime")
	if err := d.err(); err != nil {
		return api.Page[NamedListHead]{}, err
	}
	page, total, err := a.Controls.Lists(ctx, c, in.Filter, p)
	return api.PageOf(total, encodeAll(page, encodeListHead)), err
}

func (a *API) deleteNamedList(ctx context.Context, c access.Caller, in *struct {
	Code string `path:"listCode"`
}) (nothing, error) {
	return nothing{}, a.Controls.DeleteList(ctx, c, in.Code)
}

func decodeNamedList(in namedListRequest) control.NamedList {
	return control.NamedList{
		Code: in.Code, Name: string(in.Name), Type: control.ValueType(in.ValueType), Values: namesOf(in.Values),
		IsActive: or(in.IsActive, true),
	}
}

func encodeNamedList(l control.NamedList) namedList {
	values := l.Values
	if values == nil {
		values = []string{}
	}
	return namedList{encodeListHead(l), values}
}

func encodeListHead(l control.NamedList) NamedListHead {
	return NamedListHead{
		Code: l.Code, Name: l.Name, ValueType: string(l.Type), ValueCount: l.Count, IsActive: l.IsActive, Audited: encodeRecord(l.Record),
	}
}
