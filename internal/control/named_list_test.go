package control

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/list"
)

// gambling asks whether a merchant category is in the list GAMBLING.
const gambling = rule.Source(`"transaction.mcc.in_list(\"GAMBLING\")"`)

// isGambling tries the rule on a category as a node sees it.
func isGambling(t *testing.T, s *Service, c access.Caller, mcc string) bool {
	t.Helper()
	var f rule.Facts
	f.SetText(rule.TransactionMCC, mcc)
	trial, err := s.TryRule(t.Context(), c, gambling, rule.Velocity, rule.TwoValued, f)
	if err != nil {
		t.Fatal(err)
	}
	return trial.Result
}

func TestNamedList_changesHoldOnEveryNodeAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		node := h.node()
		before := h.version()
		l := h.defined("GAMBLING", "7995")
		if h.version() != before+1 {
			t.Errorf("the version went from %d to %d", before, h.version())
		}
		if !isGambling(t, node, h.main, "7995") || isGambling(t, node, h.main, "7801") { // which the group holds, too
			t.Error("another node does not have the values")
		}
		l.Values = []string{"7801"}
		h.time.Advance(1)
		l, err := h.UpdateList(t.Context(), h.main, l, l.ConcurrencyStamp)
		if err != nil {
			t.Fatal(err)
		}
		if isGambling(t, node, h.main, "7995") || !isGambling(t, node, h.main, "7801") {
			t.Error("another node has the values from before")
		}
		h.defined("CLUBS", "5813") // the list is as it was, beside another
		if isGambling(t, node, h.main, "7995") || !isGambling(t, node, h.main, "7801") {
			t.Error("a change of something else took the values away, or brought them back")
		}
		l.IsActive = false
		if _, err := h.UpdateList(t.Context(), h.main, l, ""); err != nil {
			t.Fatal(err)
		}
		if isGambling(t, node, h.main, "7801") {
			t.Error("a list that is not active holds something")
		}
		_, err = h.UpdateList(t.Context(), h.main, l, l.ConcurrencyStamp)
		wantFault(t, err, access.CodeConcurrency)
		if h.version() != before+4 {
			t.Errorf("four changes raised the version from %d to %d", before, h.version())
		}
		// A snapshot of a version that is there is not read again.
		k, err := node.Snapshot(t.Context(), h.main.Tenant, h.version())
		if err != nil {
			t.Fatal(err)
		}
		if again, err := node.Snapshot(t.Context(), h.main.Tenant, h.version()); err != nil || again != k || k.Version != h.version() {
			t.Errorf("version %d is read twice, or is version %d: %v", h.version(), k.Version, err)
		}
	})
}

func TestNamedList_isKeptAsItIs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		made, err := h.CreateList(t.Context(), h.main, NamedList{
			Code: "HOURS", Name: "Gece saatleri", Type: IntegerValues, Values: []string{"23", "-5", "007", "7"}, IsActive: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"-5", "7", "23"}; !slices.Equal(made.Values, want) || made.Count != 3 {
			t.Errorf("got %v, want %v", made.Values, want)
		}
		got, err := h.List(t.Context(), h.main, "HOURS")
		if err != nil || !reflect.DeepEqual(got, made) {
			t.Errorf("got %+v, want %+v: %v", got, made, err)
		}
		h.defined("EMPTY")
		if l, err := h.List(t.Context(), h.main, "EMPTY"); err != nil || len(l.Values) != 0 {
			t.Errorf("an empty list holds %q: %v", l.Values, err)
		}
		page, total, err := h.Lists(t.Context(), h.main, "GECE", list.Page{Limit: 10})
		if err != nil || total != 1 || len(page) != 1 || page[0].Code != "HOURS" || page[0].Values != nil || page[0].Count != 3 {
			t.Errorf("got %d: %+v, %v", total, page, err)
		}
		_, err = h.List(t.Context(), h.other, "HOURS")
		wantFault(t, err, "named_list_not_found")
		_, err = h.CreateList(t.Context(), h.main, NamedList{Code: "HOURS", Name: "x", Type: StringValues})
		wantFault(t, err, "named_list_already_exists")
		made.Type = StringValues
		_, err = h.UpdateList(t.Context(), h.main, made, "")
		wantFault(t, err, "named_list_type_fixed")
	})
}

func TestNamedList_refusesWhatIsNone(t *testing.T) {
	h := newHouse(t, dbtest.SQLite(t))
	before := h.version()
	for name, l := range map[string]NamedList{
		"code":      {Code: "lower", Name: "x", Type: StringValues},
		"name":      {Code: "A", Type: StringValues},
		"valueType": {Code: "A", Name: "x", Type: "Float"},
		"values[1]": {Code: "A", Name: "x", Type: IntegerValues, Values: []string{"1", "1.5"}},
		"values[0]": {Code: "A", Name: "x", Type: StringValues, Values: []string{""}},
		"values[2]": {Code: "A", Name: "x", Type: StringValues, Values: []string{"a", "b", "a\nb"}},
		"values[3]": {Code: "A", Name: "x", Type: StringValues, Values: []string{"a", "b", "c", "4111 1111 1111 1111"}},
		"values[5]": {Code: "A", Name: "x", Type: IntegerValues, Values: []string{"1", "2", "3", "4", "5", "4111111111111111"}},
		"values[4]": {Code: "A", Name: "x", Type: StringValues, Values: []string{"a", "b", "c", "d", strings.Repeat("x", 65)}},
		"values":    {Code: "A", Name: "x", Type: StringValues, Values: make([]string, ListValuesMax+1)},
	} {
		_, err := h.CreateList(t.Context(), h.main, l)
		if f := wantFault(t, err, access.CodeInvalid); len(f.Fields) == 0 || f.Fields[0].Name != name {
			t.Errorf("%s: got %v", name, f.Fields)
		}
	}
	_, err := h.CreateList(t.Context(), h.main, NamedList{Code: "GAMBLING", Name: "x", Type: IntegerValues})
	if f := wantFault(t, err, access.CodeInvalid); len(f.Fields) != 1 || f.Fields[0].Name != "valueType" {
		t.Errorf("integers in place of a group: %v", f.Fields)
	}
	if h.version() != before {
		t.Error("a refusal raised the version")
	}
}

