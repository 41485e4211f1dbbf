package audit

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
)

var start = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// world is a database with two tenants.
func world(t *testing.T, d *db.DB) *Service {
	t.Helper()
	exec(t, d, `INSERT INTO tenant (id, code, name, institution_type, tax_number, address, contact, time_zone, language,
		environment, default_currency, is_active, concurrency_stamp, created_at, updated_at)
		SELECT id, id, id, '', '', '', '', 'UTC', 'en', 'Sandbox', 'TRY', true, '', 0, 0
		FROM (SELECT 'tnt_a' AS id UNION ALL SELECT 'tnt_b') AS t`)
	module, err := soft.New(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = module.Close() })
	return New(d, module, clock.NewFake(start))
}

func exec(t *testing.T, d *db.DB, statements ...string) {
	t.Helper()
	err := d.InTx(t.Context(), func(tx db.Tx) error {
		for _, s := range statements {
			if _, err := tx.Exec(t.Context(), s); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func appendTo(t *testing.T, s *Service, acts ...Act) {
	t.Helper()
	for _, a := range acts {
		if err := s.DB.InTx(t.Context(), func(tx db.Tx) error { return Append(t.Context(), tx, a) }); err != nil {
			t.Fatal(err)
		}
	}
}

func act(n int) Act {
	is := fmt.Sprint(n)
	return Act{
		Tenant: "tnt_a", At: start.Add(time.Duration(n) * time.Second), Stream: ProductStream, Action: "Update", EntityType: "Product",
		EntityKey: "P" + is, ProductCode: "P" + is, Client: "sc_1", Channel: "Api", User: "user " + is, IP: "192.0.2.1",
		Changes: []Change{{Property: "name", New: &is}},
	}
}

func verified(t *testing.T, s *Service) Report {
	t.Helper()
	r, err := s.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The vectors were computed by another program from the description alone.
func TestSum_vectors(t *testing.T) {
	text, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Tenant, Stream, Action, EntityType, EntityKey, Card, Issuance, Product, Client, UserID, Channel, Correlation string
		Result, ErrorCode, User, IP, Description, Salt, Previous, Hash                                               string
		Position, At                                                                                                 int64
		Changes                                                                                                      [][]*string
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors {
		e := Entry{Position: v.Position, Act: Act{
			Tenant: v.Tenant, At: clock.FromMicros(v.At), Stream: Stream(v.Stream), Action: v.Action, EntityType: v.EntityType,
			EntityKey: v.EntityKey, CardID: v.Card, IssuanceID: v.Issuance, ProductCode: v.Product, Client: v.Client, UserID: v.UserID,
			Channel: v.Channel, CorrelationID: v.Correlation, Result: Result(v.Result), ErrorCode: v.ErrorCode,
			User: v.User, IP: v.IP, Description: v.Description,
		}}
		for _, c := range v.Changes {
			e.Changes = append(e.Changes, Change{*c[0], c[1], c[2]})
		}
		e.salt, _ = hex.DecodeString(v.Salt)
		e.userDigest, e.ipDigest, e.descriptionDigest = e.digests()
		previous, _ := hex.DecodeString(v.Previous)
		if got := e.sum(previous); hex.EncodeToString(got[:]) != v.Hash {
			t.Errorf("row %d: got %x, want %s", v.Position, got, v.Hash)
		}
	}
}

func TestAppend_concurrentActsFormOneChain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := world(t, d)
		var all sync.WaitGroup
		for w := range 8 {
			all.Go(func() {
				for i := range 10 {
					a := act(w*10 + i)
					if w%2 == 1 {
						a.Tenant = "tnt_b"
					}
					if err := d.InTx(t.Context(), func(tx db.Tx) error { return Append(t.Context(), tx, a) }); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if r := verified(t, s); r.Checked != 80 || len(r.Findings) != 0 {
			t.Errorf("got %d checked, %v; want 80 and nothing found", r.Checked, r.Findings)
		}
	})
}

func TestAppend_isUndoneWithItsTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := world(t, d)
		appendTo(t, s, act(1))
		_ = d.InTx(t.Context(), func(tx db.Tx) error {
			if err := Append(t.Context(), tx, act(2)); err != nil {
				t.Error(err)
			}
			return os.ErrInvalid
		})
		appendTo(t, s, act(3))
		if r := verified(t, s); r.Checked != 2 || len(r.Findings) != 0 {
			t.Errorf("got %d checked, %v; want 2 and nothing found", r.Checked, r.Findings)
		}
	})
}

func TestActs_cannotBeChangedOrDeleted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := world(t, d)
		appendTo(t, s, act(1))
		for _, statement := range []string{`UPDATE audit_act SET action = 'Delete'`, `DELETE FROM audit_act`} {
			err := d.InTx(t.Context(), func(tx db.Tx) error {
				_, err := tx.Exec(t.Context(), statement)
				return err
			})
			if err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: got %v, want a refusal", statement, err)
			}
		}
	})
}

