package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/app"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// TestMain lets this program be started as serve, as the benchmark of growth does.
func TestMain(m *testing.M) {
	if len(os.Args) != 2 || os.Args[1] != "serve" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	l, err := config.Load(config.Source{})
	if err == nil {
		err = app.Serve(ctx, l.Config, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Growth is measured in small. It says nothing about speed, only that everything is
// told, that nothing is left behind but what shall be kept, that this is measured
// again as it is, and that all its invariants hold.
func TestGrowth_measuresBothWorlds(t *testing.T) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteDSN, "postgres": dbtest.PostgresDSN} {
		t.Run(name, func(t *testing.T) {
			keep, server := t.TempDir(), dsn(t)
			l := configFor(t, server)
			o := GrowthOptions{
				Small: 6, Cards: 20, Authorizations: 60, Rounds: 2, Connections: 4, Duration: time.Second, WarmUp: 100 * time.Millisecond,
				Keep: keep, JSON: true,
			}
			measure := func() (r GrowthResult) {
				t.Helper()
				var out bytes.Buffer
				if err := Growth(t.Context(), l, slog.New(slog.DiscardHandler), &out, io.Discard, o); err != nil {
					t.Fatal(err)
				}
				if err := json.Unmarshal(out.Bytes(), &r); err != nil {
					t.Fatal(err)
				}
				if r.Engine != name || r.Ratio <= 0 || len(r.Small.Rounds) != 2 || len(r.Big.Rounds) != 2 || r.Big.Bytes <= 0 || r.Big.CommitP50 <= 0 || r.Big.JobSeconds <= 0 {
					t.Errorf("the report is not whole: %s", &out)
				}
				if s := r.Serve; s.ReadySeconds <= 0 || s.Payments == 0 || s.Binary <= 0 || (s.Memory <= 0) != (memoryIsUnknown()) {
					t.Errorf("serve is not told: %s", &out)
				}
				return r
			}
			first := measure()
			if f := first.Big.Fill; f == nil || f.CardsPerSecond <= 0 || f.AuthorizationsPerSecond <= 0 || f.BytesOfCard < 0 {
				t.Errorf("filling is not told: %+v", f)
			}
			if again := measure(); again.Big.Fill != nil || again.Small.Fill != nil {
				t.Error("what was kept was filled again")
			}
			verifyGrowth(t, l, keep, "big")
			o.Cards++
			err := Growth(t.Context(), l, slog.New(slog.DiscardHandler), io.Discard, io.Discard, o)
			if !errors.Is(err, app.ErrUsage) {
				t.Errorf("other numbers: %v", err)
			}
			o.Keep, o.Authorizations, o.Rounds = "", 0, 1
			if err := Growth(t.Context(), l, slog.New(slog.DiscardHandler), io.Discard, io.Discard, o); err != nil {
				t.Fatal(err)
			}
			if left, _ := filepath.Glob(filepath.Join(l.Config.Data, "*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			if n := growthSchemas(t, server); name == "postgres" && n != 2 {
				t.Errorf("%d schemas, and 2 are kept", n)
			}
		})
	}
}

func memoryIsUnknown() bool {
	now, _ := memoryOf(os.Getpid())
	return now == 0
}

func growthSchemas(t *testing.T, dsn string) (n int) {
	if !strings.HasPrefix(dsn, "postgres") {
		return 0
	}
	err := dbtest.Open(t, dsn, db.Options{}).View(t.Context(), func(tx db.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name LIKE 'sarraf_growth_%'`).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// verifyGrowth checks every invariant of a world that is kept.
func verifyGrowth(t *testing.T, l config.Loaded, keep, name string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(keep, name, growthNoteFile))
	var n growthNote
	if err == nil {
		err = json.Unmarshal(text, &n)
	}
	if err != nil {
		t.Fatal(err)
	}
	c := l.Config
	c.KeepIn(filepath.Join(keep, name))
	if n.Schema != "" {
		if c.DB, err = db.MakeSchema(t.Context(), l.Config.DB, n.Schema); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := app.Verify(t.Context(), c, slog.New(slog.DiscardHandler), &out, false); err != nil {
		t.Errorf("%v: %s", err, &out)
	}
}

// Filling goes on where it was interrupted, and never above what was asked for.
// What has no room is not begun.
func TestGrowth_goesOnWhereItWasInterrupted(t *testing.T) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteDSN, "postgres": dbtest.PostgresDSN} {
		t.Run(name, func(t *testing.T) {
			keep := t.TempDir()
			l := configFor(t, dsn(t))
			o := GrowthOptions{Small: 4, Cards: 8, Authorizations: 10_000_000, Rounds: 1, Connections: 2, Duration: time.Second, Keep: keep}
			fill := func(authorizations int, told io.Writer, ctx context.Context) (*growthWorld, error) {
				g := &growthWorld{
					name: "big", log: slog.New(slog.DiscardHandler), tell: &growthProgress{w: told}, keeps: true,
					GrowthWorld: GrowthWorld{Cards: o.Cards, Authorizations: authorizations},
				}
				err := g.prepare(ctx, l, keep)
				return g, errors.Join(err, g.end(t.Context()))
			}
			if name == "sqlite" { // what a server has left it does not tell
				func() {
					defer func(was func(string) (int64, bool)) { freeBytes = was }(freeBytes)
					freeBytes = func(string) (int64, bool) { return 1 << 30, true }
					if _, err := fill(o.Authorizations, io.Discard, t.Context()); !errors.Is(err, app.ErrUsage) || !strings.Contains(err.Error(), "has room for") {
						t.Fatalf("without room: %v", err)
					}
				}()
			}
			if err := os.RemoveAll(filepath.Join(keep, "big")); err != nil {
				t.Fatal(err)
			}
			const enough = 100_000
			defer func(was time.Duration) { progressInterval = was }(progressInterval)
			progressInterval = 100 * time.Millisecond
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			g, err := fill(enough, writerFunc(func(text string) {
				if strings.Contains(text, "authorizations of the big world") {
					cancel()
				}
			}), ctx)
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("interrupted: %v", err)
			}
			stored, err := g.look(t.Context())
			if err != nil || stored == 0 || stored >= enough {
				t.Fatalf("%d are stored after the interruption, %v", stored, err)
			}
			// Whoever asks for as many as there would soon be finds the same world.
			rewriteNote(t, filepath.Join(keep, "big"), func(n *growthNote) { n.Authorizations = stored + 50 })
			if g, err = fill(stored+50, io.Discard, t.Context()); err != nil {
				t.Fatal(err)
			}
			now, err := g.look(t.Context())
			if err != nil || now != stored+50 || len(g.tokens) != o.Cards || g.Fill == nil || g.Fill.AuthorizationsPerSecond <= 0 {
				t.Errorf("%d are stored of %d, by %d cards, %+v, %v", now, stored+50, len(g.tokens), g.Fill, err)
			}
			verifyGrowth(t, l, keep, "big")
			if err := os.RemoveAll(filepath.Join(keep, "big")); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(keep, "big"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := fill(enough, io.Discard, t.Context()); err == nil {
				t.Error("something else lay there")
			}
		})
	}
}

func rewriteNote(t *testing.T, dir string, change func(*growthNote)) {
	t.Helper()
	name := filepath.Join(dir, growthNoteFile)
	text, err := os.ReadFile(name)
	var n growthNote
	if err == nil {
		err = json.Unmarshal(text, &n)
	}
	if err != nil {
		t.Fatal(err)
	}
	change(&n)
	if text, err = json.Marshal(n); err == nil {
		err = os.WriteFile(name, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

type writerFunc func(string)

func (f writerFunc) Write(p []byte) (int, error) {
	f(string(p))
	return len(p), nil
}

// Numbers of citizens are valid and differ.
func TestCitizenNo_isValid(t *testing.T) {
	seen := map[string]bool{}
	for _, n := range []int{0, 1, 2, 9, 10, 99, 12_345, 999_999, 1_000_000, 899_999_999} {
		no := citizenNo(n)
		if !customer.ValidTCKN(no) || seen[no] {
			t.Errorf("%d: %s", n, no)
		}
		seen[no] = true
	}
}

// What filling leaves is what the same payments leave that come to a platform one by
// one: the same rows in all tables, but for what differs between any two payments.
func TestFill_leavesTheRowsOfTraffic(t *testing.T) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteDSN, "postgres": dbtest.PostgresDSN} {
		t.Run(name, func(t *testing.T) {
			const cards, payments = 5, 20
			filled := fillForTest(t, configFor(t, dsn(t)), cards, payments)
			paid := fillForTest(t, configFor(t, dsn(t)), cards, 0)
			if err := paid.open(t.Context(), AuthorizeOptions{Connections: 1, Cards: cards, Controls: true}); err != nil {
				t.Fatal(err)
			}
			payForTest(t, paid, payments)
			if _, err := paid.platform.Seals.SealAll(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := paid.close(); err != nil {
				t.Fatal(err)
			}
			workOffForTest(t, paid.config)
			want, got := rowsOf(t, paid.config.DB), rowsOf(t, filled.config.DB)
			if len(want["decision"]) != payments || len(want["card"]) != cards {
				t.Fatalf("%d decisions and %d cards", len(want["decision"]), len(want["card"]))
			}
			for _, table := range slices.Sorted(maps.Keys(want)) {
				if !slices.Equal(want[table], got[table]) {
					t.Errorf("%s:\nby traffic %q\nfilled     %q", table, want[table], got[table])
				}
			}
		})
	}
}

// payForTest lets the cards of an open world pay, one after another.
func payForTest(t *testing.T, g *growthWorld, payments int) {
	t.Helper()
	g.world.cards = g.cards
	for n := range payments {
		r, err := g.world.use(n)
		if err != nil {
			t.Fatal(err)
		}
		answer, _, err := g.world.links[0].Ask(t.Context(), r.Message)
		if err != nil || answer.Text(iso8583.ResponseCode) != "00" {
			t.Fatalf("payment %d: %v, %v", n, answer, err)
		}
	}
}

// workOffForTest tells what a platform that has ended has left to tell.
func workOffForTest(t *testing.T, c config.Config) {
	t.Helper()
	err := app.WithCore(t.Context(), c, slog.New(slog.DiscardHandler), app.Filling, func(k *app.Core) error { return workOff(t.Context(), k) })
	if err != nil {
		t.Fatal(err)
	}
}

func fillForTest(t *testing.T, l config.Loaded, cards, payments int) *growthWorld {
	t.Helper()
	g := &growthWorld{
		name: "test", log: slog.New(slog.DiscardHandler), tell: &growthProgress{w: io.Discard}, keeps: true,
		GrowthWorld: GrowthWorld{Cards: cards, Authorizations: payments},
	}
	if err := g.prepare(t.Context(), l, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	return g
}

// volatile is what differs between two payments, or two worlds.
var volatile = regexp.MustCompile(strings.Join([]string{
	`\b[a-z]+_[0-7][0-9a-z]{25}\b`, `[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`, // identifiers
	`\b[A-Z2-7]{26}\b`, `[0-9A-Za-z+/]{40,}=*`, // drawn, or sealed
	`979[0-9a-z]+`, `[0-9a-f]{8,}`, // numbers and hashes
	`authorization_code=\w+`, `\b[2-9A-HJ-NP-Z]{6}\b`, // drawn
	`\|[0-9a-f]{4,}\|`, `\bBENCH\d+`, `\b\d{4,}\b`, `[a-z]\d+(?:[a-z]\d+)+`,
	`ATC \d+|atc=\d+`,
}, "|"))

// rowsOf are the rows of all tables that payments write to, without what is volatile,
// in an order of their own.
func rowsOf(t *testing.T, dsn string) map[string][]string {
	t.Helper()
	d := dbtest.Open(t, dsn, db.Options{})
	all := map[string][]string{}
	for _, table := range []string{
		"card", "issuance", "customer", "account", "entry", "posting", "hold", "card_transaction", "message", "decision", "decision_seal",
		"velocity_counter", "velocity_usage", "fee_due", "outbox_event", "outbox_message", "outbox_sequence", "card_status_history", "audit_act",
	} {
		err := d.View(t.Context(), func(tx db.Tx) error {
			rows, err := tx.Query(t.Context(), `SELECT * FROM `+table)
			if err != nil {
				return err
			}
			defer rows.Close()
			columns, err := rows.Columns()
			if err != nil {
				return err
			}
			for rows.Next() {
				values, into := make([]any, len(columns)), make([]any, len(columns))
				for i := range values {
					into[i] = &values[i]
				}
				if err := rows.Scan(into...); err != nil {
					return err
				}
				var row strings.Builder
				for i, v := range values {
					text := fmt.Sprint(v)
					if b, binary := v.([]byte); binary {
						var packed authorization.Packed
						if text = fmt.Sprintf("%d bytes", len(b)); table == "decision" && packed.Scan(b) == nil {
							text = string(packed)
						}
					}
					fmt.Fprintf(&row, "%s:%s ", columns[i], volatile.ReplaceAllString(text, "~"))
				}
				all[table] = append(all[table], row.String())
			}
			return rows.Err()
		})
		if err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		slices.Sort(all[table])
	}
	return all
}
