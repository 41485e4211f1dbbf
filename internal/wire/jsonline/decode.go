package jsonline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"
)

// Problem says what is wrong with a line, in words that hold nothing of its
// content. The words are stable.
type Problem string

// The problems that any format of lines can meet.
const (
	NotJSON       Problem = "it is not one JSON object"
	TooLong       Problem = "it is longer than 16,384 bytes"
	UnknownMember Problem = "the format does not know it"
	Repeated      Problem = "it occurs twice"
	WrongType     Problem = "it has not the JSON type it should have"
	WrongValue    Problem = "its value is not one it can have"
)

// A Fault tells which member of a line is wrong and why. It never quotes a
// value.
type Fault struct {
	Member  string // dotted path, empty when it is the line as a whole
	Problem Problem
}

// Error names member and problem.
func (f *Fault) Error() string {
	if f.Member == "" {
		return string(f.Problem)
	}
	return f.Member + ": " + string(f.Problem)
}

// Members are the names an object may have, with those of the objects inside.
type Members map[string]Members

// MembersOf reads the names from the tags of a struct.
func MembersOf(t reflect.Type) Members {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	m := Members{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		m[name] = MembersOf(t.Field(i).Type)
	}
	return m
}

// TypeOf reads the member "type" of a line.
func TypeOf(line []byte) (string, *Fault) {
	var t struct {
		Type string `json:"type"`
	}
	if !utf8.Valid(line) || len(line) == 0 || line[0] != '{' || json.Unmarshal(line, &t) != nil {
		return "", &Fault{Problem: NotJSON}
	}
	return t.Type, nil
}

// Decode decodes one line into a struct whose members are known. Unlike
// encoding/json alone it refuses members that are unknown, differ in case or
// occur twice, and null and empty text, which mean the same as leaving a
// member out and would be a second way to say it.
func Decode(line []byte, known Members, into any) *Fault {
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	if err := walk(dec, known, ""); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return &Fault{Problem: NotJSON}
	}
	if err := json.Unmarshal(line, into); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return &Fault{Member: wrong.Field, Problem: WrongType}
		}
		return &Fault{Problem: NotJSON}
	}
	return nil
}

// walk checks one value and the values inside it. Members are nil where the
// format has no object.
func walk(dec *json.Decoder, known Members, path string) *Fault {
	token, err := dec.Token()
	if err != nil {
		return &Fault{Problem: NotJSON}
	}
	switch token {
	case nil, "":
		return &Fault{Member: path, Problem: WrongValue}
	case json.Delim('{'):
		return walkObject(dec, known, path)
	case json.Delim('['):
		for i := 0; dec.More(); i++ {
			if err := walk(dec, known, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
		if _, err := dec.Token(); err != nil {
			return &Fault{Problem: NotJSON}
		}
	}
	return nil
}

// walkObject checks the members of an object whose brace was read.
func walkObject(dec *json.Decoder, known Members, path string) *Fault {
	if known == nil {
		return &Fault{Member: path, Problem: WrongType}
	}
	seen := make(map[string]bool, len(known))
	for dec.More() {
		token, err := dec.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return &Fault{Problem: NotJSON}
		}
		inside, ok := known[name]
		if !ok {
			// The name is the sender's text and is not repeated.
			return &Fault{Member: strings.TrimPrefix(path+".?", "."), Problem: UnknownMember}
		}
		member := strings.TrimPrefix(path+"."+name, ".")
		if seen[name] {
			return &Fault{Member: member, Problem: Repeated}
		}
		seen[name] = true
		if err := walk(dec, inside, member); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return &Fault{Problem: NotJSON}
	}
	return nil
}

// Encode is one line as JSON without its end, and without escapes for HTML.
func Encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode line: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
