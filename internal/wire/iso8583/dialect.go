package iso8583

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed dialects/*.yaml
var dialectFiles embed.FS

// dialectSizeMax bounds a dialect file.
const dialectSizeMax = 1 << 20

// Dialect is one network's way of speaking ISO 8583:1987: its fields, its
// messages, its framing and its response codes. It is immutable and safe for
// concurrent use.
type Dialect struct {
	name    string
	version string
	note    string
	framing Framing
	bodyMax int
	bitmap  encoding
	fields  [highest + 1]field
	rules   map[MTI]rule
	codes   ResponseCodes
	network map[string]string
}

// field is how one data element is written. A zero field is not defined.
type field struct {
	name      string
	tags      map[int]tag
	min, max  uint16 // bounds of the value; equal when fixed
	fixed     uint16 // bytes on the wire when fixed, 0 when not
	kind      kind
	enc       encoding
	prefix    uint8 // bytes of the length prefix, 0 for fixed length
	length    lengthCoding
	pad       padding
	sensitive sensitivity
}

// tag is one entry of a field made of two-digit tags.
type tag struct {
	name      string
	sensitive sensitivity
}

// rule is what a dialect demands of one message type.
type rule struct {
	require    []int
	requireOne [][]int
	echo       []int
	answered   bool
}

// dialectText is a dialect file as it is written.
type dialectText struct {
	Dialect string `yaml:"dialect"`
	Base    string `yaml:"base"`
	Version string `yaml:"version"`
	Note    string `yaml:"note"`
	Framing string `yaml:"framing"`
	BodyMax int    `yaml:"body_max"`
	Bitmap  string `yaml:"bitmap"`

	Defaults struct {
		Text    string `yaml:"text"`
		Binary  string `yaml:"binary"`
		Length  string `yaml:"length"`
		Numeric string `yaml:"numeric"`
	} `yaml:"defaults"`

	Fields   map[int]fieldText      `yaml:"fields"`
	Messages map[string]messageText `yaml:"messages"`

	Responses     string            `yaml:"responses"`
	ResponseCodes map[string]string `yaml:"response_codes"`
	Network       map[string]string `yaml:"network"`
}

// fieldText is one field of a dialect file: exactly one of len, ll and lll.
type fieldText struct {
	Name      string          `yaml:"name"`
	Type      string          `yaml:"type"`
	Len       int             `yaml:"len"`
	LL        int             `yaml:"ll"`
	LLL       int             `yaml:"lll"`
	Min       int             `yaml:"min"`
	Encoding  string          `yaml:"encoding"`
	Length    string          `yaml:"length"`
	Pad       string          `yaml:"pad"`
	Sensitive string          `yaml:"sensitive"`
	Tags      map[int]tagText `yaml:"tags"`
}

// tagText is one two-digit tag of a field.
type tagText struct {
	Name      string `yaml:"name"`
	Sensitive string `yaml:"sensitive"`
}

// messageText is one message of a dialect file.
type messageText struct {
	Require    []int   `yaml:"require"`
	RequireOne [][]int `yaml:"require_one"`
	Response   string  `yaml:"response"`
	Echo       []int   `yaml:"echo"`
}

// Dialects lists the names of the dialects that are built in, sorted.
func Dialects() []string {
	files, err := dialectFiles.ReadDir("dialects")
	if err != nil {
		panic("iso8583: the embedded dialects cannot be read") // they are part of the binary
	}
	names := make([]string, 0, len(files))
	for _, f := range files {
		names = append(names, strings.TrimSuffix(f.Name(), path.Ext(f.Name())))
	}
	slices.Sort(names)
	return names
}

// LoadDialect reads and checks a dialect that is built in.
func LoadDialect(name string) (*Dialect, error) {
	if !slices.Contains(Dialects(), name) {
		return nil, fmt.Errorf("dialect %q is not built in; there are %s", name, strings.Join(Dialects(), ", "))
	}
	text, err := dialectFiles.ReadFile("dialects/" + name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("read dialect %s: %w", name, err)
	}
	d, err := ParseDialect(text)
	if err != nil {
		return nil, err
	}
	if d.name != name {
		return nil, fmt.Errorf("dialect %s: its file calls it %q", name, d.name)
	}
	return d, nil
}

// ParseDialect reads and checks the text of a dialect file. A file with a
// base starts from that built-in dialect and replaces what it names. All
// faults found are in the error.
func ParseDialect(text []byte) (*Dialect, error) {
	w, err := readDialect(text)
	if err != nil {
		return nil, err
	}
	b := &dialectBuilder{w: w, d: &Dialect{name: w.Dialect, version: w.Version, note: w.Note, network: w.Network}}
	b.head()
	for _, n := range sortedKeys(w.Fields) {
		b.field(n, w.Fields[n])
	}
	b.messages()
	b.responses()
	if len(b.faults) > 0 {
		return nil, fmt.Errorf("dialect %s: %w", w.Dialect, errors.Join(b.faults...))
	}
	return b.d, nil
}

// readDialect decodes a dialect file strictly, laid over its base.
func readDialect(text []byte) (*dialectText, error) {
	if len(text) > dialectSizeMax {
		return nil, errors.New("dialect: the file is larger than 1 MiB")
	}
	var head struct {
		Base string         `yaml:"base"`
		Rest map[string]any `yaml:",inline"`
	}
	if err := yaml.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("dialect: %w", err)
	}
	w := &dialectText{}
	if head.Base != "" {
		if !slices.Contains(Dialects(), head.Base) {
			return nil, fmt.Errorf("dialect: base %q is not built in", head.Base)
		}
		base, err := dialectFiles.ReadFile("dialects/" + head.Base + ".yaml")
		if err != nil {
			return nil, fmt.Errorf("dialect: read base: %w", err)
		}
		if err := decodeStrict(base, w); err != nil {
			return nil, fmt.Errorf("dialect: base %s: %w", head.Base, err)
		}
		if w.Base != "" {
			return nil, fmt.Errorf("dialect: base %s has a base itself", head.Base)
		}
	}
	if err := decodeStrict(text, w); err != nil {
		return nil, fmt.Errorf("dialect: %w", err)
	}
	return w, nil
}

// decodeStrict decodes one YAML document that holds only known keys.
func decodeStrict(text []byte, into any) error {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(into); err != nil {
		if errors.Is(err, io.EOF) {
			return errors.New("the file is empty")
		}
		return err
	}
	if err := dec.Decode(new(any)); !errors.Is(err, io.EOF) {
		return errors.New("the file holds more than one document")
	}
	return nil
}

// dialectBuilder turns a dialect file into a Dialect and gathers its faults.
type dialectBuilder struct {
	w      *dialectText
	d      *Dialect
	faults []error
}

func (b *dialectBuilder) fault(format string, args ...any) {
	b.faults = append(b.faults, fmt.Errorf(format, args...))
}

// pick looks a name up in one of the tables of encoding.go.
func pick[V any](b *dialectBuilder, table map[string]V, what, name string) V {
	v, ok := table[name]
	if !ok {
		b.fault("%s: %q is none of %s", what, name, strings.Join(sortedKeys(table), ", "))
	}
	return v
}

func (b *dialectBuilder) head() {
	if b.w.Dialect == "" {
		b.fault("it has no name")
	}
	if b.w.Version == "" {
		b.fault("it has no version")
	}
	f, err := ParseFraming(b.w.Framing)
	if err != nil {
		b.faults = append(b.faults, err)
	}
	b.d.framing = f
	b.d.bodyMax = b.w.BodyMax
	if b.d.bodyMax < 20 || b.d.bodyMax > f.bodyMax() {
		b.fault("body_max must lie between 20 and %d for this framing", f.bodyMax())
	}
	b.d.bitmap = pick(b, encodings, "bitmap", b.w.Bitmap)
	if b.d.bitmap.carriesText() {
		b.fault("bitmap: a bitmap is raw or hex")
	}
}

func (b *dialectBuilder) field(n int, t fieldText) {
	if n < 2 || n > highest {
		b.fault("field %d: numbers run from 2 to %d", n, highest)
		return
	}
	what := fmt.Sprintf("field %d", n)
	if t.Name == "" {
		b.fault("%s: it has no name", what)
	}
	f := field{name: t.Name, kind: pick(b, kinds, what+" type", t.Type)}

	f.enc = pick(b, encodings, what+" encoding", cmp.Or(t.Encoding, b.defaultEncoding(f.kind)))
	if f.kind.binary == f.enc.carriesText() {
		b.fault("%s: a binary field is raw or hex, any other is text", what)
	}
	f.pad = f.kind.pad
	if t.Pad != "" {
		f.pad = pick(b, paddings, what+" pad", t.Pad)
		if f.kind.binary {
			b.fault("%s: a binary field is not padded", what)
		}
	}
	b.fieldLength(what, t, &f)
	b.fieldSensitivity(n, what, t, &f)
	b.d.fields[n] = f
}

// defaultEncoding is the dialect's encoding for fields of kind k.
func (b *dialectBuilder) defaultEncoding(k kind) string {
	switch {
	case k.binary:
		return b.w.Defaults.Binary
	case k.class == digits:
		return b.w.Defaults.Numeric
	}
	return b.w.Defaults.Text
}

// fieldLength checks that exactly one of len, ll and lll is given, and that
// it can be written in that many digits.
func (b *dialectBuilder) fieldLength(what string, t fieldText, f *field) {
	given, size, prefixDigits, limit := 0, 0, 0, 999
	for _, l := range []struct{ value, digits, limit int }{{t.Len, 0, 999}, {t.LL, 2, 99}, {t.LLL, 3, 999}} {
		if l.value != 0 {
			given++
			size, prefixDigits, limit = l.value, l.digits, l.limit
		}
	}
	if given != 1 {
		b.fault("%s: it has exactly one of len, ll and lll", what)
		return
	}
	if size < 1 || size > limit {
		b.fault("%s: its length must lie between 1 and %d", what, limit)
	}
	f.min, f.max = uint16(size), uint16(size)
	if prefixDigits == 0 {
		f.fixed = uint16(f.enc.wireLen(size))
		if t.Min != 0 || t.Length != "" {
			b.fault("%s: min and length are for variable fields", what)
		}
		return
	}
	f.length = pick(b, lengthCodings, what+" length", cmp.Or(t.Length, b.w.Defaults.Length))
	f.prefix = uint8(f.length.width(prefixDigits))
	if t.Min < 0 || t.Min > size {
		b.fault("%s: min must lie between 0 and its length", what)
	}
	f.min = uint16(t.Min)
	if t.Pad != "" {
		b.fault("%s: a variable field is not padded", what)
	}
}

// alwaysSensitive are the fields that hold card or authentication data in
// every edition and dialect: leaving their class out would put them in logs.
var alwaysSensitive = []int{PAN, 34, Track2, 36, Track1, PrivateElements, PINData, ICCData}

func (b *dialectBuilder) fieldSensitivity(n int, what string, t fieldText, f *field) {
	if t.Sensitive != "" {
		f.sensitive = pick(b, sensitivities, what+" sensitive", t.Sensitive)
	} else if slices.Contains(alwaysSensitive, n) {
		b.fault("%s: it holds card data and needs a sensitivity class", what)
	}
	if (f.sensitive == sensitiveTags) != (len(t.Tags) > 0) {
		b.fault("%s: tags and the class tags belong together", what)
	}
	for id, tt := range t.Tags {
		if id < 0 || id > tagMax {
			b.fault("%s: tag %d has not two digits", what, id)
		}
		if tt.Name == "" {
			b.fault("%s tag %02d: it has no name", what, id)
		}
		g := tag{name: tt.Name}
		if tt.Sensitive != "" {
			g.sensitive = pick(b, sensitivities, fmt.Sprintf("%s tag %02d sensitive", what, id), tt.Sensitive)
		}
		if f.tags == nil {
			f.tags = map[int]tag{}
		}
		f.tags[id] = g
	}
}

func (b *dialectBuilder) messages() {
	b.d.rules = map[MTI]rule{}
	if len(b.w.Messages) == 0 {
		b.fault("it has no messages")
	}
	for _, key := range sortedKeys(b.w.Messages) {
		t := b.w.Messages[key]
		what := "message " + key
		mti, err := ParseMTI(key)
		if err != nil || mti.IsRepeat() {
			b.fault("%s: a key is four digits and no repeat", what)
			continue
		}
		r := rule{require: t.Require, requireOne: t.RequireOne, echo: t.Echo}
		for _, n := range slices.Concat(append(slices.Clone(t.RequireOne), t.Require, t.Echo)...) {
			if n < 2 || n > highest || b.d.fields[n].max == 0 {
				b.fault("%s: it names field %d, which is not defined", what, n)
			}
		}
		for _, group := range t.RequireOne {
			if len(group) < 2 {
				b.fault("%s: require_one chooses among at least two fields", what)
			}
		}
		r.answered = b.responseRule(what, mti, t)
		b.d.rules[mti] = r
	}
}

// responseRule checks how a message is answered: a request always, by its own
// response; an advice too, unless it says none; a response never.
func (b *dialectBuilder) responseRule(what string, mti MTI, t messageText) bool {
	if mti.IsResponse() {
		if t.Response != "" || len(t.Echo) > 0 {
			b.fault("%s: a response is not answered", what)
		}
		return false
	}
	if t.Response == "none" && mti.IsAdvice() {
		return false
	}
	if t.Response != mti.Response().String() {
		b.fault("%s: its response must be %s", what, mti.Response())
		return false
	}
	if _, ok := b.w.Messages[t.Response]; !ok {
		b.fault("%s: its response %s is not defined", what, t.Response)
	}
	return true
}

func (b *dialectBuilder) responses() {
	codes, err := LoadResponseCodes(b.w.Responses)
	if err != nil {
		b.faults = append(b.faults, err)
		return
	}
	b.d.codes, err = codes.With(b.w.ResponseCodes)
	if err != nil {
		b.faults = append(b.faults, err)
	}
	for name, code := range b.w.Network {
		if len(code) != 3 || !kinds["n"].allows([]byte(code)) {
			b.fault("network %s: a code has three digits", name)
		}
	}
	for _, name := range []string{SignOn, SignOff, EchoTest} {
		if b.w.Network[name] == "" {
			b.fault("network: %s has no code", name)
		}
	}
}

// Name is the dialect's name, such as "generic".
func (d *Dialect) Name() string { return d.name }

// Version is the version of the dialect's file.
func (d *Dialect) Version() string { return d.version }

// Note is what the file says about its standing, such as that it only
// approximates a network from public knowledge.
func (d *Dialect) Note() string { return d.note }

// Framing is how messages of this dialect follow one another on a stream.
func (d *Dialect) Framing() Framing { return d.framing }

// BodyMax is the longest message the dialect allows, in bytes, without its
// frame.
func (d *Dialect) BodyMax() int { return d.bodyMax }

// Knows reports whether the dialect has a rule for mti or, when it is a
// repeat, for its original.
func (d *Dialect) Knows(mti MTI) bool {
	_, ok := d.rules[mti.Original()]
	return ok
}

// Answers reports whether the dialect answers mti with a response.
func (d *Dialect) Answers(mti MTI) bool { return d.rules[mti.Original()].answered }

// Missing tells the first field that the dialect demands of m's type and m
// does not hold or holds empty. Of fields that stand for one another it names
// the first. A message the dialect does not know misses nothing.
func (d *Dialect) Missing(m *Message) (field int, missing bool) {
	r := d.rules[m.MTI.Original()]
	for _, n := range r.require {
		if len(m.Bytes(n)) == 0 {
			return n, true
		}
	}
	for _, group := range r.requireOne {
		if !slices.ContainsFunc(group, func(n int) bool { return len(m.Bytes(n)) > 0 }) {
			return group[0], true
		}
	}
	return 0, false
}

// Echo makes resp the beginning of the answer to req: its type, and a copy of
// each field that the dialect says a response repeats and req holds. What
// resp held before stays, unless it is replaced.
func (d *Dialect) Echo(req, resp *Message) {
	resp.MTI = req.MTI.Response()
	for _, n := range d.rules[req.MTI.Original()].echo {
		if req.Has(n) {
			resp.Set(n, req.Bytes(n))
		}
	}
}

// sortedKeys lists the keys of m in order.
func sortedKeys[K interface{ ~int | ~string }, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
