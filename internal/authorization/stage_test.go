package authorization

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTimes_areStoredInMicroseconds(t *testing.T) {
	times := Times{StageQueue: 12*time.Microsecond + 7, StageParse: 30 * time.Microsecond, StageDecide: 400}
	if got := times.micros(); got != "q12p30d0" {
		t.Errorf("got %q", got)
	}
	if got := times.String(); got != "queue=12 parse=30 decide=0" {
		t.Errorf("got %q", got)
	}
	for _, bad := range []string{"x1", "q", "12", "q-1", "q99999999999999999999", "q99999999999999", "q1 p2"} {
		if _, err := parseTimes(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		var times Times
		for s := range times {
			times[s] = time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, Stage(s).String()))
		}
		again, err := parseTimes(times.micros())
		if err != nil {
			t.Fatal(err)
		}
		for s, d := range times {
			if got := again[s]; got.Microseconds() != d.Microseconds() || (got > 0) != (d > 0) {
				t.Fatalf("%s: got %v, want %v", Stage(s), got, d)
			}
		}
	})
}

func FuzzParseTimes(f *testing.F) {
	f.Add("q12p30r1g210c95d41w800a2k9")
	f.Fuzz(func(t *testing.T, text string) {
		times, err := parseTimes(text)
		if err != nil {
			return
		}
		if again, err := parseTimes(times.micros()); err != nil || again != times {
			t.Fatalf("%q: got %v %v, then %v", text, times, err, again)
		}
	})
}
