// Package secrettest prints a value in every way we know of and looks for what
// must not be seen. Every type that holds card data or keys has a test that
// calls [Hidden].
package secrettest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

type exported[T any] struct{ Field T }
type unexported[T any] struct{ field T }
type nested[T any] struct {
	Outer   unexported[T]
	inner   exported[T]
	pointer *unexported[T]
	list    []T
	named   map[string]T
	any     any
}

// Hidden prints v with every verb of fmt, log, slog and encoding/json, alone
// and inside exported and unexported fields, pointers, slices, maps and
// errors, and fails t when any output holds one of the secrets: as text, or
// its bytes in hexadecimal, decimal, base64, octal or escaped form.
//
// Give secrets of eight characters or more, so that no address printed in
// place of v looks like one by accident.
func Hidden[T any](t testing.TB, v T, secrets ...string) {
	t.Helper()
	forbidden := map[string]string{} // form -> its name
	for _, s := range secrets {
		for name, form := range forms([]byte(s)) {
			forbidden[form] = name
		}
	}
	look := func(how, output string) {
		t.Helper()
		for form, name := range forbidden {
			if strings.Contains(output, form) {
				t.Errorf("%s shows the secret %s", how, name)
			}
		}
	}
	for _, c := range carriers(v) {
		for _, verb := range []string{
			"%v", "%+v", "%#v", "%s", "%+s", "%#s", "%q", "%+q", "%#q", "%x", "%X", "% x", "%#x", "%d", "%+d",
			"%o", "%O", "%b", "%c", "%U", "%e", "%f", "%g", "%t", "%p", "%z", "%200v", "%.3s", "%-9q", "%T",
			"text", "%*d", "%[2]v", "%!",
		} {
			look("fmt "+verb+" of "+c.name, fmt.Sprintf(verb, c.value))
		}
		look("fmt.Sprint of "+c.name, fmt.Sprint(c.value))
		look("fmt.Sprintln of "+c.name, fmt.Sprintln(c.value))
		look("an error about "+c.name, fmt.Errorf("refused: %v", c.value).Error())
		look("a joined error about "+c.name, errors.Join(fmt.Errorf("%+v", c.value)).Error())

		var out bytes.Buffer
		log.New(&out, "", 0).Print(c.value)
		text := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		text.Info("event", "value", c.value, slog.Group("group", "value", c.value))
		text.With("value", c.value).Debug("event")
		structured := slog.New(slog.NewJSONHandler(&out, nil))
		structured.Info("event", "value", c.value, slog.Group("group", "value", c.value))
		structured.With("value", c.value).Error("event")
		look("a log of "+c.name, out.String())

		if encoded, err := json.Marshal(c.value); err != nil {
			look("the JSON error of "+c.name, err.Error())
		} else {
			look("JSON of "+c.name, string(encoded))
		}
	}
}

type carrier struct {
	name  string
	value any
}

func carriers[T any](v T) []carrier {
	pointer := &v
	all := nested[T]{
		Outer:   unexported[T]{v},
		inner:   exported[T]{v},
		pointer: &unexported[T]{v},
		list:    []T{v},
		named:   map[string]T{"value": v},
		any:     v,
	}
	list := []carrier{
		{"the value", v},
		{"a pointer", pointer},
		{"a pointer to a pointer", &pointer},
		{"an exported field", exported[T]{v}},
		{"an unexported field", unexported[T]{v}},
		{"a pointer to an exported field", &exported[T]{v}},
		{"a pointer to an unexported field", &unexported[T]{v}},
		{"a pointer in an unexported field", unexported[*T]{pointer}},
		{"an interface in an unexported field", unexported[any]{v}},
		{"a nest of structs", all},
		{"a pointer to a nest of structs", &all},
		{"a slice", []T{v}},
		{"an array", [1]T{v}},
		{"a slice of unexported fields", []unexported[T]{{v}}},
		{"a map", map[string]T{"value": v}},
		{"a map of unexported fields", map[string]unexported[T]{"value": {v}}},
		{"a slice of anything", []any{v, pointer}},
		{"a reflect.Value", reflect.ValueOf(v)},
		{"a reflect.Value of an unexported field", reflect.ValueOf(unexported[T]{v}).Field(0)},
	}
	if reflect.TypeFor[T]().Comparable() {
		keys := reflect.MakeMap(reflect.MapOf(reflect.TypeFor[T](), reflect.TypeFor[bool]()))
		keys.SetMapIndex(reflect.ValueOf(v), reflect.ValueOf(true))
		list = append(list, carrier{"a map key", keys.Interface()})
	}
	if e, ok := any(v).(error); ok {
		list = append(list, carrier{"a wrapped error", fmt.Errorf("outer: %w", e)})
	}
	return list
}

// forms returns every way in which fmt or an encoder could show b.
func forms(b []byte) map[string]string {
	joined := func(format, between string) string {
		parts := make([]string, len(b))
		for i, c := range b {
			parts[i] = fmt.Sprintf(format, c)
		}
		return strings.Join(parts, between)
	}
	quoted := strconv.Quote(string(b))
	return map[string]string{
		"as text":             string(b),
		"escaped":             quoted[1 : len(quoted)-1],
		"in hexadecimal":      hex.EncodeToString(b),
		"in HEXADECIMAL":      strings.ToUpper(hex.EncodeToString(b)),
		"in spaced hex":       joined("%02x", " "),
		"in Go syntax":        joined("%#x", ", "),
		"in Go syntax, short": joined("0x%x", ", "),
		"in decimal":          joined("%d", " "),
		"in decimal commas":   joined("%d", ","),
		"in octal":            joined("%o", " "),
		"in binary":           joined("%b", " "),
		"as characters":       joined("%c", " "),
		"as code points":      joined("%U", " "),
		"in base64":           strings.TrimRight(base64.RawStdEncoding.EncodeToString(b[:len(b)/3*3]), "="),
	}
}
