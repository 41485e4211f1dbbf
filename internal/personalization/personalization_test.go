package personalization

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

func TestRun_ordersEachPlasticOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.share()
		w.BatchMax = 3
		var tokens []string
		for range 7 {
			tokens = append(tokens, w.order().Token)
		}
		if m := w.run(); m.Queued != 7 || m.Sent != 7 || m.Files != 3 {
			t.Errorf("got %+v", m)
		}
		if m := w.run(); m.Total() != 0 {
			t.Errorf("a second run does %+v", m)
		}
		in := w.shelf.cardsIn()
		for _, token := range tokens {
			if in[token] != 1 {
				t.Errorf("card %s is in %d files", token, in[token])
			}
			w.at(token, issuing.PersoFileSent, issuing.ShipmentPrintRequested)
		}
		if len(w.shelf.prepared) != 0 {
			t.Errorf("%d files are left in preparation", len(w.shelf.prepared))
		}
		batches, err := w.Batches(t.Context(), w.tenant.ID, 10)
		if err != nil || len(batches) != 3 || batches[0].No != 3 || batches[2].FileName != "BUREAU-20261121-000001" {
			t.Fatalf("batches %+v, %v", batches, err)
		}
		b, orders, err := w.BatchWithOrders(t.Context(), batches[2].FileName)
		if err != nil || b.Status != BatchSent || b.CardCount != 3 || len(orders) != 3 || orders[0].PersoStatus != issuing.PersoFileSent {
			t.Errorf("batch %+v with %+v, %v", b, orders, err)
		}
		if _, _, err := w.BatchWithOrders(t.Context(), "NONE"); err == nil {
			t.Error("a batch that does not exist is shown")
		}
		for _, f := range w.shelf.delivered {
			if f.PINKey != "" {
				t.Error("a file without PINs has a PIN key")
			}
		}
	})
}

// Nothing goes to a bureau without a key; what failed for that begins anew once
// there is one, and says why until then.
func TestRun_waitsForAKey(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		token := w.order().Token
		if m := w.run(); m.Failed != 1 || m.Sent != 0 {
			t.Fatalf("got %+v", m)
		}
		if _, p := w.plastic(token); p.ErrorText != "no transport key is shared with the bureau" || p.Vendor != "BUREAU" {
			t.Errorf("got %+v", p)
		}
		w.at(token, issuing.PersoFailed, issuing.ShipmentNotApplicable)
		if m := w.run(); m.Total() != 0 {
			t.Errorf("without a key it is tried again: %+v", m)
		}
		w.share()
		if m := w.run(); m.Requeued != 1 || m.Sent != 1 {
			t.Errorf("got %+v", m)
		}
		if _, p := w.plastic(token); p.ErrorText != "" || p.BatchNo != 1 || p.FileName == "" || !p.FileAt.Equal(w.clock.Now()) {
			t.Errorf("got %+v", p)
		}
	})
}

// A card that is cancelled while its file is made is not in the file; one whose
// file cannot be written stays queued and goes out with the next run.
func TestRun_leavesOutWhatWasCancelled(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.share()
		cancel := func(token string) {
			_, err := w.Issuing.ChangeStatus(t.Context(), w.caller, token, issuing.NewStatus{Status: issuing.Cancelled, Reason: issuing.CustomerRequest})
			if err != nil {
				t.Fatal(err)
			}
		}
		kept, gone, late := w.order().Token, w.order().Token, w.order().Token
		cancel(gone)
		w.at(gone, issuing.PersoCancelled, issuing.ShipmentCancelled)
		w.shelf.after = func() { w.shelf.after = nil; cancel(late) }
		if m := w.run(); m.Sent != 1 || m.Files != 1 {
			t.Errorf("got %+v", m)
		}
		if in := w.shelf.cardsIn(); in[kept] != 1 || in[gone]+in[late] != 0 || len(w.shelf.prepared) != 0 {
			t.Errorf("files hold %v, and %d are left in preparation", in, len(w.shelf.prepared))
		}
		w.at(late, issuing.PersoCancelled, issuing.ShipmentCancelled)

		full := w.order().Token
		w.shelf.broken = errors.New("the disk is full")
		if _, err := w.Run(t.Context()); !errors.Is(err, w.shelf.broken) {
			t.Errorf("got %v", err)
		}
		w.at(full, issuing.PersoQueued, issuing.ShipmentNotApplicable)
		w.shelf.broken = nil
		if m := w.run(); m.Queued != 0 || m.Sent != 1 {
			t.Errorf("got %+v", m)
		}
		alone := w.order().Token
		w.shelf.broken = errors.New("the disk is full")
		_, _ = w.Run(t.Context())
		w.shelf.broken = nil
		cancel(alone)
		if m := w.run(); m.Files != 0 || m.Sent != 0 {
			t.Errorf("a batch of which nothing is left: %+v", m)
		}
		batches, err := w.Batches(t.Context(), access.TenantID{}, 1)
		if err != nil || batches[0].Status != BatchEmpty {
			t.Errorf("batches %+v, %v", batches, err)
		}
	})
}

