package outbound

import (
	"context"
	"errors"
	"strings"
	"unicode"

	"github.com/sarraf-platform/sarraf/internal/pan"
)

// Reason says why there was no answer, without what would tell of our
// network.
func Reason(err error) string {
	switch {
	case errors.Is(err, ErrAddress):
		return "not sent: " + ErrAddress.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	}
	return "no connection, or it broke"
}

const excerptMax = 256

// Excerpt is the beginning of an answer, fit to be shown.
func Excerpt(text string) string {
	if pan.ContainsPAN(text) {
		return "withheld: it holds what could be a card number"
	}
	n := 0
	return strings.Map(func(r rune) rune {
		if n++; n > excerptMax {
			return -1
		}
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, " "))
}
