package cardstore

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/api/apitest"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

func TestErrors_everyCodeHasANumberAndAMessage(t *testing.T) {
	for _, code := range vault.StoreCodes {
		if _, ok := table[code]; !ok {
			t.Errorf("%s has no number", code)
		}
	}
	for code, n := range table {
		o := outcome{code: code}
		if o.message("tr") == "" || o.message("en") == "" || o.message("tr") == o.message("en") || n.wall == 0 || n.payment == 0 {
			t.Errorf("%s: %v, %q, %q", code, n, o.message("tr"), o.message("en"))
		}
	}
	for _, kind := range fault.Kinds() {
		if _, ok := table[codeOfKind(kind)]; !ok {
			t.Errorf("%v has no number", kind)
		}
	}
}

// change changes the client of a merchant's servers.
func (w *world) change(merchant, permission string, in access.ClientChange) {
	w.T.Helper()
	in.Name, in.Permissions = merchant, []string{permission}
	_, err := w.access.UpdateClient(w.T.Context(), access.System(w.tenants[merchant]), w.Names[merchant+".client"], in)
	w.must(err)
}

// A call is a request that is refused.
type call struct {
	method, path, body string
	header             map[string]string
}

// insurance is the seed's request with one text in the place of another.
func (w *world) insurance(old, fresh string) call {
	body := strings.Replace(apitest.Sample(w.T, "insurance.request"), old, fresh, 1)
	return call{"POST", "/paywall/card/insurance", body, w.private("main")}
}

// temporary is a card of a browser, with a token that is good.
func (w *world) temporary(members string) call {
	var made struct{ Body struct{ Token string } }
	w.must(json.Unmarshal([]byte(w.ask(w.public("main"), "POST", "/api/paywall/temptoken", `{"ExpiryMin":0}`)), &made))
	return call{"POST", "/api/paywall/tempcard", `{"CardOwnerName":"Deniz Örnek",` + members + `}`, map[string]string{"token": made.Body.Token}}
}

const goodCard = `"CardType":1,"CardNumber":"4000001200000057","CardCvv":"123","CardExpiryMonth":"09","CardExpiryYear":"34"`

