package rule

import (
	"strings"

	"github.com/sarraf-platform/sarraf/internal/locale"
)

// Problem is a reason why a source is no rule.
type Problem struct {
	// Path is where: the dotted path of the member in a tree
	// ("rules[1].value"), line and column in CEL ("@1:24"); empty for the whole.
	Path string
	// Code is a stable word; the message is "rule.<code>" of the catalogues,
	// with the places that Params fill. None of it quotes the source.
	Code   ProblemCode
	Params map[string]any
}

// ProblemCode says what is wrong.
type ProblemCode string

// The codes.
const (
	Malformed       ProblemCode = "malformed"           // no JSON, or not of the form of a rule
	RepeatedMember  ProblemCode = "repeated_member"     // a member is there twice
	LetterCase      ProblemCode = "letter_case"         // a member differs from a known one by letter case
	WrongKind       ProblemCode = "wrong_kind"          // not of the {kind} that belongs here
	NotPrintable    ProblemCode = "not_printable"       // a text with control characters
	TooLarge        ProblemCode = "too_large"           // more than {max} bytes
	TooManyWords    ProblemCode = "too_many_words"      // more than {max} words and signs of CEL
	TooDeep         ProblemCode = "too_deep"            // more than {max} groups in one another
	TooManyLeaves   ProblemCode = "too_many_conditions" // more than {max}
	TooManyValues   ProblemCode = "too_many_values"     // more than {max} in one array
	GroupOrLeaf     ProblemCode = "group_or_condition"  // neither group nor leaf, or both
	EmptyGroup      ProblemCode = "empty_group"         // a group of nothing
	Required        ProblemCode = "required"            // a member is missing
	NotExpected     ProblemCode = "not_expected"        // a member that does not belong to this operator
	UnknownField    ProblemCode = "unknown_field"       // there is no such field
	FieldContext    ProblemCode = "field_context"       // the field is not there in this {context}
	UnknownOperator ProblemCode = "unknown_operator"    // there is no such operator
	OperatorType    ProblemCode = "operator_type"       // fields of {type} have no {operator}
	TypeClash       ProblemCode = "type_clash"          // the value is not of {type}
	NotAValue       ProblemCode = "not_a_value"         // not one of the enumeration
	ValueFormat     ProblemCode = "value_format"        // not of the form that values of the field have
	ValueTooLong    ProblemCode = "value_too_long"      // more than {max} characters
	OutOfRange      ProblemCode = "out_of_range"        // not from {min} to {max}
	EmptyValue      ProblemCode = "empty_value"         // an empty text, which no fact ever is
	BoundsReversed  ProblemCode = "bounds_reversed"     // the low bound is above the high one
	UnknownList     ProblemCode = "unknown_list"        // there is no such named list
	ListType        ProblemCode = "list_type"           // the values of the list are of another type
	InvalidPattern  ProblemCode = "invalid_pattern"     // no regular expression of RE2
	TooCostly       ProblemCode = "too_costly"          // costs {cost}, may cost {max}
	OperandTypes    ProblemCode = "operand_types"       // an operator of CEL between values that it does not take
	Syntax          ProblemCode = "syntax"              // no CEL
	NotSupported    ProblemCode = "not_supported"       // CEL that is no rule
	SensitiveText   ProblemCode = "sensitive_text"      // a card number
)

// ProblemCodes lists them.
func ProblemCodes() []ProblemCode {
	return []ProblemCode{
		Malformed, RepeatedMember, LetterCase, WrongKind, NotPrintable, TooLarge, TooManyWords, TooDeep, TooManyLeaves, TooManyValues, GroupOrLeaf,
		EmptyGroup, Required, NotExpected, UnknownField, FieldContext, UnknownOperator, OperatorType, TypeClash, NotAValue, ValueFormat,
		ValueTooLong, OutOfRange, EmptyValue, BoundsReversed, UnknownList, ListType, InvalidPattern, TooCostly, OperandTypes, Syntax, NotSupported,
		SensitiveText,
	}
}

// Key names the message in the catalogues.
func (p Problem) Key() string { return "rule." + string(p.Code) }

// Text is the message in a language, "tr" or "en".
func (p Problem) Text(language string) string {
	text, _ := locale.Text(language, p.Key(), p.Params)
	return text
}

// At is where the problem is, seen from a document that holds the rule as the
// named member.
func (p Problem) At(member string) string {
	switch {
	case p.Path == "":
		return member
	case strings.HasPrefix(p.Path, "@"), strings.HasPrefix(p.Path, "["):
		return member + p.Path
	}
	return member + "." + p.Path
}

// problems gathers what is wrong with a source.
type problems struct{ found []Problem }

// problemsMax bounds how much is told at once.
const problemsMax = 50

func (ps *problems) add(path string, code ProblemCode, params ...any) {
	if len(ps.found) >= problemsMax {
		return
	}
	p := Problem{Path: path, Code: code}
	for i := 0; i+1 < len(params); i += 2 {
		if p.Params == nil {
			p.Params = map[string]any{}
		}
		p.Params[params[i].(string)] = params[i+1]
	}
	ps.found = append(ps.found, p)
}