// withoutTriggers lets an administrator who means harm at the rows.
func withoutTriggers(t *testing.T, d *db.DB, statements ...string) {
	t.Helper()
	drop := []string{`DROP TRIGGER IF EXISTS audit_act_stays`, `DROP TRIGGER IF EXISTS audit_act_remains`}
	if d.Engine() == db.Postgres {
		drop = []string{`DROP TRIGGER IF EXISTS audit_act_stays ON audit_act`}
	}
	exec(t, d, append(drop, statements...)...)
}

func TestVerify_namesEveryBrokenRow(t *testing.T) {
	for name, c := range map[string]struct {
		harm []string
		want []string
	}{
		"altered":       {[]string{`UPDATE audit_act SET action = 'Create' WHERE position = 3`}, []string{"3 it was altered, or does not follow the row before it"}},
		"change":        {[]string{`UPDATE audit_act SET changes = replace(changes, '"4"', '"5"') WHERE position = 4`}, []string{"4 it was altered, or does not follow the row before it"}},
		"spelling":      {[]string{`UPDATE audit_act SET changes = changes || ' ' WHERE position = 4`}, []string{"4 its changes were altered"}},
		"missing":       {[]string{`DELETE FROM audit_personal WHERE position = 2`, `DELETE FROM audit_act WHERE position = 2`}, []string{"2 it is missing"}},
		"first missing": {[]string{`DELETE FROM audit_personal WHERE position < 3`, `DELETE FROM audit_act WHERE position < 3`}, []string{"1 it and all up to row 2 are missing"}},
		"last missing":  {[]string{`DELETE FROM audit_personal WHERE position = 6`, `DELETE FROM audit_act WHERE position = 6`}, []string{"6 it is missing"}},
		"reordered": {[]string{
			`DELETE FROM audit_personal`, `UPDATE audit_act SET position = 99 WHERE position = 2`,
			`UPDATE audit_act SET position = 2 WHERE position = 4`, `UPDATE audit_act SET position = 4 WHERE position = 99`,
		}, []string{
			"2 it was altered, or does not follow the row before it", "3 it was altered, or does not follow the row before it",
			"4 it was altered, or does not follow the row before it", "5 it was altered, or does not follow the row before it",
		}},
		"end":      {[]string{`UPDATE audit_chain SET hash = ''`}, []string{"6 its hash is not that of the end of the chain"}},
		"no end":   {[]string{`DELETE FROM audit_chain`}, []string{"0 the end of the chain is missing"}},
		"personal": {[]string{`UPDATE audit_personal SET user_reference = 'other' WHERE position = 5`}, []string{"5 its personal values were altered"}},
		"erased":   {[]string{`DELETE FROM audit_personal WHERE position = 5`}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				s := world(t, d)
				for n := range 6 {
					appendTo(t, s, act(n+1))
				}
				withoutTriggers(t, d, c.harm...)
				var got []string
				for _, f := range verified(t, s).Findings {
					got = append(got, fmt.Sprint(f.Position, " ", f.Fault))
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			})
		})
	}
}

