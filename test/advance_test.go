package test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/sim"
)

// advanced is what became of a move of the sandbox's time.
type advanced struct {
	TimeBefore time.Time `json:"businessTimeBefore"`
	Time       time.Time `json:"businessTime"`
	Target     time.Time `json:"businessTimeTarget"`
	DateBefore string    `json:"businessDateBefore"`
	Date       string    `json:"businessDate"`
	IsComplete bool      `json:"isComplete"`
	Jobs       []struct {
		Job       string `json:"job"`
		Count     int    `json:"count"`
		HasFailed bool   `json:"hasFailed"`
	} `json:"jobs"`
}

// did is how often a job did something.
func (a advanced) did(job string) int {
	for _, j := range a.Jobs {
		if j.Job == job {
			return j.Count
		}
	}
	return -1
}

// tryAdvance asks for another time, and returns the code of a refusal.
func tryAdvance(t *testing.T, bank *sim.Bank, body map[string]any) (out advanced, refusal string) {
	t.Helper()
	_, err := bank.Call(t.Context(), http.MethodPost, "/api/v1/sandbox/transaction/advance-time", body, &out)
	if refused, ok := errors.AsType[*sim.APIError](err); ok {
		return out, refused.Code
	}
	if err != nil {
		t.Fatal(err)
	}
	return out, ""
}

// advance moves the time of the bank, in as many requests as it takes, which is the
// machine's affair, and tells of all of them together.
func advance(t *testing.T, bank *sim.Bank, body map[string]any) advanced {
	t.Helper()
	var all advanced
	for range 20 {
		out, refusal := tryAdvance(t, bank, body)
		if refusal != "" {
			t.Fatalf("advance %v: %s", body, refusal)
		}
		for i, j := range out.Jobs {
			if j.HasFailed {
				t.Errorf("advance %v: %s has failed", body, j.Job)
			}
			if all.Jobs != nil {
				out.Jobs[i].Count += all.Jobs[i].Count
			}
		}
		if all.Jobs != nil {
			out.TimeBefore, out.DateBefore = all.TimeBefore, all.DateBefore
		}
		if out.IsComplete {
			return out
		}
		all, body = out, map[string]any{"to": out.Target} // the days would be counted anew
	}
	t.Fatal("the time does not get there")
	return advanced{}
}

// limitTo lets cards of the bank's product spend so much in a period.
func limitTo(t *testing.T, bank *sim.Bank, code, period string, lira int) {
	t.Helper()
	if _, err := bank.Call(t.Context(), http.MethodPost, "/api/v1/issuing/velocity-control", map[string]any{
		"code": code, "name": code, "currencyCode": "TRY", "period": period, "maxAmount": lira,
		"links": []map[string]any{{"linkType": "Product", "linkCode": "CLASSIC"}},
	}, nil); err != nil {
		t.Fatal(err)
	}
}

// cardStatus is the status of the plastic in force, and how many plastics there
// are.
func cardStatus(t *testing.T, bank *sim.Bank, token string) (status string, plastics int) {
	t.Helper()
	var found struct {
		Card  struct{ CardStatus string }
		Cards []struct{ CardStatus string }
	}
	if _, err := bank.Call(t.Context(), http.MethodGet, "/api/v1/issuing/card/"+token+"/details", nil, &found); err != nil {
		t.Fatal(err)
	}
	return found.Card.CardStatus, len(found.Cards)
}

