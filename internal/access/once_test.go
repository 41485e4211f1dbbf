package access

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
)

// effect makes a Run whose effect is a client row that can be counted: its name
// is what.
func effect(s *Service, tenant Tenant, what string, status int, body string) Run {
	return func(ctx context.Context) (int, []byte, error) {
		err := s.DB.InTx(ctx, func(tx db.Tx) error {
			return insertClient(ctx, tx, Client{ID: "sc_" + random(8), Tenant: tenant.ID, Family: Platform, Name: what, CreatedAt: start, UpdatedAt: start}, "")
		})
		if err != nil {
			return 500, nil, err
		}
		return status, []byte(body), nil
	}
}

func effects(t *testing.T, s *Service, what string) (n int) {
	t.Helper()
	err := s.DB.View(t.Context(), func(tx db.Tx) (err error) {
		n, _, err = db.One(t.Context(), tx, scanInt, `SELECT COUNT(*) FROM api_client WHERE name = $1`, what)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func rowOf(t *testing.T, s *Service, tenant Tenant, a Attempt) onceRow {
	t.Helper()
	row, err := s.rowOf(t.Context(), tenant.ID, a)
	if err != nil {
		t.Fatal(err)
	}
	return row
}

// What a row holds of key and body is equal for equal attempts only, and is
// neither of them nor a hash that whoever has the row can make.
func TestOnce_rowTellsNothingOfKeyAndBody(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		module, err := soft.New(bytes.Repeat([]byte{7}, 32))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = module.Close() })
		s := New(d, module, clock.NewFake(start))
		tenant, _, err := s.CreateTenant(t.Context(), NewTenant{Name: "Acme"})
		if err != nil {
			t.Fatal(err)
		}
		other, _, err := s.CreateTenant(t.Context(), NewTenant{Name: "Other"})
		if err != nil {
			t.Fatal(err)
		}
		const number = "4539578763621486"
		body := hashOf([]byte(`{"encryptedPin":"7392"}`))
		a := Attempt{Scope: "POST /card", Key: number, BodyHash: body}
		if _, err := s.Once(t.Context(), System(tenant), a, effect(s, tenant, "x", 200, "one")); err != nil {
			t.Fatal(err)
		}
		var key, hash string
		err = d.View(t.Context(), func(tx db.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT key, body_hash FROM idempotency WHERE tenant_id = $1`, tenant.ID).Scan(&key, &hash)
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, known := range []string{number, hashOf([]byte(number)), body, hashOf([]byte(body))} {
			if strings.Contains(key+hash, known) {
				t.Errorf("the row %s %s holds %s", key, hash, known)
			}
		}
		row := rowOf(t, s, tenant, a)
		if row.Key != key || row.BodyHash != hash {
			t.Error("the row of an equal attempt is another one")
		}
		seen := map[string]bool{row.Key: true, row.BodyHash: true}
		for _, r := range []onceRow{
			rowOf(t, s, other, a), rowOf(t, s, tenant, Attempt{Scope: "POST /pin", Key: number, BodyHash: body}),
			rowOf(t, s, tenant, Attempt{Scope: "POST /card", Key: "k", BodyHash: body}),
		} {
			if seen[r.Key] || seen[r.BodyHash] {
				t.Errorf("rows of different attempts look alike: %+v", r)
			}
			seen[r.Key], seen[r.BodyHash] = true, true
		}
	})
}

func TestOnce_keepsTheFirstAnswerForADay(t *testing.T) {
	each(t, func(t *testing.T, s *Service, c *clock.Fake, tenant Tenant, _ Credentials) {
		caller := System(tenant)
		a := Attempt{Scope: "POST /card", Key: "k", BodyHash: "b"}
		first, err := s.Once(t.Context(), caller, a, effect(s, tenant, "x", 200, "one"))
		if err != nil || first.Replayed || string(first.Body) != "one" {
			t.Fatalf("first: %+v, %v", first, err)
		}
		c.Advance(IdempotencyLife - time.Second)
		again, err := s.Once(t.Context(), caller, a, effect(s, tenant, "x", 200, "two"))
		if err != nil || !again.Replayed || string(again.Body) != "one" || again.Status != 200 || effects(t, s, "x") != 1 {
			t.Errorf("again: %+v, %v, %d effects", again, err, effects(t, s, "x"))
		}
		other := a
		other.BodyHash = "c"
		if _, err := s.Once(t.Context(), caller, other, effect(s, tenant, "x", 200, "")); codeOf(err) != CodeIdempotencyReused {
			t.Errorf("another body: %v", err)
		}
		elsewhere := a
		elsewhere.Scope = "POST /customer"
		if out, err := s.Once(t.Context(), caller, elsewhere, effect(s, tenant, "y", 200, "else")); err != nil || out.Replayed {
			t.Errorf("another endpoint: %+v, %v", out, err)
		}
		c.Advance(time.Second)
		if out, err := s.Once(t.Context(), caller, other, effect(s, tenant, "x", 200, "new")); err != nil || out.Replayed {
			t.Errorf("a day later: %+v, %v", out, err)
		}
		c.Advance(2 * IdempotencyLife)
		if n, err := s.Sweep(t.Context()); err != nil || n != 2 {
			t.Errorf("swept %d, %v", n, err)
		}
	})
}

func TestOnce_keysOfTenantsAreApart(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, _ Credentials) {
		other, _, err := s.CreateTenant(t.Context(), NewTenant{Name: "Other"})
		if err != nil {
			t.Fatal(err)
		}
		a := Attempt{Scope: "POST /card", Key: "k", BodyHash: "b"}
		for _, who := range []Tenant{tenant, other} {
			out, err := s.Once(t.Context(), System(who), a, effect(s, who, "x", 200, who.Name))
			if err != nil || out.Replayed || string(out.Body) != who.Name {
				t.Errorf("%s: %+v, %v", who.Name, out, err)
			}
		}
	})
}

func TestOnce_twentyAtOnceHaveOneEffect(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, _ Credentials) {
		a := Attempt{Scope: "POST /card", Key: "k", BodyHash: "b"}
		var wait sync.WaitGroup
		var done, busy atomic.Int64
		for range 20 {
			wait.Go(func() {
				out, err := s.Once(t.Context(), System(tenant), a, effect(s, tenant, "x", 200, "one"))
				switch {
				case err == nil && string(out.Body) == "one":
					done.Add(1)
				case codeOf(err) == CodeInProgress:
					busy.Add(1)
				default:
					t.Errorf("%+v, %v", out, err)
				}
			})
		}
		wait.Wait()
		if effects(t, s, "x") != 1 || done.Load() < 1 || done.Load()+busy.Load() != 20 {
			t.Errorf("%d effects, %d done, %d busy", effects(t, s, "x"), done.Load(), busy.Load())
		}
	})
}

func TestOnce_refusalIsUndoneAndKept(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, _ Credentials) {
		a := Attempt{Scope: "POST /card", Key: "k", BodyHash: "b"}
		out, err := s.Once(t.Context(), System(tenant), a, effect(s, tenant, "x", 422, "no"))
		if err != nil || out.Status != 422 || effects(t, s, "x") != 0 {
			t.Fatalf("refused: %+v, %v, %d effects", out, err, effects(t, s, "x"))
		}
		out, err = s.Once(t.Context(), System(tenant), a, effect(s, tenant, "x", 200, "yes"))
		if err != nil || !out.Replayed || out.Status != 422 || string(out.Body) != "no" {
			t.Errorf("again: %+v, %v", out, err)
		}
	})
}

func TestOnce_breakdownFreesTheKey(t *testing.T) {
	broken := errors.New("disk on fire")
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, _ Credentials) {
		for name, run := range map[string]Run{
			"500":   func(context.Context) (int, []byte, error) { return 500, []byte("oops"), broken },
			"429":   func(context.Context) (int, []byte, error) { return 429, []byte("later"), nil },
			"error": func(context.Context) (int, []byte, error) { return 0, nil, broken },
		} {
			a := Attempt{Scope: "POST /card", Key: name, BodyHash: "b"}
			out, err := s.Once(t.Context(), System(tenant), a, func(ctx context.Context) (int, []byte, error) {
				if _, _, err := effect(s, tenant, "x", 200, "")(ctx); err != nil {
					t.Error(err)
				}
				return run(ctx)
			})
			if name == "error" && !errors.Is(err, broken) || name == "500" && string(out.Body) != "oops" {
				t.Errorf("%s: %+v, %v", name, out, err)
			}
			out, err = s.Once(t.Context(), System(tenant), a, effect(s, tenant, name, 200, "fine"))
			if err != nil || out.Replayed || effects(t, s, name) != 1 {
				t.Errorf("%s, again: %+v, %v", name, out, err)
			}
		}
		if effects(t, s, "x") != 0 {
			t.Errorf("%d effects of breakdowns remain", effects(t, s, "x"))
		}
	})
}

func TestOnce_panicFreesTheKey(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, _ Credentials) {
		a := Attempt{Scope: "POST /card", Key: "k", BodyHash: "b"}
		func() {
			defer func() { _ = recover() }()
			_, _ = s.Once(t.Context(), System(tenant), a, func(context.Context) (int, []byte, error) { panic("ours") })
		}()
		out, err := s.Once(t.Context(), System(tenant), a, effect(s, tenant, "x", 200, "fine"))
		if err != nil || out.Replayed {
			t.Errorf("after a panic: %+v, %v", out, err)
		}
	})
}

func TestOnce_afterACrashTheLeaseEnds(t *testing.T) {
	each(t, func(t *testing.T, s *Service, c *clock.Fake, tenant Tenant, _ Credentials) {
		caller := System(tenant)
		a := Attempt{Scope: "POST /card", Key: "k", BodyHash: "b"}
		row := rowOf(t, s, tenant, a)
		if _, mine, err := s.claim(t.Context(), row); err != nil || !mine { // and then the power went
			t.Fatal(mine, err)
		}
		if _, err := s.Once(t.Context(), caller, a, effect(s, tenant, "x", 200, "")); codeOf(err) != CodeInProgress {
			t.Fatalf("within the lease: %v", err)
		}
		c.Advance(leaseLife)
		other := a
		other.BodyHash = "c"
		if _, err := s.Once(t.Context(), caller, other, effect(s, tenant, "x", 200, "")); codeOf(err) != CodeIdempotencyReused {
			t.Errorf("another body after the lease: %v", err)
		}
		out, err := s.Once(t.Context(), caller, a, effect(s, tenant, "x", 200, "fine"))
		if err != nil || out.Replayed || effects(t, s, "x") != 1 {
			t.Errorf("after the lease: %+v, %v", out, err)
		}
		// The dead one was only slow: it must not have its effect any more.
		if err := s.DB.InTx(t.Context(), func(tx db.Tx) error {
			return s.conclude(t.Context(), tx, row, Answer{Status: 200})
		}); codeOf(err) != CodeInProgress {
			t.Errorf("the slow one concluded: %v", err)
		}
	})
}

func TestOnce_slowOneThatLostItsLeaseHasNoEffect(t *testing.T) {
	each(t, func(t *testing.T, s *Service, c *clock.Fake, tenant Tenant, _ Credentials) {
		if s.DB.Engine() == db.SQLite {
			t.Skip("one writer at a time: nobody can take the key while the request runs")
		}
		a := Attempt{Scope: "POST /card", Key: "k", BodyHash: "b"}
		_, err := s.Once(t.Context(), System(tenant), a, func(ctx context.Context) (int, []byte, error) {
			c.Advance(leaseLife)
			if _, err := s.Once(t.Context(), System(tenant), a, effect(s, tenant, "fast", 200, "f")); err != nil {
				t.Error(err)
			}
			return effect(s, tenant, "slow", 200, "s")(ctx)
		})
		if codeOf(err) != CodeInProgress || effects(t, s, "slow") != 0 || effects(t, s, "fast") != 1 {
			t.Errorf("%v; slow %d, fast %d", err, effects(t, s, "slow"), effects(t, s, "fast"))
		}
	})
}

func TestOnce_noStoreRunsApartAndKeepsNoAnswer(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, _ Credentials) {
		for _, status := range []int{200, 423} {
			key := fmt.Sprint("k", status)
			a := Attempt{Scope: "POST /pin", Key: key, BodyHash: "b", NoStore: true}
			out, err := s.Once(t.Context(), System(tenant), a, effect(s, tenant, key, status, "4242 is the secret"))
			if err != nil || out.Status != status || effects(t, s, key) != 1 {
				t.Fatalf("%+v, %v: a counter must survive a refusal", out, err)
			}
			if _, err := s.Once(t.Context(), System(tenant), a, effect(s, tenant, key, 200, "")); codeOf(err) != CodeIdempotencyNotKept {
				t.Errorf("repeat: %v", err)
			}
			err = s.DB.View(t.Context(), func(tx db.Tx) error {
				kept, found, err := readKey(t.Context(), tx, rowOf(t, s, tenant, a))
				if !found || len(kept.Body) != 0 {
					t.Error("the answer was kept, or the key was not")
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestOnce_emptyAnswerIsReplayed(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, _ Credentials) {
		a := Attempt{Scope: "DELETE /x", Key: "k", BodyHash: "b"}
		for _, replayed := range []bool{false, true} {
			out, err := s.Once(t.Context(), System(tenant), a, effect(s, tenant, "x", 204, ""))
			if err != nil || out.Status != 204 || out.Replayed != replayed {
				t.Errorf("%+v, %v", out, err)
			}
		}
	})
}

func TestOnce_refusesKeysOutOfBounds(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, tenant Tenant, _ Credentials) {
		for _, key := range []string{"", strings.Repeat("k", 65), "a b", "a\n", "ş"} {
			_, err := s.Once(t.Context(), System(tenant), Attempt{Key: key}, effect(s, tenant, "x", 200, ""))
			if codeOf(err) != CodeIdempotencyMalformed {
				t.Errorf("%q: %v", key, err)
			}
		}
	})
}
