package network

import (
	"errors"
	"strings"
	"time"
)

// Config describes one link. The zero value of a member is its default.
type Config struct {
	// Name identifies the link in message keys; it must not change over the
	// life of a database. It holds neither '/', as the names do that [Server.Open]
	// is given, nor '|'. Default "generic".
	Name string
	// Addr is where the link listens, host:port. Default "127.0.0.1:8583".
	Addr string
	// Dialect names the message format. Default "generic".
	Dialect string
	// InFlightMax bounds the requests of one connection that are worked on or wait
	// for it. What comes on top is answered 91. Reversals and advices may be as
	// many again. Default 1024.
	InFlightMax int
	// InFlightTotal is the same for all connections together. Messages that wait for
	// the system of a tenant count in neither. Default 8192.
	InFlightTotal int
	// ConnectionsMax bounds the connections. Default 1024.
	ConnectionsMax int
	// IdleTimeout ends a connection on which nothing came for so long: two
	// echo intervals. Default 5 minutes.
	IdleTimeout time.Duration
	// StallTimeout ends a connection that stops inside a frame, or that does
	// not take what it is sent. Default 10 seconds.
	StallTimeout time.Duration
}

func (c Config) withDefaults() Config {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	if c.Name == "" {
		c.Name = "generic"
	}
	if c.Addr == "" {
		c.Addr = "127.0.0.1:8583"
	}
	if c.Dialect == "" {
		c.Dialect = "generic"
	}
	if c.InFlightMax == 0 {
		c.InFlightMax = 1024
	}
	if c.InFlightTotal == 0 {
		c.InFlightTotal = 8192
	}
	if c.ConnectionsMax == 0 {
		c.ConnectionsMax = 1024
	}
	def(&c.IdleTimeout, 5*time.Minute)
	def(&c.StallTimeout, 10*time.Second)
	return c
}

// Check reports what is wrong with c.
func (c Config) Check() error {
	c = c.withDefaults()
	switch {
	case strings.ContainsAny(c.Name, "/|"):
		return errors.New("network: the name of a link must hold neither / nor |")
	case c.InFlightMax < 1, c.InFlightTotal < 1, c.ConnectionsMax < 1:
		return errors.New("network: the bounds must be above zero")
	case c.StallTimeout < 0, c.IdleTimeout < 0:
		return errors.New("network: a time-out must not be negative")
	case c.StallTimeout >= c.IdleTimeout:
		return errors.New("network: stall_timeout must be shorter than idle_timeout")
	}
	return nil
}