// TestAdvance_whatTimeBrings moves a sandbox on by years: holds expire, windows
// roll, what is scheduled comes, and cards are renewed and end. Another sandbox
// on the same platform stays where it is, and what must be true goes by the
// clock (ADR 0020).
func TestAdvance_whatTimeBrings(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, append(flags, "--webhook-allow-loopback", "true")...)
		bank, beside := openBank(t, s, flags), openBank(t, s, flags)
		cards, other := issue(t, bank, 3), issue(t, beside, 1)[0]
		hook := listen(t, bank, "card.*", "transaction.*")
		term := shop(t)
		link := connect(t, s, term, 10*time.Second)
		use := func(what string, c sim.Issued, minor int64, want string) {
			t.Helper()
			if got := pay(t, link, term, c.Card, sim.Payment{Amount: lira(minor), Entry: sim.Chip, PIN: c.Card.PIN}); got != want {
				t.Errorf("%s: answered %s, want %s", what, got, want)
			}
		}
		holds := func(what string, bank *sim.Bank, c sim.Issued, minor int64) {
			t.Helper()
			if got := heldOn(t, bank, c); got != lira(minor) {
				t.Errorf("%s: %v held, want %v", what, got, lira(minor))
			}
		}
		start := time.Now()

		// A day's limit, and a hold of seven days.
		limitTo(t, bank, "DAY", "Day", 100)
		use("within the day's limit", cards[0], 8_000, "00")
		use("beyond it", cards[0], 3_000, "61")
		use("in the other sandbox", other, 3_000, "00")
		first := advance(t, bank, map[string]any{"days": 1})
		if days := first.Time.Sub(first.TimeBefore); days < 24*time.Hour || days > 24*time.Hour+time.Minute || first.Date <= first.DateBefore {
			t.Errorf("a day on: %+v", first)
		}
		use("the next day", cards[0], 3_000, "00")
		holds("before they expire", bank, cards[0], 11_000)
		if done := advance(t, bank, map[string]any{"days": 30}); done.did("HoldExpiry") != 2 {
			t.Errorf("a month on: %+v", done)
		}
		holds("after they expired", bank, cards[0], 0)
		holds("in the other sandbox", beside, other, 3_000)

		// A month's limit, to its last hour and beyond.
		limitTo(t, bank, "MONTH", "Month", 150)
		now, err := time.Parse(time.DateOnly, first.Date)
		if err != nil {
			t.Fatal(err)
		}
		end := time.Date(now.Year(), now.Month()+3, 1, 0, 0, 0, 0, time.UTC).Add(-2*time.Minute - 3*time.Hour) // 23:58 in Istanbul
		advance(t, bank, map[string]any{"to": end.Add(-24 * time.Hour).Format(time.RFC3339)})
		use("a day before the month ends", cards[0], 9_000, "00")
		advance(t, bank, map[string]any{"to": end.Format(time.RFC3339)})
		use("on its last day, beyond its limit", cards[0], 9_000, "61")
		advance(t, bank, map[string]any{"to": end.Add(3 * time.Minute).Format(time.RFC3339)})
		use("in the next month", cards[0], 9_000, "00")

		// What is scheduled comes in its time.
		at := end.Add(72 * time.Hour)
		if _, err := bank.Call(t.Context(), http.MethodPut, "/api/v1/issuing/card/"+cards[1].Token+"/status", map[string]any{
			"status": "Inactive", "reason": "CustomerRequest", "effectiveDate": at.Format(time.RFC3339),
		}, nil); err != nil {
			t.Fatal(err)
		}
		use("before its schedule", cards[1], 1_000, "00")
		if done := advance(t, bank, map[string]any{"to": at.Add(time.Minute).Format(time.RFC3339)}); done.did("ScheduledStatus") != 1 {
			t.Errorf("to the schedule: %+v", done)
		}
		use("after its schedule", cards[1], 1_000, "62")
		told := hook.wait(t, "card.status-changed", cards[1].Token)

		// What is set for a card for a while ends: a switch, and a limit of its own.
		until := at.AddDate(0, 0, 5).Format(time.RFC3339)
		if _, err := bank.Call(t.Context(), http.MethodPut, "/api/v1/issuing/card/"+cards[2].Token+"/policy", map[string]any{
			"policies": []map[string]any{{"policyType": "DomesticPos", "isAllowed": false, "endDate": until}},
		}, nil); err != nil {
			t.Fatal(err)
		}
		use("switched off", cards[2], 1_000, "57")
		if _, err := bank.Call(t.Context(), http.MethodPost, "/api/v1/issuing/velocity-control/card/"+cards[0].Token, map[string]any{
			"velocityCheckCode": "DAY", "maxAmount": 5, "endDate": until,
		}, nil); err != nil {
			t.Fatal(err)
		}
		use("beyond a limit of its own", cards[0], 1_000, "61")
		if done := advance(t, bank, map[string]any{"days": 6}); done.did("CardLimits") != 1 {
			t.Errorf("after what was set for a while: %+v", done)
		}
		use("switched on again", cards[2], 1_000, "00")
		use("within the limit of its product", cards[0], 1_000, "00")

		// Of a card with a new number the old plastic works for the overlap.
		path := "/api/v1/issuing/card/" + cards[1].Token
		if _, err := bank.Call(t.Context(), http.MethodPut, path+"/status", map[string]any{"status": "Active", "reason": "CustomerRequest"}, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := bank.Call(t.Context(), http.MethodPost, path+"/renew", map[string]any{
			"renewalReason": "Expiry", "keepCardNumber": false, "deliveryMethod": "Branch", "branchCode": "0001",
		}, nil); err != nil {
			t.Fatal(err)
		}
		use("the old plastic beside its successor", cards[1], 1_000, "00")
		if done := advance(t, bank, map[string]any{"days": 60}); done.did("ScheduledStatus") != 1 {
			t.Errorf("after the overlap: %+v", done)
		}
		use("the old plastic after the overlap", cards[1], 1_000, "54")
		if status, _ := cardStatus(t, bank, cards[1].Token); status != "Renewed" {
			t.Errorf("the old plastic is %s", status)
		}

		// Two years on a used card is renewed, an idle one is not, and all end.
		year, month := cards[0].Card.Expiry[:2], cards[0].Card.Expiry[2:]
		expires, err := time.Parse("060102", year+month+"01")
		if err != nil {
			t.Fatal(err)
		}
		advance(t, bank, map[string]any{"to": expires.AddDate(0, -6, 14).Format(time.DateOnly)})
		use("half a year before it expires", cards[0], 1_000, "00")
		renewed := advance(t, bank, map[string]any{"to": expires.AddDate(0, 0, 20).Format(time.DateOnly)})
		if renewed.did("AutoRenewal") != 1 || renewed.did("ExpiryNotice") < 2 {
			t.Errorf("in the month in which they expire: %+v", renewed)
		}
		hook.wait(t, "card.renewed", cards[0].Token)
		hook.wait(t, "card.renewal-skipped", cards[2].Token)
		use("in its last month", cards[0], 1_000, "00")
		ended := advance(t, bank, map[string]any{"to": expires.AddDate(0, 1, 1).Format(time.DateOnly)})
		if ended.did("CardExpiry") < 2 {
			t.Errorf("after they expired: %+v", ended)
		}
		use("the expired card", cards[0], 1_000, "54")
		use("the idle one", cards[2], 1_000, "54")
		if status, plastics := cardStatus(t, bank, cards[2].Token); status != "Expired" || plastics != 1 {
			t.Errorf("the idle card: %s, %d plastics", status, plastics)
		}
		if _, plastics := cardStatus(t, bank, cards[0].Token); plastics != 2 {
			t.Errorf("the renewed card: %d plastics", plastics)
		}
		hook.wait(t, "card.status-changed", cards[2].Token)

		// A simulated transaction shows the sandbox's date; field 7 is true.
		var owner struct{ Customer struct{ CustomerNo string } }
		if _, err := bank.Call(t.Context(), http.MethodGet, "/api/v1/issuing/card/"+cards[0].Token+"/details", nil, &owner); err != nil {
			t.Fatal(err)
		}
		fresh, err := bank.Issue(t.Context(), owner.Customer.CustomerNo, "7392")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bank.Load(t.Context(), fresh.Account, "100.00", "after years"); err != nil {
			t.Fatal(err)
		}
		got, refusal := simulate(t, bank, "process", purchase(fresh, nil))
		if refusal != "" || got.ResponseCode != "00" {
			t.Fatalf("a purchase after years: %s %+v", refusal, got)
		}
		if day := ended.Time.In(istanbul(t)).Format("0102"); got.RequestMessage.field(13) != day || !slices.Contains(
			[]string{start.UTC().Format("0102"), time.Now().UTC().Format("0102")}, got.RequestMessage.field(7)[:4]) {
			t.Errorf("the message has the date %s and was sent on %s", got.RequestMessage.field(13), got.RequestMessage.field(7))
		}
		if made, err := uuid7(got.TransactionID); err != nil || made.Before(start.Add(-time.Minute)) || made.After(time.Now().Add(time.Minute)) {
			t.Errorf("its identifier is of %s, %v", made, err)
		}
		presented, refusal := simulate(t, bank, "clear", map[string]any{"transactionId": got.TransactionID})
		if refusal != "" || presented.Clearing == nil || presented.Clearing.MatchStatus != "Matched" {
			t.Errorf("its presentment: %s %+v", refusal, presented)
		}
		use("the other sandbox's card", other, 1_000, "00")

		checkTrueTimes(t, bank, told, cards[1].Token, start)
		run(t, append([]string{"verify"}, flags...)...)
		run(t, append([]string{"audit", "verify"}, flags...)...)
	})
}

