package network

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/wire/emv"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// core is a platform that answers as the test says.
type core func(*authorization.Request) (authorization.Answer, error)

func (c core) Authorize(_ context.Context, r *authorization.Request) (authorization.Answer, error) {
	return c(r)
}

func approve(r *authorization.Request) (authorization.Answer, error) {
	return authorization.Answer{Outcome: authorization.OutcomeApproved, ResponseCode: "00", AuthorizationCode: "A1B2C3", Approved: r.Amount}, nil
}

type counts struct{ connections, answered, packed, shed atomic.Int64 }

func (c *counts) Connections(n int)                        { c.connections.Store(int64(n)) }
func (c *counts) Answered(string, string, clock.Stopwatch) { c.answered.Add(1) }
func (c *counts) Packed(took time.Duration)                { c.packed.Add(1) }
func (c *counts) Shed(message, why string)                 { c.shed.Add(1) }

type link struct {
	*Server
	t      *testing.T
	log    *lockedBuffer
	counts *counts
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func start(t *testing.T, cfg Config, c Authorizer) *link {
	t.Helper()
	l := &link{t: t, log: &lockedBuffer{}, counts: &counts{}}
	cfg.Addr = "127.0.0.1:0"
	log := slog.New(slog.NewTextHandler(l.log, nil))
	s, err := Listen(cfg, c, clock.NewFake(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)), log, l.counts)
	if err != nil {
		t.Fatal(err)
	}
	l.Server = s
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(t.Context()) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		s.Shutdown(ctx)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l
}

func (l *link) dial() net.Conn {
	l.t.Helper()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { c.Close() })
	return c
}

// purchase is a 0100 with everything the dialect demands.
func purchase(stan string) *iso8583.Message {
	m := &iso8583.Message{MTI: 0x0100}
	for n, v := range map[int]string{
		2: "9792061234567897", 3: "000000", 4: "000000012550", 7: "1121085959", 11: stan, 12: "115959", 13: "1121", 14: "3111",
		18: "5411", 22: "012", 25: "00", 32: "700001", 37: "632508000001", 41: "TERM0001", 42: "SHOP00000000001", 49: "949",
	} {
		m.SetText(n, v)
	}
	return m
}

func (l *link) frame(m *iso8583.Message) []byte {
	l.t.Helper()
	body, err := l.dialect.Append(nil, m)
	if err != nil {
		l.t.Fatal(err)
	}
	f, err := l.dialect.Framing().Append(nil, body)
	if err != nil {
		l.t.Fatal(err)
	}
	return f
}

func (l *link) read(c net.Conn) *iso8583.Message {
	l.t.Helper()
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	body, err := iso8583.NewReader(c, l.dialect.Framing(), 8192).Next()
	if err != nil {
		l.t.Fatalf("no answer: %v", err)
	}
	m := &iso8583.Message{}
	if err := l.dialect.Parse(m, body); err != nil {
		l.t.Fatal(err)
	}
	return m
}

func TestServe_answersAPurchaseThatArrivesByteByByte(t *testing.T) {
	asked := make(chan *authorization.Request, 1)
	l := start(t, Config{}, core(func(r *authorization.Request) (authorization.Answer, error) {
		asked <- r
		return approve(r)
	}))
	c := l.dial()
	c.Write([]byte{0, 0}) // a keep-alive before it
	for _, b := range l.frame(purchase("000001")) {
		c.Write([]byte{b})
	}
	a := l.read(c)
	if a.MTI != 0x0110 || a.Text(39) != "00" || a.Text(38) != "A1B2C3" || a.Text(11) != "000001" || a.Text(37) != "632508000001" {
		t.Errorf("got %s %s %s", a.MTI, a.Text(39), a.Text(38))
	}
	got := <-asked
	if got.Amount != money.Must(12550, "TRY") || got.Card.PAN.Last4() != "7897" || got.Expiry != "3111" ||
		got.TransmittedAt != time.Date(2026, 11, 21, 8, 59, 59, 0, time.UTC) || got.AcquirerID != "700001" || got.MCC != "5411" {
		t.Errorf("got %+v", got.Details)
	}
	if key := got.Key().String(); key != "generic|10|20261121085959|000001|700001|" {
		t.Errorf("got key %q", key)
	}
}

