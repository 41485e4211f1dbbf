package payers

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// The bounds of a list.
const (
	countStandard = 10
	countMax      = 1000
	offsetMax     = 1_000_000
	sortMax       = 8
	lifetimeMax   = 24 * time.Hour
	scrollMax     = 8 << 10 // bytes of a scroll id, which comes back in the head of a request
)

// listQuery is what a list is asked for by. It is what a scroll id holds, sealed.
type listQuery struct {
	Expression string        `json:"q,omitempty"`
	Sort       string        `json:"s,omitempty"`
	Fields     string        `json:"f,omitempty"`
	Count      int           `json:"c"`
	Offset     int           `json:"-"`
	Lifetime   time.Duration `json:"l,omitempty"` // of a scroll; 0: none is asked for
	After      []string      `json:"a,omitempty"`
	Until      time.Time     `json:"u"` // of the scroll id
}

// readQuery reads the parameters of a list. preset, expand (what is referred to
// has no more members than its name), aggregate, meta and validate change nothing.
func (a *API) readQuery(c access.Caller, r *http.Request) (q listQuery, err error) {
	values, ok := api.ParseForm(r.URL.RawQuery)
	if !ok {
		return q, api.Invalid().OnField("query", "malformed", "is not well-formed")
	}
	if id := values.Get("scroll_id"); id != "" {
		return a.openQuery(r.Context(), c, id)
	}
	bad := api.Invalid()
	number := func(name string, standard, most int) int {
		text := values.Get(name)
		if text == "" {
			return standard
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > most {
			bad = bad.OnField(name, "out_of_range", "must be a number from 0 to "+strconv.Itoa(most))
		}
		return n
	}
	q = listQuery{
		Expression: values.Get("q"), Sort: values.Get("sort"), Fields: values.Get("fields"),
		Count: number("count", countStandard, countMax), Offset: number("offset", 0, offsetMax),
	}
	if text := values.Get("scroll_expire"); text != "" {
		if q.Lifetime, ok = parseLifetime(text); !ok {
			bad = bad.OnField("scroll_expire", "malformed", "must be seconds, or a number with s, m or h, up to a day")
		}
	}
	if len(q.Fields) > expressionMax || len(q.Sort) > expressionMax {
		bad = bad.OnField("fields", "too_long", "or sort has more than 4096 bytes")
	}
	if len(bad.Fields) > 0 {
		return q, bad
	}
	return q, nil
}

// parseLifetime reads 5m, 1h, 90s or 300.
func parseLifetime(text string) (time.Duration, bool) {
	unit := time.Second
	switch last := text[len(text)-1]; last {
	case 's', 'm', 'h':
		unit = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour}[last]
		text = text[:len(text)-1]
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n == 0 || n > uint64(lifetimeMax/unit) {
		return 0, false
	}
	return time.Duration(n) * unit, true
}

// filter is the query in the words of the core.
func (q listQuery) filter() (customer.PayerFilter, error) {
	f := customer.PayerFilter{Skip: q.Offset, Limit: q.Count, After: q.After}
	var err error
	if strings.TrimSpace(q.Expression) != "" {
		if f.Condition, err = ParseExpression(q.Expression); err != nil {
			return f, err
		}
	}
	if q.Sort == "" {
		return f, nil
	}
	for key := range strings.SplitSeq(q.Sort, ",") {
		path, direction, _ := strings.Cut(strings.TrimSpace(key), ":")
		field, known := fieldOf(path)
		direction = strings.ToLower(direction)
		if !known || !slices.Contains([]string{"", "asc", "desc"}, direction) || len(f.Sort) == sortMax {
			return f, api.Invalid().OnField("sort", "malformed", "must be up to 8 fields of the model, each with :asc or :desc")
		}
		f.Sort = append(f.Sort, customer.PayerSort{Field: field, Descending: direction == "desc"})
	}
	return f, nil
}

// chosen reports of a member whether it is asked for; nil: all are.
func (q listQuery) chosen() func(path string) bool {
	if strings.TrimSpace(q.Fields) == "" {
		return nil
	}
	var wanted []string
	for name := range strings.SplitSeq(q.Fields, ",") {
		wanted = append(wanted, strings.TrimSpace(name))
	}
	return func(path string) bool {
		return slices.ContainsFunc(wanted, func(w string) bool { return path == w || strings.HasPrefix(path, w+".") })
	}
}

func (a *API) sealQuery(ctx context.Context, c access.Caller, q listQuery) (string, error) {
	plain, err := json.Marshal(q)
	if err != nil {
		return "", err
	}
	defer clear(plain)
	id, err := a.Customers.SealScroll(ctx, c, plain)
	if err == nil && len(id) > scrollMax {
		err = api.Invalid().OnField("scroll_expire", "too_long", "must be left out: the search, or what it is sorted by, is too long to go on from")
	}
	return id, err
}

// openQuery goes on with a list where its scroll id left off.
func (a *API) openQuery(ctx context.Context, c access.Caller, id string) (q listQuery, err error) {
	plain, err := a.Customers.OpenScroll(ctx, c, id)
	if err != nil {
		return q, err
	}
	defer clear(plain)
	if err := json.Unmarshal(plain, &q); err != nil {
		return q, fault.New(fault.Internal, api.CodeInternal, "an error occurred").Wrap(err)
	}
	if !a.Clock.Now().Before(q.Until) {
		return q, customer.ErrScroll
	}
	return q, nil
}
