package test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/sim"
)

const replayDraft = `{"velocityControls": [{"code": "DRAFT", "name": "Draft", "period": "Day", "currencyCode": "TRY", "maxCount": 100,
	"links": [{"linkType": "Global"}]}]}`

type replayState struct {
	ReplayID string `json:"replayId"`
	Status   string `json:"status"`
	Done     int    `json:"doneCount"`
	Totals   *struct {
		Decided int `json:"decidedCount"`
		Same    int `json:"sameCount"`
	} `json:"totals"`
}

// A replay prints the same, byte by byte, however many processors it has, of payments
// that were decided in groups of every size; and one that was asked for over the API
// and whose server is killed in the middle ends, with the same result, on the next.
func TestReplay_isDeterministicAndSurvivesAKill(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, inGroups(0, flags...)...)
		bank := openBank(t, s, flags)
		begin := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
		const links, each = 4, 300
		cards := issue(t, bank, links)
		for n := range groupSizes {
			if n > 0 {
				s.command.Process.Kill()
				<-s.ended
				s = serve(t, dir, inGroups(n, flags...)...)
			}
			payMany(t, s, cards, each/len(groupSizes))
			checkGroups(t, s, n)
		}
		bank.Move("http://" + s.api)
		end := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)

		var running replayState
		for range 10 { // until it is met in the middle
			ask := json.RawMessage(`{"from": "` + begin + `", "to": "` + end + `", "draft": ` + replayDraft + `}`)
			if _, err := bank.Call(t.Context(), http.MethodPost, "/api/v1/issuing/replay", ask, &running); err != nil {
				t.Fatal(err)
			}
			awaitReplay(t, bank, &running, func(x replayState) bool { return x.Status != "Queued" })
			if running.Status == "Running" {
				break
			}
		}
		s.command.Process.Kill()
		<-s.ended
		t.Logf("killed while it was %s, at %d", running.Status, running.Done)

		file := filepath.Join(t.TempDir(), "draft.json")
		if err := os.WriteFile(file, []byte(replayDraft), 0o600); err != nil {
			t.Fatal(err)
		}
		var outputs [][]byte
		for _, processors := range []string{"1", "2", "4"} {
			command := exec.Command(binary, append([]string{"replay", "--from", begin, "--to", end, "--with", file, "--json"}, flags...)...)
			command.Env = append(os.Environ(), "GOMAXPROCS="+processors)
			output, err := command.Output()
			if err != nil {
				t.Fatal(err)
			}
			outputs = append(outputs, output)
		}
		if !bytes.Equal(outputs[0], outputs[1]) || !bytes.Equal(outputs[0], outputs[2]) {
			t.Error("the output depends on how many processors there are")
		}
		var told struct {
			Tenants []struct {
				Differences []json.RawMessage
				Totals      struct{ Decided, Same int }
			}
		}
		if err := json.Unmarshal(outputs[0], &told); err != nil {
			t.Fatal(err)
		}
		want := told.Tenants[0]
		if want.Totals.Decided != links*each || len(want.Differences) != links*(each-100) {
			t.Errorf("%d decided, %d differ", want.Totals.Decided, len(want.Differences))
		}

		s = serve(t, dir, flags...)
		bank.Move("http://" + s.api)
		awaitReplay(t, bank, &running, func(x replayState) bool { return x.Status == "Completed" || x.Status == "Failed" })
		if running.Status != "Completed" || running.Totals == nil || running.Totals.Decided != want.Totals.Decided || running.Totals.Same != want.Totals.Same {
			t.Errorf("after the kill: %+v, not %+v", running, want.Totals)
		}
		var page struct{ TotalCount int }
		if _, err := bank.Call(t.Context(), http.MethodGet, "/api/v1/issuing/replay/"+running.ReplayID+"/difference", nil, &page); err != nil ||
			page.TotalCount != len(want.Differences) {
			t.Errorf("%d differences are kept, %v", page.TotalCount, err)
		}
	})
}

// payMany pays so often with each card, each over a link of its own.
func payMany(t *testing.T, s *server, cards []sim.Issued, each int) {
	t.Helper()
	term := shop(t)
	var all sync.WaitGroup
	for i := range cards {
		link := connect(t, s, term, 20*time.Second)
		all.Go(func() {
			for range each {
				r, err := term.Use(cards[i].Card, sim.Payment{Amount: lira(100), Entry: sim.Chip})
				if err == nil {
					_, _, err = link.Ask(context.Background(), r.Message)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

// awaitReplay asks how a replay stands until it is so. One whose server is gone is
// taken over when its lease has ended, after a minute.
func awaitReplay(t *testing.T, bank *sim.Bank, x *replayState, is func(replayState) bool) {
	t.Helper()
	for range 6000 {
		if _, err := bank.Call(t.Context(), http.MethodGet, "/api/v1/issuing/replay/"+x.ReplayID, nil, x); err != nil {
			t.Fatal(err)
		}
		if is(*x) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("the replay stays %s", x.Status)
}
