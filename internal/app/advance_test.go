package app

import (
	"slices"
	"testing"
	"time"
)

// A move stops in every night on its way, and where it ends.
func TestStops_areTheNightsBetween(t *testing.T) {
	istanbul, err := time.LoadLocation("Europe/Istanbul")
	if err != nil {
		t.Fatal(err)
	}
	at := func(text string) time.Time {
		t.Helper()
		moment, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	for _, tt := range []struct {
		from, to string
		want     []string
	}{
		{"2026-03-31T09:00:00Z", "2026-03-31T20:59:00Z", nil},
		{"2026-03-31T09:00:00Z", "2026-04-02T09:00:00Z", []string{"2026-04-01T00:00:00Z", "2026-04-02T00:00:00Z"}},
		{"2026-03-30T23:00:00Z", "2026-03-31T01:00:00Z", []string{"2026-03-31T00:00:00Z"}}, // from 2:00 to 4:00 in Istanbul
		{"2026-03-31T00:00:00Z", "2026-04-01T00:00:00Z", nil},                              // a night is not done twice
	} {
		want := []time.Time{}
		for _, text := range append(tt.want, tt.to) {
			want = append(want, at(text))
		}
		if got := slices.Collect(stops(at(tt.from), at(tt.to), istanbul)); !slices.EqualFunc(got, want, time.Time.Equal) {
			t.Errorf("from %s to %s: %v, want %v", tt.from, tt.to, got, want)
		}
	}
}
