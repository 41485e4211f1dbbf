package platform

import (
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/fee"
)

// ReplayDraft is what a replay tries: requests as they would be saved, each in the
// place of the one of its code. With links an object is tied to those alone, else
// to what it is tied to now.
type ReplayDraft struct {
	VelocityControls      []velocityCheckCreation      `json:"velocityControls,omitempty" maxItems:"200"`
	AuthorizationControls []authorizationCheckCreation `json:"authorizationControls,omitempty" maxItems:"200"`
	TransactionFees       []transactionFeeCreation     `json:"transactionFees,omitempty" maxItems:"200"`
	Lists                 []namedListRequest           `json:"lists,omitempty" maxItems:"50"`
}

// TransformSchema says that a member which nobody reads is refused: one that is
// misspelt would leave a replay as it was.
func (ReplayDraft) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return api.Whole(s)
}

// ParseReplayDraft reads a draft from JSON, as it stands in a file or was kept.
func ParseReplayDraft(document []byte) (control.Draft, error) {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	op := &huma.Operation{
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/json": {Schema: registry.Schema(reflect.TypeFor[ReplayDraft](), true, "ReplayDraft")},
		}},
		Metadata: map[string]any{api.ElementsKey: control.ListValuesMax},
	}
	body, err := api.CheckBody(registry, op, document)
	if err != nil {
		return control.Draft{}, err
	}
	var in ReplayDraft
	if err := json.Unmarshal(body, &in); err != nil {
		return control.Draft{}, api.Invalid().OnField("body", "malformed", "is not valid")
	}
	return in.decode()
}

// decode makes the draft; every refusal says where.
func (r ReplayDraft) decode() (control.Draft, error) {
	var d control.Draft
	for i, in := range r.VelocityControls {
		at := api.Index("velocityControls", i)
		check, err := decodeVelocityCheck(in.VelocityCheckRequest)
		if err != nil {
			return d, control.Within(at, err)
		}
		d.Objects = append(d.Objects, control.VelocityChecks.Drafted(at, check, decodeLinks(in.Links)))
	}
	for i, in := range r.AuthorizationControls {
		at := api.Index("authorizationControls", i)
		check, err := decodeAuthorizationCheck(in.AuthorizationCheckRequest)
		if err != nil {
			return d, control.Within(at, err)
		}
		d.Objects = append(d.Objects, control.AuthorizationChecks.Drafted(at, check, decodeLinks(in.Links)))
	}
	for i, in := range r.TransactionFees {
		at := api.Index("transactionFees", i)
		f, err := decodeTransactionFee(in.TransactionFeeRequest)
		if err != nil {
			return d, control.Within(at, err)
		}
		d.Objects = append(d.Objects, fee.TransactionFees.Drafted(at, f, decodeLinks(in.Links)))
	}
	for _, in := range r.Lists {
		l := decodeNamedList(in)
		l.Type = given(in.ValueType, control.StringValues)
		d.Lists = append(d.Lists, l)
	}
	return d, nil
}

// decodeLinks leaves nil, which is as it is now, as it is.
func decodeLinks(in []ControlLinkRequest) []control.Link {
	if in == nil {
		return nil
	}
	return encodeAll(in, decodeControlLink)
}
