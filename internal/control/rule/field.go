package rule

import (
	"regexp"
	"slices"
	"strings"
)

// Context is where a rule is used. It decides which fields there are.
type Context string

// The contexts.
const (
	Velocity       Context = "Velocity"
	Authorization  Context = "Authorization"
	TransactionFee Context = "TransactionFee"
	IssuanceFee    Context = "IssuanceFee"
	AnnualFee      Context = "AnnualFee"
)

// Contexts lists them.
func Contexts() []Context {
	return []Context{Velocity, Authorization, TransactionFee, IssuanceFee, AnnualFee}
}

// Known reports whether c is one of them.
func (c Context) Known() bool { return slices.Contains(Contexts(), c) }

// Input is what a user interface asks a value with.
type Input string

// The inputs.
const (
	InputText        Input = "text"
	InputNumber      Input = "number"
	InputSelect      Input = "select"
	InputMultiSelect Input = "multiselect"
	InputCheckbox    Input = "checkbox"
	InputDate        Input = "date"
	InputTime        Input = "time"
	InputLookup      Input = "lookup"
)

// Field describes a fact that rules may ask about.
type Field struct {
	Name     string
	Type     Type
	Contexts []Context
	// IsNullable says that the fact may be missing in what actually happens,
	// and so that rules may test it for null.
	IsNullable bool
	// Values are those of an enumeration, which has this name in the catalogue
	// of labels; of a list, some that it may hold.
	Values      []Value
	Enumeration string
	// Lookup is the path of the list to choose from; empty for none.
	Lookup string
	// Min and Max bound a number; nil is no bound. Facts keep to them.
	Min, Max *int64
	Step     string
	// Pattern is what each value to compare with must look like, and MaxLength
	// how many characters it may have; nil and 0 are any.
	Pattern   *regexp.Regexp
	MaxLength int
}

// Value is one value of an enumeration, with the integer that is accepted in its
// place.
type Value struct {
	Code int
	Name string
}

// Group is the part of the name that fields of one kind share.
func (f *Field) Group() string {
	group, _, _ := strings.Cut(f.Name, ".")
	return group
}

// Operators lists what can be asked of the field.
func (f *Field) Operators() []Operator {
	if f.IsNullable {
		return slices.Concat(operatorsOf[f.Type], []Operator{IsNull, IsNotNull})
	}
	return operatorsOf[f.Type]
}

// Input is what a user interface asks a value with.
func (f *Field) Input() Input {
	switch {
	case f.Lookup != "":
		return InputLookup
	case f.Type == Enum:
		return InputSelect
	case f.Type == StringList:
		return InputMultiSelect
	case f.Type == Boolean:
		return InputCheckbox
	case f.Type == Integer, f.Type == Decimal:
		return InputNumber
	case f.Type == Date:
		return InputDate
	case f.Type == Time:
		return InputTime
	}
	return InputText
}

// In reports whether rules of context c may ask about the field.
func (f *Field) In(c Context) bool { return slices.Contains(f.Contexts, c) }

// IsAmount reports whether the field holds money of the transaction, so that a
// rule that reads it means nothing for a transaction without an amount.
func (id FieldID) IsAmount() bool {
	switch id {
	case TransactionAmount, TransactionBillingAmount, TransactionCashbackAmount:
		return true
	}
	return false
}

// IsStatistic reports whether the field is counted over other transactions,
// and so costs a query.
func (id FieldID) IsStatistic() bool {
	return id >= CounterCardCount1h && id <= LastAmount || id == CardAnnualSpend || id == CardAnnualTransactionCount
}

// Field returns what describes the field. It must not be changed.
func (id FieldID) Field() *Field { return &fields[id] }

// String returns the name.
func (id FieldID) String() string { return fields[id].Name }

// Fields lists the fields of a context in the order of contract/platform.md
// §10.4.
func Fields(c Context) []FieldID {
	var ids []FieldID
	for i := range fields {
		if fields[i].In(c) {
			ids = append(ids, FieldID(i))
		}
	}
	return ids
}

// FieldNamed returns the field with this name.
func FieldNamed(name string) (FieldID, bool) {
	id, found := byName[name]
	return id, found
}

var byName = func() map[string]FieldID {
	m := make(map[string]FieldID, len(fields))
	for i := range fields {
		m[fields[i].Name] = FieldID(i)
	}
	return m
}()
