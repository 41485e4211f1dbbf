package test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// payerList is a list of payment customers.
type payerList struct {
	Count int
	Data  []struct {
		ID, Created string
		Contact     struct{ Email string }
	}
}

// TestTenantSample_ofPayers: a sandbox gets payment customers of its client, no more
// when it is asked again, and neither another family's sample nor another time.
func TestTenantSample_ofPayers(t *testing.T) {
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, flags...)
		made := newFamilies(t, flags)
		sample := func(words ...string) []byte {
			t.Helper()
			return run(t, slices.Concat([]string{"tenant", "sample", made.TenantID}, words, flags)...)
		}
		var first struct {
			Payers []struct{ ID, ClientID, Email string }
		}
		output := sample("payers", "--json")
		if err := json.Unmarshal(output, &first); err != nil || len(first.Payers) != 5 || first.Payers[0].ClientID != made.Payers.ClientID {
			t.Fatalf("%s: %v", output, err)
		}
		if again := sample("payers", "--json"); string(again) != string(output) {
			t.Errorf("asked again: %s", again)
		}
		for _, other := range []string{"ewallet", "cardstore", "openbanking"} {
			if strings.Contains(string(output), other) {
				t.Errorf("%s was not asked for: %s", other, output)
			}
		}
		list := listPayers(t, s, made)
		if list.Count != 5 || list.Data[0].ID != first.Payers[0].ID || list.Data[0].Contact.Email != first.Payers[0].Email {
			t.Errorf("the client sees %+v", list)
		}
		at, err := time.Parse(time.RFC3339, list.Data[4].Created)
		if err != nil || time.Until(at).Abs() > 5*time.Minute {
			t.Errorf("the tenant's time was moved to %s", list.Data[4].Created)
		}

		all := string(sample())
		for _, p := range first.Payers {
			if want := fmt.Sprintf("payment customer %s (%s) of client %s\n", p.ID, p.Email, p.ClientID); !strings.Contains(all, want) {
				t.Errorf("no %q in\n%s", want, all)
			}
		}
		for _, want := range []string{"wallet 4853534863917", "of sample-customer", "CardID 20090, main"} {
			if !strings.Contains(all, want) {
				t.Errorf("no %q in\n%s", want, all)
			}
		}
		var every map[string]any
		if err := json.Unmarshal(sample("--json"), &every); err != nil || len(every) != 4 {
			t.Errorf("all families: %v, %v", every, err)
		}
		if list := listPayers(t, s, made); list.Count != 5 {
			t.Errorf("in the end there are %d", list.Count)
		}
		run(t, append([]string{"verify"}, flags...)...)
	})
}

// TestTenantSample_refused: production tenants get none, and there is none of a family
// that nobody knows.
func TestTenantSample_refused(t *testing.T) {
	dir := t.TempDir()
	flags := []string{"--data", dir, "--db", "sqlite:" + dir + "/sarraf.db"}
	serve(t, dir, flags...)
	var real tenant
	output := run(t, append([]string{"tenant", "create", "--name", "Bank", "--json"}, flags...)...)
	if err := json.Unmarshal(output, &real); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		family string
		exit   int
		says   string
	}{{"payers", 1, "only a sandbox"}, {"platform", 2, `no sample of a family "platform"`}} {
		output, err := exec.Command(binary, slices.Concat([]string{"tenant", "sample", real.ID, c.family}, flags)...).CombinedOutput()
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != c.exit || !strings.Contains(string(output), c.says) {
			t.Errorf("%s: %v, %s", c.family, err, output)
		}
	}
}

// listPayers asks for the payment customers of a tenant, in the order of creation.
func listPayers(t *testing.T, s *server, of families) (list payerList) {
	t.Helper()
	send := over(t, s)
	body := `{"grant_type":"client_credentials","client_id":"` + of.Payers.ClientID + `","client_secret":"` + of.Payers.ClientSecret + `"}`
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(send(http.MethodPost, "/oauth/token", nil, body).Body.Bytes(), &token); err != nil {
		t.Fatal(err)
	}
	w := send(http.MethodGet, "/api/v2/Payment/Customers", map[string]string{"Authorization": "Bearer " + token.AccessToken}, "")
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return list
}
