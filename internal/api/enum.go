package api

import (
	"encoding/json"
	"errors"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// Member is one value of an enumeration: its name on the wire and the integer
// that is accepted in its place.
type Member struct {
	Code int
	Name string
}

// Members names an enumeration. It is implemented by an empty struct, so that
// the list belongs to a type:
//
//	type cardTypes struct{}
//
//	func (cardTypes) Members() []api.Member { return api.Numbered(0, "Debit", "Credit") }
//
//	type cardType = api.Enum[cardTypes]
type Members interface{ Members() []Member }

// Numbered returns members with consecutive codes from first.
func Numbered(first int, names ...string) []Member {
	all := make([]Member, len(names))
	for i, n := range names {
		all[i] = Member{Code: first + i, Name: n}
	}
	return all
}

// Enum is a member name of M. In JSON it is a string; the integer code is
// accepted too. The empty value is an absent one and is written as null.
type Enum[M Members] string

// UnmarshalJSON reads a name or a code; null leaves e as it is.
func (e *Enum[M]) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil
	}
	var m M
	if text[0] == '"' {
		var name string
		if err := json.Unmarshal(text, &name); err != nil {
			return errors.New("must be the name of a listed value")
		}
		for _, v := range m.Members() {
			if v.Name == name {
				*e = Enum[M](name)
				return nil
			}
		}
	} else if code, err := strconv.Atoi(string(text)); err == nil {
		for _, v := range m.Members() {
			if v.Code == code {
				*e = Enum[M](v.Name)
				return nil
			}
		}
	}
	return errors.New("must be one of the listed values")
}

// MarshalJSON writes the name.
func (e Enum[M]) MarshalJSON() ([]byte, error) {
	if e == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(e))
}

// ChoiceNames is the extension under which the schema of a [Choice] lists its
// names, for whoever writes the document.
const ChoiceNames = "x-choice-names"

// Choice is what a query says of M: a name or a code, in a list also several
// with commas between. Nothing checks it before its handler does, since the
// commas are no part of a schema.
type Choice[M Members] string

// Schema is of any text, and says beside it what the names are.
func (Choice[M]) Schema(huma.Registry) *huma.Schema {
	var m M
	var names []any
	for _, v := range m.Members() {
		names = append(names, v.Name)
	}
	s := &huma.Schema{Type: huma.TypeString, Extensions: map[string]any{ChoiceNames: names}}
	s.PrecomputeMessages()
	return s
}

// Schema lists the names and the codes.
func (e Enum[M]) Schema(huma.Registry) *huma.Schema {
	var m M
	names := &huma.Schema{Type: huma.TypeString}
	codes := &huma.Schema{Type: huma.TypeInteger}
	for _, v := range m.Members() {
		names.Enum = append(names.Enum, v.Name)
		codes.Enum = append(codes.Enum, float64(v.Code))
	}
	names.PrecomputeMessages()
	codes.PrecomputeMessages()
	return &huma.Schema{OneOf: []*huma.Schema{names, codes}}
}
