package cardstore

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/api/apitest"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// ask sends a request and returns the answer's text, which is HTTP 200 whatever
// it says.
func (w *world) ask(header map[string]string, method, path, body string) string {
	w.T.Helper()
	answer := w.Send(method, path, header, body)
	if answer.Code != 200 {
		w.T.Errorf("%s %s: HTTP %d", method, path, answer.Code)
	}
	return answer.Body.String()
}

var uniqueCode = regexp.MustCompile(`"UniqueCode": ?"([^"]*)"`)

// codeIn is the first code in an answer.
func codeIn(answer string) string {
	if found := uniqueCode.FindStringSubmatch(answer); found != nil {
		return found[1]
	}
	return ""
}

// with puts headers beside others.
func with(header map[string]string, more ...string) map[string]string {
	out := map[string]string{}
	for name, value := range header {
		out[name] = value
	}
	for i := 0; i < len(more); i += 2 {
		out[more[i]] = more[i+1]
	}
	return out
}

// The sample of the document goes in as it stands and comes out as it stands,
// in each value but the code.
func TestSample_ofTheDocumentIsAnsweredAsItStands(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, 200)
		got := w.ask(w.private("main"), "POST", "/paywall/card/insurance", apitest.Sample(t, "insurance.request"))
		want := apitest.Sample(t, "insurance.answer")
		apitest.SameShape(t, got, want)
		if plain(t, got) != plain(t, want) {
			t.Errorf("got %s", got)
		}
		if len(codeIn(got)) != len(codeIn(want)) || !strings.HasSuffix(codeIn(got), "==") {
			t.Errorf("a code of another form: %s", codeIn(got))
		}
	})
}

// plain is a document in one form, without its code.
func plain(t *testing.T, document string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(uniqueCode.ReplaceAllString(document, `"UniqueCode":""`)), &v); err != nil {
		t.Fatal(err, document)
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The samples of the other operations, by members and kinds.
func TestSamples_areAnsweredInTheirShape(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), 200)
	server, browser := w.private("main"), w.public("main")
	same := func(name, got string) string {
		t.Helper()
		apitest.SameShape(t, got, apitest.Sample(t, name))
		return got
	}
	same("card.answer", w.ask(server, "POST", "/paywall/card", apitest.Sample(t, "card.request")))
	insurance := strings.ReplaceAll(apitest.Sample(t, "insurance.request"), `"003"`, `"cust-0815"`)
	w.ask(server, "POST", "/paywall/card/insurance", insurance)
	list := same("insurance-list.answer", w.ask(with(server, "relationalid1", "cust-0815"), "GET", "/paywall/card/insurance", ""))
	if !strings.Contains(list, `"Identity":"176******298"`) {
		t.Errorf("a list masks an identity otherwise: %s", list)
	}
	coded := func(name string) string {
		return uniqueCode.ReplaceAllString(apitest.Sample(t, name), `"UniqueCode":"`+codeIn(list)+`"`)
	}
	same("done.answer", w.ask(server, "PUT", "/paywall/card/insurance", coded("update.request")))
	same("done.answer", w.ask(server, "DELETE", "/paywall/card/insurance", coded("delete.request")))
	same("refused.answer", w.ask(server, "DELETE", "/paywall/card/insurance", coded("delete.request")))
	same("blacklist.answer", w.ask(with(server, "cardnumber", "4000001200000057"), "GET", "/paywall/blacklist/card/inquiry", ""))
	same("bin.answer", w.ask(with(browser, "binnumber", "454671"), "GET", "/api/paywall/bin/inquiry", ""))
	made := w.ask(browser, "POST", "/api/paywall/temptoken", `{"ClientCardSave":true,"ThreeDSession":false,"ClientSdk":false,"ScopeBased":false,"Scope":0,"ExpiryMin":15}`)
	var token struct{ Body struct{ Token string } }
	w.must(json.Unmarshal([]byte(made), &token))
	same("tempcard.answer", w.ask(map[string]string{"token": token.Body.Token}, "POST", "/api/paywall/tempcard", apitest.Sample(t, "tempcard.request")))
}

// A code is the same all day, another one each day, good for one day more, and of
// no other card.
func TestUniqueCode_rotatesWithTheDay(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, 200)
		server := w.private("main")
		for range 2 {
			w.ask(server, "POST", "/paywall/card", apitest.Sample(t, "card.request"))
		}
		codes := func() []string {
			var out []string
			for _, found := range uniqueCode.FindAllStringSubmatch(w.ask(with(server, "relationalid1", "cust-0815"), "GET", "/paywall/card", ""), -1) {
				out = append(out, found[1])
			}
			if len(out) != 2 || len(out[0]) != 56 || out[0] == out[1] {
				t.Fatalf("codes %v", out)
			}
			return out
		}
		update := func(code string) string {
			return w.ask(server, "PUT", "/paywall/card", `{"RelationalId1":"cust-0815","UniqueCode":"`+code+`","Month":1,"Year":2040}`)
		}
		first := codes()
		if again := codes(); again[0] != first[0] || again[1] != first[1] {
			t.Error("two lists of one day differ in their codes")
		}
		w.advance("24h")
		second := codes()
		if second[0] == first[0] {
			t.Error("a new day has no new code")
		}
		for _, code := range []string{first[0], second[0]} {
			if got := update(code); !strings.Contains(got, `"ErrorCode":0,`) {
				t.Errorf("a code of yesterday or today: %s", got)
			}
		}
		w.advance("24h")
		for name, code := range map[string]string{
			"stale": first[0], "of nothing": "", "cut": second[0][:52], "no base64": strings.Repeat("?", 56), "turned": turned(second[0]),
			"of another day": otherDay(codes()[0]),
		} {
			if got := update(code); !strings.Contains(got, `"ErrorCode":118,"Result":false`) {
				t.Errorf("%s: %s", name, got)
			}
		}
	})
}

// turned is a code with one other letter.
func turned(code string) string {
	letter := "A"
	if code[30] == 'A' {
		letter = "B"
	}
	return code[:30] + letter + code[31:]
}

// otherDay is a code that says it is of another day than its own: the fifth letter
// is in the count of days.
func otherDay(code string) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	at := strings.IndexByte(letters, code[4])
	return code[:4] + string(letters[(at+16)%64]) + code[5:]
}