// What is only kept is never a reason to refuse a message.
func TestServe_takesSettlementAsFarAsItCanBeRead(t *testing.T) {
	asked := make(chan *authorization.Request, 1)
	l := start(t, Config{}, core(func(r *authorization.Request) (authorization.Answer, error) {
		asked <- r
		return approve(r)
	}))
	c := l.dial()
	for currency, want := range map[string]money.Amount{"978": money.Must(275, "EUR"), "000": {}} {
		m := purchase("00" + currency + "1")
		for n, v := range map[int]string{5: "000000000275", 10: "61234567", 15: "1122", 16: "1121", 50: currency} {
			m.SetText(n, v)
		}
		c.Write(l.frame(m))
		if a := l.read(c); a.Text(39) != "00" {
			t.Errorf("%s: got %s", currency, a.Text(39))
			continue
		}
		got := <-asked
		if got.Settlement != want || got.ConversionRate != "61234567" || got.SettlementDate != "1122" || got.ConversionDate != "1121" {
			t.Errorf("%s: got %+v", currency, got.Details)
		}
	}
}

func TestServe_answersOutOfOrder(t *testing.T) {
	release := make(chan struct{})
	l := start(t, Config{}, core(func(r *authorization.Request) (authorization.Answer, error) {
		if r.STAN == "000001" {
			<-release
		}
		return approve(r)
	}))
	c := l.dial()
	c.Write(append(l.frame(purchase("000001")), l.frame(purchase("000002"))...))
	r := iso8583.NewReader(c, l.dialect.Framing(), 8192)
	for _, want := range []string{"000002", "000001"} {
		c.SetReadDeadline(time.Now().Add(5 * time.Second))
		body, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		m := &iso8583.Message{}
		l.dialect.Parse(m, body)
		if m.Text(11) != want {
			t.Errorf("got %s, want %s", m.Text(11), want)
		}
		if want == "000002" {
			close(release)
		}
	}
}

func TestServe_signsOnAndEchoes(t *testing.T) {
	l := start(t, Config{}, core(approve))
	c := l.dial()
	for _, code := range []string{"001", "301", "002", "999"} {
		m := &iso8583.Message{MTI: 0x0800}
		m.SetText(7, "1121090000")
		m.SetText(11, "000009")
		m.SetText(70, code)
		c.Write(l.frame(m))
		want := "00"
		if code == "999" {
			want = "40"
		}
		if a := l.read(c); a.MTI != 0x0810 || a.Text(39) != want || a.Text(70) != code {
			t.Errorf("%s: got %s %s %s", code, a.MTI, a.Text(39), a.Text(70))
		}
	}
}

func TestServe_refusesWhatItCannotUse(t *testing.T) {
	missing := purchase("000002")
	missing.Unset(49)
	unknown := purchase("000003")
	unknown.MTI = 0x0300
	currency := purchase("000004")
	currency.SetText(49, "000")
	month := purchase("000005")
	month.SetText(7, "1399090000")
	tracks := purchase("000006")
	tracks.SetText(35, "9792060000000009=31112010000000000")
	chip := purchase("000007")
	chip.Set(55, []byte{0x9F, 0x26, 0x08, 1})
	private := purchase("000008")
	private.SetText(48, "9205123")
	reversal := purchase("000009")
	reversal.MTI = 0x0400
	reversal.SetText(90, strings.Repeat("9", 42))
	for name, c := range map[string]struct {
		m    *iso8583.Message
		want string
	}{
		"a missing field":         {missing, "30"},
		"an unknown kind":         {unknown, "40"},
		"no such currency":        {currency, "30"},
		"no such time":            {month, "30"},
		"two card numbers":        {tracks, "30"},
		"broken chip data":        {chip, "30"},
		"broken private elements": {private, "30"},
		"an impossible original":  {reversal, "30"},
	} {
		t.Run(name, func(t *testing.T) {
			l := start(t, Config{}, core(func(*authorization.Request) (authorization.Answer, error) {
				t.Error("the core was asked")
				return authorization.Answer{}, errors.New("no")
			}))
			conn := l.dial()
			conn.Write(l.frame(c.m))
			if a := l.read(conn); a.Text(39) != c.want || a.Text(11) != c.m.Text(11) || a.MTI != c.m.MTI.Response() {
				t.Errorf("got %s %s %s, want %s", a.MTI, a.Text(11), a.Text(39), c.want)
			}
			if s := l.log.String(); strings.Contains(s, "979206123456") || strings.Contains(s, "97920600000") {
				t.Errorf("the log holds a card number: %s", s)
			}
		})
	}
}

func TestServe_answers91And96WhenThereIsNoDecision(t *testing.T) {
	for want, err := range map[string]error{
		"91": fault.New(fault.Unavailable, "hsm_unavailable", "later"),
		"96": errors.New("disk full"),
	} {
		l := start(t, Config{}, core(func(*authorization.Request) (authorization.Answer, error) { return authorization.Answer{}, err }))
		c := l.dial()
		c.Write(l.frame(purchase("000001")))
		if a := l.read(c); a.Text(39) != want {
			t.Errorf("got %s, want %s", a.Text(39), want)
		}
	}
}

