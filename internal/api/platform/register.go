package platform

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// Who may call a route that no permission guards.
const (
	public    = "public"     // anyone, without a token
	anyCaller = "any caller" // every client with a valid token
)

// repeat says what X-Idempotency-Key does on a route.
type repeat int

const (
	plain   repeat = iota // nothing: the route has no effect, or a natural identity
	once                  // the effect happens once, and a repeat gets the kept answer
	noStore               // the effect happens once, and a repeat is refused: the answer must not be kept
)

// route describes an operation. Summary also makes its operation id:
// "Create a customer" is createACustomer.
type route struct {
	Method     string
	Path       string
	Summary    string
	Permission string // one of access, or public, or anyCaller; a Sandbox one means 404 in production
	Repeat     repeat
}

// nothing is the answer of a route that has none: 204.
type nothing struct{}

// handler carries a request out for its caller. in was parsed and checked; the
// error is a fault or becomes a 500.
type handler[I, O any] func(ctx context.Context, c access.Caller, in *I) (O, error)

// register adds a route. It panics on a route that declares no known permission
// or is there already, so that the program does not start with it.
//
// I is a struct with the parameters (path:"…", query:"…", header:"…") and a
// Body; embed api.Paging for a list. O is the body of the answer, or nothing.
// Members are optional unless tagged required:"true".
func register[I, O any](a *API, rt route, run handler[I, O]) {
	if rt.Permission != public && rt.Permission != anyCaller && !access.KnownPermission(rt.Permission) {
		panic(fmt.Sprintf("%s %s declares no known permission", rt.Method, rt.Path))
	}
	if overflows(reflect.TypeFor[I]()) {
		panic(fmt.Sprintf("%s %s: parameters that are numbers must be int or int64", rt.Method, rt.Path))
	}
	op := a.operation(rt)
	op.MaxBodyBytes = bodyMax(reflect.TypeFor[I]())
	if n := elementsMax(reflect.TypeFor[I]()); n > 0 {
		op.Metadata = map[string]any{api.ElementsKey: n}
	}
	if a.routed[op.OperationID] {
		panic(fmt.Sprintf("operation %s is there already", op.OperationID))
	}
	a.routed[op.OperationID] = true
	carry := func(ctx context.Context, in *I) (O, error) {
		out, err := run(ctx, callerOf(ctx), in)
		answer := answerOf(ctx)
		if answer.err = err; err != nil {
			return out, errRefused
		}
		if h, ok := any(&out).(interface{ Headers() map[string]string }); ok {
			for name, value := range h.Headers() {
				answer.header.Set(name, value)
			}
		}
		return out, nil
	}
	if reflect.TypeFor[O]() == reflect.TypeFor[nothing]() {
		op.DefaultStatus = http.StatusNoContent
		huma.Register(a.huma, op, func(ctx context.Context, in *I) (*struct{}, error) {
			_, err := carry(ctx, in)
			return nil, err
		})
		return
	}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*reply[O], error) {
		out, err := carry(ctx, in)
		return &reply[O]{Body: out}, err
	})
}

// bodyMax is what the body of an input of type t says of its size, or zero.
func bodyMax(t reflect.Type) int64 {
	body, found := t.FieldByName("Body")
	if !found {
		return 0
	}
	if sized, ok := reflect.Zero(body.Type).Interface().(api.Sized); ok {
		return sized.BodyMax()
	}
	return 0
}

// elementsMax is what the body of an input of type t says of its arrays, or zero.
func elementsMax(t reflect.Type) int {
	body, found := t.FieldByName("Body")
	if !found {
		return 0
	}
	if long, ok := reflect.Zero(body.Type).Interface().(api.Long); ok {
		return long.ElementsMax()
	}
	return 0
}

// overflows reports whether a parameter of t is a small integer: huma would cut
// off what does not fit in it.
func overflows(t reflect.Type) bool {
	for f := range t.Fields() {
		kind := f.Type.Kind()
		small := kind >= reflect.Int8 && kind <= reflect.Int32 || kind >= reflect.Uint && kind <= reflect.Uint32
		if small && f.Name != "Body" || f.Anonymous && kind == reflect.Struct && overflows(f.Type) {
			return true
		}
	}
	return false
}

