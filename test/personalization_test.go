package test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
	"github.com/sarraf-platform/sarraf/internal/wire/persofile"
)

// office is a bank whose cards a bureau makes and a courier brings.
type office struct {
	*sim.Bank
	t      *testing.T
	flags  []string
	tenant string
	dir    string // of the bureau
	bureau *sim.Bureau
}

// openOffice gives a bank a product whose cards are activated only once they
// were delivered.
func openOffice(t *testing.T, s *server, dir string, flags []string) *office {
	t.Helper()
	made := newTenant(t, flags)
	o := &office{Bank: made.openBank(t, s), t: t, flags: flags, tenant: made.ID}
	o.dir = filepath.Join(dir, "perso", made.ID, "BUREAU1")
	o.call(http.MethodPost, "/api/v1/issuing/product", map[string]any{
		"code": "COURIER", "name": "Brought", "groupCode": "CARDS", "binRangeCode": "MAIN", "cardType": "Prepaid",
		"currencyCode": "TRY", "allowedFormFactors": []string{"Physical"}, "validityMonths": 36, "serviceCode": "201",
		"chipProfileCode": "CVN18", "pinLength": 4, "maxCardsPerCustomer": 0, "requireDeliveryForActivation": true,
		"contactlessEnabled": true, "contactlessLimit": map[string]any{"currencyCode": "TRY", "transactionLimit": 2500, "consecutiveCountLimit": 5},
		"physicals": []map[string]any{{
			"code": "STD", "cardArtCode": "BLUE", "plasticCode": "PVC", "persoVendorCode": "BUREAU1", "courierCode": "COURIER1",
			"languageCode": "tr", "isDefault": true,
		}},
	}, nil)
	return o
}

func (o *office) call(method, path string, body, out any) {
	o.t.Helper()
	if _, err := o.Call(o.t.Context(), method, path, body, out); err != nil {
		o.t.Fatalf("%s %s: %v", method, path, err)
	}
}

// refused makes a call that must be answered with a status and code.
func (o *office) refused(method, path string, body any, status int, code string) {
	o.t.Helper()
	_, err := o.Call(o.t.Context(), method, path, body, nil)
	if refusal, ok := errors.AsType[*sim.APIError](err); !ok || refusal.Status != status || refusal.Code != code {
		o.t.Errorf("%s %s: got %v, want %d %s", method, path, err, status, code)
	}
}

// order asks for a card to be brought to a customer and returns its token and
// account.
func (o *office) order(customer string) (token, account string) {
	o.t.Helper()
	var made struct {
		CardToken  string `json:"cardToken"`
		IssuanceNo string `json:"issuanceNo"`
		AccountNo  string `json:"accountNo"`
	}
	o.call(http.MethodPost, "/api/v1/issuing/card", map[string]any{
		"customerNo": customer, "productCode": "COURIER", "formFactor": "Physical", "deliveryMethod": "Courier",
		"deliveryAddress": map[string]any{
			"addressType": "Home", "countryCode": "TR", "cityCode": "06", "cityName": "Ankara", "townName": "Cankaya", "addressLine1": "Gül Sokak 5",
		},
	}, &made)
	if made.AccountNo == "" {
		made.AccountNo = made.IssuanceNo
	}
	return made.CardToken, made.AccountNo
}

// persoRun is what "sarraf perso run" says it did.
type persoRun struct {
	Reports, RejectedReports, Events, RefusedEvents, Requeued, Queued, Files, Sent, Failed, Cancelled int
}

func (o *office) run() (did persoRun) {
	o.t.Helper()
	if err := json.Unmarshal(run(o.t, append([]string{"perso", "run", "--json"}, o.flags...)...), &did); err != nil {
		o.t.Fatal(err)
	}
	return did
}