// A PIN that was set before goes into a chip that verifies PINs itself.
func TestRun_givesThePINToTheChip(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.share()
		with := w.order()
		w.order()
		if _, err := w.Issuing.SetPIN(t.Context(), w.caller, with.Token, issuing.PINInput{Member: "encryptedPin", Clear: secret.FromString("7392")}, false, ""); err != nil {
			t.Fatal(err)
		}
		w.run()
		for _, c := range w.shelf.delivered[0].Cards {
			if got, want := len(c.Parts.PINBlock) > 0, c.Plastic.Card.Token == with.Token; got != want {
				t.Errorf("card %s has a PIN block: %v, want %v", c.Plastic.Card.Token, got, want)
			}
		}
		if w.shelf.delivered[0].PINKey == "" {
			t.Error("a file with PINs has no PIN key")
		}
	})
}

func TestRecord_movesAPlasticAndTellsOfIt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.share()
		token := w.order().Token
		w.run()
		activate := func() error {
			_, err := w.Issuing.ChangeStatus(t.Context(), w.caller, token, issuing.NewStatus{Status: issuing.Active, Reason: issuing.FirstActivation})
			return err
		}
		wantCode(t, activate(), "activation_condition_not_met")
		w.tellAll(AboutProduction, token, "InProduction", "Produced", "HandedToCourier")
		w.tellAll(AboutShipment, token, "AtCourier", "InTransfer", "AtBranch", "OutForDelivery", "DeliveryFailed", "OutForDelivery", "Delivered")
		w.at(token, issuing.PersoHandedToCourier, issuing.ShipmentDelivered)
		if err := activate(); err != nil {
			t.Errorf("a delivered card is not activated: %v", err)
		}
		_, s, err := w.ShipmentOf(t.Context(), w.caller, token, 0)
		if err != nil || s.AttemptCount != 2 || s.DeliveredAt.IsZero() || len(s.Events) != 7 {
			t.Errorf("got %+v, %v", s, err)
		}
		acts, _, err := w.audit.List(t.Context(), w.tenant.ID.String(), audit.Filter{Stream: audit.CardStream, From: w.clock.Now().Add(-24 * time.Hour), To: w.clock.Now(), Take: 100})
		if err != nil {
			t.Fatal(err)
		}
		n := map[string]int{}
		for _, a := range acts {
			n[a.Action]++
		}
		if n["PersoStatus"] != 5 || n["ShipmentStatus"] != 8 {
			t.Errorf("the audit has %v", n)
		}
	})
}

