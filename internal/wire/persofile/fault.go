package persofile

import (
	"fmt"

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
	CardNumber   Problem = "it holds a card number, which stands in these files encrypted only"
	WrongFormat  Problem = "it is not the format and version this program reads"
	WrongCount   Problem = "it is not the number of records in the file"
	WrongTotal   Problem = "it is not the hash total of the records in the file"
	WrongDigest  Problem = "it is not the SHA-256 of the lines before it"
	NoTrailer    Problem = "the file ends without a trailer"
	AfterTrailer Problem = "it stands after the trailer"
	TooMany      Problem = "the file has more than 100,000 records"
)

// RecordsMax is how many records one file may have.
const RecordsMax = 100_000

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
		return fmt.Sprintf("personalization file, line %d: %s", e.Line, e.Problem)
	}
	return fmt.Sprintf("personalization file, line %d, %s: %s", e.Line, e.Member, e.Problem)
}