// share gives the bureau a transport key.
func (o *office) share() {
	o.t.Helper()
	var err error
	if o.bureau, err = sim.NewBureau(); err != nil {
		o.t.Fatal(err)
	}
	public, err := o.bureau.PublicKey()
	if err != nil {
		o.t.Fatal(err)
	}
	path := filepath.Join(o.t.TempDir(), "bureau.pem")
	if err := os.WriteFile(path, public, 0o600); err != nil {
		o.t.Fatal(err)
	}
	var shared struct{ KeyID, KCV, EncryptedKey string }
	args := append([]string{"perso", "key", "--json", "--tenant", o.tenant, "--vendor", "BUREAU1", path}, o.flags...)
	if err := json.Unmarshal(run(o.t, args...), &shared); err != nil {
		o.t.Fatal(err)
	}
	wrapped, err := base64.StdEncoding.DecodeString(shared.EncryptedKey)
	if err == nil {
		err = o.bureau.TakeKey(shared.KeyID, shared.KCV, wrapped)
	}
	if err != nil {
		o.t.Fatal(err)
	}
}

// collect makes the cards of all orders that lie ready, and takes these away.
func (o *office) collect() []sim.MadeCard {
	o.t.Helper()
	paths, err := filepath.Glob(filepath.Join(o.dir, "out", "*"))
	if err != nil {
		o.t.Fatal(err)
	}
	var all []sim.MadeCard
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			o.t.Fatal(err)
		}
		made, err := o.bureau.Make(bytes.NewReader(content))
		if err != nil {
			o.t.Fatalf("%s: %v", filepath.Base(path), err)
		}
		if err := os.Remove(path); err != nil {
			o.t.Fatal(err)
		}
		all = append(all, made...)
	}
	return all
}

// report lays a report of the bureau ready.
func (o *office) report(name string, at time.Time, events ...persofile.Event) {
	o.t.Helper()
	var b bytes.Buffer
	if err := o.bureau.Report(&b, name, at, events); err != nil {
		o.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(o.dir, "in", name+".jsonl"), b.Bytes(), 0o600); err != nil {
		o.t.Fatal(err)
	}
}

type persoInfo struct {
	PersoStatus, ShipmentStatus, PersoFileName, PersoBatchNo, ErrorText string
	PersoFileDate, ProducedDate                                         *time.Time
}

func (o *office) perso(token string) (info persoInfo) {
	o.t.Helper()
	o.call(http.MethodGet, "/api/v1/issuing/card/"+token+"/perso-info", nil, &info)
	return info
}

type shipmentInfo struct {
	ShipmentStatus, CourierCode, CourierName, TrackingNo, TrackingURL, EstimatedDeliveryDate string
	RecipientName, RecipientRelation                                                         string
	DeliveredAt                                                                              *time.Time
	AttemptCount                                                                             int
	Events                                                                                   []struct{ StatusCode, ShipmentStatus, Location string }
}

// A card is ordered, made by a bureau that shares a key, brought by a courier,
// activated, and pays with what the bureau put into its chip.
func TestPersonalization_bringsACardThatPays(t *testing.T) {
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, append([]string{"--job-perso-interval", "24h"}, flags...)...)
		o := openOffice(t, s, dir, flags)
		customer, err := o.OpenCustomer(t.Context(), "Ada", "Deniz", "+905321234567")
		if err != nil {
			t.Fatal(err)
		}
		token, account := o.order(customer)
		if got := o.perso(token); got.PersoStatus != "Requested" {
			t.Fatalf("a new plastic is %s", got.PersoStatus)
		}

		// Without a key nothing leaves; with one it does by itself.
		if did := o.run(); did.Failed != 1 || did.Sent != 0 {
			t.Fatalf("without a key: %+v", did)
		}
		if got := o.perso(token); got.PersoStatus != "Failed" || got.ErrorText == "" {
			t.Errorf("without a key: %+v", got)
		}
		o.share()
		if did := o.run(); did.Requeued != 1 || did.Queued != 1 || did.Sent != 1 || did.Files != 1 {
			t.Fatalf("with a key: %+v", did)
		}
		sent := o.perso(token)
		if sent.PersoStatus != "FileSent" || sent.ShipmentStatus != "PrintRequested" || sent.PersoBatchNo != "1" ||
			!strings.HasPrefix(sent.PersoFileName, "BUREAU1-") || sent.PersoFileDate == nil || sent.ErrorText != "" {
			t.Errorf("sent: %+v", sent)
		}
		if did := o.run(); did != (persoRun{}) {
			t.Errorf("a second run does %+v", did)
		}
		made := o.collect()
		if len(made) != 1 || made[0].Order.CardToken != token || made[0].Order.Embossing.Line1 != "ADA DENIZ" ||
			!strings.Contains(made[0].Recipient, `"line1":"Gül Sokak 5"`) {
			t.Fatalf("the bureau made %d cards", len(made))
		}
		order := made[0].Order.OrderID
		o.bringAndPay(s, token, account, order, made[0])
	})
}

