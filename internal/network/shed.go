package network

import (
	"sync"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// overloaded is the reason of an answer to a message that nothing is done about.
// It is in the tables of response codes what a client that does not answer is: try
// again.
const overloaded = "ClientTimeout"

// Why a message was refused, for metrics.
const (
	shedConnection = "connection" // too many of its connection are in flight
	shedTotal      = "total"      // too many of all
)

const classReversal = 4

// kindOf is what metrics call a message about a card.
func kindOf(t iso8583.MTI) string {
	switch {
	case t.Class() == classReversal:
		return "reversal"
	case t.IsAdvice():
		return "advice"
	}
	return "request"
}

// takeOff counts a message in flight, or says why it must not be. What carries a
// fact finds room where requests find none.
func (c *connection) takeOff(t iso8583.MTI) (why string) {
	most, total := int64(c.cfg.InFlightMax), int64(c.cfg.InFlightTotal)
	if kindOf(t) != "request" {
		most, total = 2*most, 2*total
	}
	switch {
	case c.flying.Load() >= most: // only its reader adds to it
		return shedConnection
	case c.Server.flying.Add(1) > total:
		c.Server.flying.Add(-1)
		return shedTotal
	}
	c.flying.Add(1)
	return ""
}

func (c *connection) land() {
	c.flying.Add(-1)
	c.Server.flying.Add(-1)
}

// shedding tells the log once a second at most.
type shedding struct {
	mu     sync.Mutex
	told   clock.Stopwatch
	untold int
}

// shed notes a message that is refused.
func (c *connection) shed(t iso8583.MTI, why string) {
	c.observe.Shed(kindOf(t), why)
	s := &c.shedding
	s.mu.Lock()
	defer s.mu.Unlock()
	s.untold++
	if first := s.told == (clock.Stopwatch{}); first || s.told.Elapsed() >= time.Second {
		c.log.Warn("load shed", "messages", s.untold, "why", why, "link", c.link, "in_flight", c.Server.flying.Load())
		s.told, s.untold = clock.StartStopwatch(), 0
	}
}
