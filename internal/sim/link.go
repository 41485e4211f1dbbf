package sim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// ErrNoAnswer says that a message was sent and no answer came in time, or that
// the link broke first. Whether the message had an effect is not known: that
// is what repeats and reversals are for.
var ErrNoAnswer = errors.New("no answer")

// LinkOptions are how a link speaks.
type LinkOptions struct {
	Dialect *iso8583.Dialect
	Framing iso8583.Framing // default: Len2BE
	Timeout time.Duration   // how long an answer is waited for; default 25 s
}

// Link is a connection to the platform with any number of requests in flight.
// It is safe for concurrent use.
type Link struct {
	conn    net.Conn
	options LinkOptions

	writing sync.Mutex
	buf     []byte // frame being written, under writing

	mu      sync.Mutex
	waiting map[linkKey][]chan *iso8583.Message // oldest first
	broken  error

	late atomic.Int64
	done chan struct{}
}

// linkKey is what an answer shares with its request on one link.
type linkKey struct {
	answer iso8583.MTI
	stan   [6]byte
	sent   [10]byte
}

// Dial connects to the platform.
func Dial(ctx context.Context, addr string, o LinkOptions) (*Link, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("open link: %w", err)
	}
	return NewLink(conn, o), nil
}

// NewLink is a link over a connection, which it closes when it ends.
func NewLink(conn net.Conn, o LinkOptions) *Link {
	if o.Framing == 0 {
		o.Framing = iso8583.Len2BE
	}
	if o.Timeout == 0 {
		o.Timeout = 25 * time.Second
	}
	l := &Link{conn: conn, options: o, waiting: map[linkKey][]chan *iso8583.Message{}, done: make(chan struct{})}
	go l.read()
	return l
}

// Close ends the link. Requests in flight get [ErrNoAnswer]. To close one that
// has ended is no error.
func (l *Link) Close() error {
	err := l.conn.Close()
	<-l.done
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Done is closed when the link has ended, whoever ended it.
func (l *Link) Done() <-chan struct{} { return l.done }

// Late counts the answers that came when nobody waited for them any more.
func (l *Link) Late() int64 { return l.late.Load() }

// Ask sends m and waits for its answer. It returns how long that took. It
// returns [ErrNoAnswer] when the time of the link or of ctx is over first.
func (l *Link) Ask(ctx context.Context, m *iso8583.Message) (*iso8583.Message, time.Duration, error) {
	key := keyOf(m.MTI.Response(), m)
	answer := make(chan *iso8583.Message, 1)
	l.mu.Lock()
	if l.broken != nil {
		l.mu.Unlock()
		return nil, 0, fmt.Errorf("%w: %w", ErrNoAnswer, l.broken)
	}
	l.waiting[key] = append(l.waiting[key], answer)
	l.mu.Unlock()
	defer l.forget(key, answer)

	watch := clock.StartStopwatch()
	if err := l.Send(m); err != nil {
		return nil, 0, err
	}
	timer := time.NewTimer(l.options.Timeout)
	defer timer.Stop()
	select {
	case got := <-answer:
		return got, watch.Elapsed(), nil
	case <-timer.C:
		return nil, watch.Elapsed(), ErrNoAnswer
	case <-ctx.Done():
		return nil, watch.Elapsed(), fmt.Errorf("%w: %w", ErrNoAnswer, ctx.Err())
	case <-l.done:
		// The answer may have been the last thing that came.
		select {
		case got := <-answer:
			return got, watch.Elapsed(), nil
		default:
			return nil, watch.Elapsed(), fmt.Errorf("%w: %w", ErrNoAnswer, l.reason())
		}
	}
}

// Send writes m and waits for nothing. An answer to it will count as late. It
// returns [ErrNoAnswer] when the link has broken.
func (l *Link) Send(m *iso8583.Message) error {
	body, err := l.options.Dialect.Append(nil, m)
	if err != nil {
		return fmt.Errorf("write message: %w", err)
	}
	defer clear(body)
	l.writing.Lock()
	defer l.writing.Unlock()
	frame, err := l.options.Framing.Append(l.buf[:0], body)
	if err != nil {
		return fmt.Errorf("frame message: %w", err)
	}
	l.buf = frame
	_, err = l.conn.Write(frame)
	clear(frame)
	if err != nil {
		return fmt.Errorf("%w: send message: %w", ErrNoAnswer, err)
	}
	return nil
}

// read hands answers to those who wait for them until the link ends.
func (l *Link) read() {
	frames := iso8583.NewReader(l.conn, l.options.Framing, 8192)
	err := l.deliver(frames)
	l.mu.Lock()
	l.broken = err
	l.mu.Unlock()
	l.conn.Close()
	close(l.done)
}

func (l *Link) deliver(frames *iso8583.Reader) error {
	for {
		body, err := frames.Next()
		if err != nil {
			return err
		}
		if len(body) == 0 {
			continue // keep-alive
		}
		m := new(iso8583.Message)
		if err := l.options.Dialect.Parse(m, body); err != nil {
			return fmt.Errorf("read answer: %w", err)
		}
		key := keyOf(m.MTI, m)
		l.mu.Lock()
		queue := l.waiting[key]
		if len(queue) == 0 {
			l.late.Add(1)
		} else {
			queue[0] <- m // has room for the one answer it gets
			l.drop(key, queue[0])
		}
		l.mu.Unlock()
	}
}

func (l *Link) forget(key linkKey, answer chan *iso8583.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop(key, answer)
}

// drop takes one who waits out of the queue, if he is still in it.
func (l *Link) drop(key linkKey, answer chan *iso8583.Message) {
	queue := l.waiting[key]
	for i, w := range queue {
		if w != answer {
			continue
		}
		if len(queue) == 1 {
			delete(l.waiting, key)
			return
		}
		l.waiting[key] = append(queue[:i:i], queue[i+1:]...)
		return
	}
}

func (l *Link) reason() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.broken
}

func keyOf(answer iso8583.MTI, m *iso8583.Message) linkKey {
	k := linkKey{answer: answer}
	copy(k.stan[:], m.Bytes(iso8583.STAN))
	copy(k.sent[:], m.Bytes(iso8583.TransmissionDateTime))
	return k
}
