package sim

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/hsm/algo"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/secret/secrettest"
	"github.com/sarraf-platform/sarraf/internal/wire/clearingfile"
	"github.com/sarraf-platform/sarraf/internal/wire/emv"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

const (
	testPAN = "9792060000000017"
	testKey = "9E15204313F7318ACB79B90BD986AD29" // jPOS test suite
	testZPK = "00112233445566778899AABBCCDDEEFF"
)

func testInfo(cvn byte) KnownCard {
	return KnownCard{
		CardNo: testPAN, ExpireYear: 2030, ExpireMonth: 4, CVV2: "321", CVV: "123", ICVV: "789", ServiceCode: "201",
		Track2: testPAN + "=3004201112312300000", PSN: "01", CVN: fmt.Sprintf("%02X", cvn), DKI: "01", LastATC: 7,
		ICCMasterKey: testKey, ZPK: testZPK,
	}
}

func testCard(t *testing.T, cvn byte) *Card {
	t.Helper()
	c, err := NewCard(testInfo(cvn))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func testTerminal(t *testing.T, seed uint64) *Terminal {
	t.Helper()
	now := clock.NewFake(time.Date(2026, 11, 21, 22, 30, 5, 0, time.UTC))
	a, err := NewAcquirer("12345", now, Random(seed))
	if err != nil {
		t.Fatal(err)
	}
	return &Terminal{
		Acquirer: a, ID: "TERM0001", Merchant: "MERCHANT0000001", Name: "Kahve Dunyasi", City: "Istanbul",
		Country: country.Must("TR"), MCC: "5411", Zone: time.FixedZone("Istanbul", 3*60*60), Type: 0x22,
	}
}

func lira(minor int64) money.Amount { return money.Must(minor, "TRY") }

func TestTerminal_messagesHoldWhatTheDialectDemands(t *testing.T) {
	term, card := testTerminal(t, 1), testCard(t, 0x12)
	pin := secret.FromString("4071")
	for _, p := range []Payment{
		{Amount: lira(12_550), Entry: Chip},
		{Amount: lira(12_550), Entry: Contactless},
		{Amount: lira(12_550), Entry: Ecommerce, CVV2: card.CVV2},
		{Amount: lira(12_550), Entry: Manual, CVV2: card.CVV2},
		{Amount: lira(12_550), Entry: Stripe},
		{MTI: iso8583.FinancialRequest, Kind: Cash, Amount: lira(20_000), Entry: Chip, PIN: pin},
		{MTI: iso8583.AuthorizationAdvice, Amount: lira(1), Entry: Chip, Reason: "00"},
		{Kind: BalanceInquiry, Amount: lira(0), Entry: Chip, PIN: pin},
	} {
		r, err := term.Use(card, p)
		if err != nil {
			t.Fatal(err)
		}
		d := term.Acquirer.Dialect
		body, err := d.Append(nil, r.Message)
		if err != nil {
			t.Fatalf("%s %s: %v", p.Kind, p.Entry, err)
		}
		var back iso8583.Message
		if err := d.Parse(&back, body); err != nil {
			t.Fatalf("%s %s: %v", p.Kind, p.Entry, err)
		}
		if n, missing := d.Missing(&back); missing {
			t.Errorf("%s %s: field %d is missing", p.Kind, p.Entry, n)
		}
		if got, want := back.Has(iso8583.ICCData), p.Entry.Reads() == ReadsChip; got != want {
			t.Errorf("%s: has chip data: %v, want %v", p.Entry, got, want)
		}
		if got, want := back.Has(iso8583.PINData), !p.PIN.IsZero(); got != want {
			t.Errorf("%s: has a PIN block: %v, want %v", p.Entry, got, want)
		}
		for _, remaining := range []*int64{nil, new(int64)} {
			rev, err := term.Acquirer.Reverse(r.Message, remaining)
			if err != nil {
				t.Fatal(err)
			}
			if n, missing := d.Missing(rev); missing {
				t.Errorf("reversal of %s: field %d is missing", p.Entry, n)
			}
			if _, err := d.Append(nil, rev); err != nil {
				t.Errorf("reversal of %s: %v", p.Entry, err)
			}
		}
	}
	for _, m := range []*iso8583.Message{term.Acquirer.SignOn(), term.Acquirer.Echo(), term.Acquirer.SignOff()} {
		if n, missing := term.Acquirer.Dialect.Missing(m); missing {
			t.Errorf("0800: field %d is missing", n)
		}
	}
}

func TestTerminal_sameSeedMakesTheSameBytes(t *testing.T) {
	build := func(seed uint64) []byte {
		term := testTerminal(t, seed)
		r, err := term.Use(testCard(t, 0x12), Payment{Amount: lira(100), Entry: Chip})
		if err != nil {
			t.Fatal(err)
		}
		body, err := term.Acquirer.Dialect.Append(nil, r.Message)
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	if !bytes.Equal(build(1), build(1)) {
		t.Error("two runs of seed 1 differ")
	}
	if bytes.Equal(build(1), build(2)) {
		t.Error("seed 1 and seed 2 draw the same numbers")
	}
}

func TestTerminal_chipAndStripeCarryTheirOwnCardValue(t *testing.T) {
	term, card := testTerminal(t, 1), testCard(t, 0x12)
	for entry, want := range map[Entry]string{
		Chip:   testPAN + "=3004201112378900000",
		Stripe: testPAN + "=3004201112312300000",
	} {
		r, err := term.Use(card, Payment{Amount: lira(100), Entry: entry})
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Message.Text(iso8583.Track2); got != want {
			t.Errorf("%s: got track %s, want %s", entry, got, want)
		}
	}
}

func TestCard_checksTheIssuersAnswerInEveryProfile(t *testing.T) {
	for _, cvn := range []byte{0x0A, 0x12, 0x22, 0x10, 0x11, 0x14, 0x15} {
		t.Run(fmt.Sprintf("%02X", cvn), func(t *testing.T) {
			term, card := testTerminal(t, 1), testCard(t, cvn)
			r, err := term.Use(card, Payment{Amount: lira(12_550), Entry: Chip})
			if err != nil {
				t.Fatal(err)
			}
			if card.ATC() != 8 {
				t.Errorf("got transaction counter %d, want 8", card.ATC())
			}
			master, err := parseKey(testKey)
			if err != nil {
				t.Fatal(err)
			}
			want, err := algo.ApplicationCryptogram(master, &r.signed)
			if err != nil || want != r.signed.ARQC {
				t.Fatalf("the cryptogram does not verify: %v", err)
			}
			answer := func(code string, approved bool) *iso8583.Message {
				m := &iso8583.Message{MTI: iso8583.AuthorizationResponse}
				m.SetText(iso8583.ResponseCode, code)
				tag91, err := algo.Response(master, &r.signed, [2]byte([]byte(code)), algo.CardStatusUpdate(approved))
				if err != nil {
					t.Fatal(err)
				}
				m.Set(iso8583.ICCData, emv.Append(emv.Append(nil, emv.ATC, []byte{0, 8}), emv.IssuerAuthentication, tag91))
				return m
			}
			for _, good := range []*iso8583.Message{answer("00", true), answer("51", false)} {
				if present, err := r.CheckIssuer(good); !present || err != nil {
					t.Errorf("a right answer: present %v, %v", present, err)
				}
			}
			lie := answer("51", false)
			lie.SetText(iso8583.ResponseCode, "00")
			if _, err := r.CheckIssuer(lie); !errors.Is(err, ErrIssuerCryptogram) {
				t.Errorf("an approval over a decline's cryptogram: got %v", err)
			}
			if present, err := r.CheckIssuer(&iso8583.Message{}); present || err != nil {
				t.Errorf("no cryptogram: present %v, %v", present, err)
			}
		})
	}
}

func TestAcquirer_clearsWhatWasPaid(t *testing.T) {
	term, card := testTerminal(t, 1), testCard(t, 0x12)
	r, err := term.Use(card, Payment{Amount: lira(12_550), Entry: Chip})
	if err != nil {
		t.Fatal(err)
	}
	answer := &iso8583.Message{MTI: iso8583.AuthorizationResponse}
	answer.SetText(iso8583.AuthorizationCode, "A1B2C3")
	first, err := term.Present(r, answer, lira(10_000))
	if err != nil {
		t.Fatal(err)
	}
	second, err := term.Present(r, nil, lira(2_550))
	if err != nil {
		t.Fatal(err)
	}
	first.SequenceCount, first.Final = 2, false
	second.SequenceNumber, second.SequenceCount = 2, 2
	var file bytes.Buffer
	h := clearingfile.Header{
		Network: "demo", FileID: "1", CreatedAt: term.Acquirer.Clock.Now(), BusinessDate: clock.Date{Year: 2026, Month: 11, Day: 22},
	}
	if err := term.Acquirer.Clear(&file, h, []clearingfile.Presentment{first, second}); err != nil {
		t.Fatal(err)
	}
	reader, err := clearingfile.NewReader(&file)
	if err != nil {
		t.Fatal(err)
	}
	p, err := reader.Next()
	if err != nil {
		t.Fatal(err)
	}
	if p.PAN != card.PAN || p.AuthorizationCode != "A1B2C3" || p.Transaction != lira(10_000) || p.Final {
		t.Errorf("got %+v", p)
	}
	if q, err := reader.Next(); err != nil || q.ARN == p.ARN {
		t.Errorf("the second record: %v, same reference: %v", err, q.ARN == p.ARN)
	}
}

func TestRequest_withPINKeepsTheCryptogram(t *testing.T) {
	term, card := testTerminal(t, 1), testCard(t, 0x12)
	tap, err := term.Use(card, Payment{Amount: lira(200_000), Entry: Contactless})
	if err != nil {
		t.Fatal(err)
	}
	again, err := tap.WithPIN(term, secret.FromString("4071"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.Message.Bytes(iso8583.ICCData), tap.Message.Bytes(iso8583.ICCData)) {
		t.Error("the chip data changed")
	}
	if again.Message.Text(iso8583.STAN) == tap.Message.Text(iso8583.STAN) || !again.Message.Has(iso8583.PINData) {
		t.Error("it is no new message with a PIN")
	}
	if tap.Message.Has(iso8583.PINData) {
		t.Error("the first message changed")
	}
}

func TestCard_opensItsOwnPINBlock(t *testing.T) {
	card := testCard(t, 0x12)
	block, err := card.pinBlock(secret.FromString("4071"))
	if err != nil {
		t.Fatal(err)
	}
	zpk, _ := hex.DecodeString(testZPK)
	tdes, err := algo.NewTDES(zpk)
	if err != nil {
		t.Fatal(err)
	}
	tdes.Decrypt(block, block)
	pin, err := algo.DecodePINBlock(0, block, testPAN)
	if err != nil || string(pin.Digits()) != "4071" {
		t.Errorf("got %s (%v), want 4071", pin.Digits(), err)
	}
	if _, err := card.pinBlock(secret.FromString("12x4")); err == nil || strings.Contains(err.Error(), "12x4") {
		t.Errorf("a PIN that is none: %v", err)
	}
}

func TestParseCard_namesWhatIsWrongAndQuotesNothing(t *testing.T) {
	for member, spoil := range map[string]func(*KnownCard){
		"cardNo":       func(i *KnownCard) { i.CardNo = "979206x" },
		"cvn":          func(i *KnownCard) { i.CVN = "77" },
		"dki":          func(i *KnownCard) { i.DKI = "1" },
		"iccMasterKey": func(i *KnownCard) { i.ICCMasterKey = "AB" },
		"zpk":          func(i *KnownCard) { i.ZPK = "none" },
		"track2":       func(i *KnownCard) { i.Track2 = "12" },
		"icvv":         func(i *KnownCard) { i.ICVV = "9" },
	} {
		info := testInfo(0x12)
		spoil(&info)
		_, err := NewCard(info)
		if err == nil || !strings.HasPrefix(err.Error(), member+":") {
			t.Errorf("%s: got %v", member, err)
		}
	}
}

func TestCard_neverPrintsItsSecrets(t *testing.T) {
	card := testCard(t, 0x12)
	card.PIN = secret.FromString("40718293")
	term := testTerminal(t, 1)
	r, err := term.Use(card, Payment{Amount: lira(1), Entry: Stripe, PIN: card.PIN})
	if err != nil {
		t.Fatal(err)
	}
	track := "=3004201112312300000"
	secrettest.Hidden(t, card, testPAN, "40718293", testKey, testZPK, track)
	secrettest.Hidden(t, r, testPAN, "40718293", testKey, testZPK, track)
	secrettest.Hidden(t, Payment{PIN: card.PIN}, "40718293")
}

func TestParseCard_readsTheSandboxesAnswer(t *testing.T) {
	answer, err := json.Marshal(testInfo(0x14))
	if err != nil {
		t.Fatal(err)
	}
	card, err := ParseCard(answer)
	if err != nil {
		t.Fatal(err)
	}
	if card.Profile != algo.MChip20 || card.Expiry != "3004" || card.ATC() != 7 {
		t.Errorf("got profile %v, expiry %s, counter %d", card.Profile, card.Expiry, card.ATC())
	}
	if _, err := ParseCard([]byte(`{"cardNo": "` + testPAN)); err == nil || strings.Contains(err.Error(), testPAN) {
		t.Errorf("half an answer: got %v", err)
	}
}

// peer is the other end of a link: it collects requests and answers when told.
type peer struct {
	t        *testing.T
	listener net.Listener
	dialect  *iso8583.Dialect
	requests chan *iso8583.Message
	mu       sync.Mutex
	conn     net.Conn
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d, err := iso8583.LoadDialect("generic")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, listener: listener, dialect: d, requests: make(chan *iso8583.Message, 100)}
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.conn = conn
		p.mu.Unlock()
		frames := iso8583.NewReader(conn, iso8583.Len2BE, 8192)
		for {
			body, err := frames.Next()
			if err != nil {
				return
			}
			m := new(iso8583.Message)
			if err := d.Parse(m, body); err != nil {
				return
			}
			p.requests <- m
		}
	}()
	t.Cleanup(func() { listener.Close() })
	return p
}

func (p *peer) answer(m *iso8583.Message, code string) {
	p.t.Helper()
	resp := &iso8583.Message{MTI: m.MTI.Response()}
	p.dialect.Echo(m, resp)
	resp.SetText(iso8583.ResponseCode, code)
	body, err := p.dialect.Append(nil, resp)
	if err != nil {
		p.t.Error(err)
		return
	}
	frame, err := iso8583.Len2BE.Append(nil, body)
	if err != nil {
		p.t.Error(err)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.conn.Write(frame); err != nil {
		p.t.Error(err)
	}
}

func dial(t *testing.T, p *peer, timeout time.Duration) *Link {
	t.Helper()
	l, err := Dial(t.Context(), p.listener.Addr().String(), LinkOptions{Dialect: p.dialect, Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestLink_matchesAnswersThatComeInAnotherOrder(t *testing.T) {
	p := newPeer(t)
	l := dial(t, p, 10*time.Second)
	term := testTerminal(t, 1)
	const n = 20
	var wg sync.WaitGroup
	for range n {
		m := term.Acquirer.Echo()
		wg.Go(func() {
			got, _, err := l.Ask(t.Context(), m)
			if err != nil {
				t.Error(err)
				return
			}
			// The peer answers each with the end of its trace number.
			if want := m.Text(iso8583.STAN)[4:]; got.Text(iso8583.ResponseCode) != want {
				t.Errorf("got the answer of %s, want %s", got.Text(iso8583.ResponseCode), want)
			}
		})
	}
	var all []*iso8583.Message
	for range n {
		all = append(all, <-p.requests)
	}
	slices.Reverse(all)
	for _, m := range all {
		p.answer(m, m.Text(iso8583.STAN)[4:])
	}
	wg.Wait()
	if l.Late() != 0 {
		t.Errorf("%d answers were late", l.Late())
	}
}

func TestLink_countsAnswersThatComeTooLate(t *testing.T) {
	p := newPeer(t)
	l := dial(t, p, time.Millisecond)
	term := testTerminal(t, 1)
	if _, _, err := l.Ask(t.Context(), term.Acquirer.Echo()); !errors.Is(err, ErrNoAnswer) {
		t.Fatalf("got %v, want no answer", err)
	}
	p.answer(<-p.requests, "00")
	// A second answer behind it shows that the first was read.
	l.options.Timeout = 10 * time.Second
	go func() { p.answer(<-p.requests, "00") }()
	if _, _, err := l.Ask(t.Context(), term.Acquirer.Echo()); err != nil {
		t.Fatal(err)
	}
	if l.Late() != 1 {
		t.Errorf("got %d late answers, want 1", l.Late())
	}
}

func TestLink_givesARepeatItsOwnAnswer(t *testing.T) {
	p := newPeer(t)
	l := dial(t, p, 10*time.Second)
	term := testTerminal(t, 1)
	r, err := term.Use(testCard(t, 0x12), Payment{Amount: lira(100), Entry: Chip})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, m := range []*iso8583.Message{r.Message, Repeat(r.Message)} {
		wg.Go(func() {
			if _, _, err := l.Ask(t.Context(), m); err != nil {
				t.Error(err)
			}
		})
	}
	first, second := <-p.requests, <-p.requests
	if first.MTI == second.MTI {
		t.Errorf("both came as %v", first.MTI)
	}
	p.answer(first, "00")
	p.answer(second, "00")
	wg.Wait()
}

func TestLink_tellsThoseWhoWaitThatItBroke(t *testing.T) {
	p := newPeer(t)
	l := dial(t, p, 10*time.Second)
	term := testTerminal(t, 1)
	go func() {
		<-p.requests
		p.mu.Lock()
		defer p.mu.Unlock()
		p.conn.Close()
	}()
	if _, _, err := l.Ask(t.Context(), term.Acquirer.Echo()); !errors.Is(err, ErrNoAnswer) {
		t.Fatalf("got %v, want no answer", err)
	}
	<-l.Done()
	if _, _, err := l.Ask(t.Context(), term.Acquirer.Echo()); !errors.Is(err, ErrNoAnswer) {
		t.Fatalf("on a broken link: got %v, want no answer", err)
	}
}

// Digits of seven and above share bits with '0': they are packed all the same.
func TestBCD_packsEveryDigit(t *testing.T) {
	if got := bcd2("978"); got != [2]byte{0x09, 0x78} {
		t.Errorf("978 is %X", got)
	}
	if got := BalanceInquiry.bcd(); got != 0x31 {
		t.Errorf("31 is %X", got)
	}
}
