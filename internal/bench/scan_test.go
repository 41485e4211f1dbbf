package bench

import (
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// growing are the tables of which there are more rows with each card, payment or
// event.
var growing = []string{
	"account", "audit_act", "card", "card_status_history", "card_transaction", "customer", "decision", "digital_slip", "entry", "fee_due", "hold",
	"idempotency", "issuance", "message", "notification", "outbox_message", "outbox_sequence", "posting", "velocity_counter", "velocity_usage",
}

// wholeReads are statements that may go through a table from one end to the other, by
// how they begin; and why.
var wholeReads = map[string]string{
	"SELECT tenant_id, subject, counters FROM velocity_counter WHERE id > $1 AND":                   "the sweep of usage, once a day, a hundred at a time",
	"SELECT subject_id, at, transaction_id, cycle_id, uses FROM velocity_usage":                     "the same",
	"SELECT transaction_id, tenant_id, configuration_hash, record, trace, created_at FROM decision": "sealing reads what is not sealed yet",
}

// together are parts of the statements that read for each payment what is asked for
// many at once.
var together = []string{
	"WHERE c.tenant_id = $1 AND c.pan_index IN ", "FROM card WHERE id IN ", "FROM account WHERE keeps_balance AND id IN ", "FROM velocity_counter WHERE id IN ",
	"FROM message WHERE key IN ",
}

// notTogether are those of together with the numbers of keys for which nobody looked.
func notTogether(said map[string]int) (missing []string) {
	met := map[string]bool{}
	for query := range said {
		for _, part := range together {
			if strings.Contains(query, part) {
				met[fmt.Sprintf("%s%d keys", part, keysOf(query))] = true
			}
		}
	}
	for _, part := range together {
		for _, n := range []int{1, 4, 16} {
			if name := fmt.Sprintf("%s%d keys", part, n); !met[name] {
				missing = append(missing, name)
			}
		}
	}
	return missing
}

// keysOf is for how many keys a statement looks.
func keysOf(query string) int {
	_, keys, _ := strings.Cut(query, " IN (")
	keys, _, _ = strings.Cut(keys, ")")
	return strings.Count(keys, "$")
}

// What a platform does from its start on, for payments and in all its jobs, reads no
// table whole that grows: it would take longer with every payment.
func TestStatements_readNoGrowingTableWhole(t *testing.T) {
	const cards = 40
	g := fillForTest(t, configFor(t, dbtest.SQLiteDSN(t)), cards, 10)
	said := tracing(g)
	g.log = slog.New(slog.NewTextHandler(writerFunc(func(text string) { t.Error(text) }), &slog.HandlerOptions{Level: slog.LevelError}))
	start := func() {
		t.Helper()
		if err := g.open(t.Context(), AuthorizeOptions{Connections: cards, Cards: cards}); err != nil {
			t.Fatal(err)
		}
	}
	stop := func() {
		t.Helper()
		if err := g.close(); err != nil {
			t.Fatal(err)
		}
	}
	start()
	payForTest(t, g, 10)
	// How many come together is a matter of luck.
	for round := 0; ; round++ {
		missing := notTogether(said())
		if len(missing) == 0 {
			break
		}
		if round == 200 {
			t.Fatalf("nobody looked for so many keys at once: %q", missing)
		}
		payTogetherForTest(t, g)
	}
	stop()
	start() // which runs each job: there are payments now that it has not seen
	stop()
	d := dbtest.Open(t, g.config.DB, db.Options{})
	partial := partialIndexes(t, d)
	met := map[string]bool{}
	for _, query := range slices.Sorted(maps.Keys(said())) {
		text := regexp.MustCompile(`\s+`).ReplaceAllString(query, " ")
		tables := tablesOf(text)
		for _, line := range planOf(t, d, query, said()[query]) {
			if !readsWhole(line, tables, partial) {
				continue
			}
			excused := false
			for begin := range wholeReads {
				if strings.HasPrefix(text, begin) {
					excused, met[begin] = true, true
				}
			}
			if !excused {
				t.Errorf("%s:\n    %s", line, text)
			}
		}
	}
	for begin, why := range wholeReads {
		if !met[begin] {
			t.Errorf("nobody asks %q any more (%s)", begin, why)
		}
	}
}

// payTogetherForTest lets all cards of an open world pay at the same time.
func payTogetherForTest(t *testing.T, g *growthWorld) {
	t.Helper()
	g.world.cards = g.cards
	var paying sync.WaitGroup
	for n, link := range g.world.links {
		r, err := g.world.use(n)
		if err != nil {
			t.Fatal(err)
		}
		paying.Go(func() {
			if answer, _, err := link.Ask(t.Context(), r.Message); err != nil || answer.Text(iso8583.ResponseCode) != "00" {
				t.Errorf("payment %d: %v, %v", n, answer, err)
			}
		})
	}
	paying.Wait()
}

// tracing collects the statements of the platforms that start on a world from now on,
// with the number of their arguments.
func tracing(g *growthWorld) func() map[string]int {
	var mu sync.Mutex
	said := map[string]int{}
	g.trace = func(query string, args []any) {
		mu.Lock()
		defer mu.Unlock()
		said[query] = len(args)
	}
	return func() map[string]int {
		mu.Lock()
		defer mu.Unlock()
		return maps.Clone(said)
	}
}

// planOf is how SQLite would carry out a statement.
func planOf(t *testing.T, d *db.DB, query string, args int) (lines []string) {
	verb, _, _ := strings.Cut(query, " ")
	if !slices.Contains([]string{"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}, strings.TrimSpace(verb)) {
		return nil
	}
	err := d.View(t.Context(), func(tx db.Tx) (err error) {
		lines, err = db.Collect(t.Context(), tx, func(row db.Scanner) (line string, err error) {
			var id, parent, unused int
			return line, row.Scan(&id, &parent, &unused, &line)
		}, "EXPLAIN QUERY PLAN "+query, make([]any, args)...)
		return err
	})
	if err != nil {
		t.Errorf("%s: %v", query, err)
	}
	return lines
}

var named = regexp.MustCompile(`(?:FROM|JOIN) (\w+) (\w+)`)

// tablesOf are the tables of a statement by the names that it gives them.
func tablesOf(text string) map[string]string {
	by := map[string]string{}
	for _, m := range named.FindAllStringSubmatch(text, -1) {
		by[m[2]] = m[1]
	}
	return by
}

var planLine = regexp.MustCompile(`^(SCAN|SEARCH) (\w+)(?: USING (?:COVERING )?INDEX (\w+))?(?: \((.*)\))?`)

// readsWhole reports whether a step of a plan goes through a table that grows, or
// through all of a tenant in it, or through all after a place in it.
func readsWhole(line string, tables map[string]string, partial []string) bool {
	m := planLine.FindStringSubmatch(line)
	if m == nil {
		return false
	}
	table, index, on := m[2], m[3], m[4]
	if name, ok := tables[table]; ok {
		table = name
	}
	if !slices.Contains(growing, table) || slices.Contains(partial, index) {
		return false
	}
	if m[1] == "SCAN" {
		return true
	}
	first, _, several := strings.Cut(on, " AND ")
	return strings.Contains(first, ">?") || strings.HasPrefix(first, "(") || first == "tenant_id=?" && !several
}

// partialIndexes are those that hold only rows of which there are few.
func partialIndexes(t *testing.T, d *db.DB) (names []string) {
	err := d.View(t.Context(), func(tx db.Tx) (err error) {
		names, err = db.Collect(t.Context(), tx, func(row db.Scanner) (name string, err error) { return name, row.Scan(&name) },
			`SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '% WHERE %'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestReadsWhole_knowsThePlans(t *testing.T) {
	tables := tablesOf("SELECT t.id FROM card_transaction t JOIN decision d ON d.transaction_id = t.id")
	for line, want := range map[string]bool{
		"SCAN card_transaction": true,
		"SCAN t":                true,
		"SCAN tenant":           false,
		"SCAN card USING COVERING INDEX sqlite_autoindex_card_1":                                       true,
		"SCAN card_transaction USING INDEX card_transaction_pending":                                   false,
		"SEARCH t USING INDEX sqlite_autoindex_card_transaction_1 (id>?)":                              true,
		"SEARCH t USING COVERING INDEX card_transaction_pending (id>?)":                                false,
		"SEARCH card USING INDEX card_by_expiry (tenant_id=?)":                                         true,
		"SEARCH card USING INDEX card_by_expiry (tenant_id=? AND expires_on<?)":                        false,
		"SEARCH card USING INDEX sqlite_autoindex_card_1 (id=?)":                                       false,
		"SEARCH velocity_usage USING INDEX velocity_usage_by_subject ((subject_id,at)>(?,?) AND at<?)": true,
		"SEARCH digital_slip USING INDEX digital_slip_expired (expires_at<?)":                          false,
		"USE TEMP B-TREE FOR ORDER BY":                                                                 false,
	} {
		if got := readsWhole(line, tables, []string{"card_transaction_pending"}); got != want {
			t.Errorf("%s: got %v", line, got)
		}
	}
}
