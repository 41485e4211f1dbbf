package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// raise writes events of these keys in one transaction.
func (p *post) raise(keys ...string) {
	p.t.Helper()
	var events []outbox.Event
	for _, key := range keys {
		events = append(events, outbox.Event{Tenant: p.tenant, Name: "a.happened", Key: key, Payload: []byte("{}"), At: clock.RealNow(p.clock)})
	}
	if err := p.db.InTx(p.t.Context(), func(tx db.Tx) error { return outbox.Add(p.t.Context(), tx, events...) }); err != nil {
		p.t.Fatal(err)
	}
}

// relay keeps in sent what it gives on.
func (p *post) relay() *outbox.Relay {
	return &outbox.Relay{
		DB: p.db, Clock: p.clock, Log: slog.New(slog.DiscardHandler),
		Consume: func(ctx context.Context, tx db.Tx, events []outbox.Message) error {
			var sent []string
			for _, m := range events {
				if p.fail(m) {
					return errors.New("broken")
				}
				sent = append(sent, fmt.Sprintf("%s/%d", m.Key, m.Sequence))
			}
			db.AfterCommit(tx, func() {
				p.mu.Lock()
				defer p.mu.Unlock()
				p.sent = append(p.sent, sent...)
			})
			return nil
		},
	}
}

