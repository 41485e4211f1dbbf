package platform

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/fault"
)

// A draft that ties a control to nothing says so also after it was kept: without
// links it would be tied as it is now.
func TestReplayDraft_keepsThatNothingIsLinked(t *testing.T) {
	const body = `{"velocityControls": [{"links": []}], "authorizationControls": [{"links": []}], "transactionFees": [{"links": []}]}`
	var draft ReplayDraft
	if err := json.Unmarshal([]byte(body), &draft); err != nil {
		t.Fatal(err)
	}
	kept, err := json.Marshal(draft)
	if err != nil || strings.Count(string(kept), `"links":[]`) != 3 {
		t.Errorf("kept as %s, %v", kept, err)
	}
}

// A member that nobody reads is refused with its place, in a file as in a request: a
// limit that is misspelt would leave the replay as it was.
func TestParseReplayDraft_namesWhatNobodyReads(t *testing.T) {
	for text, want := range map[string]string{
		`{"velocityControl": []}`: "velocityControl",
		`{"velocityControls": [{"code": "D", "name": "D", "period": "Day", "maxCuont": 1}]}`:                                                 "velocityControls[0].maxCuont",
		`{"velocityControls": [{"name": "D", "period": "Day", "criteria": {"mcc": []}}]}`:                                                    "velocityControls[0].criteria.mcc",
		`{"authorizationControls": [{"name": "A", "action": "Decline", "schedule": {"until": "1:00"}}]}`:                                     "authorizationControls[0].schedule.until",
		`{"transactionFees": [{"name": "F", "calculationType": "Fixed", "currencyCode": "TRY", "links": [{"linkType": "Global", "x": 1}]}]}`: "transactionFees[0].links[0].x",
		`{"lists": [{"code": "L", "name": "L", "values": [], "active": true}]}`:                                                              "lists[0].active",
	} {
		_, err := ParseReplayDraft([]byte(text))
		f, ok := fault.As(err)
		if !ok || len(f.Fields) != 1 || f.Fields[0].Name != want || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want a refusal of %s", text, err, want)
		}
	}
	if _, err := ParseReplayDraft([]byte(`{"authorizationControls": [{"code": "A", "name": "A", "action": "Decline",
		"rule": {"condition": "and", "data": {"x": 1}, "rules": [{"field": "transaction.isMoto", "operator": "equal", "value": true}]}}]}`)); err != nil {
		t.Errorf("what a user interface puts beside a rule is refused: %v", err)
	}
}

// Whatever a draft is, it is read, or refused with a reason; what the API keeps of
// one is read as it was.
func FuzzParseReplayDraft(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `[]`, `null`, `{"unknown": 1}`, `{"velocityControls": [{"code": "DAY", "name": "Day", "period": "Day", "currencyCode": "TRY", "maxAmount": 3000.00,
			"criteria": {"transactionCodes": ["CashWithdrawal"]}, "links": [{"linkType": "Global"}]}]}`,
		`{"authorizationControls": [{"code": "A", "name": "A", "action": "Decline", "rule": "transaction.mcc == '7995'", "links": []}]}`,
		`{"transactionFees": [{"code": "F", "name": "F", "calculationType": "Fixed", "fixedAmount": 1, "currencyCode": "TRY"}]}`,
		`{"lists": [{"code": "L", "name": "L", "values": ["a", "b"]}], "velocityControls": [{"maxAmount": 1e400}]}`,
		`{"velocityControls": [{"code": "X", "code": "Y"}]} {}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, err := ParseReplayDraft([]byte(text))
		if err != nil {
			if _, refused := fault.AsRefusal(err); !refused {
				t.Fatalf("not a refusal: %v", err)
			}
			return
		}
		var kept ReplayDraft
		if err := json.Unmarshal([]byte(text), &kept); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(kept)
		if err != nil {
			t.Fatal(err)
		}
		second, err := Drafts{}.ParseDraft(string(again))
		if err != nil || len(second.Objects) != len(first.Objects) || len(second.Lists) != len(first.Lists) {
			t.Fatalf("kept as %s: %v", again, err)
		}
	})
}
