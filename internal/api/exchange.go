package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/fault"
)

// Exchange is what is known of one request and its answer. It is the answer's
// http.ResponseWriter at the same time, so that whoever writes the answer fills
// it. It belongs to the goroutine of its request.
type Exchange struct {
	http.ResponseWriter

	CorrelationID string
	Language      string // of messages: "tr" or "en"
	IP            string
	Route         string // the pattern, never the path: paths hold card tokens
	Client        string
	Tenant        string
	Fault         fault.Code // of the refusal, when there was one
	Err           error      // the cause of an answer of 500 and above, for the log
	Replayed      bool

	status  int
	written int64
}

type exchangeKey struct{}

// ExchangeOf returns the exchange that ctx belongs to. Outside of a request it
// is an empty one.
func ExchangeOf(ctx context.Context) *Exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*Exchange); ok {
		return x
	}
	return &Exchange{Language: defaultLanguage}
}

// WriteHeader sends the status line, once.
func (x *Exchange) WriteHeader(status int) {
	if x.status != 0 {
		return
	}
	x.status = status
	x.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the body.
func (x *Exchange) Write(b []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	n, err := x.ResponseWriter.Write(b)
	x.written += int64(n)
	return n, err
}

// Unwrap gives http.ResponseController the writer below.
func (x *Exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// Status is what was answered, 0 when nothing was yet.
func (x *Exchange) Status() int { return x.status }

const defaultLanguage = "tr"

// languageOf reads Accept-Language: the first of tr and en with the highest
// weight, tr when neither is named.
func languageOf(header string) string {
	best, weight := defaultLanguage, -1.0
	for part := range strings.SplitSeq(header, ",") {
		tag, parameters, _ := strings.Cut(strings.TrimSpace(part), ";")
		tag, _, _ = strings.Cut(strings.ToLower(tag), "-")
		if q := quality(parameters); (tag == "tr" || tag == "en") && q > weight && q > 0 {
			best, weight = tag, q
		}
	}
	return best
}

// quality reads "q=0.8"; anything else is 1.
func quality(parameters string) float64 {
	digits, ok := strings.CutPrefix(strings.ReplaceAll(parameters, " ", ""), "q=")
	if !ok {
		return 1
	}
	switch {
	case strings.HasPrefix(digits, "1"):
		return 1
	case strings.HasPrefix(digits, "0."):
		v, scale := 0.0, 0.1
		for _, r := range digits[2:] {
			if r < '0' || r > '9' {
				return 0
			}
			v, scale = v+float64(r-'0')*scale, scale/10
		}
		return v
	}
	return 0
}