func TestRecord_refusesWhatIsNotAnEvent(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		card := w.order()
		good := Event{About: AboutShipment, Vendor: "V", ID: "E1", CardToken: card.Token, StatusCode: "999", At: w.clock.Now()}
		for name, c := range map[string]struct {
			change func(*Event)
			member string
		}{
			"no sender":           {func(e *Event) { e.Vendor = "" }, "vendorCode"},
			"another bureau":      {func(e *Event) { e.About, e.Vendor, e.StatusCode = AboutProduction, "OTHER", "120" }, "vendorCode"},
			"no id":               {func(e *Event) { e.ID = "" }, "eventId"},
			"no card":             {func(e *Event) { e.CardToken = "" }, "cardToken"},
			"card and order":      {func(e *Event) { e.OrderID = "x" }, "cardToken"},
			"no time":             {func(e *Event) { e.At = time.Time{} }, "eventDate"},
			"tomorrow":            {func(e *Event) { e.At = w.clock.Now().Add(24 * time.Hour) }, "eventDate"},
			"unknown code":        {func(e *Event) { e.StatusCode = "777" }, "statusCode"},
			"unknown status":      {func(e *Event) { e.Status = "Eaten" }, "shipmentStatus"},
			"a day of none":       {func(e *Event) { e.EstimatedDelivery = "2026-02-30" }, "estimatedDeliveryDate"},
			"a link without TLS":  {func(e *Event) { e.TrackingURL = "http://x" }, "trackingUrl"},
			"a card number":       {func(e *Event) { e.Description = "9792067777770019" }, "description"},
			"a too long location": {func(e *Event) { e.Location = fmt.Sprintf("%0200d", 0) }, "location"},
		} {
			e := good
			c.change(&e)
			_, err := w.Record(t.Context(), w.caller, e)
			f := wantCode(t, err, access.CodeInvalid)
			if f.Fields[0].Name != c.member {
				t.Errorf("%s: %s is named, want %s", name, f.Fields[0].Name, c.member)
			}
			if name == "unknown code" && f.Params["statusCode"] != "777" {
				t.Error("the unknown code is not named")
			}
		}
		e := good
		e.CardToken, e.OrderID = "", "pord_nothing"
		_, err := w.Record(t.Context(), w.caller, e)
		wantCode(t, err, CodeOrderNotFound)
		e = good
		e.CardToken = "979206aaaaaa0000"
		_, err = w.Record(t.Context(), w.caller, e)
		wantCode(t, err, "card_not_found")
		clear, err := w.Issuing.RevealCard(t.Context(), w.caller, card.Token, 0)
		if err != nil {
			t.Fatal(err)
		}
		e = good
		e.TrackingNo = clear.Number.Reveal()
		_, err = w.Record(t.Context(), w.caller, e)
		wantCode(t, err, access.CodeInvalid)
		w.at(card.Token, issuing.PersoRequested, issuing.ShipmentNotApplicable)
		if _, err := w.Record(t.Context(), w.caller, good); err != nil {
			t.Errorf("the good event: %v", err)
		}
	})
}

// Whatever events come in whatever order, a plastic goes only where the machine
// lets it, an event counts once, and an older one moves nothing.
func TestRecord_neverLeavesTheMachines(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.share()
		n := 0
		rapid.Check(t, func(t *rapid.T) {
			token := w.order().Token
			w.run()
			state := map[About]string{AboutProduction: string(issuing.PersoFileSent), AboutShipment: string(issuing.ShipmentPrintRequested)}
			last := map[About]time.Time{}
			var told []Event
			begin := w.clock.Now().Add(-time.Hour)
			for range rapid.IntRange(1, 14).Draw(t, "events") {
				if len(told) > 0 && rapid.IntRange(0, 9).Draw(t, "again") == 0 {
					e := rapid.SampledFrom(told).Draw(t, "told before")
					out, err := w.Record(t.Context(), w.caller, e)
					if err != nil || !out.Duplicate {
						t.Fatalf("told again: %+v, %v", out, err)
					}
					continue
				}
				about := rapid.SampledFrom([]About{AboutProduction, AboutShipment}).Draw(t, "about")
				status := nextOf(t, about, state[about])
				n++
				e := Event{
					About: about, Vendor: "BUREAU", ID: fmt.Sprintf("R%d", n), CardToken: token, Status: status,
					At: begin.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "minute")) * time.Minute),
				}
				out, err := w.Record(t.Context(), w.caller, e)
				old, legal := e.At.Before(last[about]), status == state[about] || canBecome(about, state[about], status)
				switch {
				case old && (err != nil || !out.Outdated || out.Current != state[about]):
					t.Fatalf("an old event: %+v, %v", out, err)
				case !old && !legal:
					if f := wantCode(w.t, err, CodeTransition); f.Params["from"] != state[about] || f.Params["to"] != status {
						t.Fatalf("refused with %v", f.Params)
					}
				case !old && (err != nil || out.Current != status):
					t.Fatalf("%s after %s: %+v, %v", status, state[about], out, err)
				}
				if old || legal {
					told = append(told, e)
				}
				if !old && legal {
					state[about], last[about] = status, e.At
				}
				w.at(token, issuing.PersoStatus(state[AboutProduction]), issuing.ShipmentStatus(state[AboutShipment]))
			}
		})
	})
}

