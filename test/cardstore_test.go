package test

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// cardWall calls the stored cards of a running server.
type cardWall struct {
	t    *testing.T
	send func(method, path string, header map[string]string, body string) *httptest.ResponseRecorder
	keys families
}

// wallAnswer is every answer.
type wallAnswer struct {
	ErrorCode int
	Result    bool
	Message   string
	Body      json.RawMessage
}

// ask calls with the keys of servers, or of browsers where the path is of the
// payment API.
func (w cardWall) ask(method, path string, header map[string]string, body string) (a wallAnswer) {
	w.t.Helper()
	all := map[string]string{"apikeyprivate": w.keys.CardStore.KeyPrivate, "apiclientprivate": w.keys.CardStore.ClientPrivate}
	if strings.HasPrefix(path, "/api/") {
		all = map[string]string{"apikeypublic": w.keys.CardStore.KeyPublic, "apiclientpublic": w.keys.CardStore.ClientPublic}
	}
	for name, value := range header {
		all[name] = value
	}
	answer := w.send(method, path, all, body)
	if err := json.Unmarshal(answer.Body.Bytes(), &a); err != nil || answer.Code != 200 {
		w.t.Errorf("%s %s: %d %s", method, path, answer.Code, answer.Body)
	}
	return a
}

// want asks, and expects this error, 0 for none.
func (w cardWall) want(code int, method, path string, header map[string]string, body string) wallAnswer {
	w.t.Helper()
	a := w.ask(method, path, header, body)
	if a.ErrorCode != code || a.Result != (code == 0) || code != 0 && string(a.Body) != "null" {
		w.t.Errorf("%s %s: got %d %s %s, want %d", method, path, a.ErrorCode, a.Message, a.Body, code)
	}
	return a
}

type storedCard struct {
	Name, CardBin, CardLastFour, Identity, UniqueCode string
	Month, Year                                       int
	Details                                           *struct{ CardBank string }
}

func (w cardWall) list(path string, header map[string]string) (cards []storedCard) {
	w.t.Helper()
	a := w.want(0, "GET", path, header, "")
	if err := json.Unmarshal(a.Body, &cards); err != nil {
		w.t.Fatal(err, string(a.Body))
	}
	return cards
}

