package test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/clearingfile"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// TestClearingImport_postsAFileOnce imports beside the running server.
func TestClearingImport_postsAFileOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, flags...)
		made := newTenant(t, flags)
		bank := made.openBank(t, s)
		card := issue(t, bank, 1)[0]
		term := shop(t)
		link := connect(t, s, term, 10*time.Second)
		r, err := term.Use(card.Card, sim.Payment{Amount: lira(12_550), Entry: sim.Chip})
		if err != nil {
			t.Fatal(err)
		}
		answer, _, err := link.Ask(t.Context(), r.Message)
		if err != nil || answer.Text(iso8583.ResponseCode) != "00" {
			t.Fatalf("the purchase: %v", err)
		}
		slip, err := term.Present(r, answer, lira(12_000))
		if err != nil {
			t.Fatal(err)
		}
		now := term.Acquirer.Clock.Now()
		var file bytes.Buffer
		header := clearingfile.Header{Network: "generic", FileID: "NIGHT.1", CreatedAt: now, BusinessDate: clock.DateOf(now, time.UTC)}
		if err := term.Acquirer.Clear(&file, header, []clearingfile.Presentment{slip}); err != nil {
			t.Fatal(err)
		}
		balance := func(want string) {
			t.Helper()
			var got struct{ Posted, Held, Available json.Number }
			if _, err := bank.Call(t.Context(), http.MethodGet, "/api/v1/issuing/account/"+card.Account, nil, &got); err != nil {
				t.Fatal(err)
			}
			if text := got.Posted.String() + " " + got.Held.String() + " " + got.Available.String(); text != want {
				t.Errorf("got posted, held, available %s, want %s", text, want)
			}
		}
		load := func(content []byte) (stdout, stderr string, code int) {
			t.Helper()
			path := filepath.Join(t.TempDir(), "clearing.jsonl")
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			command := exec.Command(binary, append([]string{"clearing", "import", path, "--json"}, flags...)...)
			var out, failure bytes.Buffer
			command.Stdout, command.Stderr = &out, &failure
			if err := command.Run(); err != nil && command.ProcessState == nil {
				t.Fatal(err)
			}
			return out.String(), failure.String(), command.ProcessState.ExitCode()
		}

		// A file whose trailer does not agree changes nothing.
		broken := bytes.Replace(file.Bytes(), []byte(`"debit":12000`), []byte(`"debit":12001`), 1)
		if bytes.Equal(broken, file.Bytes()) {
			t.Fatal("the trailer was not found")
		}
		if _, failure, code := load(broken); code != 1 || strings.Contains(failure, card.Card.PAN.Reveal()) {
			t.Errorf("a broken file: exit %d, %s", code, failure)
		}
		balance("10000.00 125.50 9874.50")

		if out, failure, code := load(file.Bytes()); code != 0 || !strings.Contains(out, `"MatchedWithDifference": 1`) {
			t.Errorf("the file: exit %d, %s%s", code, out, failure)
		}
		balance("9880.00 0.00 9880.00")

		if _, failure, code := load(file.Bytes()); code != 1 || !strings.Contains(failure, "imported before") {
			t.Errorf("the same file again: exit %d, %s", code, failure)
		}
		balance("9880.00 0.00 9880.00")

		// What nobody authorized is posted, and a person is told to look.
		again := slip
		again.ARN, again.AuthorizationCode, again.RRN, again.STAN, again.NetworkTransactionID = "74000006325000000000019", "", "", "", ""
		header.FileID = "NIGHT.2"
		file.Reset()
		if err := term.Acquirer.Clear(&file, header, []clearingfile.Presentment{again}); err != nil {
			t.Fatal(err)
		}
		if out, failure, code := load(file.Bytes()); code != 0 {
			t.Errorf("a presentment of its own: exit %d, %s%s", code, out, failure)
		}
		var open struct {
			TotalCount int
			Items      []struct {
				Cause, FileID, TransactionID string
				Line                         int
			}
		}
		list := run(t, append([]string{"clearing", "exceptions", "list", "--tenant", made.ID, "--json"}, flags...)...)
		if err := json.Unmarshal(list, &open); err != nil || open.TotalCount != 1 || len(open.Items) != 1 || open.Items[0].FileID != "NIGHT.2" ||
			open.Items[0].Cause != "FORCE_POST" || open.Items[0].Line != 2 {
			t.Fatalf("exceptions: %s (%v)", list, err)
		}
		run(t, append([]string{"explain", open.Items[0].TransactionID}, flags...)...)
		run(t, append([]string{"verify"}, flags...)...)
	})
}
