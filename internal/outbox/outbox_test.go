package outbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// post is an outbox on a database of its own, with one tenant.
type post struct {
	t      *testing.T
	db     *db.DB
	clock  *clock.Fake
	tenant string

	numbers map[string]int64

	mu   sync.Mutex
	sent []string // key/sequence of the messages that were sent
	fail func(m outbox.Message) bool
}

func each(t *testing.T, f func(t *testing.T, p *post)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		backend, err := soft.New(bytes.Repeat([]byte{7}, 32))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = backend.Close() })
		now := clock.NewFake(time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC))
		tenant, _, err := access.New(d, backend, now).CreateTenant(t.Context(), access.NewTenant{Name: "Main"})
		if err != nil {
			t.Fatal(err)
		}
		f(t, &post{t: t, db: d, clock: now, tenant: tenant.ID.String(), numbers: map[string]int64{}, fail: func(outbox.Message) bool { return false }})
	})
}

const topic = "test"

// add puts the next message of a key into the only lane.
func (p *post) add(key string) { p.addTo("lane", key) }

func (p *post) addTo(lane, key string) {
	p.t.Helper()
	p.numbers[key]++
	m := outbox.Message{
		Tenant: p.tenant, Topic: topic, Lane: lane, EventID: id.New[outbox.Event](p.clock.Now()), Name: "a.happened", Key: key,
		Sequence: p.numbers[key], Payload: []byte("{}"), OccurredAt: p.clock.Now(), RetriesMax: 1000,
	}
	err := p.db.InTx(p.t.Context(), func(tx db.Tx) error { return outbox.Put(p.t.Context(), tx, m, p.clock.Now()) })
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *post) worker() *outbox.Worker {
	return &outbox.Worker{
		DB: p.db, Clock: p.clock, Log: slog.New(slog.DiscardHandler), Topic: topic, Lease: time.Minute,
		Send: func(_ context.Context, m outbox.Message) outbox.Outcome {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.sent = append(p.sent, fmt.Sprintf("%s/%d", m.Key, m.Sequence))
			if p.fail(m) {
				return outbox.Outcome{Code: 500, Text: "no"}
			}
			return outbox.Outcome{Delivered: true, Code: 200}
		},
	}
}