func TestServe_aPanicCostsOneMessage(t *testing.T) {
	l := start(t, Config{}, core(func(r *authorization.Request) (authorization.Answer, error) {
		if r.STAN == "000001" {
			panic("broken invariant")
		}
		return approve(r)
	}))
	c := l.dial()
	c.Write(append(l.frame(purchase("000001")), l.frame(purchase("000002"))...))
	if a := l.read(c); a.Text(11) != "000002" {
		t.Errorf("got %s", a.Text(11))
	}
}

func TestServe_aGarbageLengthEndsTheConnection(t *testing.T) {
	l := start(t, Config{}, core(approve))
	c := l.dial()
	c.Write([]byte{0xFF, 0xFF, 1, 2, 3})
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !strings.Contains(err.Error(), "reset") {
		t.Errorf("got %v, want the connection closed", err)
	}
}

func TestServe_aStalledFrameEndsTheConnection(t *testing.T) {
	l := start(t, Config{StallTimeout: 50 * time.Millisecond, IdleTimeout: time.Minute}, core(approve))
	c := l.dial()
	c.Write(l.frame(purchase("000001"))[:20])
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection is still there: %v", err)
	}
}

func TestServe_aPeerThatDoesNotReadHarmsNobodyElse(t *testing.T) {
	l := start(t, Config{StallTimeout: 100 * time.Millisecond, IdleTimeout: time.Minute, InFlightMax: 64}, core(approve))
	slow := l.dial()
	stop := make(chan struct{})
	flooded := make(chan struct{})
	go func() {
		defer close(flooded)
		f := l.frame(purchase("000001"))
		for {
			select {
			case <-stop:
				return
			default:
				if _, err := slow.Write(f); err != nil {
					return // cut off, as it should be
				}
			}
		}
	}()
	c := l.dial()
	for range 20 {
		c.Write(l.frame(purchase("000002")))
		if a := l.read(c); a.Text(39) != "00" {
			t.Fatalf("got %s", a.Text(39))
		}
	}
	<-flooded
	close(stop)
}

func TestShutdown_answersWhatWasAccepted(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	l := start(t, Config{}, core(func(r *authorization.Request) (authorization.Answer, error) {
		close(entered)
		<-release
		return approve(r)
	}))
	c := l.dial()
	c.Write(l.frame(purchase("000001")))
	<-entered
	down := make(chan error, 1)
	go func() { down <- l.Shutdown(context.Background()) }()
	select {
	case <-down:
		t.Fatal("it did not wait for the message under way")
	case <-time.After(50 * time.Millisecond):
	}
	close(release)
	if a := l.read(c); a.Text(39) != "00" {
		t.Errorf("got %s", a.Text(39))
	}
	if err := <-down; err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("it still listens")
	}
}

func TestEncode_tellsBalancesAndPartialApprovals(t *testing.T) {
	l := start(t, Config{}, core(func(r *authorization.Request) (authorization.Answer, error) {
		a, _ := approve(r)
		if r.ProcessingCode == "310000" {
			a.HasBalance, a.Posted, a.Available = true, money.Must(10000, "TRY"), money.Must(-500, "TRY")
			return a, nil
		}
		a.Outcome, a.ResponseCode, a.Approved = authorization.OutcomeApprovedPartially, "10", money.Must(7000, "TRY")
		a.IssuerAuthentication = []byte{1, 2, 3, 4, 5, 6, 7, 8, '0', '0'}
		if !r.MayApprovePartially {
			t.Error("the flag did not arrive")
		}
		return a, nil
	}))
	c := l.dial()
	m := purchase("000001")
	m.SetText(3, "310000")
	c.Write(l.frame(m))
	amounts, err := iso8583.ParseAdditionalAmounts(l.read(c).Bytes(54))
	if err != nil || len(amounts) != 2 || amounts[0].AmountType != "02" || !amounts[0].Negative || amounts[0].Minor != 500 || amounts[1].Minor != 10000 {
		t.Errorf("got %+v, %v", amounts, err)
	}
	m = purchase("000002")
	m.SetText(48, "980201")
	c.Write(l.frame(m))
	a := l.read(c)
	amounts, err = iso8583.ParseAdditionalAmounts(a.Bytes(54))
	if err != nil || a.Text(39) != "10" || a.Text(4) != "000000007000" || len(amounts) != 1 || amounts[0].AmountType != "57" || amounts[0].Minor != 12550 {
		t.Errorf("got %s %s %+v, %v", a.Text(39), a.Text(4), amounts, err)
	}
	icc, err := emv.ParseAnswer(a.Bytes(55))
	if err != nil || len(icc.Authentication) != 10 {
		t.Errorf("got %+v, %v", icc, err)
	}
}

