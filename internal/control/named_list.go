package control

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// ValueType is what the values of a list are.
type ValueType string

// The types.
const (
	StringValues  ValueType = "String"
	IntegerValues ValueType = "Integer"
)

// ValueTypes lists them.
func ValueTypes() []ValueType { return []ValueType{StringValues, IntegerValues} }

// NamedList is a set of values that rules look into by its code.
type NamedList struct {
	Code string
	Name string
	Type ValueType // never changes
	// Values are in order, each once: integers as such, without leading zeros.
	// A list of lists leaves them out and has their number only.
	Values   []string
	Count    int
	IsActive bool // false: it holds nothing for now
	access.Record
}

// What a list may hold.
const (
	ListValuesMax  = 50_000
	listValueChars = 64
)

// check checks l and puts its values in order.
func (l *NamedList) check() error {
	var v fault.Checks
	v.Code("code", l.Code)
	v.Text("name", l.Name, 1, 100)
	fault.OneOf(&v, "valueType", l.Type, ValueTypes())
	// Rules that look into the group of that code must compile with the list.
	v.Is("valueType", l.Type != IntegerValues || !rule.IsCategoryGroup(l.Code), "group", "must be String: the code is that of a group of merchant categories")
	v.Is("values", len(l.Values) <= ListValuesMax, "too_many", "must hold at most "+strconv.Itoa(ListValuesMax)+" values")
	values := make([]string, 0, len(l.Values))
	for i, value := range l.Values {
		if len(v.Fields) > 20 {
			break
		}
		at := "values[" + strconv.Itoa(i) + "]"
		if l.Type == IntegerValues {
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				v.Fail(at, "not_an_integer", "must be an integer")
				continue
			}
			value = strconv.FormatInt(n, 10)
		} else {
			v.Text(at, value, 1, listValueChars)
		}
		v.Is(at, !pan.ContainsPAN(value), "card_number", "must not hold a card number")
		values = append(values, value)
	}
	if err := v.Err(errInvalid); err != nil {
		return err
	}
	if l.Type == IntegerValues {
		slices.SortFunc(values, compareIntegers)
	} else {
		slices.Sort(values)
	}
	l.Values = slices.Compact(values)
	l.Count = len(l.Values)
	return nil
}

// compareIntegers compares two integers of any length without leading zeros.
func compareIntegers(a, b string) int {
	x, _ := strconv.ParseInt(a, 10, 64)
	y, _ := strconv.ParseInt(b, 10, 64)
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// audited is l as the audit record shows it. Its chain is kept for years, so
// long lists stand there by number and digest.
type audited struct {
	Code, Name string
	ValueType  ValueType
	Values     string
	IsActive   bool
}

// shownBytes is how much of values stands in the audit record as it is.
const shownBytes = 4000

func (l *NamedList) audited() audited {
	values := strings.Join(l.Values, ", ")
	if len(values) > shownBytes {
		digest := sha256.Sum256([]byte(strings.Join(l.Values, "\n")))
		values = strconv.Itoa(l.Count) + " values, sha256:" + hex.EncodeToString(digest[:])
	}
	return audited{l.Code, l.Name, l.Type, values, l.IsActive}
}
