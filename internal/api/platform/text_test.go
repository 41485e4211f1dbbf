package platform

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

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

// formed are the members of requests whose form leaves no room for a card
// number, which are a key of ours or the client's, or which are checked by
// their handler. Every other text is api.FreeText.
var formed = strings.Fields(`
	entityKey frontImage backImage
	currency currencyCode defaultCurrency currencies allowedBillingCurrencies baseCurrency quoteCurrency countryCode issuingCountry nationality language timeZone languageCode
	to birthDate establishmentDate issueDate expiryDate effectiveFrom settlementCutOff mccs mccExclusions responseCodeMap
	bin rangeStart rangeEnd serviceCode chipProfileCode naceCode cityCode townCode zipCode
	tckn recipientTckn businessDetail.taxNumber mersisNo phone phoneNumber
	code productCode groupCode binRangeCode segmentCode physicalCode cardArtCode keySetCode
	customerNo accountNo parentIssuanceNo parentCardToken cardToken keyId concurrencyStamp algorithm publicKey
	permissions allowedAddresses clientId clientSecret refreshToken password userName scope
	token headerName headerValue headers signingSecret clientCertificate clientKey eventTypes productCodes networks transactionCodes
	cardTokens productCodes encryptedCardNo encryptedPin encryptedCvv2 pinBlock oldPinBlock newPinBlock lastFour barcode pin cardNo keyCode
	billingCurrency settlementCurrency mcc merchantCountry terminalId acquirerId forwardingInstitutionId
	cvv2 track2 cvv emvData unpredictableNumber tvr cvmResults forceCavvResult eci cavv dsTransactionId originalRrn walletType
	originalTransactionId transactionId rrn stan authorizationCode networkTransactionId transactionDate
	value values identificationNo rule facts
	linkCode feeCode feeGroup velocityCheckCode authorizationCheckCode responseCode schedule.from schedule.to limitGroup declineReasonCode mccGroups excludeMccs terminalIds acquirerIds countries excludeCountries
	vendorCode eventId orderId statusCode courierCode trackingNo trackingUrl estimatedDeliveryDate`)

func TestRequests_everyTextThatIsKeptIsFreeText(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	a := New(w.services, "test")
	a.mount(chi.NewRouter())
	registry := a.huma.OpenAPI().Components.Schemas
	var walk func(s *huma.Schema, path string)
	walk = func(s *huma.Schema, path string) {
		if s.Ref != "" {
			s = registry.SchemaFromRef(s.Ref)
		}
		for name, member := range s.Properties {
			walk(member, path+"."+name)
		}
		if s.Items != nil {
			walk(s.Items, path)
		}
		if values, ok := s.AdditionalProperties.(*huma.Schema); ok {
			walk(values, path)
		}
		if s.Type != huma.TypeString || s.Format == "date-time" || len(s.Enum) > 0 || s.Extensions["x-free-text"] == true {
			return
		}
		if !slices.ContainsFunc(formed, func(name string) bool { return strings.HasSuffix(path, "."+name) }) {
			t.Errorf("%s is neither free text nor listed", path)
		}
	}
	for path, item := range a.huma.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Post, item.Put} {
			if op != nil && op.RequestBody != nil && op.RequestBody.Content["application/json"] != nil {
				walk(op.RequestBody.Content["application/json"].Schema, path)
			}
		}
	}
}

func TestRequests_withCardNumbersWhereNoSchemaSaysSoAreRefused(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t)).stock()
	const number = "4539578763621486"
	for path, body := range map[string]string{
		"/api/v1/issuing/customer": `{"customerType": "Individual", "name": "Ali", "surname": "Can", "birthDate": "1991-04-12",
			"nationality": "TR", "kycLevel": "None", "communications": [{"communicationType": "MobilePhone", "value": "+905321234567"}],
			"identifications": [{"identificationType": "ExternalReference", "identificationNo": "` + number + `"}]}`,
		"/api/v1/issuing/card": `{"customerNo": "1", "productCode": "VIRTUAL",
			"deliveryCommunication": {"email": "` + number + `@example.com"}}`,
		"/api/v1/system/tenant/issuing-attribute": `{"smsTemplates": {"` + number + `": "x"}}`,
	} {
		out := w.send(http.MethodPost, path, nil, body)
		if out.Code != http.StatusUnprocessableEntity || !strings.Contains(out.Body.String(), "Common:SensitiveDataInText") ||
			strings.Contains(out.Body.String(), number) {
			t.Errorf("POST %s: %d %s", path, out.Code, out.Body)
		}
	}
}

// A card number in the place of a card token names nothing, and must not come
// into the table of idempotency keys with the path it stands in.
func TestRequests_withACardNumberForATokenLeaveNoTrace(t *testing.T) {
	d := dbtest.SQLite(t)
	w := newWorld(t, d).stock()
	const number = "4539578763621486"
	for path, body := range map[string]string{
		"/pin/verify": `{"encryptedPin": "7392"}`, "/cvv2/reset-counters": `{}`,
	} {
		out := w.send(http.MethodPost, "/api/v1/issuing/card/"+number+path, map[string]string{"X-Idempotency-Key": "k"}, body)
		if out.Code != http.StatusNotFound || !strings.Contains(out.Body.String(), "Issuing:CardNotFound") {
			t.Errorf("%s: %d %s", path, out.Code, out.Body)
		}
	}
	var rows int
	err := d.View(t.Context(), func(tx db.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT count(*) FROM idempotency WHERE scope LIKE '%'||$1||'%'`, number).Scan(&rows)
	})
	if err != nil || rows != 0 {
		t.Errorf("%d rows hold the number (%v)", rows, err)
	}
}
