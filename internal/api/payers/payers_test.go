package payers

import (
	"encoding/json"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

func TestErrors_sayEveryKind(t *testing.T) {
	for _, k := range fault.Kinds() {
		if o := byKind[k]; o.status < 400 || o.name == "" || o.code == 0 {
			t.Errorf("%v has no row", k)
		}
	}
}

func TestTokenStatus_mayBe401(t *testing.T) {
	c := newWorld(t, dbtest.SQLite(t), 401)
	w := c.Send("GET", listPath, map[string]string{"Authorization": "Bearer x"}, "")
	if w.Code != 401 || w.Header().Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("got %d", w.Code)
	}
}

func TestOpenAPI_namesEveryRoute(t *testing.T) {
	var document struct {
		Paths map[string]map[string]any `yaml:"paths"`
	}
	if err := yaml.Unmarshal(openAPI, &document); err != nil {
		t.Fatal(err)
	}
	operations := 0
	for _, methods := range document.Paths {
		for m := range methods {
			if m != "parameters" {
				operations++
			}
		}
	}
	routes := New(Services{}).routes()
	for _, rt := range routes {
		if document.Paths[rt.path][strings.ToLower(rt.method)] == nil {
			t.Errorf("%s %s is not in the document", rt.method, rt.path)
		}
	}
	if document.Paths[tokenPath]["post"] == nil || operations != len(routes)+1 {
		t.Errorf("the document has %d operations, the family %d", operations, len(routes)+1)
	}
}

// The document names the members of a contact that are read and written, and no
// more but the kind of an address, which is not answered.
func TestOpenAPI_namesEveryMember(t *testing.T) {
	var document struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]any `yaml:"properties"`
			} `yaml:"schemas"`
		} `yaml:"components"`
	}
	if err := yaml.Unmarshal(openAPI, &document); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"Contact": {"address"}, "Address": {"type"}}
	for _, m := range members {
		if name, ok := strings.CutPrefix(m.path, "contact.address."); ok {
			want["Address"] = append(want["Address"], name)
		} else if name, ok := strings.CutPrefix(m.path, "contact."); ok {
			want["Contact"] = append(want["Contact"], name)
		}
	}
	for schema, names := range want {
		got := slices.Sorted(maps.Keys(document.Components.Schemas[schema].Properties))
		if slices.Sort(names); !slices.Equal(got, names) {
			t.Errorf("%s has %v, want %v", schema, got, names)
		}
	}
}

// A payer of a merchant is worth nothing to another, and its tokens nothing to
// another family.
func TestStory_isToldOnBothEngines(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newWorld(t, d, 403)
		w := c.Send("POST", listPath, nil, `{"contact":{"surname":"Beispiel","dob":"1988-07-19"}}`)
		var made struct{ ID, Created string }
		if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != 200 || len(made.ID) != 34 || !strings.HasPrefix(made.ID, "PCU_") {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
		for path, want := range map[string]string{
			"/" + made.ID: made.ID, "?q=contact.surname:BEI*": `"count":1`, "?q=contact.dob:1988-07-19": `"count":1`, "?sort=contact.dob:desc": `"count":1`,
		} {
			if w := c.Send("GET", listPath+path, nil, ""); w.Code != 200 || !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s: got %d %s", path, w.Code, w.Body)
			}
		}
		if w := c.Send("DELETE", listPath+"/"+made.ID, nil, ""); w.Code != 200 || !strings.HasPrefix(w.Body.String(), "[{") {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
	})
}

// The same data may be created any number of times, also at once; of those who
// delete one payer at once, one does.
func TestFiftyAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, 403)
		w.set("main", access.ClientChange{Permissions: []string{access.PayersCustomer}, Rate: access.Rate{PerSecond: 1000, Burst: 1000}})
		const many = 50
		atOnce := func(method, path, body string) (codes map[int]int, last string) {
			answers := make([]*httptest.ResponseRecorder, many)
			var running sync.WaitGroup
			for i := range many {
				running.Go(func() { answers[i] = w.Send(method, path, nil, body) })
			}
			running.Wait()
			codes = map[int]int{}
			for _, a := range answers {
				codes[a.Code]++
			}
			return codes, answers[0].Body.String()
		}
		codes, one := atOnce("POST", listPath, `{"contact":{"surname":"Beispiel","email":"mara@example.org"}}`)
		if list := w.Send("GET", listPath+"?q=contact.email:mara@example.org&count=0", nil, "").Body.String(); codes[200] != many || !strings.Contains(list, `"count":50,`) {
			t.Errorf("created %v: %s", codes, list)
		}
		var made struct{ ID string }
		if err := json.Unmarshal([]byte(one), &made); err != nil {
			t.Fatal(err)
		}
		if codes, _ := atOnce("PUT", listPath+"/"+made.ID, `{"contact":{"surname":"Neu"}}`); codes[200] != many {
			t.Errorf("replaced %v", codes)
		}
		if codes, _ := atOnce("DELETE", listPath+"/"+made.ID, ""); codes[200] != 1 || codes[404] != many-1 {
			t.Errorf("deleted %v", codes)
		}
	})
}

func FuzzParseExpression(f *testing.F) {
	for _, s := range []string{
		"contact.surname:Bei* AND contact.address.country:DE", `NOT (contact.name:"a \" b" OR id:PCU_?)`, "created:[2031 TO *]",
		"((((", "contact.email:a@b.c)", "contact.name:AND AND contact.name:OR", `contact.name:"`, "contact.dob:[",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseExpression(s)
		if (c == nil) == (err == nil) {
			t.Errorf("got %v and %v", c, err)
		}
		if f, ok := fault.As(err); err != nil && (!ok || f.Kind != fault.Invalid) {
			t.Errorf("got %v, want a fault of form", err)
		}
	})
}

// A scroll id comes back as part of a request, whose head has bounds.
func TestScroll_isBounded(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), 403)
	for range 2 {
		w.Send("POST", listPath, nil, `{"contact":{"url_website":"https://`+strings.Repeat("a", 2000)+`","picture":"`+strings.Repeat("b", 2000)+`"}}`)
	}
	list := listPath + "?scroll_expire=5m&count=1&sort=contact.picture,contact.url_website"
	if got := w.Send("GET", list, nil, ""); got.Code != 200 || !strings.Contains(got.Body.String(), "scroll_id") {
		t.Errorf("got %d %s", got.Code, got.Body)
	}
	list += "&q=NOT+contact.name:" + strings.Repeat("n", 500) + strings.Repeat("+AND+NOT+contact.name:"+strings.Repeat("*", 400), 6)
	got := w.Send("GET", list, nil, "")
	if got.Code != 400 || !strings.Contains(got.Body.String(), "scroll_expire") {
		t.Errorf("got %d %s", got.Code, got.Body)
	}
}

func TestExpression_isBounded(t *testing.T) {
	for name, text := range map[string]string{
		"deep": strings.Repeat("(", 17) + "id:a" + strings.Repeat(")", 17),
		"wide": strings.TrimSuffix(strings.Repeat("id:a OR ", 65), " OR "),
		"long": "id:" + strings.Repeat("a", 5000),
	} {
		if _, err := ParseExpression(text); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}