// Each row of the table is what a request over HTTP got.
func TestErrors_everyRowIsReached(t *testing.T) {
	list := func(w *world) call {
		return call{"GET", "/paywall/card", "", with(w.private("main"), "relationalid1", "1")}
	}
	change := func(w *world, change string) call {
		return call{"PUT", "/paywall/card/insurance", `{"RelationalId1":"003",` + change + `}`, w.private("main")}
	}
	code := func(w *world) string {
		first := w.insurance("", "")
		return codeIn(w.ask(first.header, first.method, first.path, first.body))
	}
	spoil := func(w *world) {
		list := w.insurance("", "")
		w.ask(list.header, list.method, list.path, list.body)
		w.must(w.store.DB.InTx(w.T.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(w.T.Context(), `UPDATE stored_card SET holder_sealed = $1`, []byte("spoilt"))
			return err
		}))
	}
	const blacklist, number = "/paywall/blacklist/card", `{"CardNumber":"4000001200000057"}`
	rows := map[fault.Code]func(*world) call{
		codeKeysMissing: func(*world) call { return call{"GET", "/paywall/card", "", nil} },
		access.CodeInvalidClient: func(w *world) call {
			return call{"GET", "/paywall/card", "", with(w.private("main"), "apikeyprivate", "x")}
		},
		access.CodeUnauthenticated: func(w *world) call {
			browser := w.public("main")
			return call{"GET", "/paywall/card", "", map[string]string{"apikeyprivate": browser["apikeypublic"], "apiclientprivate": browser["apiclientpublic"]}}
		},
		access.CodeClientLocked: func(w *world) call {
			for range 5 {
				w.ask(with(w.private("main"), "apikeyprivate", "x"), "GET", "/paywall/card", "")
			}
			return list(w)
		},
		access.CodeAddressDenied: func(w *world) call {
			w.change("main", access.CardStoreServer, access.ClientChange{Allowed: []string{"203.0.113.7"}})
			return list(w)
		},
		access.CodeIPNotAllowed: nil, // no request gets it: the address is looked at after the key, and then it is the one before
		vault.CodeStoredInvalid: func(w *world) call { return w.insurance(`"003"`, `null`) },
		vault.CodeCardNumber:    func(w *world) call { return w.insurance(`"41197901"`, `"4119790"`) },
		vault.CodeCardMonth:     func(w *world) call { return w.insurance(`"Month": 11`, `"Month": 13`) },
		vault.CodeCardYear:      func(w *world) call { return w.insurance(`2040`, `40`) },
		vault.CodeCardExpired:   func(w *world) call { return w.insurance(`2040`, `2025`) },
		vault.CodeIdentityNumber: func(w *world) call {
			return w.insurance(`17654932298`, `17654932299`)
		},
		vault.CodeTaxNumber:  func(w *world) call { return w.insurance(`17654932298`, `1234567891`) },
		vault.CodeUniqueCode: func(w *world) call { return change(w, `"UniqueCode":"x","Month":9,"Year":2034`) },
		vault.CodeStoredNotFound: func(w *world) call {
			return change(w, `"RelationalId2":"x","UniqueCode":"`+code(w)+`","Month":9,"Year":2034`)
		},
		vault.CodePartnerNotFound: func(w *world) call { l := list(w); l.header["partneridentity"] = "nobody"; return l },
		vault.CodeBlacklisted: func(w *world) call {
			w.ask(w.private("main"), "POST", blacklist, number)
			return call{"POST", blacklist, number, w.private("main")}
		},
		vault.CodeNotBlacklisted: func(w *world) call { return call{"DELETE", blacklist, number, w.private("main")} },
		vault.CodeTemporaryToken: func(w *world) call {
			return call{"POST", "/api/paywall/tempcard", `{` + goodCard + `}`, map[string]string{"token": "0b7e5c1a-93c7-4d0b-8f55-6b1c2a9d4e10"}}
		},
		vault.CodeTemporaryCard: func(w *world) call {
			return call{"POST", "/paywall/card/tokenization", `{"RelationalId1":"7","CardToken":"0b7e5c1a-93c7-4d0b-8f55-6b1c2a9d4e10","Nickname":"kart"}`, w.private("main")}
		},
		vault.CodeTemporaryKind: func(w *world) call { return w.temporary(strings.Replace(goodCard, `"CardType":1`, `"CardType":3`, 1)) },
		vault.CodeBINNotFound: func(w *world) call {
			return call{"GET", "/api/paywall/bin/inquiry", "", with(w.public("main"), "binnumber", "999999")}
		},
		vault.CodeHSMUnavailable: func(w *world) call {
			w.must(w.backend.Close())
			return w.insurance("", "")
		},
		api.CodeInvalid:          func(w *world) call { return w.insurance(`"Month": 11`, `"Month": "11"`) },
		api.CodeTooLarge:         func(w *world) call { return w.insurance(`test kartı`, strings.Repeat("x", 2<<20)) },
		api.CodeMediaType:        func(w *world) call { c := w.insurance("", ""); c.header["Content-Type"] = "text/plain"; return c },
		api.CodeNoRoute:          func(w *world) call { return call{"GET", "/paywall/nothing", "", w.private("main")} },
		api.CodeMethodNotAllowed: func(w *world) call { return call{"PATCH", "/paywall/card", "{}", w.private("main")} },
		api.CodeTooManyRequests: func(w *world) call {
			w.change("main", access.CardStoreServer, access.ClientChange{Rate: access.Rate{PerSecond: 1, Burst: 1}})
			c := list(w)
			w.ask(c.header, c.method, c.path, "")
			return c
		},
		api.CodeInternal: func(w *world) call {
			spoil(w)
			return call{"GET", "/paywall/card/insurance", "", with(w.private("main"), "relationalid1", "003")}
		},
	}
	statuses := map[fault.Code]int{api.CodeNoRoute: 404, api.CodeMethodNotAllowed: 405, api.CodeTooManyRequests: 429}
	for code, numbers := range table {
		t.Run(string(code), func(t *testing.T) {
			arrange, known := rows[code]
			if !known {
				t.Fatal("nothing reaches it")
			}
			if arrange == nil {
				return
			}
			w := newWorld(t, dbtest.SQLite(t), 200)
			c := arrange(w)
			answer := w.Send(c.method, c.path, with(c.header, "locale", "en"), c.body)
			want := numbers.wall
			if strings.HasPrefix(c.path, "/api/") {
				want = numbers.payment
			}
			status := http.StatusOK
			if other, ok := statuses[code]; ok {
				status = other
			}
			var got map[string]any
			w.must(json.Unmarshal(answer.Body.Bytes(), &got))
			body, there := got["Body"]
			if answer.Code != status || got["ErrorCode"] != float64(want) || got["Result"] != false || got["Message"] != (outcome{code: code}).message("en") || body != nil || !there {
				t.Errorf("got %d %s, want %d", answer.Code, answer.Body, want)
			}
			if !strings.Contains(w.log.String(), "fault="+string(code)) {
				t.Errorf("the fault is another one: %s", w.log.String())
			}
		})
	}
}

