package issuing

import (
	"context"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

func TestConfiguration_isKeptByWhoeverReadsIt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		card := w.issue(t)
		reads := map[string]func(ctx context.Context) error{
			"card": func(ctx context.Context) error { _, err := w.Card(ctx, w.caller, card.Card.Token); return err },
			"use": func(ctx context.Context) error {
				_, err := w.openForUse(ctx, w.caller, card.Card.Token, 0)
				return err
			},
			"change": func(ctx context.Context) error {
				return d.InTx(ctx, func(tx db.Tx) error { _, err := w.programs.ConfigurationIn(ctx, tx, w.caller.Tenant); return err })
			},
			"joined": func(ctx context.Context) error {
				return d.InTx(ctx, func(tx db.Tx) error {
					_, err := w.Card(db.WithTx(ctx, tx), w.caller, card.Card.Token)
					return err
				})
			},
		}
		for name, read := range reads {
			w.programs.Forget(w.caller.Tenant)
			if err := read(t.Context()); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			queries := 0
			err := d.View(t.Context(), func(tx db.Tx) error {
				_, err := w.programs.ConfigurationIn(t.Context(), counted{tx, &queries}, w.caller.Tenant)
				return err
			})
			if err != nil || queries != 1 { // of the version
				t.Errorf("%s: the next one asks %d times (%v)", name, queries, err)
			}
		}
	})
}