func TestLoadCodes_knowsEveryOutcomeOnEveryNetwork(t *testing.T) {
	c, err := LoadCodes()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range authorization.Outcomes() {
		for _, n := range []string{"generic", "visa-like", "mastercard-like", "troy-like", "unknown"} {
			if code := c.ResponseCode(n, o); len(code) != 2 {
				t.Errorf("%s on %s: got %q", o, n, code)
			}
		}
	}
	for network, want := range map[string]string{"generic": "88", "visa-like": "82", "mastercard-like": "88"} {
		if got := c.ResponseCode(network, authorization.Outcome(authorization.ARQCInvalid)); got != want {
			t.Errorf("ArqcInvalid on %s: got %s, want %s", network, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	d, err := iso8583.LoadDialect("generic")
	if err != nil {
		f.Fatal(err)
	}
	s := &Server{cfg: Config{}.withDefaults(), dialect: d, clock: clock.NewFake(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))}
	said := purchase("000002")
	said.Set(iso8583.PrivateElements, []byte("95131632508000001"+"96051APAY"+"97040603"+"940205"+"9304AAEC"))
	for _, m := range []*iso8583.Message{purchase("000001"), said} {
		body, err := d.Append(nil, m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m := &iso8583.Message{}
		if d.Parse(m, body) != nil || !d.Knows(m.MTI) {
			return
		}
		if _, missing := d.Missing(m); missing {
			return
		}
		if r, err := s.newConnection(nil, "generic", "generic").decodeRequest(m); err == nil && r.Card.PAN.IsZero() {
			t.Error("a request without a card number")
		}
	})
}

// Who connects inside the process has a link name of his own, and the bounds and
// the numbers of the listener do not know him.
func TestOpen_namesALinkOfItsOwn(t *testing.T) {
	heard := make(chan *authorization.Request, 4)
	l := start(t, Config{ConnectionsMax: 1}, core(func(r *authorization.Request) (authorization.Answer, error) {
		heard <- r
		return approve(r)
	}))
	for range 3 {
		conn, err := l.Open(t.Context(), "sandbox/x", "generic")
		if err != nil {
			t.Fatal(err)
		}
		reversal := purchase("000001")
		reversal.MTI = 0x0400
		elements, err := iso8583.OriginalOf(purchase("000002")).Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		reversal.Set(iso8583.OriginalDataElements, elements)
		if _, err := conn.Write(l.frame(reversal)); err != nil {
			t.Fatal(err)
		}
		if m := l.read(conn); m.Text(iso8583.ResponseCode) != "00" {
			t.Errorf("answered %s", m.Text(iso8583.ResponseCode))
		}
		if r := <-heard; r.Link != "sandbox/x" || r.Key().Link != "sandbox/x" || r.Original.Link != "generic" {
			t.Errorf("it came over %s, about %s", r.Link, r.Original.Link)
		}
		defer conn.Close()
	}
	peer := l.dial()
	if _, err := peer.Write(l.frame(purchase("000003"))); err != nil {
		t.Fatal(err)
	}
	l.read(peer)
	if r := <-heard; r.Link != "generic" || l.counts.connections.Load() != 1 {
		t.Errorf("a peer came over %s as one of %d", r.Link, l.counts.connections.Load())
	}
	if err := l.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := l.Open(t.Context(), "sandbox/x", "generic"); !errors.Is(err, ErrNotServing) {
		t.Errorf("a server that drains says %v", err)
	}
	if err := (Config{Name: "a/b"}).Check(); err == nil {
		t.Error("a link may be named as those inside the process")
	}
}

// The times of a message begin at the link: how long it took to read it goes with
// the request; that of packing the answer is told.
func TestServe_measuresItsStages(t *testing.T) {
	heard := make(chan authorization.Times, 3)
	l := start(t, Config{}, core(func(r *authorization.Request) (authorization.Answer, error) {
		heard <- r.Times
		return approve(r)
	}))
	c := l.dial()
	for _, stan := range []string{"000001", "000002"} {
		c.Write(l.frame(purchase(stan)))
		l.read(c)
		if took := <-heard; took[authorization.StageParse] <= 0 || took[authorization.StageQueue] <= 0 || took[authorization.StageCommit] != 0 {
			t.Errorf("it took %s", took.String())
		}
	}
	if n := l.counts.packed.Load(); n != 2 {
		t.Errorf("%d answers were packed", n)
	}
}