func (p *post) giveOn(r *outbox.Relay) []string {
	p.t.Helper()
	p.sent = nil
	if err := r.RunOnce(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	return p.sent
}

func (p *post) waiting() []outbox.WaitingEvent {
	p.t.Helper()
	var all []outbox.WaitingEvent
	err := p.db.View(p.t.Context(), func(tx db.Tx) (err error) {
		all, err = outbox.WaitingEvents(p.t.Context(), tx, p.tenant)
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return all
}

func TestAdd_isUndoneWithItsTransaction(t *testing.T) {
	each(t, func(t *testing.T, p *post) {
		broken := errors.New("broken")
		err := p.db.InTx(t.Context(), func(tx db.Tx) error {
			if err := outbox.Add(t.Context(), tx, outbox.Event{Tenant: p.tenant, Name: "a.happened", Key: "1", At: clock.RealNow(p.clock), Payload: []byte{}}); err != nil {
				return err
			}
			return broken
		})
		if !errors.Is(err, broken) || len(p.waiting()) != 0 {
			t.Errorf("got %v and %d events", err, len(p.waiting()))
		}
		p.raise("1")
		if got := p.giveOn(p.relay()); !slices.Equal(got, []string{"1/1"}) {
			t.Errorf("got %v: numbers have no gaps", got)
		}
	})
}

func TestRelay_numbersEachKeyInItsOrder(t *testing.T) {
	each(t, func(t *testing.T, p *post) {
		p.raise("a", "b", "a")
		p.raise("b", "a")
		if got, want := p.giveOn(p.relay()), []string{"a/1", "b/1", "a/2", "b/2", "a/3"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		p.raise("a")
		if got, want := p.giveOn(p.relay()), []string{"a/4"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if n := len(p.waiting()); n != 0 {
			t.Errorf("%d still wait", n)
		}
	})
}

func TestRelay_oneThatFailsHoldsUpItsKeyOnly(t *testing.T) {
	each(t, func(t *testing.T, p *post) {
		p.raise("good", "bad", "bad", "good")
		broken := true
		first := p.waiting()[1].ID
		p.fail = func(m outbox.Message) bool { return broken && m.EventID == first }
		r := p.relay()
		if got, want := p.giveOn(r), []string{"good/1", "good/2"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if got := p.giveOn(r); len(got) != 0 {
			t.Errorf("at once again: got %v", got)
		}
		p.clock.Advance(time.Second)
		if got := p.giveOn(r); len(got) != 0 || p.waiting()[0].Attempts != 2 {
			t.Errorf("after a second: got %v after %d attempts", got, p.waiting()[0].Attempts)
		}
		broken = false
		p.clock.Advance(4 * time.Second)
		if got, want := p.giveOn(r), []string{"bad/1", "bad/2"}; !slices.Equal(got, want) {
			t.Errorf("mended: got %v, want %v", got, want)
		}
	})
}

func TestRelay_givesUpAfterThreeDays(t *testing.T) {
	each(t, func(t *testing.T, p *post) {
		p.raise("bad")
		p.fail = func(outbox.Message) bool { return true }
		r := p.relay()
		for range 40 {
			p.giveOn(r)
			if len(p.waiting()) == 0 {
				return
			}
			p.clock.Advance(6 * time.Hour)
		}
		t.Errorf("it still waits: %+v", p.waiting())
	})
}

func TestRelay_severalGiveOnEachEventOnce(t *testing.T) {
	each(t, func(t *testing.T, p *post) {
		const events = 60
		var group sync.WaitGroup
		for w := range 3 {
			group.Go(func() {
				for range events / 3 {
					p.raise(fmt.Sprint(w))
				}
			})
			group.Go(func() {
				for range 5 {
					if err := p.relay().RunOnce(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		if err := p.relay().RunOnce(t.Context()); err != nil {
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
		if len(p.sent) != events {
			t.Errorf("gave on %d, want %d", len(p.sent), events)
		}
	})
}

// Transactions that wait for one another write events in the order in which
// they get through, whatever their clocks say.
func TestAdd_followsTheOrderOfLocks(t *testing.T) {
	each(t, func(t *testing.T, p *post) {
		begun, proceed := make(chan struct{}), make(chan struct{})
		var group sync.WaitGroup
		add := func(name string, at time.Time, before func()) {
			err := p.db.InTx(t.Context(), func(tx db.Tx) error {
				return outbox.ChangeInterest(t.Context(), tx, p.tenant, func() (outbox.Interest, error) {
					before()
					return nil, outbox.Add(t.Context(), tx, outbox.Event{Tenant: p.tenant, Name: name, Key: "1", At: clock.RealAt(at), Payload: []byte{}})
				})
			})
			if err != nil {
				t.Error(err)
			}
		}
		now := p.clock.Now()
		group.Go(func() { add("first", now.Add(time.Hour), func() { close(begun); <-proceed }) })
		<-begun
		group.Go(func() { add("second", now, func() {}) })
		close(proceed)
		group.Wait()
		all := p.waiting()
		if len(all) != 2 || all[0].Name != "first" || all[1].Name != "second" {
			t.Errorf("got %+v", all)
		}
	})
}

func TestInterests_tellWhatIsWanted(t *testing.T) {
	each(t, func(t *testing.T, p *post) {
		change := func(wanted ...string) {
			err := p.db.InTx(t.Context(), func(tx db.Tx) error {
				return outbox.ChangeInterest(t.Context(), tx, p.tenant, func() (outbox.Interest, error) { return wanted, nil })
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		wants := func(name string) bool {
			var all map[string]outbox.Interest
			err := p.db.View(t.Context(), func(tx db.Tx) (err error) {
				all, err = outbox.Interests(t.Context(), tx, []string{p.tenant})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return all[p.tenant].Wants(name)
		}
		if wants("card.created") {
			t.Error("wanted before anybody asked")
		}
		change("card.*", "fee.charged", "card.*")
		if !wants("card.created") || !wants("fee.charged") || wants("fee.failed") || wants("cards.created") {
			t.Error("the patterns are not what is wanted")
		}
		change("*")
		if !wants("fee.failed") {
			t.Error("* does not want everything")
		}
		change()
		if wants("card.created") {
			t.Error("wanted although nobody is left")
		}
	})
}

// What is found out about events is told with them, also about one that came
// while it was looked for; when it cannot be found out, they are told as they are.
func TestRelay_tellsWhatCompletesItsEvents(t *testing.T) {
	each(t, func(t *testing.T, p *post) {
		var told []string
		asked := 0
		r := p.relay()
		r.Consume = func(_ context.Context, tx db.Tx, events []outbox.Message) error {
			db.AfterCommit(tx, func() {
				for _, m := range events {
					told = append(told, m.Key+string(m.Payload))
				}
			})
			return nil
		}
		r.Complete = func(_ context.Context, events []outbox.WaitingEvent) (map[id.ID[outbox.Event]][]byte, error) {
			if asked++; asked == 1 {
				p.raise("late")
			}
			more := map[id.ID[outbox.Event]][]byte{}
			for _, e := range events {
				if e.Key != "plain" {
					more[e.ID] = []byte("!")
				}
			}
			return more, nil
		}
		p.raise("a", "plain")
		p.giveOn(r)
		if want := []string{"a!", "plain{}", "late!"}; !slices.Equal(told, want) {
			t.Errorf("got %v, want %v", told, want)
		}
		r.Complete = func(context.Context, []outbox.WaitingEvent) (map[id.ID[outbox.Event]][]byte, error) {
			return nil, errors.New("broken")
		}
		told = nil
		p.raise("b")
		if p.giveOn(r); !slices.Equal(told, []string{"b{}"}) {
			t.Errorf("got %v: an event waits for nothing", told)
		}
	})
}

// A relay that rests leaves the database to others after each transaction, unless
// what it gives on has waited for long.
func TestRelay_rests(t *testing.T) {
	each(t, func(t *testing.T, p *post) {
		give := func(events int, waited time.Duration) (took time.Duration) {
			t.Helper()
			keys := make([]string, events)
			for n := range keys {
				keys[n] = fmt.Sprint(n)
			}
			p.raise(keys...)
			p.clock.Advance(waited)
			r := p.relay()
			r.Rest = 1 << 30 // the longest
			begun := time.Now()
			if sent := p.giveOn(r); len(sent) != events {
				t.Errorf("%d events were given on, want %d", len(sent), events)
			}
			return time.Since(begun)
		}
		const most = 128 // in one transaction
		if took := give(32+most, 0); took < 2*time.Second {
			t.Errorf("it took %v: there was no rest of a second after each of two transactions", took)
		}
		if took := give(20*most, 6*time.Second); took >= 20*time.Second {
			t.Errorf("it took %v: there was a rest after each of twenty transactions although the events were late", took)
		}
	})
}

// What takes long, such as events that many hooks want, is given on in small
// transactions: on SQLite payments wait for each.
func TestRelay_takesFewWhereTheyTakeLong(t *testing.T) {
	each(t, func(t *testing.T, p *post) {
		keys := make([]string, 200)
		for n := range keys {
			keys[n] = fmt.Sprint(n)
		}
		p.raise(keys...)
		r := p.relay()
		give, sizes := r.Consume, []int{}
		r.Consume = func(ctx context.Context, tx db.Tx, events []outbox.Message) error {
			sizes = append(sizes, len(events))
			time.Sleep(15 * time.Millisecond)
			return give(ctx, tx, events)
		}
		if sent := p.giveOn(r); len(sent) != len(keys) {
			t.Errorf("%d events were given on, want %d", len(sent), len(keys))
		}
		if slices.Max(sizes) > 32 {
			t.Errorf("transactions of %v events", sizes)
		}
	})
}

// What one relay has read is held up when another one fails meanwhile with an earlier
// event of its key.
func TestRelay_failureOfAnotherHoldsUpWhatWasRead(t *testing.T) {
	each(t, func(t *testing.T, p *post) {
		p.raise("bad", "bad", "good")
		r := p.relay()
		asked := false
		r.Complete = func(context.Context, []outbox.WaitingEvent) (map[id.ID[outbox.Event]][]byte, error) {
			if !asked {
				asked = true
				p.fail = func(m outbox.Message) bool { return m.Key == "bad" }
				if got := p.giveOn(p.relay()); !slices.Equal(got, []string{"good/1"}) {
					t.Errorf("the other gave on %v", got)
				}
				p.fail = func(outbox.Message) bool { return false }
			}
			return nil, nil
		}
		if got := p.giveOn(r); !slices.Equal(got, []string{"good/1"}) { // by the other
			t.Errorf("got %v before the first of the key", got)
		}
		p.clock.Advance(5 * time.Second)
		if got, want := p.giveOn(r), []string{"bad/1", "bad/2"}; !slices.Equal(got, want) {
			t.Errorf("later: got %v, want %v", got, want)
		}
	})
}
