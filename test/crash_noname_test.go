package test

import (
	"bytes"
	"net/http"
	"strconv"
	"testing"
	"time"
)

// awaitBatch asks for a batch until enough says so.
func awaitBatch(t *testing.T, c caller, batch string, enough func(nonameBatch) bool) nonameBatch {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 6000 {
		b := batchOf(t, c.send(t, http.MethodGet, "/api/v1/issuing/card/noname/"+batch+"?MaxResultCount=1", "", nil))
		if enough(b) {
			return b
		}
		<-tick.C
	}
	t.Fatalf("batch %s gets no further", batch)
	return nonameBatch{}
}

// TestServe_makesEveryNonameCardOnce kills the real binary in the middle of a
// large order, again and again: in the end each card is there once.
func TestServe_makesEveryNonameCardOnce(t *testing.T) {
	const count, kills = 10_000, 3
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, flags...)
		made := newTenant(t, flags)
		made.openBank(t, s)
		c := made.signIn(t, s)
		order := func() reply {
			t.Helper()
			return c.send(t, http.MethodPost, "/api/v1/issuing/card/noname", "order-1", nonameOrder(count))
		}
		accepted := order()
		batch := batchOf(t, accepted)
		if batch.Status != "Processing" || batch.Requested != count || len(batch.Cards) != 0 {
			t.Fatalf("the order: %+v", batch)
		}
		done := 0
		for range kills {
			b := awaitBatch(t, c, batch.BatchID, func(b nonameBatch) bool { return b.Created > done })
			if b.Created == count {
				break
			}
			s.command.Process.Kill()
			<-s.ended
			s = serve(t, dir, flags...)
			c.base = "http://" + s.api
			after := awaitBatch(t, c, batch.BatchID, func(nonameBatch) bool { return true })
			if after.Created < b.Created {
				t.Fatalf("%d cards, and %d before the kill", after.Created, b.Created)
			}
			if again := order(); !bytes.Equal(again.Body, accepted.Body) {
				t.Errorf("the same key is answered\n%s, and was\n%s", again.Body, accepted.Body)
			}
			done = b.Created
		}
		if done == 0 {
			t.Fatal("the order was never interrupted")
		}
		t.Logf("killed with up to %d cards made", done)
		end := awaitBatch(t, c, batch.BatchID, func(b nonameBatch) bool { return b.Status == "Completed" })
		if end.Created != count || end.Failed != 0 {
			t.Errorf("%d made and %d failed, of %d", end.Created, end.Failed, count)
		}
		checkEachOnce(t, c, batch.BatchID, count)
		if again := order(); !bytes.Equal(again.Body, accepted.Body) {
			t.Errorf("the same key is answered\n%s, and was\n%s", again.Body, accepted.Body)
		}
		run(t, append([]string{"verify"}, flags...)...)
		run(t, append([]string{"audit", "verify"}, flags...)...)
	})
}

// checkEachOnce reads all cards of a batch and wants each token, issuance and
// barcode once. Numbers are not shown; the schema lets none be there twice.
func checkEachOnce(t *testing.T, c caller, batch string, count int) {
	t.Helper()
	seen := map[string]bool{}
	total := 0
	for skip := 0; skip < count; skip += 1000 {
		page := batchOf(t, c.send(t, http.MethodGet, "/api/v1/issuing/card/noname/"+batch+"?SkipCount="+strconv.Itoa(skip), "", nil))
		for _, card := range page.Cards {
			total++
			for _, name := range []string{card.CardToken, card.IssuanceNo, card.Barcode} {
				if name == "" || seen[name] {
					t.Fatalf("%q is there twice", name)
				}
				seen[name] = true
			}
		}
	}
	if total != count {
		t.Errorf("%d cards in the batch, want %d", total, count)
	}
	listed := c.send(t, http.MethodGet, "/api/v1/issuing/card?MaxResultCount=1&BatchReference=SPRING", "", nil).want(t, http.StatusOK, "")
	if got := listed.member(t, "totalCount"); got != float64(count) {
		t.Errorf("the list counts %v cards, want %d", got, count)
	}
}
