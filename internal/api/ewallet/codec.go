package ewallet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/locale"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/wallet"
)

// fields reads the members of a body and gathers what is wrong with them: first
// those of the wrong type, then those that are missing or out of range.
type fields struct {
	members map[string]json.RawMessage
	types   []finding
	values  []finding
}

// finding is something wrong with a member, in the words of the framework whose
// clients read them: English whatever the language.
type finding struct{ member, says string }

// unreadable is a body whose members are of the wrong type, notValid one whose
// members cannot be as they are.
type (
	unreadable []finding
	notValid   []finding
)

// Error implements error.
func (unreadable) Error() string { return "members of the body are of the wrong type" }

// Error implements error.
func (notValid) Error() string { return "members of the body are not valid" }

// parseFields reads a body, which must be an object.
func parseFields(body []byte) (*fields, error) {
	document, err := api.Parse(body)
	if err != nil {
		return nil, errNoObject
	}
	if _, ok := document.(api.Object); !ok {
		return nil, errNoObject
	}
	f := &fields{}
	if err := json.Unmarshal(body, &f.members); err != nil {
		return nil, errNoObject
	}
	return f, nil
}

// errNoObject is a body that is no JSON object.
var errNoObject = unreadable{{"$", "The JSON value could not be converted to the request. Path: $."}}

// mistyped notes a member of the wrong type.
func (f *fields) mistyped(name, want string) {
	f.types = append(f.types, finding{name, "The JSON value could not be converted to " + want + ". Path: $." + name + "."})
}

// bad notes a member that cannot be as it is.
func (f *fields) bad(name, text string) {
	f.values = append(f.values, finding{name, text})
}

// err is what was found: the types first, for they are checked first.
func (f *fields) err() error {
	if len(f.types) > 0 {
		return unreadable(f.types)
	}
	if len(f.values) > 0 {
		return notValid(f.values)
	}
	return nil
}

// textMax bounds every text of a request, in characters.
const textMax = 512

// text reads a text; absent and null are empty.
func (f *fields) text(name string) string {
	raw, ok := f.members[name]
	if !ok || string(raw) == "null" {
		return ""
	}
	var s string
	if raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		f.mistyped(name, "System.String")
		return ""
	}
	if !clean(s) {
		f.malformed(name)
	}
	if n := utf8.RuneCountInString(s); n > textMax {
		f.bad(name, fmt.Sprintf("The length of '%s' must be %d characters or fewer. You entered %d characters.", shown(name), textMax, n))
	}
	return s
}

// clean reports whether a text has none of the characters that no text of the
// database may hold.
func clean(s string) bool { return !strings.ContainsAny(s, "\x00\uFFFD") }

// truth reads what is true or false; absent is false.
func (f *fields) truth(name string) bool {
	raw, ok := f.members[name]
	switch {
	case !ok, string(raw) == "null", string(raw) == "false":
		return false
	case string(raw) == "true":
		return true
	}
	f.mistyped(name, "System.Boolean")
	return false
}

// required reads a text that must not be blank.
func (f *fields) required(name string) string {
	s := f.text(name)
	if strings.TrimSpace(s) == "" && !f.isMistyped(name) {
		f.bad(name, "'"+shown(name)+"' must not be empty.")
	}
	return s
}

func (f *fields) isMistyped(name string) bool {
	for _, x := range f.types {
		if x.member == name {
			return true
		}
	}
	return false
}

// digits reads a text of digits that must be there.
func (f *fields) digits(name string, most int) string {
	s := f.required(name)
	if s != "" && (len(s) > most || !fault.AllDigits(s)) {
		f.malformed(name)
	}
	return s
}

// optionalDigits reads a text of digits that may be left out.
func (f *fields) optionalDigits(name string, most int) string {
	if strings.TrimSpace(f.text(name)) == "" {
		return ""
	}
	return f.digits(name, most)
}

// malformed notes a member whose text is not what it must be.
func (f *fields) malformed(name string) {
	f.bad(name, "'"+shown(name)+"' is not in the correct format.")
}

// id reads an identifier of ours that must be there: a number, or a text of one.
func (f *fields) id(name string) wallet.ID {
	raw, ok := f.members[name]
	if !ok || string(raw) == "null" {
		f.bad(name, "'"+shown(name)+"' must not be empty.")
		return 0
	}
	d, ok := wallet.ParseID(strings.Trim(string(raw), `" `))
	if !ok {
		f.mistyped(name, "System.Int64")
	}
	return d
}

// number reads a whole number, or a text of one; absent is 0.
func (f *fields) number(name string) int {
	raw, ok := f.members[name]
	if !ok || string(raw) == "null" {
		return 0
	}
	text := strings.Trim(string(raw), `"`)
	var n int
	if err := json.Unmarshal([]byte(text), &n); err != nil {
		f.mistyped(name, "System.Int32")
	}
	return n
}