func (p *post) run(w *outbox.Worker) []string {
	p.t.Helper()
	p.sent = nil
	if err := w.RunOnce(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	return p.sent
}

func (p *post) messages() []outbox.Message {
	p.t.Helper()
	var all []outbox.Message
	err := p.db.View(p.t.Context(), func(tx db.Tx) (err error) {
		all, _, err = outbox.ReadMessages(p.t.Context(), tx, p.tenant, topic, "lane", false, 0, 1000)
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return all
}

func TestPause_growsFourfoldUpToSixHours(t *testing.T) {
	var got []time.Duration
	for n := 1; n <= 10; n++ {
		got = append(got, outbox.Pause(n)/time.Second)
	}
	want := []time.Duration{1, 4, 16, 64, 256, 1024, 4096, 16384, 21600, 21600}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWorker_keepsTheOrderOfAKeyAndNoOther(t *testing.T) {
	each(t, func(t *testing.T, p *post) {
		w := p.worker()
		p.fail = func(m outbox.Message) bool { return m.Key == "bad" && m.Sequence == 1 }
		for _, key := range []string{"bad", "bad", "good", "good"} {
			p.add(key)
			p.clock.Advance(time.Microsecond)
		}
		if got := p.run(w); !slices.Equal(got, []string{"bad/1", "good/1", "good/2"}) {
			t.Errorf("at once: got %v", got)
		}
		p.clock.Advance(time.Second)
		if got := p.run(w); !slices.Equal(got, []string{"bad/1"}) {
			t.Errorf("after a second: got %v", got)
		}
		p.clock.Advance(outbox.BlockLife)
		if got := p.run(w); !slices.Contains(got, "bad/2") {
			t.Errorf("after it failed for five minutes: got %v", got)
		}
	})
}

func TestWorker_givesUpAfterThreeDays(t *testing.T) {
	each(t, func(t *testing.T, p *post) {
		w := p.worker()
		p.fail = func(outbox.Message) bool { return true }
		p.add("1")
		begin := p.clock.Now()
		for range 40 {
			p.run(w)
			m := p.messages()[0]
			if m.Status != outbox.Waiting {
				break
			}
			p.clock.Set(m.DueAt)
		}
		m := p.messages()[0]
		if m.Status != outbox.Dead || m.Attempts != 19 || m.EndedAt.Sub(begin) > outbox.RetryLife || m.ResultCode != 500 {
			t.Errorf("got %+v, ended after %v", m, m.EndedAt.Sub(begin))
		}
		p.clock.Advance(outbox.KeepLife + time.Second)
		if n, err := w.Sweep(t.Context()); n != 1 || err != nil {
			t.Errorf("swept %d, %v", n, err)
		}
	})
}

func TestWorker_messageWhoseOwnerDiedIsTakenByAnother(t *testing.T) {
	each(t, func(t *testing.T, p *post) {
		p.add("1")
		dead := p.worker()
		hang := make(chan struct{})
		reached := make(chan struct{})
		dead.Send = func(context.Context, outbox.Message) outbox.Outcome {
			close(reached)
			<-hang
			return outbox.Outcome{Text: "too late"}
		}
		if _, err := dead.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-reached
		w := p.worker()
		if got := p.run(w); len(got) != 0 {
			t.Errorf("leased: got %v", got)
		}
		p.clock.Advance(time.Minute)
		if got := p.run(w); !slices.Equal(got, []string{"1/1"}) {
			t.Errorf("after the lease: got %v", got)
		}
		close(hang)
		dead.Wait()
		if m := p.messages()[0]; m.Status != outbox.Delivered {
			t.Errorf("who lost the lease wrote %+v", m)
		}
	})
}

func TestWorker_manyWorkersSendEachMessageOnce(t *testing.T) {
	each(t, func(t *testing.T, p *post) {
		const messages = 40
		for i := range messages {
			p.add(fmt.Sprint(i % 5))
		}
		var group sync.WaitGroup
		for range 6 {
			w := p.worker()
			group.Go(func() {
				if err := w.RunOnce(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if err := p.worker().RunOnce(t.Context()); err != nil { // what one left because another held the key
			t.Fatal(err)
		}
		last := map[string]int{}
		for _, s := range p.sent {
			var key string
			var n int
			if _, err := fmt.Sscanf(s, "%1s/%d", &key, &n); err != nil {
				t.Fatal(err)
			}
			if n != last[key]+1 {
				t.Errorf("key %s: %d after %d", key, n, last[key])
			}
			last[key] = n
		}
		if len(p.sent) != messages {
			t.Errorf("sent %d, want %d", len(p.sent), messages)
		}
	})
}

func TestWorker_slowLanesDelayNoOther(t *testing.T) {
	each(t, func(t *testing.T, p *post) {
		const slow = 300
		for i := range slow {
			lane := fmt.Sprintf("a-slow-%03d", i)
			p.addTo(lane, "first "+lane)
			p.addTo(lane, "second "+lane) // is due while the first is being sent
		}
		hang := make(chan struct{})
		reached := make(chan string, 2*slow)
		w := p.worker()
		w.Send = func(_ context.Context, m outbox.Message) outbox.Outcome {
			if m.Lane == "good" {
				p.mu.Lock()
				p.sent = append(p.sent, m.Lane)
				p.mu.Unlock()
				return outbox.Outcome{Delivered: true}
			}
			reached <- m.Lane
			<-hang
			return outbox.Outcome{Text: "no answer in time"}
		}
		if n, err := w.Start(t.Context()); err != nil || n != slow {
			t.Fatalf("started %d lanes, %v", n, err)
		}
		for range slow {
			<-reached
		}
		p.addTo("good", "1")
		if n, err := w.Start(t.Context()); err != nil || n != 1 {
			t.Errorf("started %d more lanes, %v; want the good one", n, err)
		}
		for begin := time.Now(); time.Since(begin) < time.Minute; {
			p.mu.Lock()
			sent := len(p.sent)
			p.mu.Unlock()
			if sent == 1 {
				break
			}
			runtime.Gosched()
		}
		if !slices.Equal(p.sent, []string{"good"}) {
			t.Errorf("sent %v", p.sent)
		}
		close(hang)
		w.Wait()
	})
}

func TestWorker_consumedMessageIsGoneWithItsEffect(t *testing.T) {
	each(t, func(t *testing.T, p *post) {
		p.add("1")
		broken := true
		w := p.worker()
		w.Send = nil
		w.Consume = func(ctx context.Context, tx db.Tx, m outbox.Message) error {
			next := m
			next.Topic, next.Lane = "next", "there"
			next.ID = outbox.Message{}.ID
			if err := outbox.Put(ctx, tx, next, p.clock.Now()); err != nil {
				return err
			}
			if broken {
				return errors.New("broken")
			}
			return nil
		}
		next := func() int {
			n, _, err := (&outbox.Worker{DB: p.db, Clock: p.clock, Topic: "next"}).Depth(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		p.run(w)
		if n, m := next(), p.messages(); n != 0 || len(m) != 1 || m[0].Attempts != 1 {
			t.Errorf("broken: %d follow, %+v waits", n, m)
		}
		broken = false
		p.clock.Advance(time.Second)
		p.run(w)
		if n, m := next(), p.messages(); n != 1 || len(m) != 0 {
			t.Errorf("%d follow, %d wait", n, len(m))
		}
	})
}

func TestWorker_claimLooksAtFewMessagesHoweverManyWait(t *testing.T) {
	each(t, func(t *testing.T, p *post) {
		if p.db.Engine() != db.Postgres {
			t.Skip("SQLite does not count what it looks at")
		}
		err := p.db.InTx(t.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(t.Context(), `ANALYZE outbox_message`) // what it knows is that there are none
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 300 {
			p.add(fmt.Sprint(i))
		}
		var looked int
		err = p.db.InTx(t.Context(), func(tx db.Tx) error {
			now := p.clock.Now()
			_, found, err := outbox.Claim(t.Context(), tx, topic, "lane", "me", now, now.Add(time.Minute))
			if err != nil || !found {
				return fmt.Errorf("claimed: %v, %w", found, err)
			}
			lanes, err := outbox.DueLanes(t.Context(), tx, topic, "", now)
			if err != nil || !slices.Equal(lanes, []string{"lane"}) {
				return fmt.Errorf("lanes %v, %w", lanes, err)
			}
			return tx.QueryRow(t.Context(), `SELECT COALESCE(idx_tup_fetch, 0) + seq_tup_read FROM pg_stat_xact_user_tables
				WHERE relname = 'outbox_message'`).Scan(&looked)
		})
		if err != nil {
			t.Fatal(err)
		}
		if looked > 50 {
			t.Errorf("looked at %d rows to claim one of 300", looked)
		}
	})
}
