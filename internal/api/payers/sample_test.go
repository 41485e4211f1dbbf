package payers

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/api/apitest"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// The samples of the manual go in as they stand, and what comes out has their
// members, each of its kind. Lists, too, name contract and merchant.
func TestSamples_areAnsweredInTheirShape(t *testing.T) {
	c := newWorld(t, dbtest.SQLite(t), 403)
	same := func(name, method, path, body string) string {
		t.Helper()
		w := c.Send(method, path, nil, body)
		if w.Code != 200 {
			t.Fatalf("%s: got %d %s", name, w.Code, w.Body)
		}
		apitest.SameShape(t, w.Body.String(), apitest.Sample(t, name+".answer"))
		return w.Body.String()
	}
	same("token", "POST", tokenPath, c.Fill(`{"grant_type":"client_credentials","client_id":"${main.clientId}","client_secret":"${main.clientSecret}"}`))
	answer := same("create", "POST", listPath, apitest.Sample(t, "create.request"))
	var made struct {
		ID       string
		Contract struct{ ID string }
		Merchant struct{ ID string }
	}
	if err := json.Unmarshal([]byte(answer), &made); err != nil {
		t.Fatal(err)
	}
	for id, form := range map[string]string{made.ID: "PCU", made.Contract.ID: "PCR", made.Merchant.ID: "MRC"} {
		if !regexp.MustCompile(`^` + form + `_[0-9A-Z]{30}$`).MatchString(id) {
			t.Errorf("%q is no %s", id, form)
		}
	}
	same("create", "GET", listPath+"/"+made.ID, "")
	same("list", "GET", listPath+"?fields=contact.forename,contact.surname,created&scroll_expire=5m", "")
	same("update", "PUT", listPath+"/"+made.ID, apitest.Sample(t, "update.request"))
	same("delete", "DELETE", listPath+"/"+made.ID, "")

	w := c.Send("GET", listPath, map[string]string{"Authorization": "Bearer q7m2c0vd3k9xw5hj8r1t6yb4nz"}, "")
	apitest.SameShape(t, w.Body.String(), apitest.Sample(t, "refused.answer"))
	if w.Code != 403 {
		t.Errorf("got %d", w.Code)
	}
}
