package bench

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/sarraf-platform/sarraf/internal/app"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// The comparison runs for a moment: what it measures it tells with its ratio, what
// it does not measure it says, and the document holds both.
func TestCompare_tellsWhatItMeasures(t *testing.T) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteDSN, "postgres": dbtest.PostgresDSN} {
		t.Run(name, func(t *testing.T) {
			document := filepath.Join(t.TempDir(), "performance.md")
			var out, told bytes.Buffer
			err := Compare(t.Context(), configFor(t, dsn(t)), slog.New(slog.DiscardHandler), &out, CompareOptions{
				Rounds: 2, Duration: 500 * time.Millisecond, WarmUp: 20 * time.Millisecond, Connections: 4, Cards: 8, Scale: 1, JSON: true, Write: document,
				Overload: 300 * time.Millisecond, Growth: GrowthOptions{Small: 6, Cards: 12, Authorizations: 20}, Progress: &told,
			})
			if err != nil {
				t.Fatalf("%v: %s", err, &out)
			}
			var c comparison
			if err := json.Unmarshal(out.Bytes(), &c); err != nil {
				t.Fatal(err)
			}
			rows := map[string]measure{}
			for _, m := range c.Measures {
				rows[m.Name] = m
			}
			engines := []string{"sqlite"}
			if name == "postgres" {
				engines = append(engines, "postgres")
				if m := rows["two nodes on postgres"]; m.Value == nil || *m.Value <= 0 || m.Ratio == nil || !strings.Contains(m.Note, "every invariant holds") {
					t.Errorf("two nodes: %+v", m)
				}
			} else if got := rows["authorizations on postgres"].verdict(); got != "not measured" {
				t.Errorf("PostgreSQL without a server: %s", got)
			}
			for _, engine := range engines {
				for _, what := range []string{
					"authorizations", "of the raw limit", "p99 at half the maximum", "one hot card", "one hot merchant", "beside a client of 200 ms", "overload: memory after",
				} {
					if m := rows[what+" on "+engine]; m.Value == nil || *m.Value <= 0 || m.Ratio == nil && what != "authorizations" {
						t.Errorf("%s on %s: got %+v", what, engine, m)
					}
				}
				for _, what := range []string{"overload: late or unanswered", "overload: recovery"} {
					if m := rows[what+" on "+engine]; m.Value == nil {
						t.Errorf("%s on %s: got %+v", what, engine, m)
					}
				}
				if m := rows["authorizations on "+engine]; (m.Ratio == nil) != (rows["pgbench, TPC-B"].Value == nil) {
					t.Errorf("a ratio to what was not measured: %+v", m)
				}
				if c.Settings[engine] == "" {
					t.Errorf("nothing is told of %s", engine)
				}
			}
			for _, what := range []string{"growth on ", "start-up of serve after growth on "} {
				if m := rows[what+name]; m.Value == nil || *m.Value <= 0 {
					t.Errorf("%s%s: got %+v", what, name, m)
				}
			}
			for _, what := range []string{"unpack against moov-io/iso8583", "pack against moov-io/iso8583"} {
				if m, told := rows[what]; !told || m.verdict() != "not measured" || m.cells()[1] != "not measured" {
					t.Errorf("%s: got %+v", what, m)
				}
			}
			if progress := told.String(); !strings.Contains(progress, "round 2 of 2: one hot card on sqlite (at least ") || !strings.HasSuffix(progress, "measured\n") {
				t.Errorf("the progress is told as %s", progress)
			}
			text, err := os.ReadFile(document)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"sarraf bench compare --rounds 2", "| authorizations on sqlite |", "not measured", "(performance-latency-sqlite.svg)", "SQLite 3."} {
				if !strings.Contains(string(text), want) {
					t.Errorf("the document lacks %q:\n%s", want, text)
				}
			}
			if bytes.Contains(text, []byte("@")) || bytes.Contains(out.Bytes(), []byte("postgres://s")) {
				t.Error("the address of the database is told")
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(document), "performance-latency-sqlite.svg")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestComparison_writesItsPartOnly(t *testing.T) {
	document := filepath.Join(t.TempDir(), "p.md")
	c := &comparison{Command: "first", Settings: map[string]string{}}
	write := func(before, want string) {
		t.Helper()
		if before != "" {
			if err := os.WriteFile(document, []byte(before), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.write(document); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		part := measuredBegin + "\n" + c.document(document, "") + measuredEnd
		if want = strings.ReplaceAll(want, "PART", part); string(got) != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	write("", "# How fast it is\n\nPART\n")
	c.Command = "second"
	write("", "# How fast it is\n\nPART\n")
	write("# Own\n\ntext\n", "# Own\n\ntext\n\nPART\n")
	write("above\n"+measuredBegin+"old"+measuredEnd+"\nbelow\n", "above\nPART\nbelow\n")
	if err := os.WriteFile(document, []byte(measuredBegin+"no end"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.write(document); !errors.Is(err, app.ErrUsage) {
		t.Errorf("a part without an end: %v", err)
	}
}

// A long run in pieces: what a later one does not measure stays, with its command and
// its picture.
func TestComparison_keepsWhatItDoesNotMeasure(t *testing.T) {
	document := filepath.Join(t.TempDir(), "p.md")
	h := hdrhistogram.New(1, 120_000_000, 3)
	first := &comparison{
		Command: "sarraf bench compare --only codec,latency", At: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), Measures: table(),
		Settings: map[string]string{"sqlite": "SQLite 3, synchronous=2"}, pictures: []picture{{"sqlite", "Latency", h}},
	}
	*first.row("pack") = measure{Name: "pack", Value: some(7), Unit: "/s per core"}
	first.row("one hot card on sqlite").Value, first.row("one hot card on sqlite").Ratio = some(1234), some(0.7)
	second := &comparison{Command: "sarraf bench compare --only raw", At: time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC), Measures: table(), Settings: map[string]string{}}
	second.row("of the raw limit on sqlite").Ratio = some(0.66)
	for _, c := range []*comparison{first, second, second} {
		if err := c.write(document); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"--only codec,latency # 2026-01-02\n", "--only raw # 2026-01-03\n", "| pack | 7 /s per core |", "| one hot card on sqlite | 1234 /s | 0.7 |",
		"| of the raw limit on sqlite |  | 0.66 | the same rows | 0.6 | 0.75 | floor met |", "- sqlite: SQLite 3, synchronous=2\n", "![Latency](p-latency-sqlite.svg)",
		"| one hot card on postgres | not measured |", "## Measured 2026-01-03",
	} {
		if n := strings.Count(string(text), want); n != 1 {
			t.Errorf("%q is told %d times:\n%s", want, n, text)
		}
	}
}

func TestMeasure_verdict(t *testing.T) {
	for want, m := range map[string]measure{
		"not measured":       {Floor: some(2)},
		"stated":             {Value: some(7)},
		"ratio not measured": {Value: some(7), Floor: some(2)},
		"below the floor":    {Ratio: some(1.9), Floor: some(2), Aim: some(3)},
		"floor met":          {Ratio: some(2), Floor: some(2), Aim: some(3)},
		"aim met":            {Ratio: some(3), Floor: some(2), Aim: some(3)},
	} {
		if got := m.verdict(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := (measure{Value: some(6), OfValue: true, Floor: some(5), AtMost: true}).verdict(); got != "below the floor" {
		t.Errorf("a value above its bound: %q", got)
	}
	most := measure{Ratio: some(0.2), Floor: some(0.25), AtMost: true}
	if got := most.verdict(); got != "floor met" {
		t.Errorf("below a bound from above: %q", got)
	}
	if *most.Ratio = 0.3; most.verdict() != "below the floor" {
		t.Errorf("above a bound from above: %q", most.verdict())
	}
}

func TestPicture_isDrawn(t *testing.T) {
	h := hdrhistogram.New(1, 120_000_000, 3)
	empty := picture{"x", "None & nothing", h}.draw()
	for i := range 1000 {
		if err := h.RecordValue(int64(i + 500)); err != nil {
			t.Fatal(err)
		}
	}
	for _, svg := range [][]byte{empty, picture{"x", "A <b>", h}.draw()} {
		d := xml.NewDecoder(bytes.NewReader(svg))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%v in\n%s", err, svg)
			}
		}
	}
	if drawn := string(picture{"x", "A", h}.draw()); !strings.Contains(drawn, "1000 requests: p50 1.00 ms") || strings.Count(drawn, "<rect") < 5 {
		t.Errorf("got %s", drawn)
	}
}
