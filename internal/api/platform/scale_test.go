package platform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/list"
	"github.com/sarraf-platform/sarraf/internal/webhook"
)

// volume is how much one tenant has.
type volume struct {
	customers    int // each with a card, an account and a message it was sent
	transactions int // of all cards, more than 10,000 of the first
	acts         int // in the audit chain
	deliveries   int // of one webhook
}

// everyDay fits into a test that runs every time; large is what the figures in
// docs/sql.md were measured with.
var (
	everyDay = volume{customers: 12_000, transactions: 120_000, acts: 24_000, deliveries: 12_000}
	large    = volume{customers: 100_000, transactions: 1_000_000, acts: 1_000_000, deliveries: 100_000}
)

// told is a statement as it was sent.
type told struct {
	query string
	args  []any
}

// scale is a world in which one tenant has much, and what is sent to the
// database is written down.
type scale struct {
	*world
	db      *db.DB
	volume  volume
	token   string // of a card with many transactions
	hook    string
	listens bool
	// naturally lets PostgreSQL choose to read a small table from end to end.
	naturally bool
	heard     []told
}

func newScale(t *testing.T, dsn string, v volume) *scale {
	t.Helper()
	s := &scale{volume: v}
	s.db = dbtest.Open(t, dsn, db.Options{Trace: func(query string, args []any) {
		if s.listens {
			s.heard = append(s.heard, told{query, slices.Clone(args)})
		}
	}})
	s.world = newWorld(t, s.db).stock()
	s.openTill(s.db)
	s.token = s.newCard()
	s.Commands["pay"]([]string{s.token, "1.00"})
	var hook struct {
		ID string `json:"id"`
	}
	s.ask(200, "POST", "/api/v1/issuing/webhook", map[string]any{
		"webHookType": "Event", "name": "Core bank", "url": "https://127.0.0.1/", "eventTypes": []string{"customer.*"},
	}, &hook)
	s.hook = hook.ID
	parsed, err := id.ParseUUID[webhook.Hook](hook.ID)
	if err != nil {
		t.Fatal(err)
	}
	must(t, func() error {
		_, err := s.services.Webhooks.Test(t.Context(), s.system(), parsed)
		return err
	})
	s.ask(200, "POST", "/api/v1/issuing/customer/user-note", map[string]any{"entityKey": "1", "note": "called"}, nil)
	s.deliver()
	s.fill()
	return s
}

// idOf is SQL for the text of the n-th identifier with a prefix.
func idOf(prefix string) string { return textOf(prefix + "_01kc0000000000") }

// textOf is SQL for a text that ends in the number n of twelve digits.
func textOf(prefix string) string { return "'" + prefix + "' || CAST(100000000000 + n.i AS TEXT)" }

// roundOf is textOf for the number n counted round and round.
func roundOf(prefix string, many int) string {
	return fmt.Sprintf("'%s_01kc0000000000' || CAST(100000000001 + n.i %% %d AS TEXT)", prefix, many)
}

// earlier is SQL for the time of the n-th of many things, of which the last
// happened now and the others each so much before the next.
func (s *scale) earlier(many int, each time.Duration) string {
	return fmt.Sprintf("%d - (%d - n.i) * %d", clock.Micros(s.clock.Now()), many, each.Microseconds())
}

// columns are those of a table.
func (s *scale) columns(ctx context.Context, tx db.Tx, table string) ([]string, error) {
	rows, err := tx.Query(ctx, "SELECT * FROM "+table+" WHERE 1 = 0")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return rows.Columns()
}

