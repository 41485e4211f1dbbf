package clearingfile

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

// The problems that reading and writing files can meet.
const (
	NotJSON       Problem = "it is not one JSON object"
	TooLong       Problem = "it is longer than 16,384 bytes"
	UnknownType   Problem = "its type is not one that may stand here"
	UnknownMember Problem = "the format does not know it"
	Repeated      Problem = "it occurs twice"
	Missing       Problem = "it is required"
	WrongType     Problem = "it has not the JSON type it should have"
	WrongValue    Problem = "its value is not one it can have"
	CardNumber    Problem = "it holds a card number, which belongs into pan"
	WrongFormat   Problem = "it is not the format and version this program reads"
	WrongCount    Problem = "it is not the number of presentments in the file"
	WrongTotal    Problem = "it is not the sum of the presentments in the file"
	NoTrailer     Problem = "the file ends without a trailer"
	AfterTrailer  Problem = "it stands after the trailer"
	TooMuch       Problem = "the sum is beyond what can be counted"
)

// A FormatError tells which line of a file, and which of its members, is
// wrong and why. It never quotes a value.
type FormatError struct {
	Line    int    // from 1
	Member  string // dotted path, empty when it is the line as a whole
	Problem Problem
}

// Error names line, member and problem.
func (e *FormatError) Error() string {
	if e.Member == "" {
		return fmt.Sprintf("clearing file, line %d: %s", e.Line, e.Problem)
	}
	return fmt.Sprintf("clearing file, line %d, %s: %s", e.Line, e.Member, e.Problem)
}

// members are the names an object may have, with those of the objects inside.
type members map[string]members

// The members of each type of line.
var (
	headerMembers      = membersOf(reflect.TypeFor[headerText]())
	presentmentMembers = membersOf(reflect.TypeFor[presentmentText]())
	trailerMembers     = membersOf(reflect.TypeFor[trailerText]())
)

// membersOf reads the names from the tags of a struct.
func membersOf(t reflect.Type) members {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	m := members{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		m[name] = membersOf(t.Field(i).Type)
	}
	return m
}

// typeOf reads the type of a line.
func typeOf(line []byte) (string, *FormatError) {
	var t struct {
		Type string `json:"type"`
	}
	if !utf8.Valid(line) || len(line) == 0 || line[0] != '{' || json.Unmarshal(line, &t) != nil {
		return "", &FormatError{Problem: NotJSON}
	}
	return t.Type, nil
}

// decode decodes one line into one of the structs of text.go, whose members
// are known. Unlike encoding/json alone it refuses members that are unknown,
// differ in case or occur twice, and null and empty text, which mean the same
// as leaving a member out and would be a second way to say it.
func decode(line []byte, known members, into any) *FormatError {
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	if err := walk(dec, known, ""); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return &FormatError{Problem: NotJSON}
	}
	if err := json.Unmarshal(line, into); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return &FormatError{Member: wrong.Field, Problem: WrongType}
		}
		return &FormatError{Problem: NotJSON}
	}
	return nil
}

// walk checks one value and the values inside it. Members are nil where the
// format has no object.
func walk(dec *json.Decoder, known members, path string) *FormatError {
	token, err := dec.Token()
	if err != nil {
		return &FormatError{Problem: NotJSON}
	}
	switch token {
	case nil, "":
		return &FormatError{Member: path, Problem: WrongValue}
	case json.Delim('{'):
		return walkObject(dec, known, path)
	case json.Delim('['):
		for i := 0; dec.More(); i++ {
			if err := walk(dec, known, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
		if _, err := dec.Token(); err != nil {
			return &FormatError{Problem: NotJSON}
		}
	}
	return nil
}

// walkObject checks the members of an object whose brace was read.
func walkObject(dec *json.Decoder, known members, path string) *FormatError {
	if known == nil {
		return &FormatError{Member: path, Problem: WrongType}
	}
	seen := make(map[string]bool, len(known))
	for dec.More() {
		token, err := dec.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return &FormatError{Problem: NotJSON}
		}
		inside, ok := known[name]
		if !ok {
			// The name is the sender's text and is not repeated.
			return &FormatError{Member: strings.TrimPrefix(path+".?", "."), Problem: UnknownMember}
		}
		member := strings.TrimPrefix(path+"."+name, ".")
		if seen[name] {
			return &FormatError{Member: member, Problem: Repeated}
		}
		seen[name] = true
		if err := walk(dec, inside, member); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return &FormatError{Problem: NotJSON}
	}
	return nil
}
