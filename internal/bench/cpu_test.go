package bench

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// The codec and the cryptography are measured for a moment: it says nothing about
// speed, only that every step was done, was right, and is told.
func TestCPU_tellsEveryStep(t *testing.T) {
	o := CPUOptions{Rounds: 3, Duration: 2 * time.Millisecond}
	for _, c := range []struct {
		name  string
		bench func(o CPUOptions) (string, error)
		steps []string
	}{
		{"codec", func(o CPUOptions) (string, error) {
			var out bytes.Buffer
			err := Codec(t.Context(), &out, o)
			return out.String(), err
		}, []string{"pack", "unpack"}},
		{"crypto", func(o CPUOptions) (string, error) {
			var out bytes.Buffer
			err := Crypto(t.Context(), &out, o)
			return out.String(), err
		}, []string{"ARQC+ARPC", "CVV", "PIN"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, err := c.bench(o)
			if err != nil {
				t.Fatal(err)
			}
			o := o
			o.JSON = true
			told, err := c.bench(o)
			if err != nil {
				t.Fatal(err)
			}
			var r cpuResult
			if err := json.Unmarshal([]byte(told), &r); err != nil {
				t.Fatal(err)
			}
			if len(r.Steps) != len(c.steps) || r.Rounds != 3 || r.CPUs == 0 {
				t.Fatalf("got %s", told)
			}
			for i, s := range r.Steps {
				if s.Name != c.steps[i] || s.Nanoseconds <= 0 || s.PerSecond <= 0 || !strings.Contains(text, s.Name) {
					t.Errorf("got %+v, and in words\n%s", s, text)
				}
				if c.name == "codec" && s.Allocations != 0 {
					t.Errorf("%s allocates %.0f times in steady state", s.Name, s.Allocations)
				}
			}
		})
	}
}

func TestMedian_isTheMiddle(t *testing.T) {
	for _, c := range []struct {
		all  []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 2, 9}, 3}} {
		if got := median(c.all); got != c.want {
			t.Errorf("%v: got %v, want %v", c.all, got, c.want)
		}
	}
}
