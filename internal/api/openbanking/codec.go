package openbanking

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger/line"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// envelope is every answer; Data is missing from refusals.
type envelope struct {
	Header header         `json:"Header"`
	Data   map[string]any `json:"Data,omitempty"`
}

type header struct {
	StatusCode        string `json:"StatusCode"`
	StatusDescription string `json:"StatusDescription"`
	ObjectID          string `json:"ObjectID"`
}

// answer identifies an answer.
type answer struct{}

// IDPrefix implements id.Entity.
func (answer) IDPrefix() string { return "answer" }

func (a *API) header(code, text string) header {
	return header{code, text, id.New[answer](a.Clock.Now()).UUID()}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // the client may be gone
}

// request is the members of a request, of which each operation reads its own.
type request api.Object

// readRequest reads the object of a request. No body is an object without members.
func readRequest(w http.ResponseWriter, r *http.Request) (request, error) {
	body, err := api.ReadBody(w, r, "application/json", 0)
	if err != nil || len(body) == 0 {
		return request{}, err
	}
	document, err := api.Parse(body)
	if err != nil {
		return nil, err
	}
	object, ok := document.(api.Object)
	if !ok {
		return nil, api.Invalid().OnField("body", "kind", "must be an object")
	}
	return object, nil
}

// wholeMax bounds whole numbers of requests.
const wholeMax = 1e12

// whole reads a whole number; known is false where there is none.
func (in request) whole(name string) (n int64, known, good bool) {
	switch v := in[name].(type) {
	case nil:
		return 0, false, true
	case float64:
		if v == math.Trunc(v) && math.Abs(v) <= wholeMax {
			return int64(v), true, true
		}
	}
	return 0, true, false
}

// cardID reads the number of a card.
func (in request) cardID(name string) (int64, error) {
	n, known, good := in.whole(name)
	if !known || !good || n <= 0 {
		return 0, errCardID
	}
	return n, nil
}

// text reads a text; what is none is empty.
func (in request) text(name string) string {
	s, _ := in[name].(string)
	return s
}

// number is an amount as a number without zeros at its end.
func number(a money.Amount) json.Number { return json.Number(trimmed(a.Decimal())) }

func trimmed(decimal string) string {
	if strings.Contains(decimal, ".") {
		decimal = strings.TrimRight(strings.TrimRight(decimal, "0"), ".")
	}
	return decimal
}

// above is an amount where it is above zero, and nothing else.
func above(a money.Amount) *json.Number {
	if a.Sign() <= 0 {
		return nil
	}
	return new(number(a))
}

// figure is an amount as a text, with a fraction; none is empty.
func figure(a money.Amount) string {
	if a.IsZero() {
		return ""
	}
	text := trimmed(a.Decimal())
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// moment is the beginning of a day; no day is empty.
func moment(d clock.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String() + "T00:00:00"
}

// percent is a rate as percent, of which a millionth is a ten-thousandth.
func percent(m line.Millionths) json.Number {
	return json.Number(trimmed(fmt.Sprintf("%d.%04d", m/10_000, m%10_000)))
}
