package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// NewLogger returns the logger of the process. It writes to w what c asks for,
// and never a card number: see [redactor].
func NewLogger(w io.Writer, c config.Log) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		return nil, fmt.Errorf("log level: %w", err)
	}
	options := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewTextHandler(w, options)
	if c.Format == "json" {
		h = slog.NewJSONHandler(w, options)
	}
	return slog.New(redactor{h}), nil
}

// redactor is the last line of defence of card numbers: it masks every run of
// 13 to 19 digits that passes the Luhn check, and what [pan.ContainsPAN] finds, in
// messages, names and values.
// The first line is that card numbers are [pan.PAN], which masks itself; what
// this handler finds is a mistake made elsewhere. Long numbers that are no
// card numbers are masked one time in ten: harmless in a log.
type redactor struct{ next slog.Handler }

// Enabled asks the handler behind.
func (r redactor) Enabled(ctx context.Context, l slog.Level) bool { return r.next.Enabled(ctx, l) }

// Handle masks the record and hands it on.
func (r redactor) Handle(ctx context.Context, rec slog.Record) error {
	masked := slog.NewRecord(rec.Time, rec.Level, maskText(rec.Message), rec.PC)
	rec.Attrs(func(a slog.Attr) bool {
		masked.AddAttrs(maskAttr(a))
		return true
	})
	return r.next.Handle(ctx, masked)
}

// WithAttrs masks attributes once instead of at every record.
func (r redactor) WithAttrs(attrs []slog.Attr) slog.Handler {
	masked := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		masked[i] = maskAttr(a)
	}
	return redactor{r.next.WithAttrs(masked)}
}

// WithGroup hands the group on.
func (r redactor) WithGroup(name string) slog.Handler {
	return redactor{r.next.WithGroup(maskText(name))}
}

func maskAttr(a slog.Attr) slog.Attr {
	return slog.Attr{Key: maskText(a.Key), Value: maskValue(a.Value)}
}

func maskValue(v slog.Value) slog.Value {
	v = v.Resolve()
	switch v.Kind() {
	case slog.KindString:
		return slog.StringValue(maskText(v.String()))
	case slog.KindInt64, slog.KindUint64:
		if s := v.String(); maskText(s) != s {
			return slog.StringValue(maskText(s))
		}
		return v
	case slog.KindGroup:
		attrs := make([]slog.Attr, len(v.Group()))
		for i, a := range v.Group() {
			attrs[i] = maskAttr(a)
		}
		return slog.GroupValue(attrs...)
	case slog.KindAny:
		// A handler may print the value in ways of its own; what it could show
		// is in the value's text.
		text := fmt.Sprintf("%+v", v.Any())
		if masked := maskText(text); masked != text {
			return slog.StringValue(masked)
		}
		if err, ok := v.Any().(error); ok {
			return slog.StringValue(err.Error())
		}
		return v
	}
	return v
}

// maskText returns s with what may be a card number masked to its first six
// and last four digits: also what [pan.Mask] spares as an IBAN.
func maskText(s string) string {
	var out strings.Builder
	done := 0
	for i := 0; i < len(s); {
		if s[i] < '0' || s[i] > '9' {
			i++
			continue
		}
		start := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		run := s[start:i]
		if len(run) < 13 || len(run) > 19 || !pan.ValidLuhn(run) {
			continue
		}
		out.WriteString(s[done:start])
		out.WriteString(run[:6] + strings.Repeat("*", len(run)-10) + run[len(run)-4:])
		done = i
	}
	out.WriteString(s[done:])
	return pan.Mask(out.String())
}

// Quieter is log without what is below an error: for a platform that is gone
// afterwards, of which nobody needs to be warned.
func Quieter(log *slog.Logger) *slog.Logger {
	return slog.New(quieter{log.Handler(), slog.LevelError})
}

// quieter leaves out what is below a level.
type quieter struct {
	slog.Handler
	level slog.Level
}

// Enabled is false below the level.
func (q quieter) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= q.level && q.Handler.Enabled(ctx, l)
}

// WithAttrs keeps the level.
func (q quieter) WithAttrs(a []slog.Attr) slog.Handler {
	return quieter{q.Handler.WithAttrs(a), q.level}
}

// WithGroup keeps the level.
func (q quieter) WithGroup(name string) slog.Handler {
	return quieter{q.Handler.WithGroup(name), q.level}
}
