package platform

import (
	"encoding/json"
	"strings"
	"testing"
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