// uuid7 is when an identifier says that it was made.
func uuid7(text string) (time.Time, error) {
	ms, err := strconv.ParseInt(strings.ReplaceAll(text, "-", "")[:12], 16, 64)
	return time.UnixMilli(ms), err
}

// checkTrueTimes looks at what goes by the clock whatever a sandbox calls today.
func checkTrueTimes(t *testing.T, bank *sim.Bank, e event, token string, start time.Time) {
	t.Helper()
	isTrue := func(what string, at time.Time) {
		t.Helper()
		if at.Before(start.Add(-time.Minute)) || at.After(time.Now().Add(time.Second)) {
			t.Errorf("%s at %s, which is not true", what, at)
		}
	}
	isTrue("an event occurred", e.OccurredAt)
	var page struct {
		Items []struct {
			ExecutionTime time.Time
			ActionType    string
		}
	}
	if _, err := bank.Call(t.Context(), http.MethodGet, "/api/v1/issuing/audit-log/card?CardToken="+token, nil, &page); err != nil {
		t.Fatal(err)
	}
	if len(page.Items) == 0 {
		t.Error("nothing was written down")
	}
	for _, act := range page.Items {
		isTrue(act.ActionType+" was written down", act.ExecutionTime)
	}
}

func istanbul(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Istanbul")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// TestAdvance_twoAtOnceAndAfterACrash: of two moves at once one is made, and a
// move that a kill broke off is finished by asking again.
func TestAdvance_twoAtOnceAndAfterACrash(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, flags...)
		bank := openBank(t, s, flags)
		card := issue(t, bank, 1)[0]
		term := shop(t)
		link := connect(t, s, term, 10*time.Second)
		if got := pay(t, link, term, card.Card, sim.Payment{Amount: lira(1_000), Entry: sim.Chip, PIN: card.Card.PIN}); got != "00" {
			t.Fatalf("answered %s", got)
		}

		var both sync.WaitGroup
		outs, refusals := make([]advanced, 2), make([]string, 2)
		for i := range outs {
			both.Go(func() { outs[i], refusals[i] = tryAdvance(t, bank, map[string]any{"days": 20}) })
		}
		both.Wait()
		for i := range outs {
			if refusals[i] == "Sandbox:TimeMoving" {
				outs[i] = advance(t, bank, map[string]any{"days": 20}) // the other one has ended
			} else if refusals[i] != "" {
				t.Fatalf("moves at once: %v", refusals)
			}
		}
		slices.SortFunc(outs, func(a, b advanced) int { return a.Time.Compare(b.Time) })
		if apart := outs[1].Time.Sub(outs[0].Time); apart < 20*24*time.Hour || apart > 20*24*time.Hour+time.Minute {
			t.Errorf("two moves of twenty days end at %s and %s", outs[0].Time, outs[1].Time)
		}

		if _, err := bank.Call(t.Context(), http.MethodPut, "/api/v1/issuing/card/"+card.Token+"/status", map[string]any{
			"status": "Inactive", "reason": "CustomerRequest", "effectiveDate": outs[1].Time.AddDate(0, 0, 360).Format(time.RFC3339),
		}, nil); err != nil {
			t.Fatal(err)
		}
		to := outs[1].Time.In(istanbul(t)).AddDate(1, 0, 0).Format(time.DateOnly)
		broken := make(chan error, 1)
		go func() {
			_, err := bank.Call(t.Context(), http.MethodPost, "/api/v1/sandbox/transaction/advance-time", map[string]any{"to": to}, nil)
			broken <- err
		}()
		time.Sleep(300 * time.Millisecond)
		s.command.Process.Kill()
		if err := <-broken; err == nil {
			t.Log("the move was done before the kill")
		}
		<-s.ended

		s = serve(t, dir, flags...)
		bank.Move("http://" + s.api)
		var done advanced
		for range 30 { // whoever was killed had the right to move for ten seconds
			refusal := ""
			if done, refusal = tryAdvance(t, bank, map[string]any{"to": to}); refusal == "Sandbox:TimeMoving" {
				time.Sleep(time.Second)
				continue
			} else if refusal != "" && refusal != "Common:ValidationError" { // it is there already
				t.Fatalf("asked again: %s", refusal)
			}
			if done.IsComplete || refusal != "" {
				break
			}
		}
		if done.Date != "" && (done.Date != to || done.TimeBefore.Before(outs[1].Time)) {
			t.Errorf("asked again: %+v", done)
		}
		link = connect(t, s, term, 10*time.Second)
		if got := pay(t, link, term, card.Card, sim.Payment{Amount: lira(1_000), Entry: sim.Chip, PIN: card.Card.PIN}); got != "62" {
			t.Errorf("after its schedule: answered %s", got)
		}
		if status, _ := cardStatus(t, bank, card.Token); status != "Inactive" {
			t.Errorf("after its schedule: %s", status)
		}
		run(t, append([]string{"verify"}, flags...)...)
		run(t, append([]string{"audit", "verify"}, flags...)...)
	})
}

