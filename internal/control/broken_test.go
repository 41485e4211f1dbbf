package control

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// spoil makes the rule of every definition one that no longer compiles, as an
// update does that checks more.
func (h *house) spoil() {
	h.t.Helper()
	err := h.change(h.t.Context(), h.main.Tenant, func(tx db.Tx) error {
		n, err := db.Affected(tx.Exec(h.t.Context(), `UPDATE control_definition SET document = REPLACE(document, '"555', '"055') WHERE tenant_id = $1`, h.main.Tenant))
		if err == nil && n == 0 {
			h.t.Error("nothing was spoilt")
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// A rule that compiled when it was saved and no longer does breaks its own control
// alone, which does what its kind does where a rule cannot be evaluated.
func TestSnapshot_aBrokenRuleBreaksItsControlAlone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx := t.Context()
		const tree = `{"condition":"and","rules":[{"field":"merchant.acquirerId","operator":"begins_with","value":"555123"}]}`
		global := []Link{{Type: LinkGlobal, Priority: LinkPriority, IsActive: true}}
		for _, action := range Actions() {
			c := NewAuthorizationCheck(strings.ToUpper(string(action)))
			c.Name, c.Action, c.Rule = c.Code, action, tree
			if _, _, err := AuthorizationChecks.Create(ctx, h.Service, h.main, c, slices.Clone(global)); err != nil {
				t.Fatal(err)
			}
		}
		sound := NewAuthorizationCheck("SOUND")
		sound.Name, sound.Action, sound.Rule = "SOUND", Decline, rule.Source(strings.Replace(tree, "555123", "444123", 1))
		if _, _, err := AuthorizationChecks.Create(ctx, h.Service, h.main, sound, slices.Clone(global)); err != nil {
			t.Fatal(err)
		}
		limit := limitOf("LIMIT", PerDay, 500_000)
		limit.Name, limit.Rule = "LIMIT", tree
		if _, _, err := VelocityChecks.Create(ctx, h.Service, h.main, limit, slices.Clone(global)); err != nil {
			t.Fatal(err)
		}
		h.spoil()
		var log bytes.Buffer
		h.Log = slog.New(slog.NewTextHandler(&log, nil))

		k, err := h.current(ctx, h.main.Tenant)
		if err != nil {
			t.Fatal(err)
		}
		var facts rule.Facts
		facts.SetText(rule.TransactionFlowCode, flowFinancial)
		facts.SetText(rule.MerchantAcquirerID, "999999")
		o := &Occasion{Tenant: h.main.Tenant, Links: k.links, Facts: &facts, At: h.time.Now(), Calendar: Calendar{Zone: h.time.Now().Location()}}
		var matched []string
		for _, m := range k.Matches(o, true) {
			if matched = append(matched, m.Check.Code); !m.IsBroken {
				t.Errorf("%s selects and is not broken", m.Check.Code)
			}
		}
		slices.Sort(matched)
		if want := []string{"ALERT", "DECLINE", "REFER", "REQUIRE3DS", "REQUIREPIN"}; !slices.Equal(matched, want) {
			t.Errorf("these select: %v, want %v", matched, want)
		}
		bounds := k.bounds(o)
		if len(bounds) != 1 || bounds[0].Check.Code != "LIMIT" || !bounds[0].IsBroken {
			t.Errorf("these limits bind: %+v, want the broken one", bounds)
		}

		found, err := h.Lint(ctx, h.main)
		if err != nil {
			t.Fatal(err)
		}
		told := map[string]string{}
		for _, f := range found.All {
			if f.What == BrokenRule {
				told[f.Code] = f.Path
			}
		}
		if len(told) != len(Actions())+1 || told["APPROVE"] == "" || told["SOUND"] != "" || told["LIMIT"] != "rule.rules[0].value" {
			t.Errorf("the linter tells of %v", told)
		}
		for _, code := range []string{"APPROVE", "LIMIT"} {
			if !strings.Contains(log.String(), "code="+code) {
				t.Errorf("the log does not name %s: %s", code, log.String())
			}
		}

		// Saving it again is refused as before.
		stored, err := AuthorizationChecks.Named(ctx, h.Service, h.main, "DECLINE")
		if err != nil {
			t.Fatal(err)
		}
		stored.Description = "Another one."
		if _, _, err := AuthorizationChecks.Update(ctx, h.Service, h.main, stored, ""); err == nil {
			t.Error("a control whose rule does not compile was saved")
		}
		if _, err := h.DraftSnapshot(ctx, h.main, Draft{Objects: []Drafted{AuthorizationChecks.Drafted("controls[0]", sound, nil)}}); err != nil {
			t.Errorf("a draft of another control: %v", err)
		}
		if _, err := h.DraftSnapshot(ctx, h.main, Draft{Objects: []Drafted{AuthorizationChecks.Drafted("controls[0]", stored, nil)}}); err == nil {
			t.Error("a draft of a rule that does not compile was taken")
		}
	})
}
