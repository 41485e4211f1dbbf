package program

import (
	"slices"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

func TestEvents_tellOfProductsAndRanges(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		p := h.program(h.main, "979206")
		p.Name, p.PINTryLimit = "Another name", 4
		for range 2 { // the second changes nothing
			if _, err := h.UpdateProduct(t.Context(), h.main, ProductChange{Product: p}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := h.CreateBIN(t.Context(), h.main, testBIN("979207")); err != nil {
			t.Fatal(err)
		}
		_, err := h.CreateRange(t.Context(), h.main, BINRange{
			Code: "SMALL", Name: "Small", BIN: "979207", Start: "979207000000000", End: "979207000000009", Generation: SequentialPAN,
			AlertThresholdPercent: 25, Status: RecordActive,
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			if _, err := h.takePAN("SMALL"); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		err = d.View(t.Context(), func(tx db.Tx) error {
			all, err := outbox.WaitingEvents(t.Context(), tx, h.main.Tenant.String())
			for _, e := range all {
				got = append(got, e.Name+" "+e.Key+" "+string(e.Payload))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			`product.updated product:` + p.Code + ` {"Code":"` + p.Code + `","Changed":["name","pinTryLimit"]}`,
			`bin-range.threshold bin-range:SMALL {"Code":"SMALL","BIN":"979207","UsedCount":3,"Capacity":10,"ThresholdPercent":25}`,
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
