package secrettest_test

import (
	"fmt"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/secret/secrettest"
)

// recorder counts the complaints instead of failing.
type recorder struct {
	testing.TB
	complaints int
}

func (r *recorder) Helper()               {}
func (r *recorder) Errorf(string, ...any) { r.complaints++ }

// masked masks itself, but fmt does not ask it in an unexported field.
type masked struct{ digits string }

func (masked) Format(f fmt.State, _ rune) { fmt.Fprint(f, "***") }

type plainBytes struct{ digits []byte }

func (plainBytes) String() string { return "***" }

func TestHidden_findsWhatMaskingMethodsMiss(t *testing.T) {
	const secret = "4929123456789010"
	r := &recorder{TB: t}
	secrettest.Hidden(r, masked{secret}, secret)
	if r.complaints == 0 {
		t.Error("a string in an unexported field was not found")
	}
	r = &recorder{TB: t}
	secrettest.Hidden(r, plainBytes{[]byte(secret)}, secret)
	if r.complaints == 0 {
		t.Error("bytes in an unexported field were not found")
	}
}