// TestAdvance_asksClientsByTheClock: a client that owns its balances is waited for
// by the clock, and what a process left that did not come back is concluded,
// whatever date the sandbox has.
func TestAdvance_asksClientsByTheClock(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		loopback := append(slices.Clone(flags), "--webhook-allow-loopback", "true")
		s := serve(t, dir, loopback...)
		bank := openBank(t, s, flags)
		card := issue(t, bank, 1)[0]
		advance(t, bank, map[string]any{"days": 400})
		client := newBookkeeper(t)
		client.employ(bank)
		term := shop(t)
		link := connect(t, s, term, 10*time.Second)
		if got := pay(t, link, term, card.Card, sim.Payment{Amount: lira(1_000), Entry: sim.Chip}); got != "00" {
			t.Fatalf("answered %s", got)
		}
		client.forget()

		release := client.hang()
		lost, err := term.Use(card.Card, sim.Payment{Amount: lira(3_000), Entry: sim.Chip})
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, _, _ = link.Ask(context.Background(), lost.Message) }()
		question := client.await("Authorization", "")
		s.command.Process.Kill()
		<-s.ended
		release()
		client.forget()
		s = serve(t, dir, loopback...)
		bank.Move("http://" + s.api)
		client.await("Reversal", question.Data.TransactionID)
		if held := heldOn(t, bank, card); held != lira(1_000) {
			t.Errorf("%v is held, want 10.00", held)
		}
		run(t, append([]string{"verify"}, flags...)...)
	})
}

// TestAdvance_holdsOnTheOtherNode: a move on one node holds for the next
// authorization on another.
func TestAdvance_holdsOnTheOtherNode(t *testing.T) {
	dir := t.TempDir()
	flags := []string{"--data", dir, "--db", dbtest.PostgresDSN(t)}
	one, two := serve(t, dir, flags...), serve(t, dir, flags...)
	bank := openBank(t, one, flags)
	card := issue(t, bank, 1)[0]
	limitTo(t, bank, "DAY", "Day", 100)
	term := shop(t)
	link := connect(t, two, term, 10*time.Second)
	use := func(what, want string) {
		t.Helper()
		if got := pay(t, link, term, card.Card, sim.Payment{Amount: lira(6_000), Entry: sim.Chip, PIN: card.Card.PIN}); got != want {
			t.Errorf("%s: answered %s, want %s", what, got, want)
		}
	}
	for range 5 {
		use("the first of a day", "00")
		use("the second", "61")
		advance(t, bank, map[string]any{"days": 1})
	}
}
