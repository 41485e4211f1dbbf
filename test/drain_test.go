package test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// server is a running "sarraf serve".
type server struct {
	command      *exec.Cmd
	log          bytes.Buffer
	api, network string
	ended        chan error
}

// freeAddr is an address that nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	addr, err := unusedAddr()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// addrsGiven are what unusedAddr has returned.
var addrsGiven sync.Map

// unusedAddr is an address that nobody listens on, and another one each time: the
// system may name a port again once nobody listens there.
func unusedAddr() (string, error) {
	for {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		addr := l.Addr().String()
		if err := l.Close(); err != nil {
			return "", err
		}
		if _, given := addrsGiven.LoadOrStore(addr, true); !given {
			return addr, nil
		}
	}
}

// serve starts the binary on a data directory and waits until it is ready.
func serve(t *testing.T, dir string, args ...string) *server {
	t.Helper()
	s := &server{api: freeAddr(t), network: freeAddr(t), ended: make(chan error, 1)}
	args = append([]string{"serve", "--data", dir, "--http-addr", s.api, "--network-addr", s.network}, args...)
	s.command = exec.Command(binary, args...)
	s.command.Stderr = &s.log
	if err := s.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { s.ended <- s.command.Wait() }()
	t.Cleanup(func() { s.command.Process.Kill() })
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 1000 {
		if resp, err := http.Get("http://" + s.api + "/readyz"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return s
			}
		}
		select {
		case err := <-s.ended:
			t.Fatalf("serve ended: %v\n%s", err, s.log.String())
		case <-tick.C:
		}
	}
	t.Fatalf("serve does not get ready:\n%s", s.log.String())
	return nil
}

// stranger is a card of no BIN we know, at a terminal.
func stranger(t *testing.T) (*sim.Terminal, *sim.Card) {
	t.Helper()
	acquirer, err := sim.NewAcquirer("410627", clock.System{}, sim.Random(0))
	if err != nil {
		t.Fatal(err)
	}
	card, err := sim.ParseCard([]byte(`{"cardNo":"9792060000000017","expireYear":2035,"expireMonth":4,"cvv2":"321","cvv":"123",
		"icvv":"789","serviceCode":"201","track2":"9792060000000017=3504201112312300000","psn":"01","cvn":"12","dki":"01",
		"iccMasterKey":"9E15204313F7318ACB79B90BD986AD29","zpk":"00112233445566778899AABBCCDDEEFF"}`))
	if err != nil {
		t.Fatal(err)
	}
	return &sim.Terminal{
		Acquirer: acquirer, ID: "TERM0001", Merchant: "MERCHANT0000001", Name: "Shop", City: "Istanbul",
		Country: country.Must("TR"), MCC: "5411", Zone: time.UTC, Type: 0x22,
	}, card
}

func TestServe_drainsOnSIGTERM(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, dir)
	term, card := stranger(t)
	const links = 4
	var answered atomic.Int64
	var unanswered sync.Map
	var running sync.WaitGroup
	warm := make(chan struct{}, links)
	for range links {
		link, err := sim.Dial(t.Context(), s.network, sim.LinkOptions{Dialect: term.Acquirer.Dialect, Timeout: 15 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer link.Close()
		running.Go(func() {
			for n := 0; ; n++ {
				r, err := term.Use(card, sim.Payment{Amount: money.Must(100, "TRY"), Entry: sim.Chip})
				if err != nil {
					t.Error(err)
					return
				}
				answer, _, err := link.Ask(context.Background(), r.Message)
				if err != nil {
					// The link is gone: this message may have been accepted or not.
					unanswered.Store(r.Message, true)
					return
				}
				if code := answer.Text(iso8583.ResponseCode); code != "14" && code != "15" {
					t.Errorf("got %s for a card nobody knows", code)
				}
				answered.Add(1)
				if n == 5 {
					warm <- struct{}{}
				}
			}
		})
	}
	for range links {
		<-warm
	}
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	running.Wait()
	select {
	case err := <-s.ended:
		if err != nil {
			t.Fatalf("serve ended with %v\n%s", err, s.log.String())
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("serve does not end\n%s", s.log.String())
	}
	for _, want := range []string{"msg=draining", "msg=ended"} {
		if !strings.Contains(s.log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, s.log.String())
		}
	}
	if answered.Load() == 0 {
		t.Error("nothing was answered")
	}

	// Whoever got no answer repeats, and gets one.
	s = serve(t, dir)
	link, err := sim.Dial(t.Context(), s.network, sim.LinkOptions{Dialect: term.Acquirer.Dialect})
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close()
	unanswered.Range(func(m, _ any) bool {
		if _, _, err := link.Ask(t.Context(), sim.Repeat(m.(*iso8583.Message))); err != nil {
			t.Errorf("the repeat: %v", err)
		}
		return true
	})
}

func TestServe_secondSignalEndsItAtOnce(t *testing.T) {
	s := serve(t, t.TempDir(), "--drain-timeout", "5m")
	// A request whose body does not come keeps the drain waiting.
	conn, err := net.Dial("tcp", s.api)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("POST /api/v1/auth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	// It is being worked on when the page of metrics sees it beside itself.
	for inFlight := ""; !strings.Contains(inFlight, "sarraf_api_requests_in_flight 2"); <-tick.C {
		resp, err := http.Get("http://" + s.api + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		inFlight = string(page)
	}
	watch := clock.StartStopwatch()
	for {
		if err := s.command.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-s.ended:
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
				t.Fatalf("serve ended with %v\n%s", err, s.log.String())
			}
			if watch.Elapsed() > 15*time.Second {
				t.Errorf("it took %v", watch.Elapsed())
			}
			return
		case <-tick.C:
		}
	}
}
