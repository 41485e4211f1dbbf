package network

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

func reversalOf(m *iso8583.Message, stan string) *iso8583.Message {
	r := purchase(stan)
	r.MTI = 0x0420
	r.SetText(90, "0100"+m.Text(11)+m.Text(7)+"00000700001"+"00000000000")
	return r
}

// codes are the response codes of the next n answers, which may come together.
func (l *link) codes(c net.Conn, n int) (codes []string) {
	l.t.Helper()
	r := iso8583.NewReader(c, l.dialect.Framing(), 8192)
	for range n {
		c.SetReadDeadline(time.Now().Add(5 * time.Second))
		body, err := r.Next()
		if err != nil {
			l.t.Fatalf("no answer: %v", err)
		}
		m := &iso8583.Message{}
		if err := l.dialect.Parse(m, body); err != nil {
			l.t.Fatal(err)
		}
		codes = append(codes, m.Text(39))
	}
	return codes
}

func echo() *iso8583.Message {
	m := &iso8583.Message{MTI: 0x0800}
	m.SetText(7, "1121090000")
	m.SetText(11, "000009")
	m.SetText(70, "301")
	return m
}

// held is a core in which messages stay until they are let go.
func held(entered chan<- string, release <-chan struct{}) core {
	return func(r *authorization.Request) (authorization.Answer, error) {
		entered <- r.STAN
		<-release
		return approve(r)
	}
}

func TestServe_aFullConnectionIsAnsweredAtOnce(t *testing.T) {
	for name, cfg := range map[string]Config{"connection": {InFlightMax: 2}, "total": {InFlightTotal: 2}} {
		t.Run(name, func(t *testing.T) {
			entered, release := make(chan string, 8), make(chan struct{})
			l := start(t, cfg, held(entered, release))
			c := l.dial()
			for _, stan := range []string{"000001", "000002"} {
				c.Write(l.frame(purchase(stan)))
				<-entered
			}
			for i := range 50 { // on top
				c.Write(l.frame(purchase(fmt.Sprintf("1%05d", i))))
				if a := l.read(c); a.Text(39) != "91" {
					t.Fatalf("got %s, want 91 at once", a.Text(39))
				}
			}
			c.Write(l.frame(echo()))
			if a := l.read(c); a.MTI != 0x0810 || a.Text(39) != "00" {
				t.Errorf("the echo got %s %s", a.MTI, a.Text(39))
			}
			c.Write(l.frame(reversalOf(purchase("000001"), "000003")))
			if stan := <-entered; stan != "000003" {
				t.Errorf("%s came in, want the reversal", stan)
			}
			close(release)
			for _, code := range l.codes(c, 3) {
				if code != "00" {
					t.Errorf("what was in flight got %s", code)
				}
			}
			// Its answer left before its place was free.
			for tries := 0; ; tries++ {
				c.Write(l.frame(purchase(fmt.Sprintf("2%05d", tries))))
				if a := l.read(c); a.Text(39) == "00" {
					break
				} else if tries == 100 {
					t.Fatalf("afterwards: %s", a.Text(39))
				}
				time.Sleep(time.Millisecond)
			}
			if n := l.counts.shed.Load(); n < 50 {
				t.Errorf("%d were counted as refused", n)
			}
			if n := strings.Count(l.log.String(), "load shed"); n < 1 || n > 2 {
				t.Errorf("%d lines were logged in a moment", n)
			}
		})
	}
}

// asking is a core whose messages are set aside at once, as those whose client is
// asked.
type asking struct {
	entered chan struct{}
	release chan struct{}
}

func (a asking) Authorize(ctx context.Context, r *authorization.Request) (authorization.Answer, error) {
	authorization.SetAside(ctx)
	a.entered <- struct{}{}
	<-a.release
	return approve(r)
}

func TestServe_whatWaitsForAClientTakesNobodysPlace(t *testing.T) {
	core := asking{make(chan struct{}), make(chan struct{})}
	l := start(t, Config{InFlightMax: 2, InFlightTotal: 2}, core)
	c := l.dial()
	for i := range 20 {
		c.Write(l.frame(purchase(fmt.Sprintf("%06d", i))))
		<-core.entered
	}
	if n := l.flying.Load(); n != 0 {
		t.Errorf("%d are in flight", n)
	}
	close(core.release)
	for _, code := range l.codes(c, 20) {
		if code != "00" {
			t.Errorf("got %s", code)
		}
	}
}
