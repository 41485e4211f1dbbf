package network

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// Authorizer answers messages about cards. It is authorization.Engine.
type Authorizer interface {
	Authorize(ctx context.Context, req *authorization.Request) (authorization.Answer, error)
}

// Observer is told what happens on the link, for metrics. Its methods must be
// fast and safe for concurrent use.
type Observer interface {
	// Connections reports how many connections there are now.
	Connections(n int)
	// Answered reports one message answered; took starts at its receipt.
	Answered(mti, responseCode string, took clock.Stopwatch)
	// Packed reports how long it took to make the bytes of an answer to a message
	// about a card.
	Packed(took time.Duration)
	// Shed reports a message that was refused since too many are in flight.
	Shed(message, why string)
}

// Server serves one link.
type Server struct {
	cfg     Config
	dialect *iso8583.Dialect
	core    Authorizer
	clock   clock.Clock
	log     *slog.Logger
	observe Observer

	listener net.Listener
	messages sync.Pool // of *iso8583.Message
	mu       sync.Mutex
	open     map[*connection]bool
	peers    int // of open: those that came over the listener
	draining bool
	running  sync.WaitGroup // connections
	flying   atomic.Int64   // messages of all connections
	shedding shedding
}

// Listen opens the link's port. Serve answers on it.
func Listen(cfg Config, core Authorizer, c clock.Clock, log *slog.Logger, o Observer) (*Server, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	d, err := iso8583.LoadDialect(cfg.Dialect)
	if err != nil {
		return nil, fmt.Errorf("load dialect: %w", err)
	}
	l, err := net.Listen("tcp", cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("listen for ISO 8583: %w", err)
	}
	return &Server{
		cfg: cfg, dialect: d, core: core, clock: c, log: log, observe: o, listener: l, open: map[*connection]bool{},
		messages: sync.Pool{New: func() any { return new(iso8583.Message) }},
	}, nil
}

// Addr is where the link listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Serve accepts connections until Shutdown. It returns nil then, and the
// listener's error otherwise.
func (s *Server) Serve(ctx context.Context) error {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			s.mu.Lock()
			draining := s.draining
			s.mu.Unlock()
			if draining {
				return nil
			}
			if temporary(err) {
				s.log.Warn("accept", "error", err)
				pause := time.NewTimer(50 * time.Millisecond)
				<-pause.C
				continue
			}
			return fmt.Errorf("accept: %w", err)
		}
		s.admit(ctx, conn)
	}
}

// temporary says that the listener itself is fine: the process ran out of file
// descriptors, or the peer was gone before it was accepted.
func temporary(err error) bool {
	var e net.Error
	return !errors.Is(err, net.ErrClosed) && errors.As(err, &e)
}

func (s *Server) admit(ctx context.Context, conn net.Conn) {
	c := s.newConnection(conn, s.cfg.Name, s.cfg.Name)
	s.mu.Lock()
	if s.draining || s.peers >= s.cfg.ConnectionsMax {
		s.mu.Unlock()
		s.log.Warn("connection refused", "peer", conn.RemoteAddr().String(), "draining", s.draining)
		conn.Close()
		return
	}
	s.open[c] = true
	s.peers++
	n := s.peers
	s.running.Add(1)
	s.mu.Unlock()
	s.observe.Connections(n)
	go func() {
		defer s.running.Done()
		c.run(context.WithoutCancel(ctx))
		s.mu.Lock()
		delete(s.open, c)
		s.peers--
		n := s.peers
		s.mu.Unlock()
		s.observe.Connections(n)
	}()
}

// ErrNotServing says that a server takes no connection any more.
var ErrNotServing = errors.New("network: the server is draining")

// Open connects somebody inside the process, whose messages have a link name of
// their own: they can have the key of no message that comes over the listener.
// originals is the link of the messages that his reversals name. He counts in no
// bound; he closes what he gets. It returns [ErrNotServing] after Shutdown.
func (s *Server) Open(ctx context.Context, link, originals string) (net.Conn, error) {
	near, far := net.Pipe()
	c := s.newConnection(far, link, originals)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return nil, ErrNotServing
	}
	s.open[c] = true
	s.running.Go(func() {
		c.run(context.WithoutCancel(ctx))
		s.mu.Lock()
		delete(s.open, c)
		s.mu.Unlock()
	})
	return near, nil
}

func (s *Server) newConnection(conn net.Conn, link, originals string) *connection {
	return &connection{
		Server: s, conn: conn, link: link, originals: originals, out: make(chan []byte, 64),
	}
}

// Shutdown stops accepting connections and messages, waits until every message
// that was accepted is answered, and ends the connections. When ctx ends first,
// it cuts them and returns the context's error.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.draining = true
	err := s.listener.Close()
	for c := range s.open {
		c.stopReading()
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		s.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return err
	case <-ctx.Done():
		s.mu.Lock()
		for c := range s.open {
			c.conn.Close()
		}
		s.mu.Unlock()
		<-done
		return errors.Join(err, ctx.Err())
	}
}

// connection is one peer.
type connection struct {
	*Server
	conn      net.Conn
	link      string       // of its messages
	originals string       // link of those that its reversals name
	flying    atomic.Int64 // messages in flight
	out       chan []byte  // frames to write
	working   sync.WaitGroup
}

