package app

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/config"
)

func TestNewLogger_masksCardNumbersWhereverTheyStand(t *testing.T) {
	const number = "4111111111111111"
	type inside struct{ Deep map[string]string }
	for _, format := range []string{"text", "json"} {
		var out strings.Builder
		log, err := NewLogger(&out, config.Log{Level: "debug", Format: format})
		if err != nil {
			t.Fatal(err)
		}
		log.Info("card "+number, "a", number, number, "b",
			"error", fmt.Errorf("wrapped: %w", errors.New("bad card "+number)),
			"track", number+"=3012201000", "number", int64(4111111111111111), "unsigned", uint64(4111111111111111),
			slog.Group("g", "x", number, slog.Group(number, "y", number)),
			"any", inside{map[string]string{"k": number}}, "list", []string{number}, "pointer", &inside{map[string]string{number: ""}},
			"stringer", stringer(number), "valuer", valuer(number))
		log.With("with", number).WithGroup(number).Info("x")
		if strings.Contains(out.String(), number) {
			t.Errorf("%s: the card number is in the log:\n%s", format, out.String())
		}
		out.Reset()
		for _, dressed := range []string{"4111.1111.1111.1111", "4111/1111/1111/1111", "4111%201111%201111%201111", "4111\u200b111111111111", "４１１１１１１１１１１１１１１１"} {
			log.Info("refused " + dressed)
			if strings.Contains(out.String(), dressed) {
				t.Errorf("%s: %q is in the log", format, dressed)
			}
		}
		if !strings.Contains(out.String(), "411111******1111") {
			t.Errorf("%s: the masked number is not in the log:\n%s", format, out.String())
		}
	}
}

type stringer string

func (s stringer) String() string { return string(s) }

type valuer string

func (v valuer) LogValue() slog.Value { return slog.StringValue(string(v)) }

func TestNewLogger_leavesOtherNumbersAlone(t *testing.T) {
	var out strings.Builder
	log, err := NewLogger(&out, config.Log{Level: "info", Format: "text"})
	if err != nil {
		t.Fatal(err)
	}
	log.Info("x", "short", "411111111111", "wrong", "4111111111111112", "long", "41111111111111111111",
		"amount", 12550, "took", 3*time.Millisecond, "ok", true)
	for _, want := range []string{"411111111111", "4111111111111112", "41111111111111111111", "amount=12550", "took=3ms", "ok=true"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in %s", want, out.String())
		}
	}
}
