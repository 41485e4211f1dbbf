package authorization_test

import (
	"context"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// What a request took is stored beside its decision, in a few bytes, and is no
// part of it: the decision is the same after the times are altered.
func TestExplain_tellsWhatEachStageTook(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		k := w.NewCard("100.00")
		r := w.Request(k, authorization.AuthorizationRequest, money.Must(1000, "TRY"))
		w.Chip(k, r)
		r.Times[authorization.StageParse] = 41e3
		a := w.Authorize(r)
		explain := func() authorization.Explanation {
			x, err := authorization.NewQueries(w.DB, nil, w.Clock).ExplainAny(t.Context(), a.Transaction)
			if err != nil {
				t.Fatal(err)
			}
			if !x.Recomputed {
				t.Errorf("it is decided otherwise: %s", x.Difference)
			}
			return x
		}
		x := explain()
		for s, took := range x.Times {
			switch s := authorization.Stage(s); s {
			case authorization.StageQueue, authorization.StageGather, authorization.StageCrypto, authorization.StageDecide:
				if took <= 0 {
					t.Errorf("%s took no time", s)
				}
			case authorization.StageParse:
				if took != 41e3 {
					t.Errorf("what the link measured became %v", took)
				}
			default:
				if took != 0 {
					t.Errorf("%s took %v before it was", s, took)
				}
			}
		}
		err := w.DB.InTx(t.Context(), func(tx db.Tx) error {
			var size int
			if err := tx.QueryRow(context.Background(), "SELECT length(micros) FROM decision").Scan(&size); err != nil {
				return err
			}
			if size > 40 {
				t.Errorf("the times are %d bytes long", size)
			}
			_, err := tx.Exec(context.Background(), "UPDATE decision SET micros = 'c7'")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if x := explain(); x.Times != (authorization.Times{authorization.StageCrypto: 7e3}) {
			t.Errorf("got %s", x.Times.String())
		}
		w.Verify()
	})
}