func (c *connection) run(ctx context.Context) {
	written := make(chan struct{})
	go func() {
		defer close(written)
		c.write()
	}()
	err := c.read(ctx)
	c.working.Wait() // all that was accepted is answered
	close(c.out)
	<-written
	c.conn.Close()
	if !errors.Is(err, io.EOF) && !errors.Is(err, errStopped) {
		c.log.Warn("link connection ended", "link", c.link, "peer", c.conn.RemoteAddr().String(), "error", err)
	}
}

var (
	errStopped = errors.New("stopped reading")
	errIdle    = errors.New("nothing came for longer than idle_timeout")
	errStalled = errors.New("a frame was not finished within stall_timeout")
)

// now is the machine's time: deadlines of sockets know no virtual clock.
func now() time.Time { return clock.System{}.Now() }

// stopReading makes read return; what was accepted goes on.
func (c *connection) stopReading() { c.conn.SetReadDeadline(time.Unix(1, 0)) }

func (c *connection) stopped() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.draining
}

// read accepts frames until it cannot; the error says why, and is never nil.
func (c *connection) read(ctx context.Context) error {
	r := iso8583.NewReader(c.conn, c.dialect.Framing(), c.dialect.BodyMax())
	// A frame has its time from its first byte on, however long the peer was idle.
	within := func(d time.Duration, late error, read func() error) error {
		c.conn.SetReadDeadline(now().Add(d))
		if c.stopped() { // after the deadline was set: stopReading must win
			return errStopped
		}
		err := read()
		if timeout, ok := errors.AsType[net.Error](err); !ok || !timeout.Timeout() {
			return err
		}
		if c.stopped() {
			return errStopped
		}
		return late
	}
	for {
		if !r.Pending() {
			if err := within(c.cfg.IdleTimeout, errIdle, r.Await); err != nil {
				return err
			}
		}
		var body []byte
		err := within(c.cfg.StallTimeout, errStalled, func() (err error) {
			body, err = r.Next()
			return err
		})
		if err != nil {
			return err
		}
		if len(body) == 0 {
			continue // keep-alive
		}
		c.accept(ctx, body, clock.StartStopwatch())
	}
}

// accept answers one message, or hands it to a goroutine of its own when it is
// about a card and there is room. The body is parsed before it returns, since the
// reader will reuse it.
func (c *connection) accept(ctx context.Context, body []byte, watch clock.Stopwatch) {
	m := c.messages.Get().(*iso8583.Message)
	parseErr := c.dialect.Parse(m, body)
	clear(body) // card data stays no longer than needed
	if parseErr != nil || m.MTI.Class() == classNetworkManagement {
		// No work, so the reader does it himself: an echo is answered whatever else
		// there is to do.
		c.reply(m, watch, func(resp *iso8583.Message) (time.Duration, bool) {
			return c.answer(ctx, m, resp, parseErr, authorization.Times{})
		})
		return
	}
	if why := c.takeOff(m.MTI); why != "" {
		c.shed(m.MTI, why)
		c.reply(m, watch, func(resp *iso8583.Message) (time.Duration, bool) {
			return 0, c.refuse(m, resp, overloaded)
		})
		return
	}
	var times authorization.Times
	times[authorization.StageParse] = watch.Elapsed()
	land := sync.OnceFunc(c.land)
	c.working.Go(func() {
		defer land()
		times[authorization.StageQueue] = watch.Elapsed() - times[authorization.StageParse]
		c.reply(m, watch, func(resp *iso8583.Message) (time.Duration, bool) {
			return c.answer(authorization.WhenSetAside(ctx, land), m, resp, nil, times)
		})
	})
}

// reply sends what answer makes of m, which is forgotten after it.
func (c *connection) reply(m *iso8583.Message, watch clock.Stopwatch, answer func(resp *iso8583.Message) (packing time.Duration, answered bool)) {
	resp := c.messages.Get().(*iso8583.Message)
	defer func() {
		if p := recover(); p != nil {
			c.log.Error("message panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
		for _, done := range []*iso8583.Message{m, resp} {
			done.Reset()
			c.messages.Put(done)
		}
	}()
	packing, answered := answer(resp)
	if !answered {
		return
	}
	appending := clock.StartStopwatch()
	frame, err := c.frame(resp)
	if err != nil {
		c.log.Error("answer cannot be written", "mti", resp.MTI.String(), "error", err)
		return
	}
	if packing > 0 {
		c.observe.Packed(packing + appending.Elapsed())
	}
	c.observe.Answered(m.MTI.String(), resp.Text(iso8583.ResponseCode), watch)
	c.out <- frame
}

func (c *connection) frame(m *iso8583.Message) ([]byte, error) {
	body, err := c.dialect.Append(make([]byte, 0, 512), m)
	if err != nil {
		return nil, err
	}
	return c.dialect.Framing().Append(make([]byte, 0, len(body)+8), body)
}

// write sends frames until out is closed. A peer that does not take them in
// time is cut off; the rest is then dropped, since its decisions are durable
// and the peer will repeat.
func (c *connection) write() {
	broken := false
	for frame := range c.out {
		if broken {
			continue
		}
		c.conn.SetWriteDeadline(now().Add(c.cfg.StallTimeout))
		batch := net.Buffers{frame}
	more:
		for len(batch) < 64 {
			select {
			case f, ok := <-c.out:
				if !ok {
					break more
				}
				batch = append(batch, f)
			default:
				break more
			}
		}
		if _, err := batch.WriteTo(c.conn); err != nil {
			broken = true
			c.log.Warn("answer not delivered", "link", c.link, "peer", c.conn.RemoteAddr().String(), "error", err)
			c.conn.Close() // makes read return
		}
	}
}
