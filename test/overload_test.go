package test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// holdWriter keeps what every payment writes from being written, from outside of
// the process, until release is called.
func holdWriter(t *testing.T, flags []string) (release func()) {
	t.Helper()
	d, err := db.Open(t.Context(), flags[len(flags)-1], db.Options{MustExist: true})
	if err != nil {
		t.Fatal(err)
	}
	held, over, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- d.InTx(context.Background(), func(tx db.Tx) error {
			if d.Engine() == db.Postgres {
				if _, err := tx.Exec(context.Background(), "LOCK TABLE account IN EXCLUSIVE MODE"); err != nil {
					return err
				}
			}
			close(held)
			<-over
			return nil
		})
	}()
	select {
	case <-held:
	case err := <-ended:
		t.Fatal(err)
	}
	return sync.OnceFunc(func() {
		close(over)
		if err := errors.Join(<-ended, d.Close()); err != nil {
			t.Error(err)
		}
	})
}

// measure is one number of the page of metrics.
func measure(t *testing.T, s *server, name string) float64 {
	t.Helper()
	return measured(t, metrics(t, s), name)
}

// metrics is the page of metrics at one moment.
func metrics(t *testing.T, s *server) string {
	t.Helper()
	resp, err := http.Get("http://" + s.api + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// measured is one number of such a page: the sum of all that are called so.
func measured(t *testing.T, page, name string) float64 {
	t.Helper()
	sum := 0.0
	for _, m := range regexp.MustCompile(`(?m)^`+name+`(?:\{[^}]*\})? (\S+)$`).FindAllStringSubmatch(page, -1) {
		n, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}

// TestOverload_isShedAtTheDoor floods a platform whose database stands still: who
// cannot be answered in time gets 91, mostly at once; an echo is answered all the
// while, memory stays where it was, and when the database goes on, so do payments.
func TestOverload_isShedAtTheDoor(t *testing.T) {
	const (
		within = 500 * time.Millisecond
		links  = 4
		each   = 100 // senders on each link
	)
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, append([]string{
			"--network-answer-within", within.String(), "--network-working-max", "64", "--network-waiting-max", "64",
		}, flags...)...)
		bank := openBank(t, s, flags)
		cards := issue(t, bank, 8)
		term := shop(t)
		var all []*sim.Link
		for range links {
			all = append(all, connect(t, s, term, 15*time.Second))
		}
		if code := pay(t, all[0], term, cards[0].Card, sim.Payment{Amount: lira(100), Entry: sim.Chip}); code != "00" {
			t.Fatalf("before it: %s", code)
		}
		heap := measure(t, s, "go_memstats_heap_inuse_bytes")
		release := holdWriter(t, flags)
		defer release()

		flood, stop := context.WithTimeout(t.Context(), 3*time.Second)
		defer stop()
		var mu sync.Mutex
		codes, atOnce, late := map[string]int{}, 0, 0
		var slowest time.Duration
		var running sync.WaitGroup
		for i := range links * each {
			running.Go(func() {
				for flood.Err() == nil {
					r, err := term.Use(cards[i%len(cards)].Card, sim.Payment{Amount: lira(100), Entry: sim.Chip})
					if err != nil {
						t.Error(err)
						return
					}
					answer, took, err := all[i%links].Ask(t.Context(), r.Message)
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					code := answer.Text(iso8583.ResponseCode)
					codes[code]++
					if code == "91" && took < within/2 {
						atOnce++
					}
					if took > within+time.Second {
						late++
					}
					slowest = max(slowest, took)
					mu.Unlock()
					time.Sleep(10 * time.Millisecond) // two cores for all of this
				}
			})
		}
		most := 0.0
		for n := 0; flood.Err() == nil; n++ {
			m := &iso8583.Message{MTI: iso8583.NetworkRequest}
			m.SetText(iso8583.TransmissionDateTime, "1121090000")
			m.SetText(iso8583.STAN, fmt.Sprintf("%06d", 900_000+n))
			m.SetText(iso8583.NetworkManagementCode, "301")
			answer, took, err := all[n%links].Ask(t.Context(), m)
			if err != nil || answer.Text(iso8583.ResponseCode) != "00" || took > time.Second {
				t.Errorf("the echo was answered %v after %v", err, took)
			}
			most = max(most, measure(t, s, "go_memstats_heap_inuse_bytes"))
			time.Sleep(100 * time.Millisecond)
		}
		release()
		watch := clock.StartStopwatch()
		for {
			code := pay(t, all[0], term, cards[0].Card, sim.Payment{Amount: lira(100), Entry: sim.Chip})
			if code == "00" {
				break
			}
			if code != "91" || watch.Elapsed() > 5*time.Second {
				t.Fatalf("%v after it: %s", watch.Elapsed(), code)
			}
			time.Sleep(20 * time.Millisecond)
		}
		running.Wait()
		t.Logf("%v, %d of them 91 at once, slowest %v, recovered after %v; heap %.0f MB, at most %.0f MB",
			codes, atOnce, slowest, watch.Elapsed(), heap/1e6, most/1e6)
		if codes["91"] == 0 || atOnce < codes["91"]/2 {
			t.Errorf("%d of %d 91s came at once", atOnce, codes["91"])
		}
		// What a commit had taken up when the database stood still has no answer before
		// that commit has its outcome: two groups at most.
		if late > 2*64 {
			t.Errorf("%d answers came late", late)
		}
		if most > heap+128e6 {
			t.Errorf("the heap grew from %.0f to %.0f MB", heap/1e6, most/1e6)
		}
		if n := measure(t, s, "sarraf_network_shed_total"); n == 0 {
			t.Error("no metric tells of it")
		}
		if lines := strings.Count(s.log.String(), "load shed"); lines == 0 || lines > 10 {
			t.Errorf("%d lines were logged in about four seconds", lines)
		}
		run(t, append([]string{"verify"}, flags...)...)
	})
}
