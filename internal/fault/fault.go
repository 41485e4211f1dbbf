// Package fault is the vocabulary of refusals that cross packages: an error
// the caller can act on has a kind for programs, a stable code for families to
// map, and a text that is safe to show.
//
// Everything else is a plain wrapped error and becomes [Internal] at the edge.
// A business answer, such as a decline, is a value and not a fault.
package fault

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Kind classes a fault by what its caller can do about it. The zero value is
// [Internal], so that an unclassified error is never shown as the caller's.
type Kind int

// The kinds, with the HTTP status they usually become.
const (
	Internal        Kind = iota // our mistake: 500
	Invalid                     // malformed or incomplete input: 400
	Unauthenticated             // the caller is not known: 401
	Forbidden                   // the caller is known and may not: 403
	NotFound                    // nothing of this name that the caller may see: 404
	Conflict                    // the state of the thing does not allow it: 409
	Refused                     // well-formed but against a business rule: 422
	Exhausted                   // a try counter has run out: 423
	Throttled                   // too many requests: 429
	Unavailable                 // something we depend on does not answer: 502
)

// Kinds lists every kind, for tables that must be total.
func Kinds() []Kind {
	return []Kind{
		Internal, Invalid, Unauthenticated, Forbidden, NotFound,
		Conflict, Refused, Exhausted, Throttled, Unavailable,
	}
}

// String returns the kind's name in snake_case, as logs and metrics show it.
func (k Kind) String() string {
	switch k {
	case Internal:
		return "internal"
	case Invalid:
		return "invalid"
	case Unauthenticated:
		return "unauthenticated"
	case Forbidden:
		return "forbidden"
	case NotFound:
		return "not_found"
	case Conflict:
		return "conflict"
	case Refused:
		return "refused"
	case Exhausted:
		return "exhausted"
	case Throttled:
		return "throttled"
	case Unavailable:
		return "unavailable"
	}
	return fmt.Sprintf("kind(%d)", int(k))
}

// Code is a stable word in snake_case that says which refusal this is, for
// example card_status_transition_not_allowed. API families map it to their own
// codes and message keys; it is never reused for another meaning.
type Code string

// Field is one thing wrong with one input field.
type Field struct {
	Name string // dotted path in the caller's words: identifications[0].identificationNo
	Code string // stable word: required, too_long, not_a_currency
	Text string // English, safe to show; never quotes the input
}

// Error is a refusal the caller can act on.
//
// Text, Fields and Params are shown to the caller and must hold no card data,
// PIN, key or quoted input. Err is the cause for the log and is not shown.
// An Error is not changed once made: With, OnField and Wrap copy.
type Error struct {
	Kind   Kind
	Code   Code
	Text   string
	Fields []Field
	Params map[string]any
	Err    error
}

// New returns a fault whose text is the formatted message.
func New(kind Kind, code Code, format string, args ...any) *Error {
	return &Error{Kind: kind, Code: code, Text: fmt.Sprintf(format, args...)}
}

// With returns a copy of e that carries one more parameter. Parameters are
// shown to the caller and fill the {name} places of message catalogues.
func (e *Error) With(name string, value any) *Error {
	c := *e
	c.Params = maps.Clone(e.Params)
	if c.Params == nil {
		c.Params = make(map[string]any, 1)
	}
	c.Params[name] = value
	return &c
}

// OnField returns a copy of e with one more field error, after those it has.
func (e *Error) OnField(name, code, text string) *Error {
	c := *e
	c.Fields = append(slices.Clone(e.Fields), Field{Name: name, Code: code, Text: text})
	return &c
}

// Wrap returns a copy of e with err as its cause.
func (e *Error) Wrap(err error) *Error {
	c := *e
	c.Err = err
	return &c
}

// Error returns the text, the field errors and the cause, for logs.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Text)
	if e.Text == "" {
		b.WriteString(string(e.Code))
	}
	for i, f := range e.Fields {
		if i == 0 {
			b.WriteString(" (")
		} else {
			b.WriteString("; ")
		}
		b.WriteString(f.Name + ": " + f.Text)
	}
	if len(e.Fields) > 0 {
		b.WriteByte(')')
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause, which may be nil.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is a fault of the same code, so that a package can
// keep one Error as a sentinel and hand out copies with parameters.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code != "" && t.Code == e.Code
}

// As finds the first fault in err's chain.
func As(err error) (*Error, bool) {
	return errors.AsType[*Error](err)
}

// AsRefusal is As for a fault that answers the caller. One that says that we
// failed, or something we depend on, is not found: asked again, it may go well.
func AsRefusal(err error) (*Error, bool) {
	e, ok := As(err)
	if !ok || e.Kind == Internal || e.Kind == Unavailable {
		return nil, false
	}
	return e, true
}

// KindOf returns the kind of the first fault in err's chain, and Internal for
// an error that is none.
func KindOf(err error) Kind {
	if e, ok := As(err); ok {
		return e.Kind
	}
	return Internal
}
