package platform

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// The conversations in testdata/money begin in a stocked world whose cards can
// pay:
//
//	pay TOKEN 12.50         a purchase is asked for, by field 0100
//	withdraw TOKEN 12.50    one that posts at once, by 0200
//	reverse                 the last of these is taken back
func TestMoneyConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/money/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			d := dbtest.SQLite(t)
			w := newWorld(t, d).stock()
			w.openTill(d)
			got := w.converse(string(text))
			if os.Getenv("SARRAF_GOLDEN") == "update" {
				must(t, func() error { return os.WriteFile(file, []byte(got), 0o644) })
				return
			}
			if got != string(text) {
				t.Errorf("conversation differs:\n%s", firstDifference(got, string(text)))
			}
		})
	}
}

type plainCodes struct{}

func (plainCodes) ResponseCode(_ string, o authorization.Outcome) string {
	switch o {
	case authorization.OutcomeApproved:
		return "00"
	case authorization.Outcome(authorization.InsufficientFunds):
		return "51"
	}
	return "05"
}

type unobserved struct{}

func (unobserved) Stage(string, clock.Stopwatch)                     {}
func (unobserved) Decided(authorization.Flow, authorization.Outcome) {}
func (unobserved) Group(int)                                         {}

// openTill adds the commands by which cards pay.
func (w *world) openTill(d *db.DB) {
	engine := authorization.NewEngine(w.t.Context(), d, w.services.Issuing.HSM, w.services.Issuing, plainCodes{}, w.clock,
		slog.New(slog.DiscardHandler), unobserved{}, authorization.Config{})
	w.t.Cleanup(engine.Close)
	n := 0
	var last *authorization.Request
	send := func(r *authorization.Request) {
		w.t.Helper()
		must(w.t, func() error { _, err := engine.Authorize(w.t.Context(), r); return err })
	}
	request := func(flow authorization.Flow, mti string, args []string) *authorization.Request {
		n++
		c := access.System(w.tenants[w.bearer])
		clear, err := w.services.Issuing.RevealCard(w.t.Context(), c, args[0])
		if err != nil {
			w.t.Fatal(err)
		}
		amount, err := money.Parse(args[1], money.MustCurrency("TRY"))
		if err != nil {
			w.t.Fatal(err)
		}
		now := w.clock.Now()
		r := &authorization.Request{
			Flow: flow, Amount: amount, ReceivedAt: now, Expiry: clear.Card.Expires.YYMM(),
			Details: authorization.Details{
				Link: "generic", Network: "generic", MTI: mti, ProcessingCode: "000000", STAN: fmt.Sprintf("%06d", n),
				RRN: fmt.Sprintf("6325%08d", n), TransmittedAt: now.Truncate(time.Second), LocalTime: now.Add(3 * time.Hour).Format("0102150405"),
				AcquirerID: "700001", TerminalID: "TERM0001", CardAcceptorID: "SHOP00000000001", MerchantName: "CORNER SHOP",
				MerchantCity: "ISTANBUL", MerchantCountry: "TR", MCC: "5411", EntryMode: "012", ConditionCode: "00",
			},
		}
		r.Card.PAN = clear.Number
		return r
	}
	w.commands = map[string]func([]string){
		"pay": func(args []string) {
			last = request(authorization.AuthorizationRequest, "0100", args)
			send(last)
		},
		"withdraw": func(args []string) {
			last = request(authorization.FinancialRequest, "0200", args)
			send(last)
		},
		"reverse": func([]string) {
			r := *last
			n++
			key := authorization.NewKey(last.Details, last.MTI[1]-'0', last.MTI[2]-'0')
			r.Flow, r.MTI, r.STAN, r.Original = authorization.ReversalRequest, "0400", fmt.Sprintf("%06d", n), &key
			r.TransmittedAt = w.clock.Now()
			send(&r)
		},
	}
}

func TestLocalDate_givesTheNearestYear(t *testing.T) {
	for _, c := range []struct{ text, sent, want string }{
		{"1121120000", "2026-11-21T09:00:00Z", "2026-11-21T12:00:00"},
		{"0101010000", "2026-12-31T22:00:00Z", "2027-01-01T01:00:00"},
		{"1231235900", "2027-01-01T00:10:00Z", "2026-12-31T23:59:00"},
		{"0229120000", "2028-02-29T09:00:00Z", "2028-02-29T12:00:00"},
		{"0230120000", "2028-02-29T09:00:00Z", ""},
		{"", "2028-02-29T09:00:00Z", ""},
	} {
		sent, err := time.Parse(time.RFC3339, c.sent)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if p := localDate(c.text, sent); p != nil {
			got = *p
		}
		if got != c.want {
			t.Errorf("%s sent at %s: got %s, want %s", c.text, c.sent, got, c.want)
		}
	}
}
