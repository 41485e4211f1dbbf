package test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// TestServe_endsTermsOnceWheneverItDies kills the real binary while the virtual
// clock runs through three months, again and again: every account has one statement
// for each term, all the same, and the books hold. A statement comes as JSON and PDF.
func TestServe_endsTermsOnceWheneverItDies(t *testing.T) {
	const accounts, kills, months = 4, 5, 3
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		s := serve(t, dir, flags...)
		made := newTenant(t, flags)
		bank := made.openBank(t, s)
		lending, err := bank.OpenCredit(t.Context(), "GOLD")
		if err != nil {
			t.Fatal(err)
		}
		credit := func(words ...string) []byte {
			t.Helper()
			return run(t, slices.Concat([]string{"credit"}, words[:1], []string{"--tenant", made.ID}, words[1:], flags)...)
		}
		credit("terms", "GOLD", "--default")
		customer, err := bank.OpenCustomer(t.Context(), "Ada", "Deniz", "+905321234567")
		if err != nil {
			t.Fatal(err)
		}
		term := shop(t)
		link := connect(t, s, term, 10*time.Second)
		var numbers []string
		for range accounts {
			var account struct{ AccountNo string }
			if err := json.Unmarshal(credit("open", "--customer", customer, "--product", "GOLD", "--limit", "5000", "--json"), &account); err != nil {
				t.Fatal(err)
			}
			card, err := lending.On(account.AccountNo).Issue(t.Context(), customer, "7392")
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range []struct {
				minor int64
				want  string
			}{{5_000_01, "51"}, {1_000_00, "00"}} {
				if got := pay(t, link, term, card.Card, sim.Payment{Amount: lira(p.minor), Entry: sim.Chip, PIN: card.Card.PIN, MTI: iso8583.FinancialRequest}); got != p.want {
					t.Fatalf("%d: answered %s, want %s", p.minor, got, p.want)
				}
			}
			numbers = append(numbers, account.AccountNo)
		}
		to := time.Now().In(istanbul(t)).AddDate(0, months, 2).Format(time.DateOnly)
		for range kills {
			broken := make(chan struct{})
			go func() {
				defer close(broken)
				bank.Call(t.Context(), http.MethodPost, "/api/v1/sandbox/transaction/advance-time", map[string]any{"to": to}, nil)
			}()
			time.Sleep(time.Duration(50+random.IntN(400)) * time.Millisecond) // the moment of death is the point
			s.command.Process.Kill()
			<-broken
			<-s.ended
			s = serve(t, dir, flags...)
			bank.Move("http://" + s.api)
		}
		for range 30 { // whoever was killed had the right to move for ten seconds
			out, refusal := tryAdvance(t, bank, map[string]any{"to": to})
			if out.IsComplete || refusal == "Common:ValidationError" { // it is there already
				break
			}
			time.Sleep(time.Second)
		}
		var first []string
		for _, no := range numbers {
			var page struct {
				Items []struct{ StatementNo, Date, DueDate, TotalDebt, MinimumPayment string }
			}
			if err := json.Unmarshal(credit("statement", no, "--json"), &page); err != nil {
				t.Fatal(err)
			}
			var said []string
			for _, one := range page.Items {
				said = append(said, strings.Join([]string{one.Date, one.DueDate, one.TotalDebt, one.MinimumPayment}, " "))
			}
			if first == nil {
				first = said
				t.Logf("%q", said)
				writes(t, dir, no, page.Items[0].Date, credit)
			}
			if !slices.Equal(said, first) || len(said) != months || !strings.HasSuffix(said[months-1], " 1000.00 200.00") {
				t.Errorf("%s has the statements %q", no, said)
			}
		}
		run(t, append([]string{"verify"}, flags...)...)
		run(t, append([]string{"audit", "verify"}, flags...)...)
	})
}

// writes checks a statement as JSON and PDF.
func writes(t *testing.T, dir, no, date string, credit func(...string) []byte) {
	t.Helper()
	var statement struct {
		AccountNo string
		Totals    struct{ Opening, Interest, Closing string }
		Lines     []struct{ Kind, AmountDomestic string }
	}
	if err := json.Unmarshal(credit("statement", no, date, "--json"), &statement); err != nil {
		t.Fatal(err)
	}
	if statement.AccountNo != no || len(statement.Lines) != 3 || statement.Lines[0].AmountDomestic != statement.Totals.Interest {
		t.Errorf("the statement is %+v", statement)
	}
	file := filepath.Join(dir, no+".pdf")
	credit("statement", no, date, "--pdf", file)
	if text, err := os.ReadFile(file); err != nil || !bytes.HasPrefix(text, []byte("%PDF-")) {
		t.Errorf("the PDF begins with %.8q: %v", text, err)
	}
}
