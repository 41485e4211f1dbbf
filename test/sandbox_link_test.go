package test

import (
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// Whatever a tester says his message is known by, it collides with none of another
// tenant's: neither with a real peer's, nor with those of other testers.
func TestSandbox_collidesWithNobodyElse(t *testing.T) {
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, flags...)
		bank, other := openBank(t, s, flags), openBank(t, s, flags)
		card, theirs := issue(t, bank, 1)[0], issue(t, other, 1)[0]
		till := shop(t)
		link := connect(t, s, till, 10*time.Second)

		// An institution of zeros alone is, in a key, as if there were none.
		for i, more := range []map[string]any{nil, {"simulateTimeout": true}} {
			r, err := till.Use(card.Card, sim.Payment{Amount: lira(1_000), Entry: sim.Chip})
			if err != nil {
				t.Fatal(err)
			}
			like := map[string]any{"acquirerId": till.Acquirer.ID, "forwardingInstitutionId": "0", "stan": r.Message.Text(iso8583.STAN)}
			for name, value := range more {
				like[name] = value
			}
			got, refused := simulate(t, other, "process", purchase(theirs, like))
			if refused != "" || got.RequestMessage == nil || got.RequestMessage.field(iso8583.TransmissionDateTime) == "" {
				t.Fatalf("the other tenant's message: %s %+v", refused, got)
			}
			r.Message.SetText(iso8583.TransmissionDateTime, got.RequestMessage.field(iso8583.TransmissionDateTime))
			answer, _, err := link.Ask(t.Context(), r.Message)
			if err != nil {
				t.Fatal(err)
			}
			if code := answer.Text(iso8583.ResponseCode); code != "00" {
				t.Errorf("message %d of a real peer is answered %s after another tenant's like it", i, code)
			}

			// What came over a real link can be taken back by its tenant's testers.
			void, refused := simulate(t, bank, "void", map[string]any{
				"rrn": r.Message.Text(iso8583.RRN), "authorizationCode": answer.Text(iso8583.AuthorizationCode), "cardToken": card.Token,
			})
			if refused != "" || void.ResponseCode != "00" || void.OriginalStatus != "Voided" {
				t.Errorf("the void of message %d: %s %+v", i, refused, void)
			}
		}

		// Two testers who choose the same within one second.
		like := map[string]any{"acquirerId": "12345", "forwardingInstitutionId": "67890", "stan": "000077"}
		for range 20 {
			one, _ := simulate(t, other, "process", purchase(theirs, like))
			two, _ := simulate(t, bank, "process", purchase(card, like))
			if one.RequestMessage.field(iso8583.TransmissionDateTime) != two.RequestMessage.field(iso8583.TransmissionDateTime) {
				continue
			}
			if one.ResponseCode != "00" || two.ResponseCode != "00" {
				t.Errorf("two testers are answered %s and %s", one.ResponseCode, two.ResponseCode)
			}
			run(t, append([]string{"verify"}, flags...)...)
			return
		}
		t.Error("no two messages fell into one second")
	})
}

// A server that testers have used ends as any other.
func TestServe_endsWellAfterTesters(t *testing.T) {
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, flags...)
		bank := openBank(t, s, flags)
		card := issue(t, bank, 1)[0]
		if got, refused := simulate(t, bank, "process", purchase(card, nil)); !got.IsApproved {
			t.Fatalf("a purchase: %s %+v", refused, got)
		}
		http.DefaultClient.CloseIdleConnections()
		if err := s.command.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-s.ended:
			if err != nil {
				t.Errorf("it ended with %v:\n%s", err, s.log.String())
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("it does not end:\n%s", s.log.String())
		}
	})
}