// reply is what huma wants around a body.
type reply[O any] struct{ Body O }

// errRefused tells huma that the answer is an error; what it is, the answer
// itself knows.
var errRefused = errors.New("refused")

func (a *API) operation(rt route) huma.Operation {
	op := huma.Operation{
		OperationID: operationID(rt.Summary), Method: rt.Method, Path: rt.Path, Summary: rt.Summary,
		DefaultStatus: http.StatusOK, Tags: []string{tagOf(rt.Path)},
		SkipValidateBody: true, // done before, with our own messages
		BodyReadTimeout:  -1,   // read before
		Middlewares:      huma.Middlewares{a.pass(rt)},
		Responses:        map[string]*huma.Response{"4XX": a.errorResponse(), "default": a.errorResponse()},
		Security:         openToAll,
	}
	if isExtension(rt) {
		op.Extensions = map[string]any{"x-extension": true}
	}
	if rt.Permission != public {
		op.Security = []map[string][]string{{"bearer": {}}}
		op.Description = "Permission: " + rt.Permission + "."
	}
	if access.SandboxPermission(rt.Permission) {
		op.Description += " Sandbox tenants only."
	}
	if rt.Repeat != plain {
		op.Parameters = []*huma.Param{{
			Name: "X-Idempotency-Key", In: "header", Schema: &huma.Schema{Type: huma.TypeString},
			Description: "1 to 64 printable characters; the request has its effect once per key, for 24 hours.",
		}}
	}
	return op
}

// extensions are what this API has beside the operations that the contract lists
// (contract/platform.md, Appendix H): beginnings or ends of paths.
var extensions = []string{
	"/api/v1/system/", "/api/v1/issuing/integration/", "/api/v1/issuing/account/", "/api/v1/issuing/perso/",
	"/api/v1/issuing/shipment/", "/api/v1/issuing/rule-engine/", "/api/v1/issuing/replay", "/card/find", "/card/noname/{batchId}", "/trace", "/test", "/rotate-secret", "/deliveries", "/redeliver",
	"/sandbox/inbox", "/sandbox/pin-test", "/sandbox/encrypt-card-number", "/sandbox/transaction/clear", "/sandbox/transaction/advance-time",
}

func isExtension(rt route) bool {
	return slices.ContainsFunc(extensions, func(part string) bool {
		return strings.HasPrefix(rt.Path, part) || strings.HasSuffix(rt.Path, part)
	})
}

// operationID joins the words of a summary.
func operationID(summary string) string {
	var b strings.Builder
	for i, w := range strings.Fields(summary) {
		w = strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, w)
		if i > 0 && w != "" {
			w = strings.ToUpper(w[:1]) + w[1:]
		} else {
			w = strings.ToLower(w)
		}
		b.WriteString(w)
	}
	return b.String()
}

// tagOf is the resource of a path: /api/v1/issuing/card/{cardToken} is card.
func tagOf(path string) string {
	parts := strings.Split(strings.TrimPrefix(path, "/api/v1/"), "/")
	if len(parts) > 1 && parts[0] != "auth" {
		return parts[1]
	}
	return parts[0]
}

// pass is what every request goes through, in this order: caller, permission,
// query, body, and then the handler, once if the request asks for it.
func (a *API) pass(rt route) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		r, w := humachi.Unwrap(hc)
		x := api.ExchangeOf(r.Context())
		x.Route = rt.Path
		c, err := a.admit(r, rt)
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		body, err := a.receive(rt, hc.Operation(), w, r)
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		perform := func(ctx context.Context) *answer {
			return a.perform(context.WithValue(ctx, callerKey{}, c), hc.Operation(), r, body, next)
		}
		keys := r.Header.Values("X-Idempotency-Key") // an empty one is given, and refused
		if rt.Repeat == plain || len(keys) == 0 || rt.Permission == public {
			perform(r.Context()).writeTo(w, x)
			return
		}
		a.performOnce(rt, c, keys[0], body, r, w, perform)
	}
}

