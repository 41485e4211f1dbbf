package customer

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/list"
)

func (h *house) segment(code string, active bool) Segment {
	h.t.Helper()
	g, err := h.CreateSegment(h.t.Context(), h.main, Segment{Code: code, Name: "Segment " + code, IsActive: active})
	if err != nil {
		h.t.Fatalf("create segment: %v", err)
	}
	return g
}

func TestSegment_customersProtectItFromDeletion(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx, c := t.Context(), h.main
		h.segment("VIP", true)
		h.segment("OLD", false)
		u := testCustomer("Ali", "Kaya", tckn("100000001"))
		u.No, u.Segment = "1", "VIP"
		made, err := h.Create(ctx, c, u)
		if err != nil || made.Segment != "VIP" || made.SegmentName != "Segment VIP" {
			t.Fatalf("got %q %q (%v)", made.Segment, made.SegmentName, err)
		}
		err = h.DeleteSegment(ctx, c, "VIP")
		wantFault(t, err, "segment_in_use")
		if f, _ := fault.As(err); f != nil {
			if diff := cmp.Diff(map[string]int{"customers": 1}, f.Params["usedBy"]); diff != "" {
				t.Errorf("usedBy (-want +got):\n%s", diff)
			}
		}
		for code, want := range map[string]fault.Code{"OLD": "segment_passive", "NONE": "segment_unknown", "VIP\x00": "segment_unknown"} {
			_, err := h.SetSegment(ctx, c, "1", code)
			wantFault(t, err, want)
			other := testCustomer("Can", "Kaya", tckn("100000002"))
			other.Segment = code
			_, err = h.Create(ctx, c, other)
			wantFault(t, err, want)
		}
		if got, err := h.Customer(ctx, c, "1"); err != nil || got.Segment != "VIP" || got.ConcurrencyStamp != made.ConcurrencyStamp {
			t.Errorf("a refused change left %q (%v)", got.Segment, err)
		}
		got, err := h.SetSegment(ctx, c, "1", "")
		if err != nil || got.Segment != "" || got.SegmentName != "" || got.ConcurrencyStamp == made.ConcurrencyStamp {
			t.Errorf("taken out: %q %q (%v)", got.Segment, got.SegmentName, err)
		}
		if err := h.DeleteSegment(ctx, c, "VIP"); err != nil {
			t.Fatal(err)
		}
		_, err = h.SetSegment(ctx, c, "1", "VIP")
		wantFault(t, err, "segment_unknown")
		_, err = h.CreateSegment(ctx, c, Segment{Code: "VIP", Name: "Again"})
		wantFault(t, err, "segment_already_exists")
	})
}

func TestSegment_isItsTenantsOwn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx := t.Context()
		mine := h.segment("VIP", true)
		_, err := h.UpdateSegment(ctx, h.other, Segment{Code: "VIP", Name: "Mine"}, "")
		wantFault(t, err, "segment_not_found")
		wantFault(t, h.DeleteSegment(ctx, h.other, "VIP"), "segment_not_found")
		u := testCustomer("Ali", "Kaya", tckn("100000001"))
		u.No = "1"
		if _, err := h.Create(ctx, h.other, u); err != nil {
			t.Fatal(err)
		}
		_, err = h.SetSegment(ctx, h.other, "1", "VIP")
		wantFault(t, err, "segment_unknown")
		_, err = h.SetSegment(ctx, h.main, "1", "VIP")
		wantFault(t, err, "customer_not_found")
		if _, total, err := h.Segments(ctx, h.other, "", list.Page{Limit: 10}); err != nil || total != 0 {
			t.Errorf("another tenant sees %d segments (%v)", total, err)
		}
		page, total, err := h.Segments(ctx, h.main, "segment v", list.Page{Limit: 10})
		if err != nil || total != 1 {
			t.Fatalf("got %d segments (%v)", total, err)
		}
		if diff := cmp.Diff(mine, page[0]); diff != "" {
			t.Errorf("segment (-created +read):\n%s", diff)
		}
	})
}

// Whoever comes first wins: a customer in the segment, or no segment.
func TestSegment_isNotDeletedUnderACustomerThatEnters(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx, c := t.Context(), h.main
		for _, code := range []string{"A", "B", "C", "D", "E", "F"} {
			h.segment(code, true)
			u := testCustomer("Ali", "Kaya", "")
			u.KYCLevel, u.Identifications, u.Segment = KYCNone, nil, code
			var entered, deleted error
			var both sync.WaitGroup
			both.Go(func() { _, entered = h.Create(ctx, c, u) })
			both.Go(func() { deleted = h.DeleteSegment(ctx, c, code) })
			both.Wait()
			switch {
			case entered == nil:
				wantFault(t, deleted, "segment_in_use")
			case deleted == nil:
				wantFault(t, entered, "segment_unknown")
			default:
				t.Errorf("%s: neither happened: %v, %v", code, entered, deleted)
			}
		}
	})
}
