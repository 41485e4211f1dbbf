package platform

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/api/apitest"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/notification"
	"github.com/sarraf-platform/sarraf/internal/personalization"
	"github.com/sarraf-platform/sarraf/internal/program"
	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/vault"
	"github.com/sarraf-platform/sarraf/internal/webhook"
)

// world is the family with everything behind it, on a database of its own, and
// three tenants: main and other (sandboxes) and production.
type world struct {
	t        *testing.T
	services Services
	clock    *clock.Fake
	handler  http.Handler
	log      *bytes.Buffer
	tenants  map[string]access.Tenant
	clients  map[string]access.Credentials
	bearer   string // who speaks: a tenant's name, or ""
	*apitest.Conversation
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	w := &world{
		t: t, clock: clock.NewFake(time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC)), log: &bytes.Buffer{},
		tenants: map[string]access.Tenant{}, clients: map[string]access.Credentials{}, bearer: "main",
	}
	w.services = newServices(t, d, w.clock)
	w.Conversation = &apitest.Conversation{
		T: t, Send: w.send, Names: map[string]string{}, Volatile: volatile, Hide: hide,
		Headers: []string{"WWW-Authenticate", "Allow", "Retry-After", "X-Idempotent-Replay", "X-Total-Count-Capped"},
		Commands: map[string]func([]string){
			"as": w.as, "advance": w.advance, "deliver": func([]string) { w.deliver() }, "user": w.newUser,
			"work": func([]string) { w.work() }, "order": w.order,
		},
	}
	w.handler = api.NewRouter(api.Options{
		Log: slog.New(slog.NewTextHandler(w.log, nil)), Clock: w.clock,
	}, New(w.services, "test").Family())
	for _, name := range []string{"main", "other", "production"} {
		tenant, credentials, err := w.services.Access.CreateTenant(t.Context(), access.NewTenant{
			Name: strings.ToUpper(name[:1]) + name[1:], Sandbox: name != "production",
		})
		if err != nil {
			t.Fatal(err)
		}
		w.tenants[name], w.clients[name] = tenant, credentials.Credentials
		w.Names[name+".clientId"] = credentials.ClientID
		w.Names[name+".clientSecret"] = string(credentials.ClientSecret.Reveal())
	}
	return w
}

// as lets a tenant's client speak, or nobody.
func (w *world) as(args []string) {
	if w.bearer = args[0]; w.bearer == "nobody" {
		w.bearer = ""
	}
}

func (w *world) advance(args []string) {
	d, err := time.ParseDuration(args[0])
	if err != nil {
		w.t.Fatal(err)
	}
	w.clock.Advance(d)
}

// order brings the plastic of a token as far as a bureau that has its file.
func (w *world) order(args []string) {
	w.t.Helper()
	c := access.System(w.tenants["main"])
	must(w.t, func() error {
		return w.services.Issuing.DB.InTx(w.t.Context(), func(tx db.Tx) error {
			card, err := issuing.NewestOf(w.t.Context(), tx, c.Tenant, args[0])
			for _, step := range [][2]issuing.PersoStatus{{issuing.PersoRequested, issuing.PersoQueued}, {issuing.PersoQueued, issuing.PersoFileSent}} {
				if err == nil {
					_, err = w.services.Issuing.MovePlastics(w.t.Context(), tx, c, []issuing.PlasticMove{{Card: card, FromPerso: step[0], ToPerso: step[1]}})
				}
			}
			return err
		})
	})
}