func TestDeleteList_onlyWhenNothingLooksIntoIt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		h.defined("GAMBLING", "7995")
		h.defined("CASH", "6011")
		uses := func(code string, lists ...string) {
			t.Helper()
			err := h.Programs.Change(t.Context(), h.main.Tenant, func(tx db.Tx) error {
				return KeepListUses(t.Context(), tx, h.main.Tenant, rule.Authorization, code, lists)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		uses("NO_GAMES", "CASH", "GAMBLING")
		uses("NIGHT", "GAMBLING")
		f := wantFault(t, h.DeleteList(t.Context(), h.main, "GAMBLING"), "named_list_in_use")
		if want := map[string]int{"Authorization": 2}; !reflect.DeepEqual(f.Params["usedBy"], want) {
			t.Errorf("used by %v", f.Params["usedBy"])
		}
		uses("NO_GAMES", "CASH")
		uses("NIGHT")
		if err := h.DeleteList(t.Context(), h.main, "GAMBLING"); err != nil {
			t.Error(err)
		}
		wantFault(t, h.DeleteList(t.Context(), h.main, "GAMBLING"), "named_list_not_found")
		_, err := h.CreateList(t.Context(), h.main, NamedList{Code: "GAMBLING", Name: "Again", Type: StringValues})
		wantFault(t, err, "named_list_already_exists")
		if !isGambling(t, h.Service, h.main, "7800") {
			t.Error("the group that every tenant has did not come back")
		}
		h.defined("MINE", "7995")
		if err := h.DeleteList(t.Context(), h.main, "MINE"); err != nil {
			t.Error(err)
		}
		_, err = h.TryRule(t.Context(), h.main, `"transaction.mcc.in_list(\"MINE\")"`, rule.Velocity, rule.TwoValued, rule.Facts{})
		wantFault(t, err, "invalid_rule")
		// A rule that looked into the group of every tenant looks into the list that
		// has taken its place.
		uses("STANDARD", "QUASI_CASH")
		h.defined("QUASI_CASH", "5411")
		wantFault(t, h.DeleteList(t.Context(), h.main, "QUASI_CASH"), "named_list_in_use")
	})
}

// A rule that is saved and the deletion of its list do not pass one another.
func TestDeleteList_racesWithTheSavingOfARule(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		for i := range 10 {
			code := fmt.Sprintf("L%d", i)
			h.defined(code, "7995")
			source := rule.Source(`"transaction.mcc.in_list(\"` + code + `\")"`)
			var group sync.WaitGroup
			var saved, deleted error
			group.Go(func() {
				saved = h.Programs.Change(t.Context(), h.main.Tenant, func(tx db.Tx) error {
					k, err := h.SnapshotIn(t.Context(), tx, h.main.Tenant)
					if err != nil {
						return err
					}
					p, problems := rule.Compile(source, rule.Velocity, k.Lists)
					if p == nil {
						return ruleFault("rule", problems)
					}
					return KeepListUses(t.Context(), tx, h.main.Tenant, rule.Velocity, "V"+code, p.Lists())
				})
			})
			group.Go(func() { deleted = h.DeleteList(t.Context(), h.main, code) })
			group.Wait()
			if (saved == nil) == (deleted == nil) {
				t.Errorf("saved: %v, deleted: %v", saved, deleted)
			}
		}
	})
}

func TestActions_neverFailOpen(t *testing.T) {
	want := map[Action]rule.Missing{
		Decline: rule.Matched, RequirePIN: rule.Matched, Require3DS: rule.Matched, Refer: rule.Matched, Approve: rule.Unmatched, Alert: rule.TwoValued,
	}
	for _, a := range Actions() {
		if a.Missing() != want[a] {
			t.Errorf("%s: %s", a, a.Missing())
		}
	}
}

func TestJudgeRule_knowsTheTenantsLists(t *testing.T) {
	h := newHouse(t, dbtest.SQLite(t))
	h.defined("GAMBLING", "7995")
	h.defined("MINE", "7995")
	const mine = `"transaction.mcc.in_list(\"MINE\")"`
	j, err := h.JudgeRule(t.Context(), h.main, mine, rule.Authorization, rule.Matched)
	if err != nil || j.Program == nil || len(j.Findings) != 0 {
		t.Errorf("%+v %v", j, err)
	}
	if j, err = h.JudgeRule(t.Context(), h.other, mine, rule.Authorization, rule.Matched); err != nil || j.Program != nil || len(j.Problems) != 1 || j.Problems[0].Code != rule.UnknownList {
		t.Errorf("%+v %v", j, err)
	}
	j, err = h.JudgeRule(t.Context(), h.main, `"transaction.mcc.in_list(\"GAMBLING\") && transaction.mcc == \"5411\""`, rule.Authorization, rule.Matched)
	if err != nil || len(j.Findings) != 1 || j.Findings[0].Code != rule.NeverTrue {
		t.Errorf("%+v %v", j.Findings, err)
	}
}
