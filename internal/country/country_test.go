package country_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/country"
)

func TestParse_everyCodeOfTheTable(t *testing.T) {
	table, err := os.ReadFile("iso3166.csv")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(table)) {
		col := strings.Split(strings.TrimSpace(line), ",")
		for i, code := range col {
			if want := []int{2, 3, 3}[i]; len(code) != want || seen[code] {
				t.Errorf("%s: malformed or twice", code)
			}
			seen[code] = true
			c, err := country.Parse(code)
			if err != nil || c.Alpha2() != col[0] || c.Alpha3() != col[1] || c.Numeric() != col[2] || c.IsZero() {
				t.Errorf("%s: got %v, %v", code, c, err)
			}
		}
	}
	if got, want := len(seen), 3*249; got != want {
		t.Errorf("codes: got %d, want %d", got, want)
	}
}

func TestParse_refusesAnythingElse(t *testing.T) {
	for _, s := range []string{"", "tr", "XX", "TURK", "000", "0792", "90"} {
		if c, err := country.Parse(s); !errors.Is(err, country.ErrUnknown) || !c.IsZero() {
			t.Errorf("%q: got %v, %v", s, c, err)
		}
	}
}

func TestCountry_text(t *testing.T) {
	var c country.Country
	if err := c.UnmarshalText([]byte("792")); err != nil || c != country.Must("TR") {
		t.Errorf("got %v, %v", c, err)
	}
	if err := c.UnmarshalText([]byte("nowhere")); !errors.Is(err, country.ErrUnknown) || c != country.Must("TR") {
		t.Errorf("got %v, %v", c, err)
	}
	if err := c.UnmarshalText(nil); err != nil || !c.IsZero() {
		t.Errorf("got %v, %v", c, err)
	}
}

func ExampleParse() {
	c, err := country.Parse("792")
	fmt.Println(c.Alpha2(), c.Alpha3(), c.Numeric(), err)
	// Output: TR TUR 792 <nil>
}
