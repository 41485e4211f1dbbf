package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sarraf-platform/sarraf/internal/app"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// How long serve may take before it is given up.
const (
	serveReadyWithin = 5 * time.Minute
	serveEndWithin   = time.Minute
)

// serve starts this program as serve on the world, times it until it is ready, lets
// payments go through it, and reads how much memory it has.
func (g *growthWorld) serve(ctx context.Context, o GrowthOptions) (r GrowthServe, err error) {
	program, err := os.Executable()
	if err != nil {
		return r, err
	}
	if r.Binary, err = binaryMiB(program); err != nil {
		return r, err
	}
	c := g.config
	if err := listenAtUnused(ctx, &c); err != nil {
		return r, err
	}
	child, watch, err := startServe(program, c)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, child.end()) }()
	if err := child.await(ctx, "http://"+c.HTTP.Addr+"/readyz"); err != nil {
		return r, err
	}
	r.ReadySeconds = watch.Elapsed().Seconds()
	if r.Payments, err = g.payThrough(ctx, c, o); err != nil {
		return r, err
	}
	r.Memory, r.MemoryMost = memoryOf(child.Process.Pid)
	g.tell.say("serve was ready after %.3f s and has %.0f MiB after %d payments", r.ReadySeconds, r.Memory, r.Payments)
	return r, nil
}

// listenAtUnused gives c two addresses of this machine at which nobody listens.
func listenAtUnused(ctx context.Context, c *config.Config) error {
	for _, addr := range []*string{&c.HTTP.Addr, &c.Network.Addr} {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return fmt.Errorf("look for a free port: %w", err)
		}
		defer l.Close() // when both are known: they must be two
		*addr = l.Addr().String()
	}
	return nil
}

// served is serve as a process of its own.
type served struct {
	*exec.Cmd
	said  bytes.Buffer // what it wrote; to be read when it has ended
	ended chan struct{}
	err   error // how it ended
}

// startServe starts it with these settings, and none of our own surroundings.
func startServe(program string, c config.Config) (*served, clock.Stopwatch, error) {
	s := &served{Cmd: exec.Command(program, "serve"), ended: make(chan struct{})}
	for _, variable := range s.Environ() {
		if !strings.HasPrefix(variable, config.Prefix) {
			s.Env = append(s.Env, variable)
		}
	}
	s.Env = append(s.Env, // not on the command line, which others see: the address may hold a password
		config.Prefix+"DATA="+c.Data, config.Prefix+"DB="+c.DB, config.Prefix+"HTTP_ADDR="+c.HTTP.Addr,
		config.Prefix+"NETWORK_ADDR="+c.Network.Addr, config.Prefix+"NETWORK_FRAMING="+c.Network.Framing,
		config.Prefix+"LOG_LEVEL=warn", config.Prefix+"JOB_PERSO_INTERVAL=24h", // no bureau makes these cards
	)
	s.Stdout, s.Stderr = &s.said, &s.said
	watch := clock.StartStopwatch()
	if err := s.Start(); err != nil {
		return nil, watch, fmt.Errorf("start %s serve: %w", program, err)
	}
	go func() {
		s.err = s.Wait()
		close(s.ended)
	}()
	return s, watch, nil
}

// await returns when url answers 200.
func (s *served) await(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, serveReadyWithin)
	defer cancel()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if answer, err := http.DefaultClient.Do(r); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-s.ended:
			return fmt.Errorf("serve ended before it was ready: %w: %s", s.err, s.said.Bytes())
		case <-ctx.Done():
			return fmt.Errorf("serve was not ready: %w", ctx.Err())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// end asks it to end, and makes it end when it does not.
func (s *served) end() error {
	select {
	case <-s.ended:
		return fmt.Errorf("serve ended by itself: %w: %s", s.err, s.said.Bytes())
	default:
	}
	err := s.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
		return errors.Join(err, s.err)
	case <-time.After(serveEndWithin):
		return errors.Join(err, errors.New("serve did not end"), s.Process.Kill())
	}
}

// payThrough makes payments over the listener of serve for as long as one
// measurement takes, and returns how many were approved.
func (g *growthWorld) payThrough(ctx context.Context, c config.Config, o GrowthOptions) (int64, error) {
	framing, err := iso8583.ParseFraming(c.Network.Framing)
	if err != nil {
		return 0, err
	}
	w := &world{options: AuthorizeOptions{Connections: o.Connections}}
	for _, card := range g.cards {
		if card != nil {
			w.cards = append(w.cards, card)
		}
	}
	shuffle(w.cards)
	defer w.close()
	if w.acquirer, err = sim.NewAcquirer(strconv.Itoa(410627+fillAcquirer-1), clock.System{}, sim.Random(0)); err != nil {
		return 0, err
	}
	w.terminals = terminalsOf(w.acquirer, 100)
	for range o.Connections {
		link, err := sim.Dial(ctx, c.Network.Addr, sim.LinkOptions{Dialect: w.acquirer.Dialect, Framing: framing})
		if err != nil {
			return 0, err
		}
		w.links = append(w.links, link)
	}
	loading, stop := context.WithTimeout(ctx, o.WarmUp+o.Duration)
	defer stop()
	var counting atomic.Bool
	counting.Store(true)
	var paying sync.WaitGroup
	tallies, errs := make([]*tally, len(w.links)), make([]error, len(w.links))
	for i, link := range w.links {
		tallies[i] = newTally()
		paying.Go(func() { errs[i] = w.drive(loading, link, i, tallies[i], &counting) })
	}
	paying.Wait()
	if err := errors.Join(append(errs, ctx.Err())...); err != nil {
		return 0, err
	}
	var approved, all int64
	for _, t := range tallies {
		for _, n := range t.codes {
			all += n
		}
		approved, all = approved+t.codes["00"], all+t.unanswered
	}
	if approved != all || all == 0 {
		return approved, fmt.Errorf("%w: %d of %d payments were approved", app.ErrNotWell, approved, all)
	}
	return approved, nil
}

// memoryOf is how much of a process is in memory, now and at most, in MiB; zero where
// the system does not tell as Linux does.
func memoryOf(pid int) (now, most float64) {
	f, err := os.Open("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		kB, _ := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(value, "kB")), 64)
		switch name {
		case "VmRSS":
			now = kB / 1024
		case "VmHWM":
			most = kB / 1024
		}
	}
	return now, most
}