// bringAndPay follows a made card until it pays.
func (o *office) bringAndPay(s *server, token, account, order string, made sim.MadeCard) {
	t := o.t
	t.Helper()
	activate := func() error {
		_, err := o.Call(t.Context(), http.MethodPost, "/api/v1/issuing/card/"+token+"/pin/set",
			map[string]any{"encryptedPin": "7392", "activateCard": true}, nil)
		return err
	}
	if refusal, ok := errors.AsType[*sim.APIError](activate()); !ok || refusal.Code != "Issuing:ActivationConditionNotMet" {
		t.Errorf("a card that was not delivered is activated: %v", refusal)
	}
	begin := time.Now().UTC().Add(-time.Hour).Truncate(time.Second)
	o.report("DAY1", begin.Add(5*time.Minute),
		persofile.Event{EventID: "P1", About: persofile.Production, OrderID: order, StatusCode: "110", At: begin},
		persofile.Event{EventID: "P2", About: persofile.Production, OrderID: order, StatusCode: "120", At: begin.Add(time.Minute)},
		persofile.Event{EventID: "P3", About: persofile.Production, OrderID: order, StatusCode: "130", At: begin.Add(2 * time.Minute)},
		persofile.Event{EventID: "P4", About: persofile.Production, OrderID: order, StatusCode: "140", At: begin.Add(3 * time.Minute)},
		persofile.Event{EventID: "P5", About: persofile.Production, OrderID: order, StatusCode: "120", At: begin.Add(4 * time.Minute)},
	)
	if did := o.run(); did.Reports != 1 || did.Events != 5 || did.RefusedEvents != 1 {
		t.Errorf("the report: %+v", did)
	}
	if got := o.perso(token); got.PersoStatus != "HandedToCourier" || got.ProducedDate == nil {
		t.Errorf("after the report: %+v", got)
	}
	if left, _ := filepath.Glob(filepath.Join(o.dir, "in", "*")); len(left) != 0 {
		t.Errorf("the report was left in %v", left)
	}

	const path = "/api/v1/issuing/shipment/event"
	event := func(id, code string, minute int, also map[string]any) map[string]any {
		e := map[string]any{
			"vendorCode": "COURIER1", "eventId": id, "cardToken": token, "statusCode": code,
			"eventDate": begin.Add(time.Duration(minute) * time.Minute).Format(time.RFC3339),
		}
		for name, value := range also {
			e[name] = value
		}
		return e
	}
	o.call(http.MethodPost, path, event("S1", "100", 10, map[string]any{
		"courierCode": "COURIER1", "courierName": "Quick", "trackingNo": "TR0001", "estimatedDeliveryDate": "2026-12-01",
	}), nil)
	o.refused(http.MethodPost, path, event("S2", "500", 11, nil), 409, "Issuing:PlasticTransitionNotAllowed")
	o.refused(http.MethodPost, path, event("S3", "777", 11, nil), 400, "Common:ValidationError")
	var list struct{ SuccessCount, FailedCount int }
	o.call(http.MethodPost, path, map[string]any{"vendorCode": "COURIER1", "events": []map[string]any{
		event("S4", "200", 12, map[string]any{"location": "Ankara"}), event("S5", "400", 13, nil), event("S6", "777", 14, nil),
	}}, &list)
	if list.SuccessCount != 2 || list.FailedCount != 1 {
		t.Errorf("a list: %+v", list)
	}
	o.call(http.MethodPost, path, event("S7", "500", 20, map[string]any{"recipientName": "Ada Deniz", "recipientRelation": "self"}), nil)
	o.call(http.MethodPost, path, event("S7", "500", 20, nil), nil) // told twice
	o.call(http.MethodPost, path, event("S8", "300", 12, nil), nil) // told late
	var got shipmentInfo
	o.call(http.MethodGet, "/api/v1/issuing/card/"+token+"/shipment-info", nil, &got)
	if got.ShipmentStatus != "Delivered" || got.DeliveredAt == nil || got.AttemptCount != 1 || got.RecipientName != "Ada Deniz" ||
		got.CourierCode != "COURIER1" || got.TrackingNo != "TR0001" || got.EstimatedDeliveryDate != "2026-12-01" || len(got.Events) != 5 {
		t.Errorf("the shipment: %+v", got)
	}

	if err := activate(); err != nil {
		t.Fatalf("a delivered card is not activated: %v", err)
	}
	if _, err := o.Load(t.Context(), account, "100.00", "load-"+token); err != nil {
		t.Fatal(err)
	}
	term := shop(t)
	link := connect(t, s, term, 10*time.Second)
	payment, err := term.Use(made.Card, sim.Payment{Amount: lira(2500), Entry: sim.Chip})
	if err != nil {
		t.Fatal(err)
	}
	answer, _, err := link.Ask(t.Context(), payment.Message)
	if err != nil || answer.Text(iso8583.ResponseCode) != "00" {
		t.Fatalf("the card does not pay: %v %v", answer, err)
	}
	if present, err := payment.CheckIssuer(answer); !present || err != nil {
		t.Errorf("the chip does not know its issuer: %v", err)
	}
}