// work does what the background jobs of the program do about noname cards.
func (w *world) work() {
	w.t.Helper()
	for _, job := range []func(context.Context) (int, error){w.services.Issuing.WorkNoname, w.services.Issuing.CancelUnlinked, w.services.Replays.Work} {
		if _, err := job(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
}

// newServices builds the domains as the program does.
func newServices(t *testing.T, d *db.DB, c clock.Clock) Services {
	t.Helper()
	backend, err := soft.New(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = backend.Close() })
	s := Services{
		Access: access.New(d, backend, c), Audit: audit.New(d, backend, c), Vault: vault.New(d, backend, c), Customers: customer.New(d, backend, c), Programs: program.New(d, backend, c),
		Ledger: ledger.New(d, c), Clock: c,
	}
	s.Issuing = issuing.New(d, backend, c, s.Customers, s.Programs)
	s.Controls = control.New(d, s.Programs, s.Customers, c)
	s.Transactions = authorization.NewQueries(d, authorization.NewCounterfactuals(d, s.Programs, s.Controls), c)
	fee.IncludeIn(s.Controls)
	s.Replays = &authorization.ReplayJobs{Replays: authorization.NewReplays(d, s.Programs, s.Controls, s.Issuing), Clock: c, Drafts: Drafts{}}
	s.Customers.Rules, s.Customers.Cards, s.Programs.Issued = s.Programs, s.Issuing, s.Issuing
	s.Access.Cost = access.PasswordCost{Memory: 64, Passes: 1, Threads: 1}
	s.Access.Watcher, s.Issuing.Holds = s.Programs, s.Transactions
	s.Fees = &fee.Service{
		DB: d, Programs: s.Programs, Controls: s.Controls, Cards: s.Issuing, Usage: s.Transactions, Clock: c,
		Charger: &authorization.CardCharges{DB: d, Programs: s.Programs, Cards: s.Issuing, Clock: c},
	}
	s.Issuing.Fees, s.Programs.Taxed = s.Fees, s.Fees
	s.Webhooks = webhook.New(d, backend, c, slog.New(slog.DiscardHandler))
	s.Webhooks.Encoder, s.Webhooks.Loopback = Events{}, true
	s.Personalization = personalization.New(d, backend, s.Programs, s.Issuing, c, slog.New(slog.DiscardHandler))
	s.Notices = notification.New(d, backend, c, slog.New(slog.DiscardHandler))
	s.Notices.Recipients, s.Issuing.PINs = s.Issuing, s.Notices
	s.Tester, s.Calendar = &unlinked{cards: s.Issuing, transactions: s.Transactions}, bare{s.Access}
	return s
}

// unlinked is the tester of a world without a listener: it knows cards and
// transactions, and sends nothing, but where there is a till that decides payments.
// What is sent, the tests of the binary see.
type unlinked struct {
	cards        *issuing.Service
	transactions *authorization.Queries
	pay          func(token string, amount money.Amount) authorization.Answer
}

func (u *unlinked) find(ctx context.Context, c access.Caller, t authorization.TransactionID, card issuing.NamedCard) (Simulated, error) {
	var err error
	if t.IsZero() {
		_, err = u.cards.RevealNamed(ctx, c, card)
	} else {
		_, err = u.transactions.Explain(ctx, c, t)
	}
	if err != nil {
		return Simulated{}, err
	}
	return Simulated{}, ErrLinkUnavailable
}

func (u *unlinked) Process(ctx context.Context, c access.Caller, in Simulation) (Simulated, error) {
	clear, err := u.cards.RevealNamed(ctx, c, in.Card)
	switch {
	case err != nil:
		return Simulated{}, err
	case u.pay == nil:
		return Simulated{}, ErrLinkUnavailable
	}
	a := u.pay(clear.Card.Token, in.Amount)
	return Simulated{ResponseCode: a.ResponseCode, Transaction: a.Transaction}, nil
}

func (u *unlinked) Void(ctx context.Context, c access.Caller, in SimulatedVoid) (Simulated, error) {
	return u.find(ctx, c, in.Transaction, issuing.NamedCard{Token: in.CardToken})
}

func (u *unlinked) Refund(ctx context.Context, c access.Caller, in SimulatedRefund) (Simulated, error) {
	return u.find(ctx, c, in.Transaction, in.Card)
}

func (u *unlinked) Clear(ctx context.Context, c access.Caller, in SimulatedPresentment) (Simulated, error) {
	return u.find(ctx, c, in.Transaction, in.Card)
}

// bare is the calendar of a world without jobs: it moves the time, and nothing is
// due meanwhile. What the days bring, the tests of the binary see.
type bare struct{ access *access.Service }

func (b bare) Advance(ctx context.Context, c access.Caller, to access.AdvanceWish) (Advanced, error) {
	move, err := b.access.BeginAdvance(ctx, c, to)
	if err != nil {
		return Advanced{}, err
	}
	if err := b.access.StepAdvance(ctx, &move, move.To); err != nil {
		return Advanced{}, err
	}
	out := Advanced{From: move.From, To: move.Tenant.Now(b.access.Clock), Target: move.To, Zone: move.Tenant.Zone, IsComplete: true, Jobs: []DailyWork{{Job: JobHoldExpiry}}}
	return out, b.access.EndAdvance(ctx, c, move)
}

// deliver makes messages of what customers are to be told.
func (w *world) deliver() {
	w.t.Helper()
	for _, k := range w.services.Notices.Workers() {
		if err := k.RunOnce(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
}

// newUser is "user NAME PASSWORD ROLE PERMISSION…": a user of the tenant that
// speaks, with a role.
func (w *world) newUser(args []string) {
	w.t.Helper()
	by := access.System(w.tenants[w.bearer])
	if _, err := w.services.Access.PutRole(w.t.Context(), by, args[2], args[3:]); err != nil {
		w.t.Fatal(err)
	}
	in := access.NewUser{Name: args[0], Password: secret.FromString(args[1]), Roles: args[2:3]}
	if _, err := w.services.Access.CreateUser(w.t.Context(), by, in); err != nil {
		w.t.Fatal(err)
	}
}

// token returns a valid access token of a tenant's client.
func (w *world) token(name string) string {
	w.t.Helper()
	tokens, err := w.services.Access.Token(w.t.Context(), access.Grant{
		ClientID: w.clients[name].ClientID, ClientSecret: w.clients[name].ClientSecret,
	})
	if err != nil {
		w.t.Fatalf("token of %s: %v", name, err)
	}
	return string(tokens.Access.Reveal())
}

// send makes a request and returns its answer.
func (w *world) send(method, path string, header map[string]string, body string) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), method, path, strings.NewReader(body))
	r.RemoteAddr = "203.0.113.7:5000"
	if w.bearer != "" {
		r.Header.Set("Authorization", "Bearer "+w.token(w.bearer))
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	out := httptest.NewRecorder()
	w.handler.ServeHTTP(out, r)
	w.holdToDocument(r, out)
	return out
}

// The conversations in testdata are whole stories over HTTP ([apitest]). Their
// words:
//
//	as NAME      from now on this tenant's client speaks (or nobody)
//	advance 15m  the clock moves
//	deliver      what customers are to be told is told
//	user NAME PASSWORD ROLE PERMISSION…   makes a user of the tenant that speaks
//	work         the background jobs of noname cards run
func TestConversations(t *testing.T) {
	apitest.RunFiles(t, "testdata/*.txt", func(t *testing.T) *apitest.Conversation {
		return newWorld(t, dbtest.SQLite(t)).Conversation
	})
}

// volatile members differ from run to run. Add to the list what a new resource
// makes at random.
var volatile = map[string]bool{
	"id": true, "entityKey": true, "clientId": true, "correlationId": true,
	"accessToken": true, "refreshToken": true, "access_token": true, "refresh_token": true,
	"keyId": true, "userId": true, "encryptedKey": true, "keyBlock": true, "kcv": true, "tenantId": true, "concurrencyStamp": true,
	"x": true, "y": true, "kid": true, "creatorId": true, "lastModifierId": true,
	"newCardToken": true, "newMaskedCardNo": true, "previousCardToken": true, "cardToken": true, "issuanceNo": true, "maskedCardNo": true, "parentIssuanceNo": true, "parentCardToken": true,
	"parentMaskedCardNo": true, "changedBy": true, "cardNo": true, "encryptedCardNo": true, "encryptedCvv2": true,
	"cvv2": true, "cvv": true, "icvv": true, "pvv": true, "track1": true, "track2": true, "iccMasterKey": true, "iccSmiKey": true, "iccSmcKey": true,
	"zpk": true, "zpkAes": true, "pinBlock": true, "entryId": true, "transactionId": true, "originalTransactionId": true,
	"batchId": true, "replayId": true, "barcode": true,
	"secret": true, "clientSecret": true, "deliveryId": true, "eventId": true, "reference": true, "smsReference": true,
	"parentAuthorizationId": true, "authorizationCode": true, "configurationHash": true,
}

// masked is a card number as answers show it; a list of fields has one under no
// name of its own.
var masked = regexp.MustCompile(`"[0-9]{6}\*{6}[0-9]{4}"`)

// lastFour is the end of a card number, and a PIN, as customers read them.
var lastFour = regexp.MustCompile(`ending in [0-9]{4}( is [0-9]{4}\.)?|[0-9]{4} ile biten|şifresi [0-9]{4}`)

var four = regexp.MustCompile(`[0-9]{4}`)

// issued is an account number that was made of an issuance number.
var issued = regexp.MustCompile(`"90[0-9]{14}(-[0-9]+)?"`)

// took is how long something took.
var took = regexp.MustCompile(`("microseconds": )[0-9]+`)

// hide shows what differs from run to run as "…".
func hide(answer string) string {
	answer = took.ReplaceAllString(answer, `$1"…"`)
	answer = issued.ReplaceAllString(masked.ReplaceAllString(answer, `"…"`), `"…"`)
	return lastFour.ReplaceAllStringFunc(answer, func(s string) string { return four.ReplaceAllString(s, "…") })
}

// logger writes into the world's buffer, for tests that build their own
// router.
func (w *world) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(&locked{w: w.log}, nil))
}

// locked lets several requests log at once.
type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}
