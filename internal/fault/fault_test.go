package fault_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/fault"
)

func TestError_copiesOnEveryAddition(t *testing.T) {
	base := fault.New(fault.Conflict, "card_blocked", "the card is blocked").With("status", "Blocked").OnField("cardNo", "blocked", "is blocked")
	a := base.With("a", 1).OnField("a", "x", "x").Wrap(io.EOF)
	b := base.With("b", 2).OnField("b", "y", "y")
	if len(base.Params) != 1 || len(base.Fields) != 1 || base.Err != nil {
		t.Errorf("the original changed: %+v", base)
	}
	if a.Params["b"] != nil || b.Params["a"] != nil || a.Fields[1].Name != "a" || b.Fields[1].Name != "b" {
		t.Errorf("copies share state: %+v, %+v", a, b)
	}
}

func TestError_isFoundThroughWrapping(t *testing.T) {
	sentinel := fault.New(fault.NotFound, "card_not_found", "no such card")
	err := fmt.Errorf("activate: %w", sentinel.With("card", "c1").Wrap(io.EOF))
	if !errors.Is(err, sentinel) || !errors.Is(err, io.EOF) {
		t.Error("the code or the cause is lost")
	}
	if errors.Is(err, fault.New(fault.NotFound, "", "")) || errors.Is(err, fault.New(fault.NotFound, "other", "")) {
		t.Error("another code matches")
	}
	if got := fault.KindOf(err); got != fault.NotFound {
		t.Errorf("got %v, want %v", got, fault.NotFound)
	}
	if f, ok := fault.As(err); !ok || f.Params["card"] != "c1" {
		t.Error("the parameters are lost")
	}
}

func TestKindOf_anythingElseIsInternal(t *testing.T) {
	for _, err := range []error{nil, io.EOF} {
		if got := fault.KindOf(err); got != fault.Internal {
			t.Errorf("%v: got %v, want %v", err, got, fault.Internal)
		}
	}
}

func TestAsRefusal_failuresAreNone(t *testing.T) {
	for _, kind := range fault.Kinds() {
		want := kind != fault.Internal && kind != fault.Unavailable
		f, got := fault.AsRefusal(fmt.Errorf("do it: %w", fault.New(kind, "some_code", "some text")))
		if got != want || (f != nil) != want {
			t.Errorf("%v: got %v, %v, want %v", kind, f, got, want)
		}
	}
	if f, got := fault.AsRefusal(io.EOF); got || f != nil {
		t.Errorf("got %v, %v for an error that is no fault", f, got)
	}
}

func TestError_text(t *testing.T) {
	err := fault.New(fault.Invalid, "invalid_request", "%d fields are wrong", 2).
		OnField("amount", "required", "is required").OnField("currency", "unknown", "is unknown").Wrap(io.EOF)
	want := "2 fields are wrong (amount: is required; currency: is unknown): EOF"
	if got := err.Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := (&fault.Error{Code: "a_code"}).Error(), "a_code"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestKinds_areNamedOnce(t *testing.T) {
	seen := map[string]bool{}
	for i, k := range fault.Kinds() {
		if int(k) != i || seen[k.String()] || k.String()[0] == 'k' {
			t.Errorf("kind %d is out of place or has no name of its own: %v", i, k)
		}
		seen[k.String()] = true
	}
}

func ExampleError_With() {
	err := fault.New(fault.Conflict, "card_status_transition_not_allowed", "the card's status does not allow it").
		With("from", "Cancelled").With("to", "Active")
	fmt.Println(err.Kind, err.Code, err.Params)
	// Output: conflict card_status_transition_not_allowed map[from:Cancelled to:Active]
}
