package audit

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Changes compares two values of one struct type, field by field, and returns
// what differs in the order of the fields; nil stands for a value that does not
// exist. Names are those of the fields, beginning small, with dots and indexes
// for what lies deeper. Embedded structs and those named in without are left
// out.
//
// Values are written as they print themselves, so secrets stay masked.
func Changes(before, after any, without ...string) []Change {
	old, fresh := &properties{values: map[string]string{}}, &properties{values: map[string]string{}}
	old.add("", reflect.ValueOf(before), without)
	fresh.add("", reflect.ValueOf(after), without)
	names := fresh.names
	for _, n := range old.names {
		if _, both := fresh.values[n]; !both {
			names = append(names, n)
		}
	}
	return Differences(names, old.values, fresh.values)
}

// Differences compares two sets of values by name and returns what differs, in
// the order of names. A name that a set does not hold is a value that does not
// exist there.
func Differences(names []string, before, after map[string]string) []Change {
	var changes []Change
	for _, n := range names {
		was, had := before[n]
		is, has := after[n]
		if had == has && was == is {
			continue
		}
		c := Change{Property: n}
		if had {
			c.Old = &was
		}
		if has {
			c.New = &is
		}
		changes = append(changes, c)
	}
	return changes
}

// properties are the leaves of a value, in order.
type properties struct {
	names  []string
	values map[string]string
}

func (p *properties) leaf(name, value string) {
	p.names = append(p.names, name)
	p.values[name] = value
}

func (p *properties) add(name string, v reflect.Value, without []string) {
	if !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return
	}
	if v.Kind() == reflect.Pointer {
		p.add(name, v.Elem(), without)
		return
	}
	switch x := v.Interface().(type) {
	case time.Time:
		if !x.IsZero() {
			p.leaf(name, x.UTC().Format(time.RFC3339Nano))
		}
		return
	case fmt.Stringer:
		p.leaf(name, x.String())
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		t := v.Type()
		for i := range t.NumField() {
			f := t.Field(i)
			if !f.IsExported() || f.Anonymous || slices.Contains(without, f.Name) {
				continue
			}
			p.add(under(name, small(f.Name)), v.Field(i), without)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			p.add(name+"["+strconv.Itoa(i)+"]", v.Index(i), without)
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		for _, k := range keys {
			p.add(under(name, fmt.Sprint(k)), v.MapIndex(k), without)
		}
	case reflect.String:
		if v.Len() > 0 {
			p.leaf(name, v.String())
		}
	default:
		p.leaf(name, fmt.Sprint(v.Interface()))
	}
}

func under(name, field string) string {
	if name == "" {
		return field
	}
	return name + "." + field
}

// PropertyOf is what [Changes] calls a field.
func PropertyOf(field string) string { return small(field) }

// small begins a name with small letters: PINTryLimit is pinTryLimit.
func small(name string) string {
	runes := []rune(name)
	for i, r := range runes {
		if unicode.IsLower(r) {
			break
		}
		if i > 0 && i+1 < len(runes) && unicode.IsLower(runes[i+1]) {
			break
		}
		runes[i] = unicode.ToLower(r)
	}
	return string(runes)
}