// nextOf draws a status, rather one that may follow than any.
func nextOf(t *rapid.T, about About, from string) string {
	var all, legal []string
	if about == AboutProduction {
		for _, s := range issuing.PersoStatuses() {
			all = append(all, string(s))
		}
	} else {
		for _, s := range issuing.ShipmentStatuses() {
			all = append(all, string(s))
		}
	}
	for _, s := range all {
		if canBecome(about, from, s) {
			legal = append(legal, s)
		}
	}
	if len(legal) > 0 && rapid.IntRange(0, 2).Draw(t, "legal") > 0 {
		return rapid.SampledFrom(legal).Draw(t, "status")
	}
	return rapid.SampledFrom(all).Draw(t, "any status")
}

// A card whose plastic was destroyed is cancelled when its tenant's days are
// over, and not before.
func TestRun_cancelsWhatWasNeverDelivered(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.share()
		token, other := w.order().Token, w.order().Token
		w.run()
		w.tellAll(AboutShipment, token, "AtCourier", "InTransfer", "OutForDelivery", "DeliveryFailed", "ReturnedToSender", "Destroyed")
		w.clock.Advance(59 * 24 * time.Hour)
		if m := w.run(); m.Cancelled != 0 {
			t.Errorf("too early: %+v", m)
		}
		w.clock.Advance(24 * time.Hour)
		if m := w.run(); m.Cancelled != 1 {
			t.Errorf("got %+v", m)
		}
		card, _ := w.plastic(token)
		if card.Status != issuing.Cancelled || card.Reason != issuing.CourierReturn {
			t.Errorf("the card is %s for %s", card.Status, card.Reason)
		}
		if card, _ := w.plastic(other); card.Status != issuing.Pending {
			t.Errorf("another card is %s", card.Status)
		}
		if m := w.run(); m.Total() != 0 {
			t.Errorf("a second run does %+v", m)
		}
	})
}

// A production that failed at the bureau is begun anew when the bureau says so,
// in another file.
func TestRun_ordersAgainWhatFailedAtTheBureau(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.share()
		token := w.order().Token
		w.run()
		w.tellAll(AboutProduction, token, "InProduction", "Failed")
		w.clock.Advance(24 * time.Hour)
		if m := w.run(); m.Total() != 0 {
			t.Errorf("it is tried again by itself: %+v", m)
		}
		if _, p := w.plastic(token); p.ErrorText == "" {
			t.Error("nobody says why it failed")
		}
		w.tellAll(AboutProduction, token, "Requested")
		if m := w.run(); m.Queued != 1 || m.Sent != 1 {
			t.Errorf("got %+v", m)
		}
		if n := w.shelf.cardsIn()[token]; n != 2 {
			t.Errorf("the card is in %d files", n)
		}
		var ids []string
		for _, f := range w.shelf.delivered {
			ids = append(ids, f.Cards[0].OrderID)
		}
		if slices.Sort(ids); len(slices.Compact(ids)) != 2 {
			t.Errorf("two orders are one: %v", ids)
		}
	})
}

