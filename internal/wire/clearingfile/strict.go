package clearingfile

import (
	"fmt"
	"reflect"

	"github.com/sarraf-platform/sarraf/internal/wire/jsonline"
)

// Problem says what is wrong with a line, in words that hold nothing of its
// content. The words are stable.
type Problem = jsonline.Problem

// The problems that reading and writing files can meet.
const (
	NotJSON       = jsonline.NotJSON
	TooLong       = jsonline.TooLong
	UnknownMember = jsonline.UnknownMember
	Repeated      = jsonline.Repeated
	WrongType     = jsonline.WrongType
	WrongValue    = jsonline.WrongValue

	UnknownType  Problem = "its type is not one that may stand here"
	Missing      Problem = "it is required"
	CardNumber   Problem = "it holds a card number, which belongs into pan"
	WrongFormat  Problem = "it is not the format and version this program reads"
	WrongCount   Problem = "it is not the number of presentments in the file"
	WrongTotal   Problem = "it is not the sum of the presentments in the file"
	NoTrailer    Problem = "the file ends without a trailer"
	AfterTrailer Problem = "it stands after the trailer"
	TooMuch      Problem = "the sum is beyond what can be counted"
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

// The members of each type of line.
var (
	headerMembers      = jsonline.MembersOf(reflect.TypeFor[headerText]())
	presentmentMembers = jsonline.MembersOf(reflect.TypeFor[presentmentText]())
	trailerMembers     = jsonline.MembersOf(reflect.TypeFor[trailerText]())
)

// typeOf reads the type of a line.
func typeOf(line []byte) (string, *FormatError) {
	t, fault := jsonline.TypeOf(line)
	return t, formatError(fault)
}

// decode decodes one line into one of the structs of text.go.
func decode(line []byte, known jsonline.Members, into any) *FormatError {
	return formatError(jsonline.Decode(line, known, into))
}

func formatError(f *jsonline.Fault) *FormatError {
	if f == nil {
		return nil
	}
	return &FormatError{Member: f.Member, Problem: f.Problem}
}