// The payment API counts in another way.
func TestErrors_ofThePaymentAPI(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), 200)
	replaced := func(old, fresh string) string { return strings.Replace(goodCard, old, fresh, 1) }
	const insurance = `"CardType":2,"CardNoFirst":"41197901","CardNoLast":"6389","IdentityNumber":"17654932298"`
	for members, want := range map[string]int{
		goodCard:                                                   0,
		insurance:                                                  0,
		replaced("0057", "0058"):                                   14,
		replaced("09", "13"):                                       15,
		replaced(`"09"`, `"x"`):                                    15,
		replaced(`"34"`, `"1934"`):                                 16,
		replaced(`"34"`, `"25"`):                                   19,
		replaced(`"123"`, `"12"`):                                  2,
		replaced(`"CardCvv"`, `"CardCvv2"`):                        2,
		goodCard + `,"ExpiryMin":31`:                               2,
		goodCard + `,"ExpiryMin":-1`:                               2,
		replaced(`:1,`, `:0,`):                                     79,
		strings.Replace(insurance, "2298", "2299", 1):              77,
		strings.Replace(insurance, "17654932298", "123", 1):        77,
		strings.Replace(insurance, `"41197901"`, `"411979015"`, 1): 14,
	} {
		c := w.temporary(members)
		got := w.ask(c.header, c.method, c.path, c.body)
		if !strings.Contains(got, fmt.Sprintf(`"ErrorCode":%d,`, want)) {
			t.Errorf("%s: got %s, want %d", members, got, want)
		}
	}
	for minutes, want := range map[int]int{1440: 0, 1441: 2, -1: 2} {
		got := w.ask(w.public("main"), "POST", "/api/paywall/temptoken", fmt.Sprintf(`{"ExpiryMin":%d}`, minutes))
		if !strings.Contains(got, fmt.Sprintf(`"ErrorCode":%d,`, want)) {
			t.Errorf("%d minutes: got %s", minutes, got)
		}
	}
}

// An inquiry of the blacklist always succeeds: what names no card is not on it.
func TestBlacklistInquiry_alwaysSucceeds(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), 200)
	for _, more := range [][]string{
		{}, {"cardnumber", "12"}, {"issavedcard", "True", "uniquecode", "x"}, {"partnerbased", "true", "partneridentity", "nobody"},
	} {
		got := w.ask(with(w.private("main"), more...), "GET", "/paywall/blacklist/card/inquiry", "")
		if !strings.Contains(got, `"Result":true`) || !strings.Contains(got, `"Id":"00000000-0000-0000-0000-000000000000"`) || !strings.Contains(got, `"InBlackList":false`) {
			t.Errorf("%v: %s", more, got)
		}
	}
}

func TestKeysStatus_mayBe401(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), 401)
	for name, c := range map[string]struct {
		header map[string]string
		status int
	}{
		"wrong": {with(w.private("main"), "apikeyprivate", "x"), 401}, "missing": {nil, 200}, "right": {w.private("main"), 200},
	} {
		if got := w.Send("GET", "/paywall/card", c.header, ""); got.Code != c.status {
			t.Errorf("%s keys: %d %s", name, got.Code, got.Body)
		}
	}
}

