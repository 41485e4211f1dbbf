package authorization_test

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// groupSizes force groups to one, two and as many as there are: the outcome must
// not depend on it. Every test in which messages race runs with each of them.
var groupSizes = []int{1, 2, 256}

func TestAuthorize_parallelRequestsNeverOverspend(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, size := range groupSizes {
			w := authorizationtest.NewWith(t, fresh(t, d), authorization.Config{GroupMax: size, Lanes: 4})
			c := w.NewCard("100.00") // enough for ten
			other := w.NewEngine()   // a second node on the same database
			var approved, declined atomic.Int64
			var wg sync.WaitGroup
			for i := range 64 {
				r := w.Request(c, authorization.AuthorizationRequest, money.Must(1000, "TRY"))
				engine := w.Engine
				if i%2 == 1 {
					engine = other
				}
				wg.Go(func() {
					a, err := engine.Authorize(t.Context(), r)
					switch {
					case err != nil:
						t.Error(err)
					case a.Reason == authorization.Approved:
						approved.Add(1)
					case a.Reason == authorization.InsufficientFunds:
						declined.Add(1)
					default:
						t.Errorf("got %s", a.Reason)
					}
				})
			}
			wg.Wait()
			if approved.Load() != 10 || declined.Load() != 54 {
				t.Errorf("groups of %d: got %d approved and %d declined, want exactly 10 and 54", size, approved.Load(), declined.Load())
			}
			if got := w.Balance(c); got.Held != money.Must(10000, "TRY") {
				t.Errorf("groups of %d: got %s held", size, got.Held)
			}
			w.Verify()
		}
	})
}

