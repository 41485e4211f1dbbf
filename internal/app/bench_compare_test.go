package app

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

	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// The comparison runs for a moment: what it measures it tells with its ratio, what
// it does not measure it says, and the document holds both.
func TestBenchCompare_tellsWhatItMeasures(t *testing.T) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteDSN, "postgres": dbtest.PostgresDSN} {
		t.Run(name, func(t *testing.T) {
			document := filepath.Join(t.TempDir(), "performance.md")
			var out bytes.Buffer
			err := BenchCompare(t.Context(), benchConfig(t, dsn(t)), slog.New(slog.DiscardHandler), &out, CompareOptions{
				Rounds: 2, Duration: 200 * time.Millisecond, WarmUp: 20 * time.Millisecond, Connections: 2, Cards: 4, Scale: 1, JSON: true, Write: document,
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
			} else if got := rows["authorizations on postgres"].verdict(); got != "not measured" {
				t.Errorf("PostgreSQL without a server: %s", got)
			}
			for _, engine := range engines {
				for _, what := range []string{"authorizations on ", "p99 at half the maximum on ", "one hot card on ", "one hot merchant on "} {
					if m := rows[what+engine]; m.Value == nil || *m.Value <= 0 || m.Ratio == nil && what != "authorizations on " {
						t.Errorf("%s%s: got %+v", what, engine, m)
					}
				}
				if m := rows["authorizations on "+engine]; (m.Ratio == nil) != (rows["pgbench, TPC-B"].Value == nil) {
					t.Errorf("a ratio to what was not measured: %+v", m)
				}
				if c.Settings[engine] == "" {
					t.Errorf("nothing is told of %s", engine)
				}
			}
			for _, what := range []string{"of the raw limit on sqlite", "growth to 1,000,000 cards", "overload", "two nodes"} {
				if m, told := rows[what]; !told || m.verdict() != "not measured" || m.cells()[1] != "not measured" {
					t.Errorf("%s: got %+v", what, m)
				}
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
		part := measuredBegin + "\n" + c.document(document) + measuredEnd
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
	if err := c.write(document); !errors.Is(err, ErrUsage) {
		t.Errorf("a part without an end: %v", err)
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
