package ewallet

import (
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/api/apitest"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/outbox"
	"github.com/sarraf-platform/sarraf/internal/wallet"
	"github.com/sarraf-platform/sarraf/internal/webhook"
)

// Identifiers are numbers in webhooks, where they are texts in answers.
func TestEvents_speakTheContract(t *testing.T) {
	d := dbtest.SQLite(t)
	w := newWorld(t, d)
	w.Names["number"] = w.open("ORN1")
	story := `POST /v1/Transaction/TopupCash

{"tenant_code":"7","amount":100,"currency_code":"TRY","bank_transaction_date":"2026-03-31 11:58","bank_receipt_no":"D-1","wallet_number":"${number}"}
----

POST /v1/Transaction/TopupCash

{"tenant_code":"7","amount":1150.01,"currency_code":"TRY","bank_transaction_date":"2026-03-31 11:58","bank_receipt_no":"D-2","wallet_number":"${number}"}
----

POST /v1/Account/UpgradePersonalAccountKycLevelToContracted

{"account_number":"ORN1"}
----

POST /v1/Transaction/WithdrawalToBank

{"ext_transaction_id":"W-1","receiver_wallet_number":"${number}","receiver_national_id":"10000000146","receiver_iban":"TR330006100519786457841326","amount":1,"currency_code":"TRY"}
----

POST /v1/TransactionData/GetRequestWithdrawByExtId

{"ext_transaction_id":"W-1"}
----

let id = payload.transaction_id

bank ${id} Sent
`
	w.Tell(story)
	var events []outbox.WaitingEvent
	w.must(d.View(t.Context(), func(tx db.Tx) (err error) {
		events, err = outbox.WaitingEvents(t.Context(), tx, w.tenant.ID.String())
		return err
	}))
	bodies := map[string]string{}
	for _, e := range events {
		if strings.HasPrefix(e.Name, "wallet.") {
			c, err := Events{}.EncodeEvent(webhook.Delivery{Name: e.Name, Payload: e.Payload})
			w.must(err)
			if !c.Bare {
				t.Errorf("%s has an envelope", e.Name)
			}
			bodies[e.Name] = string(c.Data)
		}
	}
	for name, shape := range map[string]string{
		wallet.EventTopupDone: `{"id":1,"tenant_id":1,"tx_group_correlation_id":0,"tx_ref_correlation_id":0,"wallet_id":1,"transaction_type_id":1001,
			"transaction_type":"","transaction_status_id":20,"transaction_status":"","result_code":"","created_date_utc":"","completed_date_utc":"",
			"to_wallet_number":"","to_account_number":"","tx_description":"","currency_code":"","amount":1}`,
		wallet.EventTopupRefused: `{"tenant_id":1,"result_message":"","result_code":"","wallet_number":"","description":"","bank_receipt_no":"","amount":1,"currency_code":""}`,
		wallet.EventWithdrawalChanged: `{"tenant_id":1,"amount":1,"currency_code":"","ext_transaction_id":"","request_withdraw_id":1,"transaction_id":1,"account_type_id":1,
			"account_number":"","wallet_number":"","before_process_status":"","after_process_status":"","money_transfer_state":"","updated_date_utc":""}`,
	} {
		apitest.SameShape(t, bodies[name], shape)
	}
	for name, part := range map[string]string{
		wallet.EventTopupDone: `"transaction_type_id":1001,`, wallet.EventTopupRefused: `Kalan limit: 1150.00","result_code":"310"`,
		wallet.EventWithdrawalChanged: `"before_process_status":"Requested","after_process_status":"Sent"`,
	} {
		if !strings.Contains(bodies[name], part) {
			t.Errorf("%s tells %s, without %s", name, bodies[name], part)
		}
	}
}

func TestStaticData_isInBothLanguages(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	for path, rows := range map[string]map[string]string{
		"/v1/StaticData/GetCountryList":      {"tr": `{"id":"792","code":"TR","name":"Türkiye"}`, "en": `{"id":"276","code":"DE","name":"Germany"}`},
		"/v1/StaticData/GetProvinceCityList": {"tr": `{"id":"34","code":"34","name":"İstanbul"}`, "en": `{"id":"81","code":"81","name":"Duzce"}`},
		"/v1/StaticData/GetJobList":          {"tr": `"name":"Diğer"`, "en": `"name":"Other"`},
		"/v1/Transaction/GetPaymentTypes":    {"tr": `{"code":"99","name":"Diğer","is_description_required":true}`, "en": `"name":"Rent of a home"`},
	} {
		for language, row := range rows {
			if got := w.send("GET", path, map[string]string{"locale": language}, ""); !strings.Contains(got.Body.String(), row) || got.Code != 200 {
				t.Errorf("%s in %s: %d without %s", path, language, got.Code, row)
			}
		}
	}
}