// receive reads the body and checks it, and the query's names. A path that no
// database could keep names nothing, and so does a card number for a token: it
// ends here, before the path is kept with an idempotency key.
func (a *API) receive(rt route, op *huma.Operation, w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if !api.Storable(r.URL.Path) {
		return nil, fault.New(fault.NotFound, api.CodeNoRoute, "there is nothing at this path")
	}
	if strings.Contains(rt.Path, "{cardToken}") && pan.ContainsPAN(r.URL.Path) {
		return nil, fault.New(fault.NotFound, "card_not_found", "there is no such card")
	}
	if err := api.CanonicalQuery(op, r); err != nil {
		return nil, err
	}
	if op.RequestBody == nil {
		return nil, nil
	}
	body, err := api.ReadBody(w, r, "application/json", op.MaxBodyBytes)
	if err != nil {
		return nil, err
	}
	return api.CheckBody(a.huma.OpenAPI().Components.Schemas, op, body)
}

// admit finds out who calls and whether it may.
func (a *API) admit(r *http.Request, rt route) (access.Caller, error) {
	x := api.ExchangeOf(r.Context())
	c := access.Caller{Channel: access.ChannelAPI}
	if rt.Permission != public {
		var err error
		if c, err = a.Access.Authenticate(r.Context(), access.Platform, api.Bearer(r), originOf(x)); err != nil {
			return access.Caller{}, err
		}
		x.Client, x.Tenant = c.Client, c.Tenant.String() // also of what is refused from here on
		bound := api.Limit{PerSecond: float64(c.Rate.PerSecond), Burst: c.Rate.Burst}
		if err := a.clients.Admit(c.Client, bound); err != nil {
			return access.Caller{}, err
		}
	} else if strings.HasPrefix(rt.Path, tokenPaths) {
		if err := a.addresses.Admit(api.NetworkOf(x.IP), a.TokenLimit); err != nil {
			return access.Caller{}, err
		}
	}
	c.CorrelationID, c.Language, c.IP = x.CorrelationID, x.Language, x.IP
	if access.SandboxPermission(rt.Permission) && !c.Sandbox {
		return access.Caller{}, fault.New(fault.NotFound, api.CodeNoRoute, "there is nothing at this path")
	}
	if rt.Permission != public && rt.Permission != anyCaller && !c.May(rt.Permission) {
		return access.Caller{}, a.Access.Deny(r.Context(), c, "Permission", rt.Permission, errPermission.With("permission", rt.Permission))
	}
	err := readHeaders(r, &c)
	return c, err
}

var errPermission = fault.New(fault.Forbidden, access.CodeForbidden, "the client does not hold the permission")

// permitTransactions refuses callers who may not read transactions what a route about
// something else tells of single ones.
func (a *API) permitTransactions(ctx context.Context, c access.Caller) error {
	if c.May(access.IssuingTransaction) {
		return nil
	}
	return a.Access.Deny(ctx, c, "Permission", access.IssuingTransaction, errPermission.With("permission", access.IssuingTransaction))
}

// tokenPaths begins the paths of routes that give tokens, which anybody may
// call: they are limited by address.
const tokenPaths = "/api/v1/auth/"

func originOf(x *api.Exchange) access.Origin {
	return access.Origin{IP: x.IP, CorrelationID: x.CorrelationID}
}

// readHeaders takes over what the request says about itself (§1.3).
func readHeaders(r *http.Request, c *access.Caller) error {
	bad := api.Invalid()
	if v := r.Header.Get("X-Channel"); v != "" {
		c.Channel = ""
		for _, known := range access.Channels() {
			if v == known {
				c.Channel = known
			}
		}
		if c.Channel == "" {
			bad = bad.OnField("X-Channel", "unknown", "must be one of "+strings.Join(access.Channels(), ", "))
		}
	}
	if v := r.Header.Get("X-User-Reference"); v != "" {
		if len(v) > 64 || !api.Printable(v) || pan.ContainsPAN(v) {
			bad = bad.OnField("X-User-Reference", "malformed", "must have at most 64 printable characters and no card number")
		}
		if c.User == "" { // who signed in is who acts
			c.UserReference = v
		}
	}
	if len(bad.Fields) > 0 {
		return bad
	}
	return nil
}

