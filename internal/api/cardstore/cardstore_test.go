package cardstore

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/api/apitest"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// tell tells a conversation on both engines.
func tell(t *testing.T, file string) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		backend, err := soft.New(bytes.Repeat([]byte{7}, 32))
		if err != nil {
			t.Fatal(err)
		}
		c := clock.NewFake(time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC))
		a := access.New(d, backend, c)
		var log bytes.Buffer
		handler := api.NewRouter(api.Options{Log: slog.New(slog.NewTextHandler(&log, nil)), Clock: c},
			New(a, vault.NewStore(d, backend, c), api.NewLimiter(c)).Family())
		w := &apitest.Conversation{
			T: t, Names: map[string]string{},
			Volatile: map[string]bool{"UniqueCode": true, "Token": true, "CardToken": true, "TempTokenId": true, "TempCardId": true, "Id": true},
			Commands: map[string]func([]string){"advance": func(args []string) {
				by, err := time.ParseDuration(args[0])
				if err != nil {
					t.Fatal(err)
				}
				c.Advance(by)
			}},
			Send: func(method, path string, header map[string]string, body string) *httptest.ResponseRecorder {
				r := httptest.NewRequest(method, path, strings.NewReader(body))
				for name, value := range header {
					r.Header.Set(name, value)
				}
				answer := httptest.NewRecorder()
				handler.ServeHTTP(answer, r)
				return answer
			},
		}
		for _, name := range []string{"main", "other"} {
			_, creds, err := a.CreateTenant(t.Context(), access.NewTenant{Name: strings.ToUpper(name), Sandbox: true})
			if err != nil {
				t.Fatal(err)
			}
			f := creds.Families
			w.Names[name+".key"], w.Names[name+".client"] = string(f.CardStorePrivate.ClientSecret.Reveal()), f.CardStorePrivate.ClientID
			w.Names[name+".publicKey"], w.Names[name+".publicClient"] = string(f.CardStorePublic.ClientSecret.Reveal()), f.CardStorePublic.ClientID
		}
		apitest.RunFile(t, file, w)
		for _, number := range []string{"4000001200000057", "17654932298"} {
			if strings.Contains(log.String(), number) {
				t.Errorf("the log holds %s", number)
			}
		}
	})
}

func TestConversation_insurance(t *testing.T) { tell(t, "testdata/insurance.txt") }
func TestConversation_ecommerce(t *testing.T) { tell(t, "testdata/ecommerce.txt") }
func TestConversation_temporary(t *testing.T) { tell(t, "testdata/temporary.txt") }

func TestErrors_everyCodeHasANumberAndAMessage(t *testing.T) {
	for _, code := range vault.StoreCodes {
		if _, ok := table[code]; !ok {
			t.Errorf("%s has no number", code)
		}
	}
	for code, n := range table {
		o := outcome{code: code}
		if o.message("tr") == "" || o.message("en") == "" || n.wall == 0 || n.payment == 0 {
			t.Errorf("%s: %v, %q, %q", code, n, o.message("tr"), o.message("en"))
		}
	}
	for kind := fault.Internal; kind < 20; kind++ {
		if _, ok := table[codeOfKind(kind)]; !ok {
			t.Errorf("kind %d has no number", kind)
		}
	}
}

func TestDocument_namesEveryRoute(t *testing.T) {
	for _, x := range new(API).routes() {
		if !bytes.Contains(Document, []byte("\n  "+x.path+":\n")) {
			t.Errorf("%s is not described", x.path)
		}
	}
	if _, err := os.Stat("openapi.yaml"); err != nil {
		t.Error(err)
	}
	if !owns("/paywall/card") || owns("/api/v1/issuing/card") || http.MethodGet == "" {
		t.Error("owns the wrong paths")
	}
}
