package customer

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// acts are the rows about customers and segments in a tenant's chain, each as
// action, entity and what changed.
func (h *house) acts(c access.Caller) []string {
	h.t.Helper()
	var all []string
	err := h.DB.View(h.t.Context(), func(tx db.Tx) error {
		entries, err := audit.ActsAfter(h.t.Context(), tx, c.Tenant.String(), audit.CustomerStream, 0, 100)
		for _, e := range entries {
			line := e.Action + " " + e.EntityType
			for _, change := range e.Changes {
				text := func(v *string) string {
					if v == nil {
						return "-"
					}
					return *v
				}
				line += fmt.Sprintf(", %s %s>%s", change.Property, text(change.Old), text(change.New))
			}
			all = append(all, line)
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

// What is done to customers and segments stands in the record, and names nobody.
func TestCustomer_everyWriteIsOnRecord(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx, c := t.Context(), h.main
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		g, err := h.CreateSegment(ctx, c, Segment{Code: "VIP", Name: "Important", IsActive: true})
		must(err)
		g.Name = "Very important"
		_, err = h.UpdateSegment(ctx, c, g, "")
		must(err)
		in := testCustomer("Ada", "Deniz", "10000000146")
		u, _, err := h.FindOrCreate(ctx, c, in)
		must(err)
		_, _, err = h.FindOrCreate(ctx, c, in) // changes nothing
		must(err)
		_, err = h.SetSegment(ctx, c, u.No, "VIP")
		must(err)
		change := Change{No: u.No, Profile: in.Profile, Status: Blocked}
		change.Profile.Surname, change.Profile.StatusReason = "Dalga", "asked for by a court"
		_, err = h.Update(ctx, c, change)
		must(err)
		_, err = h.PutCommunication(ctx, c, u.No, Communication{Type: Email, Value: "dalga@example.com"})
		must(err)
		_, err = h.AddNote(ctx, c, Note{Subject: NoteOnCustomer, Key: u.No, Text: "called about the court"})
		must(err)
		_, err = h.SetSegment(ctx, c, u.No, "")
		must(err)
		must(h.DeleteSegment(ctx, c, "VIP"))

		got := h.acts(c)
		want := []string{
			"Create Segment, code ->VIP, name ->Important", "Update Segment, name Important>Very important",
			"Create Customer, type ->Individual, status ->Active, kycLevel ->Basic", "SegmentChange Customer, segment ->VIP",
			"Update Customer, status Active>Blocked, surname ***>***", "Update Customer, communications ***>***", "NoteAdd Customer",
			"SegmentChange Customer, segment VIP>-", "Delete Segment",
		}
		if !slices.EqualFunc(got, want, func(g, w string) bool { return strings.HasPrefix(g, w) }) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		for _, secret := range []string{"Deniz", "Dalga", "example.com", "10000000146", "court", "5321234567"} {
			if strings.Contains(strings.Join(got, ""), secret) {
				t.Errorf("the record holds %s", secret)
			}
		}
	})
}

// What is refused leaves nothing on record.
func TestCustomer_refusalsAreNotOnRecord(t *testing.T) {
	h := newHouse(t, dbtest.SQLite(t))
	if _, err := h.Create(t.Context(), h.main, Customer{Type: Individual}); err == nil {
		t.Fatal("an empty customer was created")
	}
	_, err := h.Update(t.Context(), h.main, Change{No: "1"})
	wantFault(t, err, "customer_not_found")
	if got := h.acts(h.main); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}
