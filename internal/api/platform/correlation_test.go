package platform

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// One identifier leads from a request to everything it caused: its answer, its
// audit row, its event, what a webhook told of it, and its line in the log.
func TestCorrelationID_leadsFromTheRequestToWhatItCaused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		told := make(chan *http.Request, 10)
		bodies := make(chan []byte, 10)
		receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			told <- r
			bodies <- body
		}))
		t.Cleanup(receiver.Close)
		w.ask(200, "POST", "/api/v1/issuing/webhook", map[string]any{
			"webHookType": "Event", "name": "core", "url": receiver.URL, "eventTypes": []string{"customer.*"},
		}, nil)

		const trace = "trace-from-the-branch-7"
		answer := w.send("POST", "/api/v1/issuing/customer", map[string]string{"X-Correlation-Id": trace}, `{"customerType": "Individual",
			"name": "Ali", "surname": "Kaya", "birthDate": "1980-01-01", "nationality": "TR", "kycLevel": "None",
			"communications": [{"communicationType": "MobilePhone", "value": "05329999999"}]}`)
		if answer.Code != 200 || answer.Header().Get("X-Correlation-Id") != trace {
			t.Fatalf("%d, %q: %s", answer.Code, answer.Header().Get("X-Correlation-Id"), answer.Body)
		}

		acts, _, err := w.services.Audit.List(t.Context(), w.tenants["main"].ID.String(), audit.Filter{
			Stream: audit.CustomerStream, From: w.clock.Now(), To: w.clock.Now(), Take: 10,
		})
		if err != nil || len(acts) != 1 || acts[0].CorrelationID != trace {
			t.Errorf("audit: %+v, %v", acts, err)
		}

		if traces := correlationsOf(t, d, "outbox_event"); !slices.Contains(traces, trace) {
			t.Errorf("event: %v", traces)
		}
		must(t, func() error { return w.services.Webhooks.Relay().RunOnce(t.Context()) })
		if traces := correlationsOf(t, d, "outbox_message"); !slices.Contains(traces, trace) {
			t.Errorf("message: %v", traces)
		}
		must(t, func() error { return w.services.Webhooks.Worker().RunOnce(t.Context()) })
		if len(told) != 1 {
			t.Fatalf("the webhook was told %d times", len(told))
		}
		var envelope struct {
			EventType, CorrelationID string
		}
		if err := json.Unmarshal(<-bodies, &envelope); err != nil || envelope.CorrelationID != trace || envelope.EventType != "customer.created" {
			t.Errorf("envelope %+v, %v", envelope, err)
		}

		lines := 0
		for line := range strings.Lines(w.log.String()) {
			if strings.Contains(line, "correlation_id="+trace) && strings.Contains(line, "route=/api/v1/issuing/customer") {
				lines++
			}
		}
		if lines != 1 {
			t.Errorf("%d lines in the log:\n%s", lines, w.log)
		}
	})
}

// correlationsOf are the identifiers in a table.
func correlationsOf(t *testing.T, d *db.DB, table string) (all []string) {
	t.Helper()
	err := d.View(t.Context(), func(tx db.Tx) (err error) {
		all, err = db.Collect(t.Context(), tx, func(row db.Scanner) (s string, err error) { return s, row.Scan(&s) },
			`SELECT correlation_id FROM `+table)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
