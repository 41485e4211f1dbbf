package platform

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/locale"
)

// said is the message of an answer, and its code.
func said(t *testing.T, body []byte) (message, code string) {
	t.Helper()
	var refusal struct {
		Error struct{ Message, Code string }
	}
	if err := json.Unmarshal(body, &refusal); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return refusal.Error.Message, refusal.Error.Code
}

// Every code of every domain has words of its own in both languages, and those
// of its kind stand in for none.
func TestLanguage_everyCodeHasItsWordsInBoth(t *testing.T) {
	for code, o := range refusals {
		messages := map[string]string{}
		for _, language := range []string{"tr", "en"} {
			out := httptest.NewRecorder()
			writeError(out, language, fault.New(fault.Refused, code, "the fault's own text"))
			message, outwardCode := said(t, out.Body.Bytes())
			want := o.code
			if out.Code != o.status && code != api.CodeInternal || outwardCode != want {
				t.Errorf("%s: %d %s, want %d %s", code, out.Code, outwardCode, o.status, want)
			}
			text, ok := locale.Text(language, "fault."+string(code), nil)
			if !ok || message != text || message == "the fault's own text" {
				t.Errorf("%s says of %s: %q, want %q", language, code, message, text)
			}
			messages[language] = message
		}
		if messages["tr"] == messages["en"] {
			t.Errorf("%s has one text for both languages: %q", code, messages["en"])
		}
	}
}

// The language of an answer is what the request asks for, Turkish when it asks
// for none that we speak: also where no handler was reached.
func TestLanguage_isTheRequestsForEveryStatus(t *testing.T) {
	broken := errors.New("the disk is gone")
	w, _ := onceWorld(t, dbtest.SQLite(t), func() error { return broken })
	limited := New(w.services, "test")
	limited.TokenLimit = api.Limit{PerSecond: 1e-9, Burst: 1}
	unlimited := w.handler
	_, creds, err := w.services.Access.CreateClient(t.Context(), access.System(w.tenants["main"]), access.ClientChange{
		Name: "narrow", Permissions: []string{access.IssuingCard},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.clients["narrow"] = creds
	token := `{"clientId": "a", "clientSecret": "b"}`
	for _, c := range []struct {
		status                      int
		who, method, path, body     string
		code                        string
		contentType, idempotencyKey string
	}{
		{status: 400, who: "main", method: "POST", path: "/api/v1/system/bin", body: `{`, code: "Common:ValidationError"},
		{status: 400, who: "main", method: "GET", path: "/api/v1/issuing/product?MaxResultCount=x", code: "Common:ValidationError"},
		{status: 401, method: "GET", path: "/api/v1/system/tenant", code: "Common:Unauthenticated"},
		{status: 401, method: "POST", path: "/api/v1/auth/token", body: token, code: "Auth:InvalidClient"},
		{status: 403, who: "narrow", method: "GET", path: "/api/v1/system/tenant", code: "Common:Forbidden"},
		{status: 404, who: "main", method: "GET", path: "/api/v1/issuing/card/979201aaaaaa0000", code: "Issuing:CardNotFound"},
		{status: 404, method: "GET", path: "/nowhere", code: "Common:NotFound"},
		{status: 404, who: "production", method: "POST", path: "/api/v1/sandbox/card-info", body: `{}`, code: "Common:NotFound"},
		{status: 405, method: "PATCH", path: "/api/v1/system/tenant", code: "Common:MethodNotAllowed"},
		{status: 409, who: "main", method: "POST", path: "/test/1/note", body: `{"text": "b"}`, idempotencyKey: "used", code: "Common:IdempotencyKeyReused"},
		{status: 413, who: "main", method: "POST", path: "/api/v1/system/bin", body: strings.Repeat(" ", api.BodyMax+1), code: "Common:BodyTooLarge"},
		{status: 415, who: "main", method: "POST", path: "/api/v1/system/bin", body: "x", contentType: "text/xml", code: "Common:UnsupportedMediaType"},
		{status: 422, who: "main", method: "POST", path: "/api/v1/issuing/product/group", body: `{"code": "G", "name": "4111 1111 1111 1111"}`, code: "Common:SensitiveDataInText"},
		{status: 429, method: "POST", path: "/api/v1/auth/token", body: token, code: "Common:TooManyRequests"},
		{status: 500, who: "main", method: "POST", path: "/test/1/note", body: `{"text": "a"}`, code: "Common:InternalError"},
	} {
		w.bearer, w.handler = c.who, unlimited
		if c.status == 429 {
			w.handler = api.NewRouter(api.Options{Log: w.logger(), Clock: w.clock}, limited.Family())
			w.send(c.method, c.path, nil, c.body) // takes the only token
		}
		if c.idempotencyKey != "" {
			broken = nil
			w.send(c.method, c.path, map[string]string{"X-Idempotency-Key": c.idempotencyKey}, `{"text": "a"}`)
			broken = errors.New("the disk is gone")
		}
		messages := map[string]string{}
		for language, header := range map[string]string{"none": "", "tr": "tr-TR,tr;q=0.9,en;q=0.8", "en": "en-GB,tr;q=0.5", "de": "de"} {
			headers := map[string]string{"Accept-Language": header}
			if c.contentType != "" {
				headers["Content-Type"] = c.contentType
			}
			if c.idempotencyKey != "" {
				headers["X-Idempotency-Key"] = c.idempotencyKey
			}
			out := w.send(c.method, c.path, headers, c.body)
			message, code := said(t, out.Body.Bytes())
			if out.Code != c.status || code != c.code || message == "" {
				t.Errorf("%s %s in %s: %d %s", c.method, c.path, language, out.Code, out.Body)
			}
			messages[language] = message
		}
		if messages["none"] != messages["tr"] || messages["de"] != messages["tr"] || messages["en"] == messages["tr"] {
			t.Errorf("%d: %v", c.status, messages)
		}
	}
}
