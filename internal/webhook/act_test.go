package webhook

import (
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// Whoever turns a tenant's events elsewhere is on record; the secrets are not.
func TestHooks_everyChangeIsOnRecord(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		h, key := w.register("https://example.com/path/with-a-token", "card.*")
		if _, err := w.Update(t.Context(), w.main, h.ID, NewHook{
			Type: TypeEvent, Name: h.Name, URL: "https://example.org/elsewhere", EventTypes: []string{"*"},
		}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.RotateSecret(t.Context(), w.main, h.ID); err != nil {
			t.Fatal(err)
		}
		if err := w.Unregister(t.Context(), w.main, h.ID); err != nil {
			t.Fatal(err)
		}
		wantFault(t, w.Unregister(t.Context(), w.main, h.ID), "webhook_not_found")
		var got, text []string
		err := w.DB.View(t.Context(), func(tx db.Tx) error {
			entries, err := audit.ActsAfter(t.Context(), tx, w.main.Tenant.String(), audit.AccessStream, 0, 100)
			for _, e := range entries {
				if e.EntityType != "WebHook" {
					continue
				}
				got = append(got, e.Action)
				for _, c := range e.Changes {
					if c.New != nil {
						text = append(text, c.Property+"="+*c.New)
					}
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Join(got, " ") != "Register Update RotateSecret Unregister" {
			t.Errorf("got %v", got)
		}
		all := strings.Join(text, "\n")
		if !strings.Contains(all, "host=https://example.com") || !strings.Contains(all, "host=https://example.org") ||
			strings.Contains(all, "token") || strings.Contains(all, string(key)) {
			t.Errorf("the record says\n%s", all)
		}
	})
}