func TestCheckpoint_findsAChainWrittenAnew(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := world(t, d)
		appendTo(t, s, act(1), act(2))
		c, err := s.Checkpoint(t.Context(), "tnt_a")
		if err != nil {
			t.Fatal(err)
		}
		appendTo(t, s, act(3))
		if finding, err := s.VerifyCheckpoint(t.Context(), c); err != nil || finding != "" {
			t.Errorf("got %q, %v; want nothing", finding, err)
		}
		forged := c
		forged.Position = 1
		if finding, _ := s.VerifyCheckpoint(t.Context(), forged); finding == "" {
			t.Error("a changed checkpoint is taken")
		}
		again, err := s.Checkpoint(t.Context(), "tnt_a")
		if err != nil || !bytes.Equal(again.PublicKey, c.PublicKey) || again.Position != 3 {
			t.Errorf("got %+v, %v; want the same key and position 3", again, err)
		}
		withoutTriggers(t, d, `DELETE FROM audit_personal`, `DELETE FROM audit_act`, `DELETE FROM audit_chain`)
		appendTo(t, s, act(7), act(8), act(9))
		if r := verified(t, s); len(r.Findings) != 0 {
			t.Errorf("got %v; the new chain is whole in itself", r.Findings)
		}
		if finding, err := s.VerifyCheckpoint(t.Context(), c); err != nil || finding != "row 2 is another one than at the checkpoint" {
			t.Errorf("got %q, %v", finding, err)
		}
	})
}

func TestList_filtersWithinItsTenant(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := world(t, d)
		other, card := act(5), act(6)
		other.Tenant = "tnt_b"
		card.Stream, card.CardID, card.Action, card.Result = CardStream, "card_1", "PinVerify", Failure
		appendTo(t, s, act(1), act(2), act(3), other, card)
		all := Filter{Stream: ProductStream, From: start, To: start.Add(time.Hour), Take: 10}
		keys := func(change func(*Filter)) []string {
			t.Helper()
			f := all
			change(&f)
			page, _, err := s.List(t.Context(), "tnt_a", f)
			if err != nil {
				t.Fatal(err)
			}
			var keys []string
			for _, e := range page {
				keys = append(keys, e.EntityKey)
			}
			return keys
		}
		for i, c := range []struct {
			change func(*Filter)
			want   []string
		}{
			{func(*Filter) {}, []string{"P3", "P2", "P1"}},
			{func(f *Filter) { f.OldestFirst, f.Skip, f.Take = true, 1, 1 }, []string{"P2"}},
			{func(f *Filter) { f.User = "user 2" }, []string{"P2"}},
			{func(f *Filter) { f.ProductCode = "P3" }, []string{"P3"}},
			{func(f *Filter) { f.From = start.Add(3 * time.Second) }, []string{"P3"}},
			{func(f *Filter) { f.Property = "name" }, []string{"P3", "P2", "P1"}},
			{func(f *Filter) { f.Property = "nam" }, nil},
			{func(f *Filter) { f.Actions = []string{"Create", "Delete"} }, nil},
			{func(f *Filter) { f.Stream, f.CardIDs = CardStream, []string{"card_0", "card_1"} }, []string{"P6"}},
		} {
			if got := keys(c.change); !slices.Equal(got, c.want) {
				t.Errorf("case %d: got %v, want %v", i, got, c.want)
			}
		}
		page, total, err := s.List(t.Context(), "tnt_a", all)
		if err != nil || total != 3 || page[0].User != "user 3" || len(page[0].Changes) != 1 || *page[0].Changes[0].New != "3" {
			t.Errorf("got %+v, %d, %v", page, total, err)
		}
	})
}

func TestChanges_nameWhatDiffers(t *testing.T) {
	type inner struct{ Code string }
	type Embedded struct{ Stamp string }
	type value struct {
		Embedded
		Name         string
		PINTryLimit  int
		CVV2TryLimit int
		List         []inner
		Map          map[string]string
		Limit        *inner
		UsedCount    int
	}
	show := func(changes []Change) (all []string) {
		for _, c := range changes {
			line := c.Property
			for _, v := range []*string{c.Old, c.New} {
				if v == nil {
					line += " -"
				} else {
					line += " " + *v
				}
			}
			all = append(all, line)
		}
		return all
	}
	before := value{Embedded{"1"}, "a", 3, 3, []inner{{"x"}, {"y"}}, map[string]string{"k": "v"}, nil, 1}
	after := value{Embedded{"2"}, "b", 5, 3, []inner{{"z"}}, map[string]string{"k": "w"}, &inner{"l"}, 2}
	want := []string{"name a b", "pinTryLimit 3 5", "list[0].code x z", "map.k v w", "limit.code - l", "list[1].code y -"}
	if diff := cmp.Diff(want, show(Changes(before, after, "UsedCount"))); diff != "" {
		t.Error(diff)
	}
	if got := show(Changes(nil, value{Name: "a"})); !slices.Contains(got, "name - a") || !slices.Contains(got, "cvv2TryLimit - 0") {
		t.Errorf("got %v", got)
	}
}
