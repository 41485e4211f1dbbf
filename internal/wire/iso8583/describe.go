package iso8583

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/pan"
)

// sensitivity is how much of a field may be shown.
type sensitivity uint8

const (
	notSensitive     sensitivity = iota
	sensitivePAN                 // a card number: masked to its first six and last four digits
	sensitiveTrack               // track data: nothing
	sensitivePIN                 // a PIN block: nothing
	sensitiveCVV2                // a verification value: nothing
	sensitiveKey                 // a key or what protects one: nothing
	sensitiveICC                 // chip data: its length
	sensitiveAccount             // an account: its last four characters
	sensitivePrivate             // content that only its users know: its length
	sensitiveTags                // two-digit tags: each by its own class
)

// sensitivities by their names in dialect files.
var sensitivities = map[string]sensitivity{
	"pan":     sensitivePAN,
	"track":   sensitiveTrack,
	"pin":     sensitivePIN,
	"cvv2":    sensitiveCVV2,
	"key":     sensitiveKey,
	"icc":     sensitiveICC,
	"account": sensitiveAccount,
	"private": sensitivePrivate,
	"tags":    sensitiveTags,
}

// hidden stands for a value of which nothing is shown.
const hidden = "***"

// FieldView is one field of a message as people may see it.
type FieldView struct {
	Number int
	Name   string
	Value  string // masked by the field's sensitivity class
}

// Describe shows the fields of m, in order, as they may stand in a log or a
// trace. Card numbers are masked; tracks, PIN blocks, verification values and
// keys are hidden; chip data and private fields show only their length.
// Binary fields are shown in hexadecimal. A text field that is not meant to
// hold a card number and does is hidden too.
func (d *Dialect) Describe(m *Message) []FieldView {
	var views []FieldView
	for n, v := range m.Fields() {
		f := &d.fields[n]
		views = append(views, FieldView{Number: n, Name: f.name, Value: f.show(v)})
	}
	return views
}

// show is the value of a field as people may see it.
func (f *field) show(v []byte) string {
	if f.max == 0 {
		return length(v) // the dialect says nothing of it
	}
	if f.sensitive == sensitiveTags {
		return f.showTags(v)
	}
	if f.kind.binary && f.sensitive == notSensitive {
		return strings.ToUpper(hex.EncodeToString(v))
	}
	free := f.prefix > 0 && f.kind.class != digits
	return f.sensitive.show(v, free)
}

// show is a text of this class as people may see it. Free text may hold what
// it should not.
func (s sensitivity) show(v []byte, free bool) string {
	switch s {
	case notSensitive:
		if free && pan.ContainsPAN(string(v)) {
			return hidden
		}
		return string(v)
	case sensitivePAN:
		if p, err := pan.Parse(string(v)); err == nil {
			return p.Masked()
		}
		return hidden
	case sensitiveAccount:
		if len(v) > 8 {
			return hidden + string(v[len(v)-4:])
		}
		return hidden
	case sensitiveICC, sensitivePrivate:
		return length(v)
	}
	return hidden
}

// showTags shows a field of two-digit tags; a tag the dialect does not name
// shows its length.
func (f *field) showTags(v []byte) string {
	var b strings.Builder
	tags := ReadTags(v)
	for tags.Next() {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		shown := length(tags.Value())
		if t, known := f.tags[tags.Tag()]; known {
			shown = t.sensitive.show(tags.Value(), true)
		}
		fmt.Fprintf(&b, "%02d=%s", tags.Tag(), shown)
	}
	if tags.Err() != nil {
		return length(v)
	}
	return b.String()
}

// length shows how long a value is and nothing of it.
func length(v []byte) string { return fmt.Sprintf("(%d bytes)", len(v)) }