// multiply copies the row of a table that where finds many times, with these
// columns as SQL over the number n.i says.
func (s *scale) multiply(table, where string, many int, change map[string]string) {
	s.t.Helper()
	const chunk = 50_000
	for from := 0; from < many; from += chunk {
		must(s.t, func() error {
			return s.db.InTx(s.t.Context(), func(tx db.Tx) error {
				names, err := s.columns(s.t.Context(), tx, table)
				if err != nil {
					return err
				}
				var values []string
				for _, name := range names {
					value, changed := change[name]
					if !changed {
						value = "t." + name
					}
					values = append(values, value)
				}
				_, err = tx.Exec(s.t.Context(), fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT CAST(%d AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < %d)
					INSERT INTO %s (%s) SELECT %s FROM n, (SELECT * FROM %s WHERE %s LIMIT 1) AS t`,
					from+1, min(from+chunk, many), table, strings.Join(names, ", "), strings.Join(values, ", "), table, where))
				return err
			})
		})
	}
}

// fill gives the tenant main its volume, made from one of each that came to be
// by the API.
func (s *scale) fill() {
	s.t.Helper()
	v, of := s.volume, "tenant_id = '"+s.tenants["main"].ID.String()+"'"
	s.fillCustomers()
	s.multiply("account", of+" AND owner_key IS NOT NULL", v.customers, map[string]string{
		"id": idOf("acct"), "code": textOf("L.CARD."), "account_no": textOf("4"), "owner_key": textOf("k"),
	})
	s.multiply("issuance", of, v.customers, map[string]string{
		"id": idOf("iss"), "issuance_no": textOf("9000"), "customer_id": idOf("cust"), "account_id": idOf("acct"), "account_no": textOf("4"),
		"current_card_id": idOf("card"), "created_at": s.earlier(v.customers, time.Minute),
		"product_code": "CASE WHEN n.i % 100 = 0 THEN 'PLASTIC' ELSE 'VIRTUAL' END",
		"auto_renewal": "CASE WHEN n.i % 1000 = 0 THEN 'Enabled' ELSE 'Disabled' END",
	})
	s.multiply("card", of, v.customers, map[string]string{
		"id": idOf("card"), "issuance_id": idOf("iss"), "card_token": textOf("979201zz"), "pan_index": textOf("p"),
		"last_four": "CAST(1000 + n.i % 9000 AS TEXT)", "created_at": s.earlier(v.customers, time.Minute),
		"status":      "CASE WHEN n.i % 10 = 0 THEN 'Inactive' WHEN n.i % 1001 = 1 THEN 'Lost' ELSE 'Active' END",
		"form_factor": "CASE WHEN n.i % 100 = 0 THEN 'Physical' ELSE 'Virtual' END",
		"expires_on":  "CASE WHEN n.i % 1000 = 0 THEN '2026-05' ELSE '2031-03' END",
	})
	s.multiply("card_status_history", of, v.customers, map[string]string{"card_id": idOf("card")})
	busy := strconv.Itoa(v.transactions / 11_000)
	s.multiply("card_transaction", of, v.transactions, map[string]string{
		"id": idOf("txn"), "root_id": idOf("txn"), "rrn": textOf(""), "network_transaction_id": textOf("N"),
		"card_id":     "CASE WHEN n.i % " + busy + " = 0 THEN t.card_id ELSE " + roundOf("card", v.customers) + " END",
		"issuance_id": "CASE WHEN n.i % " + busy + " = 0 THEN t.issuance_id ELSE " + roundOf("iss", v.customers) + " END",
		"account_id":  roundOf("acct", v.customers), "hold_id": idOf("hold"),
		"created_at": s.earlier(v.transactions, 2*time.Second), "transmitted_at": s.earlier(v.transactions, 2*time.Second),
		"billing_amount": "100 + n.i % 100000", "status": "CASE WHEN n.i % 10007 = 0 THEN 'Declined' ELSE 'Approved' END",
	})
	s.fillHolds()
	s.fillFees()
	s.fillActs()
	s.multiply("outbox_message", of+" AND name = 'ping'", v.deliveries, map[string]string{
		"id": idOf("msg"), "event_id": idOf("evt"), "ordering_key": roundOf("k", 1000), "sequence": "1000 + n.i", "status": "'Delivered'",
		"occurred_at": s.earlier(v.deliveries, time.Second), "ended_at": s.earlier(v.deliveries, time.Second),
	})
	s.multiply("notification", of, v.customers, map[string]string{
		"id": idOf("ntf"), "created_at": s.earlier(v.customers, time.Minute), "card_token": textOf("979201zz"), "ended_at": s.earlier(v.customers, time.Second),
	})
	s.multiply("idempotency", of, v.customers, map[string]string{"key": textOf("k")})
	s.multiply("message", "transaction_id IS NOT NULL", v.transactions, map[string]string{
		"key": textOf("k"), "transaction_id": idOf("txn"), "created_at": s.earlier(v.transactions, 2*time.Second),
	})
	s.gatherStatistics()
}

// fillCustomers writes customers with sealed documents, half of them Ayşe.
func (s *scale) fillCustomers() {
	s.t.Helper()
	ctx, tenant := s.t.Context(), s.tenants["main"].ID
	of := "tenant_id = '" + tenant.String() + "' AND customer_no = '1'"
	s.multiply("customer", of, s.volume.customers, map[string]string{
		"id": idOf("cust"), "customer_no": textOf(""), "created_at": s.earlier(s.volume.customers, time.Minute),
		"customer_type": "CASE WHEN n.i % 100 = 0 THEN 'Company' ELSE 'Individual' END",
		"status":        "CASE WHEN n.i % 1000 = 0 THEN 'Blocked' ELSE 'Active' END",
		"kyc_level":     "n.i % 4", "segment_code": "CASE WHEN n.i % 500 = 0 THEN 'VIP' WHEN n.i % 2 = 0 THEN 'MASS' ELSE NULL END",
	})
	seal := db.Bulk{
		Head: "WITH v (id, document) AS (VALUES ", Columns: 2, Types: []string{"TEXT", "BYTEA"},
		Tail: ") UPDATE customer SET document = v.document FROM v WHERE customer.id = v.id",
	}
	terms := db.Bulk{Head: "INSERT INTO customer_term (tenant_id, kind, term, customer_id) VALUES ", Columns: 4}
	for from := 0; from < s.volume.customers; from += 10_000 {
		var sealed, found []any
		for i := from + 1; i <= min(from+10_000, s.volume.customers); i++ {
			key := "cust_01kc0000000000" + strconv.Itoa(100_000_000_000+i)
			plain, err := json.Marshal(struct{ Profile customer.Profile }{customer.Profile{Name: "Ayşe", Surname: "Yılmaz"}})
			if err != nil {
				s.t.Fatal(err)
			}
			document, err := s.services.Customers.HSM.Seal(ctx, tenant.String(), customer.Purpose, plain, hsm.PlaceOf(tenant, "customer", "document", key))
			if err != nil {
				s.t.Fatal(err)
			}
			sealed = append(sealed, key, document)
			name := "ayse"
			if i%2 == 0 {
				name = "n" + strconv.Itoa(i)
			}
			for kind, term := range map[string]string{"name": name, "surname": "s" + strconv.Itoa(i), "number": strconv.Itoa(100_000_000_000 + i)} {
				found = append(found, tenant, kind, []byte(term), key)
			}
		}
		must(s.t, func() error {
			return s.db.InTx(ctx, func(tx db.Tx) error {
				if err := seal.Exec(ctx, tx, sealed); err != nil {
					return err
				}
				return terms.Exec(ctx, tx, found)
			})
		})
	}
}

// fillHolds writes a hold for each transaction; a tenth is open and none is due.
func (s *scale) fillHolds() {
	s.t.Helper()
	tenant := s.tenants["main"].ID.String()
	must(s.t, func() error {
		return s.db.InTx(s.t.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(s.t.Context(), `INSERT INTO hold (id, tenant_id, account_id, currency, authorized, reversed, cleared, released, fees, expires_at, is_open)
				VALUES ('hold_01kc0000000000100000000000', $1, (SELECT id FROM account WHERE tenant_id = $1 AND owner_key IS NOT NULL LIMIT 1), 'TRY', 100, 0, 0, 0, 0, $2, TRUE)`,
				tenant, clock.Micros(s.clock.Now().Add(time.Hour)))
			return err
		})
	})
	s.multiply("hold", "tenant_id = '"+tenant+"'", s.volume.transactions, map[string]string{
		"id": idOf("hold"), "account_id": roundOf("acct", s.volume.customers), "is_open": "n.i % 10 = 0",
		"cleared":    "CASE WHEN n.i % 10 = 0 THEN 0 ELSE 100 END",
		"expires_at": strconv.FormatInt(clock.Micros(s.clock.Now().Add(time.Hour)), 10) + " + n.i * 1000000",
	})
}

// fillFees writes a fee year for each issuance and fees for cards. None is due: half
// of the years wait for a yearly fee, which nobody has defined.
func (s *scale) fillFees() {
	s.t.Helper()
	of := "tenant_id = '" + s.tenants["main"].ID.String() + "'"
	must(s.t, func() error {
		return s.db.InTx(s.t.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(s.t.Context(), `INSERT INTO card_fee (id, tenant_id, issuance_id, card_id, occasion, part, fee_code, event, fee_year, applied, price,
					to_give_back, given_back, timing, status, is_refundable, is_pro_rata, is_asked, check_at, due_on, retry_days, created_at, updated_at)
				SELECT 'cfee_01kc0000000000100000000000', i.tenant_id, i.id, i.current_card_id, 'none', 1, 'NONE', '', 1, '', 0, 0, 0, 'OnOrder', 'Charged', FALSE, FALSE, FALSE,
					0, NULL, 0, 0, 0 FROM issuance i WHERE i.`+of+` AND i.id NOT LIKE 'iss_01kc0000000000%' LIMIT 1`)
			return err
		})
	})
	s.multiply("card_fee", of, s.volume.customers, map[string]string{
		"id": idOf("cfee"), "issuance_id": idOf("iss"), "card_id": idOf("card"), "status": "CASE WHEN n.i % 2 = 0 THEN 'Pending' ELSE 'Charged' END",
		"check_at": strconv.FormatInt(clock.Micros(s.clock.Now().Add(time.Hour)), 10),
	})
	s.multiply("fee_year", of, s.volume.customers, map[string]string{
		"issuance_id": idOf("iss"), "year": "n.i % 2", "check_on": "CASE WHEN n.i % 2 = 0 THEN '2026-03-01' ELSE '2031-03-01' END",
	})
}

// fillActs lengthens the tenant's audit chain. Nothing verifies it here.
func (s *scale) fillActs() {
	s.t.Helper()
	tenant := s.tenants["main"].ID.String()
	of, v := "tenant_id = '"+tenant+"'", s.volume
	s.multiply("audit_act", of+" AND stream = 'Card' AND card_id <> ''", v.acts, map[string]string{
		"position": "1000 + n.i", "occurred_at": s.earlier(v.acts, 10*time.Second),
		"stream":       "CASE n.i % 3 WHEN 0 THEN 'Card' WHEN 1 THEN 'Policy' ELSE 'Product' END",
		"action":       "CASE WHEN n.i % 1001 = 0 THEN 'Delete' ELSE 'PolicyChange' END",
		"card_id":      "CASE WHEN n.i % 3 = 2 THEN '' ELSE " + roundOf("card", v.customers) + " END",
		"issuance_id":  "CASE WHEN n.i % 3 = 2 THEN '' ELSE " + roundOf("iss", v.customers) + " END",
		"product_code": "CASE WHEN n.i % 3 = 2 THEN 'VIRTUAL' ELSE '' END",
		"client_id":    "CASE WHEN n.i % 1003 = 0 THEN 'rare' ELSE t.client_id END",
		"channel":      "CASE WHEN n.i % 1005 = 0 THEN 'Ivr' ELSE t.channel END",
		"entity_type":  "CASE WHEN n.i % 1007 = 0 THEN 'Art' ELSE 'Product' END",
	})
	s.multiply("audit_personal", of, v.acts, map[string]string{
		"position": "1000 + n.i", "user_reference": "CASE WHEN n.i % 1009 = 0 THEN 'rare' ELSE 'often' END",
	})
	must(s.t, func() error {
		return s.db.InTx(s.t.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(s.t.Context(), "UPDATE audit_chain SET position = $2 WHERE tenant_id = $1", tenant, 1000+v.acts)
			return err
		})
	})
}

// gatherStatistics does what the server of PostgreSQL does by itself after such
// changes. SQLite has no statistics unless somebody asks, and nobody does.
func (s *scale) gatherStatistics() {
	s.t.Helper()
	if s.db.Engine() != db.Postgres {
		return
	}
	must(s.t, func() error {
		return s.db.InTx(s.t.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(s.t.Context(), "ANALYZE")
			return err
		})
	})
}

// plan is how an engine carries out a statement.
type plan struct {
	text    string
	scans   []string // tables that are read from end to end
	sorted  int      // rows that were sorted at most
	touched int      // rows that were looked at
	took    time.Duration
}

// explain shows how a statement is carried out. PostgreSQL runs what only reads,
// and counts.
func (s *scale) explain(q told) (p plan) {
	s.t.Helper()
	reads := strings.HasPrefix(strings.TrimSpace(q.query), "SELECT") && !strings.Contains(q.query, " FOR UPDATE")
	run := s.db.InTx
	if reads {
		run = s.db.View
	}
	undo := fmt.Errorf("undo")
	err := run(s.t.Context(), func(tx db.Tx) error {
		ctx := s.t.Context()
		if s.db.Engine() == db.Postgres {
			if err := s.explainPostgres(ctx, tx, q, reads, &p); err != nil {
				return err
			}
		} else if err := s.explainSQLite(ctx, tx, q, &p); err != nil {
			return err
		}
		if reads {
			return s.measure(ctx, tx, q, &p)
		}
		return undo
	})
	if err != nil && err != undo {
		s.t.Errorf("explain %s: %v", q.query, err)
	}
	return p
}

func (s *scale) measure(ctx context.Context, tx db.Tx, q told, p *plan) error {
	began := time.Now()
	rows, err := tx.Query(ctx, q.query, q.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
	}
	p.took = time.Since(began)
	return rows.Err()
}

func (s *scale) explainSQLite(ctx context.Context, tx db.Tx, q told, p *plan) error {
	lines, err := db.Collect(ctx, tx, func(row db.Scanner) (line string, err error) {
		var node, parent, unused int
		return line, row.Scan(&node, &parent, &unused, &line)
	}, "EXPLAIN QUERY PLAN "+q.query, q.args...)
	var made []string // by the statement itself
	for _, line := range lines {
		if table, makes := strings.CutPrefix(line, "CO-ROUTINE "); makes {
			made = append(made, table)
		}
		if table, scans := strings.CutPrefix(line, "SCAN "); scans && !slices.Contains(made, strings.Fields(table)[0]) {
			p.scans = append(p.scans, strings.Fields(table)[0])
		}
		if line == "USE TEMP B-TREE FOR ORDER BY" {
			p.sorted = -1
		}
	}
	p.text = strings.Join(lines, "\n")
	return err
}

// node is a step of a plan of PostgreSQL.
type node struct {
	Type      string  `json:"Node Type"`
	Relation  string  `json:"Relation Name"`
	Index     string  `json:"Index Name"`
	Condition string  `json:"Index Cond"`
	Filter    string  `json:"Filter"`
	Rows      float64 `json:"Actual Rows"`
	Loops     float64 `json:"Actual Loops"`
	Removed   float64 `json:"Rows Removed by Filter"`
	Rechecked float64 `json:"Rows Removed by Index Recheck"`
	Plans     []node  `json:"Plans"`
}

func (s *scale) explainPostgres(ctx context.Context, tx db.Tx, q told, reads bool, p *plan) error {
	if !s.naturally {
		if _, err := tx.Exec(ctx, "SET LOCAL enable_seqscan = off"); err != nil {
			return err
		}
	}
	how := "EXPLAIN (FORMAT JSON) "
	if reads {
		how = "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) "
	}
	var text string
	if err := tx.QueryRow(ctx, how+q.query, q.args...).Scan(&text); err != nil {
		return err
	}
	var all []struct{ Plan node }
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return err
	}
	var out bytes.Buffer
	var walk func(n node, depth int)
	walk = func(n node, depth int) {
		looked := int((n.Rows + n.Removed + n.Rechecked) * n.Loops)
		fmt.Fprintf(&out, "%s%s %s %s %s | %s [%d]\n", strings.Repeat("  ", depth), n.Type, n.Relation, n.Index, n.Condition, n.Filter, looked)
		switch {
		case n.Type == "Seq Scan":
			p.scans = append(p.scans, n.Relation)
			p.touched += looked
		case strings.Contains(n.Type, "Scan") && n.Relation != "":
			p.touched += looked
		case n.Type == "Sort", n.Type == "Incremental Sort":
			for _, below := range n.Plans {
				p.sorted = max(p.sorted, int(below.Rows*below.Loops))
			}
		}
		for _, below := range n.Plans {
			walk(below, depth+1)
		}
	}
	walk(all[0].Plan, 0)
	p.text = strings.TrimSpace(out.String())
	return nil
}

// statements returns what do sends, each text once.
func (s *scale) statements(do func()) []told {
	s.t.Helper()
	s.heard, s.listens = nil, true
	do()
	s.listens = false
	var once []told
	for _, q := range s.heard {
		if !slices.ContainsFunc(once, func(o told) bool { return o.query == q.query }) {
			once = append(once, q)
		}
	}
	return once
}

// sortsFew reports whether a request selects by something of which there is
// little, so that SQLite, which counts no rows of a plan, may sort it.
func (s *scale) sortsFew(r asked) bool {
	return slices.ContainsFunc([]string{
		"Surname=", "CustomerNo=", "MobilePhone=", "CardToken=" + s.token[:6] + "zz", "IssuanceNo=", "Rrn=", "NetworkTransactionId=", "Filter=n1000", "AccountNo=", "ExternalCardId=", "ParentIssuanceNo=",
		"LastFour=", "PersoStatus=", "ShipmentStatus=", "segments",
	}, func(part string) bool { return strings.Contains(r.name, part) })
}

func (s *scale) system() access.Caller { return access.System(s.tenants["main"]) }

// a request of which the work is measured.
type asked struct {
	name   string
	status int
	method string
	path   string
	body   any
	do     func() error // in place of a request: a job
}

// jobs are what is done again and again in the background.
func (s *scale) jobs() []asked {
	ctx := s.t.Context()
	return []asked{
		{name: "job: release due holds", do: func() error {
			return s.db.View(ctx, func(tx db.Tx) error {
				_, err := ledger.DueHolds(ctx, tx, access.Pass{Now: s.clock.Now()}, 100)
				return err
			})
		}},
		{name: "job: begin fee years", do: func() error { _, err := s.services.Fees.BeginYears(ctx, s.tenants["main"]); return err }},
		{name: "job: charge fees for cards", do: func() error { _, err := s.services.Fees.ChargeDue(ctx, s.tenants["main"]); return err }},
		{name: "job: send to webhooks", do: func() error { return s.services.Webhooks.Worker().RunOnce(ctx) }},
		{name: "job: tell customers", do: func() error { s.deliver(); return nil }},
		{name: "job: sweep", do: func() error {
			_, err := s.services.Access.Sweep(ctx)
			_, also := s.services.Vault.Sweep(ctx)
			_, again := s.services.Notices.Sweep(ctx)
			_, too := s.services.Webhooks.Worker().Sweep(ctx)
			return errors.Join(err, also, again, too)
		}},
	}
}

func (s *scale) requests() []asked {
	const (
		customers, cards = "/api/v1/issuing/customer?", "/api/v1/issuing/card?"
		payments, audits = "/api/v1/issuing-transaction/card-transaction?", "/api/v1/issuing/audit-log/"
	)
	many := 100_000_000_000 + s.volume.customers/2
	token := "979201zz" + strconv.Itoa(many)
	all := []asked{
		{"create a card", 200, "POST", "/api/v1/issuing/card", map[string]any{"customerNo": "2", "productCode": "VIRTUAL"}, nil},
		{"create a customer", 200, "POST", "/api/v1/issuing/customer", map[string]any{
			"customerType": "Individual", "name": "Can", "surname": "Demir",
			"birthDate": "1980-01-01", "nationality": "DE",
			"identifications": []map[string]any{{"identificationType": "Passport", "identificationNo": "U1234567", "issuingCountry": "DE"}},
			"communications":  []map[string]any{{"communicationType": "MobilePhone", "value": "+905321234599"}},
		}, nil},
	}
	all = append(all,
		asked{"delete a product in use", 409, "DELETE", "/api/v1/issuing/product/VIRTUAL", nil, nil},
		asked{name: "look whether a product is in use", do: func() error {
			return s.db.View(s.t.Context(), func(tx db.Tx) error {
				_, err := s.services.Issuing.IssuancesOfProduct(s.t.Context(), tx, s.system().Tenant, "VIRTUAL", 1)
				return err
			})
		}})
	list := func(name, path string) { all = append(all, asked{name, 200, "GET", path, nil, nil}) }
	list("customers", customers)
	list("customers, deep", customers+"SkipCount=9990")
	for _, filter := range []string{
		"Filter=ayse", "Filter=n1000", "Filter=ayse%20s12", "Name=ayse", "Surname=s77", "CustomerNo=" + strconv.Itoa(many), "CustomerType=Company", "CustomerType=Individual",
		"Status=Active", "Status=Blocked", "SegmentCode=VIP", "SegmentCode=MASS", "MobilePhone=%2B905321234567",
		"Filter=ayse&Status=Blocked", "Filter=ayse&SkipCount=9990", "Status=Blocked&CustomerType=Company", "SegmentCode=MASS&CustomerType=Company", "SegmentCode=NONE",
		"Sorting=customerNo", "Sorting=creationTime", "Sorting=kycLevel&Status=Blocked", "CreationTimeFrom=2026-03-30T00:00:00Z&CreationTimeTo=2026-03-30T10:00:00Z",
	} {
		list("customers "+filter, customers+filter)
	}
	list("a customer", "/api/v1/issuing/customer/"+strconv.Itoa(many))
	list("notes about a customer", "/api/v1/issuing/customer/user-note?CustomerNo=1")
	list("segments", "/api/v1/issuing/customer-segment")
	list("cards", cards)
	list("cards, deep", cards+"SkipCount=9990")
	for _, filter := range []string{
		"CustomerNo=" + strconv.Itoa(many), "ProductCode=PLASTIC", "ProductCode=VIRTUAL", "GroupCode=NONE", "CardStatus=Active", "CardStatus=Lost", "IssuanceStatus=Active", "FormFactor=Physical",
		"CardOwnershipType=Supplementary", "ParentIssuanceNo=9000" + strconv.Itoa(many), "ExternalCardId=none", "AccountNo=4" + strconv.Itoa(many),
		"LastFour=1234", "Bin=979201", "Bin=979202", "ExpireTo=2026-06", "IsLinked=false", "PersoStatus=Requested", "ShipmentStatus=Delivered",
		"AutoRenewalStatus=Enabled", "CardStatus=Lost&ProductCode=PLASTIC", "CreationTimeFrom=2026-03-30T00:00:00Z&CreationTimeTo=2026-03-30T10:00:00Z",
		"Sorting=creationTime", "Sorting=issuanceNo", "Sorting=expireDate&CardStatus=Lost",
	} {
		list("cards "+filter, cards+filter)
	}
	list("a card", "/api/v1/issuing/card/"+s.token)
	list("a card with details", "/api/v1/issuing/card/"+s.token+"/details")
	for _, filter := range []string{
		"CardToken=" + s.token, "CardToken=" + s.token + "&SkipCount=9990", "CardToken=" + s.token + "&Status=Declined",
		"CardToken=" + s.token + "&Sorting=systemDate", "CardToken=" + s.token + "&OnlyFinancial=true&MinAmount=500.00",
		"CardToken=" + s.token + "&IsRecurring=true&IsTokenised=true", "CardToken=" + s.token + "&IsInstallment=false&Is3dsAuthenticated=false&MccGroups=GROCERIES",
		"CardToken=" + token, "CardToken=" + token + "&Status=Declined&Sorting=billingAmount", "IssuanceNo=9000" + strconv.Itoa(many), "CustomerNo=" + strconv.Itoa(many),
		"CustomerNo=" + strconv.Itoa(many) + "&IncludeChildCards=true", "Rrn=" + strconv.Itoa(many), "NetworkTransactionId=N" + strconv.Itoa(many), "CustomerNo=1",
	} {
		list("transactions "+filter, payments+filter)
	}
	for _, filter := range []string{
		"card?CardToken=" + token, "card?IssuanceNo=9000" + strconv.Itoa(many), "card?CustomerNo=" + strconv.Itoa(many), "card?CardToken=" + token + "&ActionTypes=Create",
		"product", "product?ProductCode=VIRTUAL", "product?ProductCode=PLASTIC", "product?SkipCount=9990", "product?ActionTypes=Delete", "product?UserName=rare", "product?UserName=often",
		"product?Channel=Ivr", "product?ClientId=rare", "product?EntityType=Art", "policy", "policy?Sorting=executionTime", "policy?CardToken=" + token, "policy?ControlCode=NONE",
		"policy?PolicyType=DomesticEcommerce", "policy?ActionTypes=Delete", "policy?UserName=rare", "policy?UserName=nobody",
		"policy?DateFrom=2026-03-30T00:00:00Z&DateTo=2026-03-30T10:00:00Z&UserName=rare",
	} {
		list("acts "+filter, audits+filter)
	}
	// What would have to be sorted as a whole is refused.
	for _, path := range []string{
		customers + "Sorting=status", customers + "Sorting=customerType%20desc", customers + "Sorting=kycLevel", customers + "Sorting=customerNo&Status=Active",
		customers + "Sorting=creationTime,customerNo", cards + "Sorting=productCode", cards + "Sorting=accountNo", cards + "Sorting=cardStatus", cards + "Sorting=formFactor",
		cards + "Sorting=expireDate", cards + "Sorting=autoRenewalStatus", payments + "Sorting=billingAmount&CardToken=" + s.token,
	} {
		all = append(all, asked{"refused " + path, 400, "GET", path, nil, nil})
	}
	list("deliveries", "/api/v1/issuing/webhook/"+s.hook+"/deliveries")
	list("dead deliveries", "/api/v1/issuing/webhook/"+s.hook+"/deliveries?OnlyDead=true")
	list("inbox", "/api/v1/sandbox/inbox")
	return all
}

// grows are the tables that grow with what customers do.
var grows = []string{
	"customer", "customer_term", "customer_identification", "issuance", "card", "card_status_history", "account", "card_transaction", "hold",
	"fee_year", "card_fee", "audit_act", "audit_personal", "outbox_message", "notification", "idempotency", "message", "c", "i", "a", "p", "t", "k", "m",
}

// looksFurther are the requests whose statements look at more rows than stand on
// a page: those of deep pages, of what is sorted after it was found, and of
// filters that no index serves. The numbers in list bound them.
var looksFurther = []string{
	"SkipCount=", "deep", "card with details", "Filter=ayse", "customers Name=", "Filter=n1000", "Sorting=kycLevel&", "Sorting=expireDate&", "Blocked&", "MASS&", "GroupCode=", "FormFactor=", "OwnershipType=",
	"Bin=", "IsLinked=", "AutoRenewal", "CardStatus=", "PLASTIC", "ExpireTo=", "Status=Declined", "MinAmount=", "IsRecurring=", "ActionTypes=", "UserName=", "Channel=", "ClientId=",
	"EntityType=", "ControlCode=", "acts policy?PolicyType=",
}

// Whatever is asked, no statement goes through a table that grows, and what a
// page costs depends on the page. SARRAF_SCALE=large asks a tenant with a million
// transactions, and prints what docs/sql.md shows.
func TestRequests_costAPage(t *testing.T) {
	v, isLarge := everyDay, os.Getenv("SARRAF_SCALE") == "large"
	if isLarge {
		v = large
	}
	if testing.Short() || isRace {
		t.Skip("fills two databases")
	}
	for engine, dsn := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteDSN, "postgres": dbtest.PostgresDSN} {
		t.Run(engine, func(t *testing.T) {
			s := newScale(t, dsn(t), v)
			s.naturally = isLarge
			for _, r := range append(s.requests(), s.jobs()...) {
				began := time.Now()
				sent := s.statements(func() { s.carryOut(r, isLarge) })
				took, most := time.Since(began), 0
				for _, q := range sent {
					p := s.explain(q)
					s.judge(r, q, p)
					most = max(most, p.touched)
					if isLarge && isTold(r.name) {
						fmt.Printf("%s\n%s\n\n", strings.Join(strings.Fields(q.query), " "), p.text)
					}
				}
				if isLarge {
					fmt.Printf("%s | %s | %d statements | %.1f ms | %d rows\n", engine, r.name, len(sent), took.Seconds()*1000, most)
				}
			}
		})
	}
}

// isTold picks the requests whose plans docs/sql.md shows.
func isTold(request string) bool {
	return request == "create a card" || request == "customers" ||
		strings.HasPrefix(request, "transactions CardToken=") && !strings.Contains(request, "&")
}

// carryOut asks, or does a job. What looks too far may be refused.
func (s *scale) carryOut(r asked, refuses bool) {
	s.t.Helper()
	if r.do != nil {
		must(s.t, r.do)
		return
	}
	text, err := json.Marshal(r.body)
	if err != nil {
		s.t.Fatal(err)
	}
	out := s.send(r.method, r.path, map[string]string{"Accept-Language": "en"}, string(text))
	if out.Code != r.status && !(refuses && out.Code == 400) {
		s.t.Errorf("%s: answered %d, want %d: %s", r.name, out.Code, r.status, out.Body)
	}
}

// judge holds a statement of a request to what pages may cost.
func (s *scale) judge(r asked, q told, p plan) {
	s.t.Helper()
	query := strings.Join(strings.Fields(q.query), " ")
	for _, table := range p.scans {
		if slices.Contains(grows, table) {
			s.t.Errorf("%s: goes through %s:\n%s\n%s", r.name, table, query, p.text)
		}
	}
	// With no limit, an index by the tenant alone leads to all it has.
	if s.db.Engine() == db.SQLite && !strings.Contains(query, " LIMIT ") && strings.Contains(p.text, "(tenant_id=?)") &&
		slices.ContainsFunc(grows, func(table string) bool { return strings.Contains(query, " FROM "+table+" ") }) {
		s.t.Errorf("%s: goes through all of a tenant:\n%s\n%s", r.name, query, p.text)
	}
	counts := strings.HasPrefix(query, "SELECT COUNT(*) FROM (SELECT 1")
	further := slices.ContainsFunc(looksFurther, func(part string) bool { return strings.Contains(r.name, part) })
	bound := 1_500
	switch {
	case counts && strings.Contains(query, strconv.Itoa(list.LookMax)), further && s.volume == large:
		bound = 3 * (list.LookMax + 1)
	case counts, further:
		bound = 6 * list.TotalMax
	}
	if p.touched > bound {
		s.t.Errorf("%s: looks at %d rows, of which %d may be needed:\n%s\n%s", r.name, p.touched, bound, query, p.text)
	}
	if p.sorted > bound || p.sorted < 0 && !further && (strings.Contains(query, " OFFSET ") || strings.HasPrefix(r.name, "job:")) && !s.sortsFew(r) {
		s.t.Errorf("%s: sorts %d rows:\n%s\n%s", r.name, p.sorted, query, p.text)
	}
}
