package platform

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// PostgreSQL cannot keep NUL characters and invalid UTF-8, and SQLite can: no
// answer may depend on which of the two is below.
func TestRequests_withTextNoDatabaseKeepsAreRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for _, path := range []string{
			"/api/v1/issuing/card/a%00b", "/api/v1/issuing/card/%ff%fe/details", "/api/v1/issuing/account/%00",
			"/api/v1/issuing/account/%ff/entry", "/api/v1/system/bin/%00",
		} {
			if out := w.send(http.MethodGet, path, nil, ""); out.Code != http.StatusNotFound {
				t.Errorf("GET %s: %d %s", path, out.Code, out.Body)
			}
		}
		for _, path := range []string{
			"/api/v1/issuing/card?CustomerNo=%00", "/api/v1/issuing/card?AccountNo=%ff", "/api/v1/issuing/customer?SegmentCode=%00",
			"/api/v1/issuing-transaction/card-transaction?Rrn=%00", "/api/v1/issuing-transaction/card-transaction?Rrn=1&MerchantIds=%00",
			"/api/v1/issuing/product?Filter=%ff", "/api/v1/issuing/product?a%00=1",
		} {
			if out := w.send(http.MethodGet, path, nil, ""); out.Code != http.StatusBadRequest {
				t.Errorf("GET %s: %d %s", path, out.Code, out.Body)
			}
		}
		for path, body := range map[string]string{
			"/api/v1/auth/token":                      `{"clientId": "a\u0000b", "clientSecret": "x"}`,
			"/api/v1/sandbox/card-info":               `{"cardToken": "\u0000"}`,
			"/api/v1/issuing/account/1/adjustment":    `{"direction": "Credit", "amount": 1, "currency": "TRY", "externalReference": "a\u0000b"}`,
			"/api/v1/system/tenant/issuing-attribute": `{"responseCodeMap": {"a\u0000b": "05"}}`,
		} {
			if out := w.send(http.MethodPost, path, nil, body); out.Code != http.StatusBadRequest {
				t.Errorf("POST %s: %d %s", path, out.Code, out.Body)
			}
		}
		form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
		for _, id := range []string{"%00", "%ff", "%E2%82", strings.Repeat("x", 129)} {
			out := w.send(http.MethodPost, "/connect/token", form, "grant_type=client_credentials&client_id="+id+"&client_secret=x")
			if out.Code != http.StatusBadRequest {
				t.Errorf("client_id %s: %d %s", id, out.Code, out.Body)
			}
		}
		form["Authorization"] = "Basic " + base64.StdEncoding.EncodeToString([]byte("a\x00b:x"))
		if out := w.send(http.MethodPost, "/connect/token", form, "grant_type=client_credentials"); out.Code != http.StatusBadRequest {
			t.Errorf("Basic with NUL: %d %s", out.Code, out.Body)
		}
	})
}