// Whatever is killed when, every plastic stands in exactly one of the files that
// the bureau gets.
func TestPersonalization_losesAndDoublesNoCard(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		const kills, each = 8, 5
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		busy := append([]string{"--job-perso-interval", "1ms"}, flags...)
		s := serve(t, dir, busy...)
		o := openOffice(t, s, dir, flags)
		o.share()
		customer, err := o.OpenCustomer(t.Context(), "Ada", "Deniz", "+905321234567")
		if err != nil {
			t.Fatal(err)
		}
		ordered := map[string]bool{}
		files := map[string]int{}
		for range kills {
			var running sync.WaitGroup
			var mu sync.Mutex
			running.Go(func() {
				for range each {
					var made struct{ CardToken string }
					_, err := o.Call(t.Context(), http.MethodPost, "/api/v1/issuing/card", map[string]any{
						"customerNo": customer, "productCode": "COURIER", "formFactor": "Physical", "deliveryMethod": "Branch", "branchCode": "0001",
					}, &made)
					if err != nil {
						return // the server was killed
					}
					mu.Lock()
					ordered[made.CardToken] = true
					mu.Unlock()
				}
			})
			time.Sleep(time.Duration(random.IntN(120)) * time.Millisecond) // the moment of death is the point
			s.command.Process.Kill()
			running.Wait()
			<-s.ended
			for _, m := range o.collect() { // the bureau looks at any moment
				files[m.Order.CardToken]++
			}
			s = serve(t, dir, busy...)
			o.Move("http://" + s.api)
		}
		for range 3 {
			o.run()
		}
		for _, m := range o.collect() {
			files[m.Order.CardToken]++
		}
		for token := range ordered {
			if files[token] != 1 {
				t.Errorf("card %s is in %d files", token, files[token])
			}
			if got := o.perso(token).PersoStatus; got != "FileSent" {
				t.Errorf("card %s is %s", token, got)
			}
		}
		for token, n := range files {
			if n != 1 {
				t.Errorf("card %s is in %d files", token, n)
			}
		}
		left, _ := filepath.Glob(filepath.Join(o.dir, "prepared", "*"))
		t.Logf("%d cards, %d left in preparation", len(ordered), len(left))
		var batches []struct{ Status, FileName string }
		if err := json.Unmarshal(run(t, append([]string{"perso", "list", "--json"}, flags...)...), &batches); err != nil {
			t.Fatal(err)
		}
		for _, b := range batches {
			if b.Status != "Sent" && b.Status != "Empty" {
				t.Errorf("file %s is still %s", b.FileName, b.Status)
			}
		}
	})
}
