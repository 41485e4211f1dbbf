package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// configFor is the configuration of a benchmark on a database of its own.
func configFor(t testing.TB, dsn string) config.Loaded {
	t.Helper()
	l, err := config.Load(config.Source{Environ: []string{}, Flags: map[string]string{"data": t.TempDir(), "db": dsn}})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// The benchmark of authorizations runs for a moment in each of its forms. It says
// nothing about speed, only that everything was approved and that it tells how it
// was measured.
func TestAuthorize_inEachForm(t *testing.T) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteDSN, "postgres": dbtest.PostgresDSN} {
		t.Run(name, func(t *testing.T) {
			for _, c := range []struct {
				o    AuthorizeOptions
				loop string
			}{
				{AuthorizeOptions{Rate: 100, Arrivals: PoissonArrivals, Controls: true}, "open, 100 arrivals a second (poisson)"},
				{AuthorizeOptions{Rate: 100, Arrivals: FixedArrivals, HotMerchant: true}, "open, 100 arrivals a second (fixed)"},
				{AuthorizeOptions{Controls: true, HotCard: true}, "closed, one request in flight on each connection"},
			} {
				o := c.o
				o.Connections, o.Cards, o.Duration, o.WarmUp, o.JSON, o.NoPGBench = 3, 6, 500*time.Millisecond, 50*time.Millisecond, true, true
				var out bytes.Buffer
				if err := Authorize(t.Context(), configFor(t, dsn(t)), slog.New(slog.DiscardHandler), &out, o); err != nil {
					t.Fatalf("%+v: %v: %s", o, err, &out)
				}
				var r authorizeResult
				if err := json.Unmarshal(out.Bytes(), &r); err != nil {
					t.Fatal(err)
				}
				if r.Loop != c.loop || r.Controls != o.Controls || r.Answers == 0 || r.Codes["00"] != r.Answers || r.Unanswered != 0 {
					t.Errorf("got %s", &out)
				}
				if o.HotCard != strings.Contains(r.Spread, "one account") || o.HotMerchant != strings.Contains(r.Spread, "one merchant") {
					t.Errorf("spread over %s", r.Spread)
				}
				if r.Latency.P50 <= 0 || r.GroupCommit.P50 <= 0 || len(r.Stages) < 6 {
					t.Errorf("the report is not whole: %s", &out)
				}
			}
		})
	}
}

// Requests arrive as often as they shall.
func TestArrivals_comeAtTheRate(t *testing.T) {
	if got := FixedArrivals.gap(400); got != 2500*time.Microsecond {
		t.Errorf("got %v", got)
	}
	const n = 20_000
	var sum, short float64
	for range n {
		d := PoissonArrivals.gap(400).Seconds()
		sum += d
		if d < 1.0/400 {
			short++
		}
	}
	// Of exponential distances 1-1/e are below their mean.
	if mean := sum / n; math.Abs(mean*400-1) > 0.05 || math.Abs(short/n-(1-1/math.E)) > 0.03 {
		t.Errorf("mean %v, %.2f below it", mean, short/n)
	}
}

// A CPU profile of this process is taken apart by what is on its stacks.
func TestSharesOf_readsProfiles(t *testing.T) {
	var profile bytes.Buffer
	if err := pprof.StartCPUProfile(&profile); err != nil {
		t.Fatal(err)
	}
	if _, err := measureCrypto(t.Context(), CPUOptions{Rounds: 1, Duration: 150 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	watch := clock.StartStopwatch()
	for watch.Elapsed() < 50*time.Millisecond { // something else
	}
	pprof.StopCPUProfile()
	s, err := sharesOf(profile.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if s == nil || s.Crypto < 0.05 || s.Crypto >= 1 || s.Load != 0 {
		t.Errorf("got %+v", s)
	}
	for _, bad := range []string{"", "no gzip"} {
		if _, err := sharesOf([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
	if err := eachField([]byte{0x12, 0x05, 1}, func(int, uint64, []byte) error { return nil }); !errors.Is(err, errProfile) {
		t.Errorf("a field that is cut short: %v", err)
	}
}
