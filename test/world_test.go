package test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/sim"
)

// run runs the binary to its end and returns what it printed.
func run(t *testing.T, args ...string) []byte {
	t.Helper()
	command := exec.Command(binary, args...)
	output, err := command.Output()
	if err != nil {
		failure := ""
		if exit, ok := err.(*exec.ExitError); ok {
			failure = string(exit.Stderr)
		}
		t.Fatalf("sarraf %v: %v\n%s%s", args, err, output, failure)
	}
	return output
}

// eachEngine runs f with the flags that choose a database on each engine.
func eachEngine(t *testing.T, f func(t *testing.T, dir string, flags []string)) {
	t.Run("sqlite", func(t *testing.T) {
		dir := t.TempDir()
		f(t, dir, []string{"--data", dir, "--db", "sqlite:" + filepath.Join(dir, "sarraf.db")})
	})
	t.Run("postgres", func(t *testing.T) {
		dir := t.TempDir()
		f(t, dir, []string{"--data", dir, "--db", dbtest.PostgresDSN(t)})
	})
}

// eachEngineAtOnce is eachEngine for a test that mostly waits – until something is told
// again, or may be taken over from a process that died – and for one that takes long and
// does not care what else is done. It runs on both engines, and beside others like it,
// at once.
func eachEngineAtOnce(t *testing.T, f func(t *testing.T, dir string, flags []string)) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		t.Parallel()
		f(t, dir, flags)
	})
}

// groupSizes are how many messages may be decided in one commit: one, two, and as
// many as there are. Nothing that holds, and survives a kill, may depend on it.
var groupSizes = []int{1, 2, 256}

// inGroups are the flags for the nth start of a server, each of which has another
// size of groups than the one before.
func inGroups(n int, flags ...string) []string {
	return slices.Concat(flags, []string{"--network-group-max", strconv.Itoa(groupSizes[n%len(groupSizes)])})
}

// checkGroups wants no commit of s, which was started the nth time, to have decided
// more messages than one may. It tells whether one decided several.
func checkGroups(t *testing.T, s *server, n int) (several bool) {
	t.Helper()
	size := groupSizes[n%len(groupSizes)]
	page := metrics(t, s)
	commits := measured(t, page, "sarraf_authorization_group_size_count")
	if upTo := measured(t, page, fmt.Sprintf(`sarraf_authorization_group_size_bucket\{le="%d"\}`, size)); upTo != commits {
		t.Errorf("of %v commits, %v decided more than %d messages", commits, commits-upTo, size)
	}
	return measured(t, page, "sarraf_authorization_group_size_sum") > commits
}

// tenant is a new sandbox tenant and its client.
type tenant struct {
	ID           string `json:"tenantId"`
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret"`
}

// newTenant makes a sandbox tenant with the binary, beside a running server.
func newTenant(t *testing.T, flags []string) (made tenant) {
	t.Helper()
	output := run(t, append([]string{"tenant", "create", "--name", "Test Bank", "--sandbox", "--json"}, flags...)...)
	if err := json.Unmarshal(output, &made); err != nil {
		t.Fatal(err)
	}
	return made
}

// openBank makes a tenant and sets it up through the API.
func openBank(t *testing.T, s *server, flags []string) *sim.Bank {
	t.Helper()
	return newTenant(t, flags).openBank(t, s)
}

func (made tenant) openBank(t *testing.T, s *server) *sim.Bank {
	t.Helper()
	client, err := sim.SignIn(t.Context(), "http://"+s.api, made.ClientID, secret.FromString(made.ClientSecret))
	if err != nil {
		t.Fatal(err)
	}
	bank, err := sim.OpenBank(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	return bank
}

// issue gives out n cards of one customer, each with 10,000.00 on its account.
func issue(t *testing.T, bank *sim.Bank, n int) []sim.Issued {
	t.Helper()
	customer, err := bank.OpenCustomer(t.Context(), "Ada", "Deniz", "+905321234567")
	if err != nil {
		t.Fatal(err)
	}
	cards := make([]sim.Issued, n)
	for i := range cards {
		if cards[i], err = bank.Issue(t.Context(), customer, "7392"); err != nil {
			t.Fatal(err)
		}
		if _, err := bank.Load(t.Context(), cards[i].Account, "10000.00", fmt.Sprintf("load-%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	return cards
}

// shop is a terminal of an acquirer of its own.
func shop(t *testing.T) *sim.Terminal {
	t.Helper()
	acquirer, err := sim.NewAcquirer("410627", clock.System{}, sim.Random(0))
	if err != nil {
		t.Fatal(err)
	}
	return &sim.Terminal{
		Acquirer: acquirer, ID: "TERM0001", Merchant: "MERCHANT0000001", Name: "Shop", City: "Istanbul",
		Country: country.Must("TR"), MCC: "5411", Zone: time.UTC, Type: 0x22,
	}
}

// connect opens a link to the server.
func connect(t *testing.T, s *server, term *sim.Terminal, timeout time.Duration) *sim.Link {
	t.Helper()
	link, err := sim.Dial(t.Context(), s.network, sim.LinkOptions{Dialect: term.Acquirer.Dialect, Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { link.Close() })
	return link
}

func lira(minor int64) money.Amount { return money.Must(minor, "TRY") }