// TestCardStore_keepsCards walks the stored cards of the running program: the
// document's sample, both scopes, a card from a browser, a BIN table loaded
// beside it, a second merchant and a partner, fifty saves at once, its death, and
// what lies in its database file then.
func TestCardStore_keepsCards(t *testing.T) {
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, flags...)
		wall := cardWall{t, over(t, s), newFamilies(t, flags)}
		owner := map[string]string{"relationalid1": "003"}
		const insurance = "/paywall/card/insurance"
		sample, err := os.ReadFile("../internal/api/cardstore/testdata/sample/insurance.request.json")
		if err != nil {
			t.Fatal(err)
		}
		made := wall.want(0, "POST", insurance, nil, string(sample))
		if !strings.Contains(string(made.Body), `"Identity":"176****298"`) || !strings.Contains(string(made.Body), "T. VAKIFLAR BANKASI T.A.O.") {
			t.Errorf("the sample: %s", made.Body)
		}
		code := wall.list(insurance, owner)[0].UniqueCode
		wall.want(0, "PUT", insurance, nil, `{"RelationalId1":"003","UniqueCode":"`+code+`","Month":3,"Year":2041}`)
		wall.want(118, "DELETE", "/paywall/card", nil, `{"RelationalId1":"003","UniqueCode":"`+code+`"}`)
		wall.want(115, "DELETE", insurance, nil, `{"RelationalId1":"004","UniqueCode":"`+code+`"}`)
		wall.want(401, "GET", insurance, map[string]string{"apikeyprivate": "x"}, "")

		// The table of BINs that is loaded beside the server holds for its next call.
		table := filepath.Join(dir, "bins.csv")
		if err := os.WriteFile(table, []byte("bin,bankId,bank,brandId,familyId,kindId,typeId\n40000012,901,ÖRNEK BANKASI A.Ş.,2,0,1,2\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		wall.want(14, "GET", "/api/paywall/bin/inquiry", map[string]string{"binnumber": "40000012"}, "")
		run(t, append([]string{"bin", "load", table}, flags...)...)
		wall.want(0, "GET", "/api/paywall/bin/inquiry", map[string]string{"binnumber": "40000012"}, "")

		// A browser hands a card over, which the merchant's server stores once.
		var token struct{ Token string }
		json.Unmarshal(wall.want(0, "POST", "/api/paywall/temptoken", nil, `{"ClientCardSave":true,"ExpiryMin":15}`).Body, &token)
		var temporary struct{ CardToken string }
		json.Unmarshal(wall.want(0, "POST", "/api/paywall/tempcard", map[string]string{"token": token.Token},
			`{"CardType":1,"CardOwnerName":"Zinnur Örnek","CardNumber":"4000001200000057","CardCvv":"739","CardExpiryMonth":"09","CardExpiryYear":"44","ExpiryMin":15}`).Body, &temporary)
		store := `{"RelationalId1":"7","CardToken":"` + temporary.CardToken + `","Nickname":"tarayıcı","IncludeDetails":true}`
		wall.want(0, "POST", "/paywall/card/tokenization", nil, store)
		wall.want(75, "POST", "/paywall/card/tokenization", nil, store)

		// A second merchant of the tenant sees what a partner shares, and no more.
		second := wall
		if err := json.Unmarshal(run(t, append([]string{"cardstore", "merchant", "--tenant", wall.keys.TenantID, "--name", "Second", "--json"}, flags...)...), &second.keys.CardStore); err != nil {
			t.Fatal(err)
		}
		for _, m := range []cardWall{wall, second} {
			run(t, append([]string{"cardstore", "partner", m.keys.CardStore.ClientPrivate, "fleet-1"}, flags...)...)
		}
		const card = `"Card":{"Nickname":"kart","HolderName":"Zinnur Örnek","Number":"4000001200000057","Month":9,"Year":2044}}`
		wall.want(0, "POST", "/paywall/card", nil, `{"PartnerBased":true,"PartnerIdentity":"fleet-1","RelationalId1":"7",`+card)
		if n := len(second.list("/paywall/card", map[string]string{"relationalid1": "7"})); n != 0 {
			t.Errorf("the second merchant sees %d cards of the first", n)
		}
		if n := len(second.list("/paywall/card", map[string]string{"relationalid1": "7", "partneridentity": "fleet-1"})); n != 1 {
			t.Errorf("the second merchant sees %d cards of the partner", n)
		}

		var running sync.WaitGroup
		for range 50 {
			running.Go(func() { wall.want(0, "POST", "/paywall/card", nil, `{"RelationalId1":"fifty",`+card) })
		}
		running.Wait()
		s.command.Process.Kill()
		<-s.ended
		log := s.log.String()
		s = serve(t, dir, flags...)
		wall.send = over(t, s)
		if n := len(wall.list("/paywall/card", map[string]string{"relationalid1": "fifty"})); n != 50 {
			t.Errorf("%d of 50 cards survived", n)
		}
		if cards := wall.list(insurance, owner); len(cards) != 1 || cards[0].Year != 2041 || cards[0].Name != "test kartı" || cards[0].UniqueCode != code {
			t.Errorf("after a crash: %+v", cards)
		}
		kept := wall.list("/paywall/card", map[string]string{"relationalid1": "7", "includedetails": "True"})
		if len(kept) != 1 || kept[0].Name != "tarayıcı" || kept[0].Details == nil || kept[0].Details.CardBank != "ÖRNEK BANKASI A.Ş." {
			t.Errorf("from the browser: %+v", kept)
		}
		run(t, append([]string{"verify"}, flags...)...)

		for name, text := range map[string]string{"number": "4000001200000057", "identity": "17654932298", "holder": "Zinnur"} {
			if strings.Contains(log+s.log.String(), text) {
				t.Errorf("the log holds the %s", name)
			}
			for _, file := range databaseFiles(t, dir) {
				if strings.Contains(file, text) {
					t.Errorf("the database file holds the %s", name)
				}
			}
		}
	})
}

// databaseFiles are the bytes of what SQLite wrote; none on another engine.
func databaseFiles(t *testing.T, dir string) (files []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "sarraf.db*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, string(text))
	}
	return files
}

// TestCardStore_sample: a sandbox gets two stored cards, and no more when it is asked
// again.
func TestCardStore_sample(t *testing.T) {
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, flags...)
		wall := cardWall{t, over(t, s), newFamilies(t, flags)}
		for range 2 {
			run(t, append([]string{"tenant", "sample", wall.keys.TenantID}, flags...)...)
		}
		owner := map[string]string{"relationalid1": "sample-customer"}
		for _, path := range []string{"/paywall/card", "/paywall/card/insurance"} {
			if cards := wall.list(path, owner); len(cards) != 1 || cards[0].CardBin+cards[0].CardLastFour == "" {
				t.Errorf("%s: %+v", path, cards)
			}
		}
	})
}
