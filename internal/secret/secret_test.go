package secret_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/secret/secrettest"
)

func TestValue_isNeverPrinted(t *testing.T) {
	const text = "canary-8512"
	secrettest.Hidden(t, secret.FromString(text), text)
	raw := "\x04\x12\xAC\x89\xAB\xCD\xEF\xFE\x00"
	secrettest.Hidden(t, secret.New([]byte(raw)), raw)
}

func TestValue_printsStars(t *testing.T) {
	v := secret.FromString("1234")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(verb, v); got != "***" {
			t.Errorf("%s: got %q, want ***", verb, got)
		}
	}
	if got, want := fmt.Sprint(secret.Value{}), "***"; got != want {
		t.Errorf("zero value: got %q, want %q", got, want)
	}
}

func TestNew_copies(t *testing.T) {
	b := []byte("1234")
	v := secret.New(b)
	b[0] = 'X'
	if got := string(v.Reveal()); got != "1234" {
		t.Error("the secret changed with the caller's slice")
	}
}

func TestValue_clearWipesEveryCopy(t *testing.T) {
	v := secret.FromString("1234")
	w := v
	bytesBefore := v.Reveal()
	v.Clear()
	if !w.IsZero() || w.Len() != 0 || w.Reveal() != nil {
		t.Error("a copy still holds the secret")
	}
	if !bytes.Equal(bytesBefore, make([]byte, 4)) {
		t.Error("the memory was not overwritten")
	}
	secret.Value{}.Clear()
}

func TestValue_equalComparesBytes(t *testing.T) {
	tests := []struct {
		a, b secret.Value
		want bool
	}{
		{secret.FromString("12"), secret.New([]byte("12")), true},
		{secret.FromString("12"), secret.FromString("13"), false},
		{secret.FromString("12"), secret.FromString("123"), false},
		{secret.Value{}, secret.FromString("1"), false},
		{secret.Value{}, secret.New(nil), true},
	}
	for i, tt := range tests {
		if got := tt.a.Equal(tt.b); got != tt.want {
			t.Errorf("case %d: got %v, want %v", i, got, tt.want)
		}
	}
}

func ExampleValue() {
	v := secret.FromString("1234")
	fmt.Println(v, v.Len())
	// Output: *** 4
}