// What has been decided is answered, though whoever reads cards waits for a
// connection: nothing that an answer takes is held by those who wait.
func TestAuthorize_answersWhileOthersWaitForConnections(t *testing.T) {
	d := dbtest.SQLite(t) // where what reads has connections of its own
	w := authorizationtest.New(t, d)
	c := w.NewCard("100.00")
	r := w.Request(c, authorization.AuthorizationRequest, money.Must(1000, "TRY"))
	w.Chip(c, r)
	answered := make(chan error, 1)
	writing, read := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		if err := d.InTx(t.Context(), func(db.Tx) error { <-writing; return nil }); err != nil {
			t.Error(err)
		}
	})
	go func() {
		_, err := w.Engine.Authorize(t.Context(), r)
		answered <- err
	}()
	time.Sleep(100 * time.Millisecond) // it has been gathered and waits for the writer
	const connections = 8
	for range connections {
		all.Go(func() {
			if err := d.View(t.Context(), func(db.Tx) error { <-read; return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	time.Sleep(100 * time.Millisecond)
	for range 2 {
		other := w.Request(c, authorization.AuthorizationRequest, money.Must(1000, "TRY"))
		all.Go(func() {
			if _, err := w.Engine.Authorize(t.Context(), other); err != nil {
				t.Error(err)
			}
		})
	}
	time.Sleep(100 * time.Millisecond)
	close(writing)
	select {
	case err := <-answered:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("what was decided waits for connections")
	}
	close(read)
	all.Wait()
}

// eachSize runs a test with every size of groups, each in a database of its own.
func eachSize(t *testing.T, run func(t *testing.T, d *db.DB, cfg authorization.Config)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, size := range groupSizes {
			t.Run(strconv.Itoa(size), func(t *testing.T) {
				run(t, fresh(t, d), authorization.Config{GroupMax: size, Lanes: 4})
			})
		}
	})
}

// fresh gives each world of a loop a database of its own on the same engine.
func fresh(t *testing.T, d *db.DB) *db.DB {
	if d.Engine() == db.SQLite {
		return dbtest.SQLite(t)
	}
	return dbtest.Postgres(t)
}

func TestAuthorize_concurrentRepeatsReserveOnce(t *testing.T) {
	eachSize(t, func(t *testing.T, d *db.DB, cfg authorization.Config) {
		w := authorizationtest.NewWith(t, d, cfg)
		c := w.NewCard("100.00")
		other := w.NewEngine()
		for range 5 {
			r := w.Request(c, authorization.AuthorizationRequest, money.Must(100, "TRY"))
			w.Chip(c, r)
			answers := make([]authorization.Answer, 16)
			var wg sync.WaitGroup
			for i := range answers {
				wg.Go(func() {
					engine, req := w.Engine, r
					if i%2 == 1 {
						engine = other
					}
					if i%3 == 0 {
						req = authorizationtest.Repeat(r)
					}
					a, err := engine.Authorize(t.Context(), req)
					if err != nil {
						t.Error(err)
					}
					answers[i] = a
				})
			}
			wg.Wait()
			for _, a := range answers {
				if a.Transaction != answers[0].Transaction || a.AuthorizationCode != answers[0].AuthorizationCode ||
					a.Reason != authorization.Approved || string(a.IssuerAuthentication) != string(answers[0].IssuerAuthentication) {
					t.Fatalf("got different answers to one message: %+v and %+v", a, answers[0])
				}
			}
		}
		if got := w.Balance(c); got.Held != money.Must(500, "TRY") {
			t.Errorf("got %s held, want 5.00: one hold per message", got.Held)
		}
		w.Verify()
	})
}

func TestAuthorize_parallelWrongPINsCountEachOnce(t *testing.T) {
	eachSize(t, func(t *testing.T, d *db.DB, cfg authorization.Config) {
		w := authorizationtest.NewWith(t, d, cfg)
		c := w.NewCard("100.00")
		other := w.NewEngine()
		var tried, blocked atomic.Int64
		var wg sync.WaitGroup
		for i := range 20 {
			r := w.Request(c, authorization.FinancialRequest, money.Must(100, "TRY"))
			r.ProcessingCode = "010000"
			w.WithPIN(c, r, "9035")
			engine := w.Engine
			if i%2 == 1 {
				engine = other
			}
			wg.Go(func() {
				a, err := engine.Authorize(t.Context(), r)
				if err != nil {
					t.Error(err)
				}
				switch a.Reason {
				case authorization.PINInvalid:
					tried.Add(1)
				case authorization.PINTriesExceeded:
					blocked.Add(1)
				}
			})
		}
		wg.Wait()
		if tried.Load() != 2 || blocked.Load() != 18 {
			t.Errorf("got %d PinInvalid and %d PinTriesExceeded, want 2 and 18", tried.Load(), blocked.Load())
		}
		w.Verify()
	})
}

func TestAuthorize_reversalsRaceTheirOriginals(t *testing.T) {
	eachSize(t, func(t *testing.T, d *db.DB, cfg authorization.Config) {
		w := authorizationtest.NewWith(t, d, cfg)
		c := w.NewCard("1000.00")
		other := w.NewEngine()
		var wg sync.WaitGroup
		for range 40 {
			r := w.Request(c, authorization.AuthorizationRequest, money.Must(1000, "TRY"))
			v := w.Reversal(c, r, authorization.ReversalAdvice, nil)
			wg.Go(func() {
				if _, err := w.Engine.Authorize(t.Context(), r); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				a, err := other.Authorize(t.Context(), v)
				if err != nil || a.ResponseCode != "00" {
					t.Errorf("got %s, %v", a.ResponseCode, err)
				}
			})
		}
		wg.Wait()
		if got := w.Balance(c); !got.Held.IsZero() || got.Posted != money.Must(100000, "TRY") {
			t.Errorf("got posted %s, held %s; in either order nothing must remain", got.Posted, got.Held)
		}
		w.Verify()
	})
}

func TestAuthorize_anotherMessageUnderAKnownKeyIs94(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		c := w.NewCard("100.00")
		r := w.Request(c, authorization.AuthorizationRequest, money.Must(1000, "TRY"))
		w.Authorize(r)
		changed := *r
		changed.Amount = money.Must(2000, "TRY")
		if a := w.Authorize(&changed); a.ResponseCode != "94" || a.Reason != authorization.DuplicateTransaction {
			t.Errorf("got %s %s for the same key with another amount, want 94", a.ResponseCode, a.Reason)
		}
		if got := w.Balance(c); got.Held != money.Must(1000, "TRY") {
			t.Errorf("got %s held", got.Held)
		}
		if a := w.Authorize(r); a.Reason != authorization.Approved || !a.IsRepeat {
			t.Errorf("got %s %v for the first message again", a.Reason, a.IsRepeat)
		}
		w.Verify()
	})
}

func TestAuthorize_aChangeOfConfigurationHoldsForTheNextRequestOnEveryNode(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		c := w.NewCard("10000.00")
		other := w.NewEngine()
		tap := func(e *authorization.Engine) authorization.Reason {
			r := w.Request(c, authorization.AuthorizationRequest, money.Must(100000, "TRY"))
			w.Chip(c, r)
			r.EntryMode = "071"
			a, err := e.Authorize(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			return a.Reason
		}
		if got := tap(other); got != authorization.Approved {
			t.Fatalf("got %s under the first limit", got)
		}
		w.LimitContactless(money.Must(50000, "TRY"))
		if got := tap(other); got != authorization.PINRequired {
			t.Errorf("got %q on the other node, want PinRequired under the new limit", got)
		}
		w.Verify()
	})
}

func TestAuthorize_verifiesLongPINsByTheirOffset(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		c := w.NewCardOf("P6", "739251", "100.00")
		for digits, want := range map[string]authorization.Reason{"739251": authorization.Approved, "739252": authorization.PINInvalid, "7392": authorization.PINInvalid} {
			r := w.Request(c, authorization.FinancialRequest, money.Must(100, "TRY"))
			r.ProcessingCode = "010000"
			w.WithPIN(c, r, digits)
			if a := w.Authorize(r); a.Reason != want {
				t.Errorf("%s: got %q, want %q", digits, a.Reason, want)
			}
		}
		w.Verify()
	})
}
