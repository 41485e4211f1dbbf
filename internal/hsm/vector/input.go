package vector

import (
	"encoding/hex"
	"encoding/json"
	"strings"
)

// input reads the inputs of one vector. The first mistake sticks.
type input struct {
	values map[string]json.RawMessage
	err    error
}

func (i *input) fail(name, what string) {
	if i.err == nil {
		i.err = vectorError{"input " + name + " " + what}
	}
}

func (i *input) has(name string) bool { _, ok := i.values[name]; return ok }

func (i *input) decode(name string, into any) {
	raw, ok := i.values[name]
	if !ok {
		i.fail(name, "is missing")
		return
	}
	if json.Unmarshal(raw, into) != nil {
		i.fail(name, "has another type")
	}
}

func (i *input) text(name string) string {
	var s string
	i.decode(name, &s)
	return s
}

func (i *input) number(name string) int {
	var n int
	i.decode(name, &n)
	return n
}

func (i *input) truth(name string) bool {
	var b bool
	i.decode(name, &b)
	return b
}

func (i *input) texts(name string) []string {
	var s []string
	i.decode(name, &s)
	return s
}

func (i *input) object(name string) *input {
	var m map[string]json.RawMessage
	i.decode(name, &m)
	return &input{values: m}
}

// bytes reads hexadecimal digits.
func (i *input) bytes(name string) []byte {
	b, err := hex.DecodeString(i.text(name))
	if err != nil {
		i.fail(name, "is not hexadecimal")
	}
	return b
}

// into reads hexadecimal digits that must fill dst exactly.
func (i *input) into(name string, dst []byte) {
	b := i.bytes(name)
	if len(b) != len(dst) {
		i.fail(name, "has another length")
		return
	}
	copy(dst, b)
}

func hexText(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }

// hex reads hexadecimal digits that are no input of their own.
func (i *input) hex(text string) []byte {
	b, err := hex.DecodeString(text)
	if err != nil {
		i.fail("element", "is not hexadecimal")
	}
	return b
}