// requiredNumber reads a whole number that must be there and not be 0.
func (f *fields) requiredNumber(name string) int {
	n := f.number(name)
	if n == 0 && !f.isMistyped(name) {
		f.bad(name, "'"+shown(name)+"' must not be empty.")
	}
	return n
}

// word reads what clients send as a text or as a whole number; absent is empty.
func (f *fields) word(name string) string {
	if raw, ok := f.members[name]; ok && isNumber(raw) {
		return strconv.Itoa(f.number(name))
	}
	return f.text(name)
}

// requiredWord reads a word that must be there.
func (f *fields) requiredWord(name string) string {
	s := f.word(name)
	if strings.TrimSpace(s) == "" && !f.isMistyped(name) {
		f.bad(name, "'"+shown(name)+"' must not be empty.")
	}
	return s
}

// currency reads a currency that must be there.
func (f *fields) currency() money.Currency {
	s := f.required("currency_code")
	c, err := money.ParseCurrency(s)
	if err != nil && s != "" {
		f.bad("currency_code", "The specified condition was not met for 'Currency Code'.")
	}
	return c
}

// amountMax is the most that an amount may be, in major units.
const amountMax = "999999999"

// amount reads an amount that must be there: a number, or a text of one. Zero is
// the business's to refuse.
func (f *fields) amount(name string, c money.Currency) money.Amount {
	raw, ok := f.members[name]
	if !ok || string(raw) == "null" {
		f.bad(name, "'"+shown(name)+"' must not be empty.")
		return money.Amount{}
	}
	var text string
	if raw[0] == '"' {
		if err := json.Unmarshal(raw, &text); err != nil {
			f.mistyped(name, "System.Decimal")
			return money.Amount{}
		}
		raw = json.RawMessage(strings.TrimSpace(text))
	}
	var d api.Decimal
	if !isNumber(raw) || json.Unmarshal(raw, &d) != nil {
		f.mistyped(name, "System.Decimal")
		return money.Amount{}
	}
	if c.IsZero() { // said already
		return money.Amount{}
	}
	a, err := money.Parse(strings.TrimSuffix(trimZeros(string(d), c.Exponent()), "."), c)
	most, _ := money.Parse(amountMax, c)
	switch {
	case errors.Is(err, money.ErrPrecision):
		f.bad(name, fmt.Sprintf("'%s' must not be more than 11 digits in total, with allowance for %d decimals.", shown(name), c.Exponent()))
	case err != nil, a.Sign() < 0, a.Cmp(most) > 0:
		f.bad(name, fmt.Sprintf("'%s' must be between 0 and %s. You entered %s.", shown(name), amountMax, withFraction(string(d))))
		return money.Amount{}
	}
	return a
}

// isNumber reports whether a text begins as a number of JSON does.
func isNumber(raw []byte) bool {
	return len(raw) > 0 && (raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9')
}

// trimZeros takes off zeros beyond the fraction digits of a currency, which add
// nothing: 100.0000 is an amount.
func trimZeros(s string, digits int) string {
	whole, fraction, ok := strings.Cut(s, ".")
	if !ok {
		return s
	}
	for len(fraction) > digits && strings.HasSuffix(fraction, "0") {
		fraction = fraction[:len(fraction)-1]
	}
	return whole + "." + fraction
}

// withFraction shows a number with at least one fraction digit.
func withFraction(s string) string {
	if strings.Contains(s, ".") {
		return s
	}
	return s + ".0"
}

// shown is a member as the messages name it: currency_code is Currency Code.
func shown(name string) string {
	words := strings.Split(name, "_")
	for i, w := range words {
		if w != "" {
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, " ")
}

// answer is what an action ends with.
type answer struct {
	payload any
	// silent leaves out code and message, mute the message alone.
	silent, mute bool
}

type envelope struct {
	Status  int     `json:"status"`
	Code    *string `json:"code"`
	Message *string `json:"message"`
	Payload any     `json:"payload"`
}

type validation struct {
	Status  int      `json:"status"`
	Code    string   `json:"code"`
	Message string   `json:"message"`
	Errors  []string `json:"errors"`
}

type problem struct {
	Errors  map[string][]string `json:"errors"`
	Type    string              `json:"type"`
	Title   string              `json:"title"`
	Status  int                 `json:"status"`
	TraceID string              `json:"traceId"`
}

// The values of status.
const (
	statusDone = iota
	statusInvalid
	statusRefused
)

func writeDone(w http.ResponseWriter, language string, a answer) {
	out := envelope{Status: statusDone, Payload: a.payload}
	if !a.silent {
		out.Code = new("100")
	}
	if !a.silent && !a.mute {
		text, _ := locale.Text(language, "ewallet.done", nil)
		out.Message = &text
	}
	writeJSON(w, http.StatusOK, out)
}

// writeJSON writes v with letters as they are.
func writeJSON(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // our own structs
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the client may be gone
}

// moment shows a time with seven fraction digits.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000") + "+00:00" }