// Keys are proved as secrets are: of a family and an operation, locked after five
// that are wrong, ended with their client.
func TestKeys(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, 200)
		right := w.private("main")
		read := func(header map[string]string) string {
			return w.ask(with(header, "relationalid1", "1"), "GET", "/paywall/card", "")
		}
		good := func(when string, header map[string]string) {
			t.Helper()
			if got := read(header); !strings.Contains(got, `"ErrorCode":0,`) {
				t.Errorf("%s: %s", when, got)
			}
		}
		bad := func(when string, header map[string]string) {
			t.Helper()
			if got := read(header); !strings.Contains(got, `"ErrorCode":401,"Result":false`) {
				t.Errorf("%s: %s", when, got)
			}
		}
		good("right", right)
		bad("of another merchant", with(right, "apikeyprivate", w.Names["second.key"]))
		bad("of nobody", with(right, "apiclientprivate", "sc_nobody"))
		bad("too long", with(right, "apikeyprivate", strings.Repeat("x", 300)))
		bad("of browsers", map[string]string{"apikeyprivate": w.Names["main.publicKey"], "apiclientprivate": w.Names["main.publicClient"]})
		if got := w.ask(map[string]string{"apikeypublic": right["apikeyprivate"], "apiclientpublic": right["apiclientprivate"], "binnumber": "41197901"},
			"GET", "/api/paywall/bin/inquiry", ""); !strings.Contains(got, `"ErrorCode":401,"Result":false`) {
			t.Errorf("of servers: %s", got)
		}
		_, made, err := w.access.CreateTenant(t.Context(), access.NewTenant{Name: "Third", Sandbox: true})
		w.must(err)
		bad("of another family", map[string]string{
			"apikeyprivate": string(made.Families.Payers.ClientSecret.Reveal()), "apiclientprivate": made.Families.Payers.ClientID,
		})

		system := access.System(w.tenants["main"])
		_, fresh, err := w.access.RotateSecret(t.Context(), system, right["apiclientprivate"], 0)
		w.must(err)
		bad("of before", right)
		right["apikeyprivate"] = string(fresh.ClientSecret.Reveal())
		good("new", right)
		for range 5 {
			bad("wrong", with(right, "apikeyprivate", "x"))
		}
		bad("locked", right)
		w.advance("15m")
		good("free again", right)
		_, err = w.access.SetClientActive(t.Context(), system, right["apiclientprivate"], false)
		w.must(err)
		bad("disabled", right)
		good("of another merchant of the tenant", w.private("second"))
	})
}

// Fifty saves at once are fifty cards; of fifty who use one temporary card, one
// has it.
func TestFiftyAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, 200)
		const many = 50
		w.change("main", access.CardStoreServer, access.ClientChange{Rate: access.Rate{PerSecond: 1000, Burst: 1000}})
		atOnce := func(path, body string) (answers []string) {
			answers = make([]string, many)
			var running sync.WaitGroup
			for i := range many {
				running.Go(func() { answers[i] = w.Send("POST", path, w.private("main"), body).Body.String() })
			}
			running.Wait()
			return answers
		}
		codes := map[string]bool{}
		for _, answer := range atOnce("/paywall/card/insurance", apitest.Sample(t, "insurance.request")) {
			codes[codeIn(answer)] = true
		}
		list := w.ask(with(w.private("main"), "relationalid1", "003"), "GET", "/paywall/card/insurance", "")
		if kept := len(uniqueCode.FindAllString(list, -1)); len(codes) != many || codes[""] || kept != many {
			t.Errorf("%d codes, %d cards", len(codes), kept)
		}
		c := w.temporary(goodCard)
		var made struct{ Body struct{ CardToken string } }
		w.must(json.Unmarshal([]byte(w.ask(c.header, c.method, c.path, c.body)), &made))
		won := 0
		for _, answer := range atOnce("/paywall/card/tokenization", `{"RelationalId1":"7","CardToken":"`+made.Body.CardToken+`","Nickname":"kart"}`) {
			switch {
			case strings.Contains(answer, `"ErrorCode":0,`):
				won++
			case !strings.Contains(answer, `"ErrorCode":75,`):
				t.Error(answer)
			}
		}
		if won != 1 {
			t.Errorf("%d of %d have the card", won, many)
		}
	})
}