// reportOf is a report under the transport key, as the bureau would make it.
func (w *world) reportOf(transport hsm.KeyRef, events ...ReportedEvent) Report {
	w.t.Helper()
	r := Report{
		FileID: "R1", Tenant: w.tenant.ID, Vendor: "BUREAU", TransportKeyID: transport.ID, Digest: [32]byte{1, 2, 3}, Events: events,
	}
	make := func(spec hsm.KeySpec) (hsm.KeyRef, string) {
		spec.ID, spec.Exportability, spec.Test = "theirs", hsm.Exportable, true
		key, err := w.HSM.GenerateKey(w.t.Context(), w.tenant.ID.String(), spec)
		if err != nil {
			w.t.Fatal(err)
		}
		block, err := w.HSM.ExportKeyBlock(w.t.Context(), transport, key)
		if err != nil {
			w.t.Fatal(err)
		}
		return key, block
	}
	mac, block := make(hsm.KeySpec{Usage: hsm.UsageHMAC, Algorithm: hsm.HMAC, Bits: 256, Mode: hsm.ModeMAC})
	data, dataBlock := make(hsm.KeySpec{Usage: hsm.UsageField, Algorithm: hsm.AES, Bits: 256, Mode: hsm.ModeBoth})
	r.MACKey, r.DataKey = block, dataBlock
	var err error
	if r.MAC, err = w.HSM.GenerateMAC(w.t.Context(), mac, hsm.HMACSHA256, r.Digest[:], 32); err != nil {
		w.t.Fatal(err)
	}
	for i, e := range r.Events {
		if len(e.Recipient) > 0 {
			if r.Events[i].Recipient, err = w.HSM.SealField(w.t.Context(), data, secret.New(e.Recipient), e.RecipientPlace); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	return r
}

func TestTakeReport_takesWhatItsBureauSigned(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		transport := w.share()
		token := w.order().Token
		w.run()
		order := w.shelf.delivered[0].Cards[0].OrderID
		at := w.clock.Now()
		event := func(id, code string, about About) ReportedEvent {
			at = at.Add(time.Second)
			return ReportedEvent{Event: Event{About: about, ID: id, OrderID: order, StatusCode: code, At: at}}
		}
		delivered := event("S4", "500", AboutShipment)
		delivered.Recipient, delivered.RecipientPlace = []byte("Ada Deniz"), []byte("R1|S4|recipient")
		events := []ReportedEvent{
			event("P1", "120", AboutProduction), event("S1", "100", AboutShipment), event("S2", "200", AboutShipment),
			event("S9", "777", AboutShipment), event("S3", "400", AboutShipment),
		}
		last := delivered
		last.At = at
		r := w.reportOf(transport, append(events, last)...)
		for name, change := range map[string]func(*Report){
			"another code":     func(r *Report) { r.MAC = append([]byte{r.MAC[0] ^ 1}, r.MAC[1:]...) },
			"no code":          func(r *Report) { r.MAC = nil },
			"another content":  func(r *Report) { r.Digest[0] ^= 1 },
			"another bureau":   func(r *Report) { r.Vendor = "OTHER" },
			"an unknown key":   func(r *Report) { r.TransportKeyID = "key_nothing" },
			"a key of its own": func(r *Report) { r.MACKey = r.DataKey },
		} {
			forged := r
			change(&forged)
			_, err := w.TakeReport(t.Context(), forged)
			if f, ok := fault.As(err); !ok || f.Code != CodeReport {
				t.Errorf("%s: got %v", name, err)
			}
		}
		w.at(token, issuing.PersoFileSent, issuing.ShipmentPrintRequested)
		for again := range 2 {
			told, err := w.TakeReport(t.Context(), r)
			if err != nil || len(told) != 6 {
				t.Fatalf("got %d, %v", len(told), err)
			}
			for _, one := range told {
				if refused := one.Refusal != nil; refused != (one.EventID == "S9") || !refused && one.Outcome.Duplicate != (again == 1) {
					t.Errorf("event %s: %+v", one.EventID, one)
				}
			}
		}
		w.at(token, issuing.PersoInProduction, issuing.ShipmentDelivered)
		_, s, err := w.ShipmentOf(t.Context(), w.caller, token, 0)
		if err != nil || s.RecipientName != "Ada Deniz" {
			t.Errorf("got %+v, %v", s, err)
		}
		masked := w.caller
		masked.Permissions = access.Permissions{}
		if _, s, err = w.ShipmentOf(t.Context(), masked, token, 0); err != nil || s.RecipientName != "A** D****" {
			t.Errorf("who may not see it sees %q, %v", s.RecipientName, err)
		}
		moved := w.reportOf(transport, delivered)
		moved.Events[0].RecipientPlace = []byte("R1|S5|recipient")
		told, err := w.TakeReport(t.Context(), moved)
		if err != nil || told[0].Refusal == nil {
			t.Errorf("a name of another event is taken: %+v, %v", told, err)
		}
	})
}