// performOnce carries the request out under its idempotency key.
func (a *API) performOnce(rt route, c access.Caller, key string, body []byte, r *http.Request, w http.ResponseWriter, perform func(context.Context) *answer) {
	x := api.ExchangeOf(r.Context())
	attempt := access.Attempt{
		Scope: r.Method + " " + r.URL.Path, Key: key, NoStore: rt.Repeat == noStore,
		BodyHash: hashOf(r.URL.RawQuery, body),
	}
	var last *answer
	stored, err := a.Access.Once(r.Context(), c, attempt, func(ctx context.Context) (int, []byte, error) {
		last = perform(ctx)
		if last.status >= http.StatusInternalServerError {
			return last.status, last.body.Bytes(), last.err
		}
		return last.status, last.body.Bytes(), nil
	})
	switch {
	case err != nil:
		a.refuse(w, r, err)
	case stored.Replayed:
		x.Replayed = true
		replay := newAnswer()
		replay.status = stored.Status
		replay.header.Set("Content-Type", "application/json")
		replay.header.Set("X-Idempotent-Replay", "true")
		replay.body.Write(stored.Body)
		replay.writeTo(w, x)
	default:
		last.writeTo(w, x)
	}
}

func hashOf(query string, body []byte) string {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%d\n%s\n", len(query), query)
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// perform runs the handler and returns its answer, an error included. It may be
// called several times for one request.
func (a *API) perform(ctx context.Context, op *huma.Operation, r *http.Request, body []byte, next func(huma.Context)) *answer {
	out := newAnswer()
	r = r.WithContext(context.WithValue(ctx, answerKey{}, out))
	r.Body = io.NopCloser(bytes.NewReader(body))
	next(humachi.NewContext(op, r, out))
	if out.err == nil && out.violation != nil {
		out.err = api.Violations(out.violation.Errors)
	}
	if out.err == nil {
		return out
	}
	refusal := newAnswer()
	refusal.err = out.err
	refusal.fault = writeError(refusal, api.ExchangeOf(ctx).Language, out.err)
	return refusal
}

// answer is an answer that is not sent yet.
type answer struct {
	header    http.Header
	status    int
	body      bytes.Buffer
	err       error            // what the handler failed with
	fault     fault.Code       // its code
	violation *huma.ErrorModel // what huma found wrong with the parameters
}

func newAnswer() *answer { return &answer{header: http.Header{}} }

// Header, WriteHeader and Write make it an http.ResponseWriter.
func (w *answer) Header() http.Header { return w.header }

// WriteHeader takes the first status.
func (w *answer) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write appends to the body.
func (w *answer) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// SetReadDeadline does nothing: the body was read before.
func (w *answer) SetReadDeadline(time.Time) error { return nil }

// writeTo sends the answer.
func (w *answer) writeTo(to http.ResponseWriter, x *api.Exchange) {
	x.Fault = w.fault
	if w.status >= http.StatusInternalServerError {
		x.Err = w.err
	}
	for name, values := range w.header {
		to.Header()[name] = values
	}
	to.WriteHeader(w.status)
	_, _ = to.Write(w.body.Bytes()) // the client may be gone
}

// noteViolation keeps huma's own errors, which are about parameters, for us to
// word.
func noteViolation(hc huma.Context, _ string, v any) (any, error) {
	if model, ok := v.(*huma.ErrorModel); ok {
		answerOf(hc.Context()).violation = model
	}
	return v, nil
}

type (
	callerKey struct{}
	answerKey struct{}
)

func callerOf(ctx context.Context) access.Caller {
	c, _ := ctx.Value(callerKey{}).(access.Caller)
	return c
}

func answerOf(ctx context.Context) *answer {
	w, ok := ctx.Value(answerKey{}).(*answer)
	if !ok {
		return newAnswer()
	}
	return w
}
