package platform

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// treasures is what tenant main has, each thing once, under names that no other
// tenant uses. Every text that people would read holds the word treasure.
// A new kind of thing with an identifier of its own gets its lines here.
const treasures = `
POST /api/v1/system/bin

{"bin": "979209", "brand": "Troy", "cardType": "Prepaid", "sponsorName": "treasure"}
----

POST /api/v1/issuing/product/bin-range

{"code": "TREASURE_R", "name": "treasure", "bin": "979209", "rangeStart": "979209000000000", "rangeEnd": "979209000999999"}
----

POST /api/v1/issuing/product/group

{"code": "TREASURE_G", "name": "treasure"}
----

POST /api/v1/issuing/product/card-art

{"code": "TREASURE_A", "name": "treasure", "persoDesignCode": "D-01"}
----

POST /api/v1/issuing/customer-segment

{"code": "TREASURE_S", "name": "treasure"}
----

POST /api/v1/issuing/rule-engine/list

{"code": "TREASURE_L", "name": "treasure", "values": ["treasure"]}
----

POST /api/v1/issuing/product

{"code": "TREASURE_P", "name": "treasure", "groupCode": "TREASURE_G", "binRangeCode": "TREASURE_R", "cardType": "Prepaid",
 "currencyCode": "TRY", "allowedFormFactors": ["Virtual"], "validityMonths": 60, "serviceCode": "221"}
----

POST /api/v1/issuing/velocity-control

{ "code": "TREASURE_V", "name": "treasure", "period": "Day", "maxCount": 3, "links": [{ "linkType": "Product", "linkCode": "TREASURE_P" }] }
----

POST /api/v1/issuing/velocity-control/link

{ "velocityCheckCode": "TREASURE_V", "linkType": "Global", "description": "treasure" }
----

let link = id

POST /api/v1/issuing/fee-management/transaction

{ "code": "TREASURE_F", "name": "treasure", "currencyCode": "TRY", "calculationType": "Fixed", "fixedAmount": 1,
  "links": [{ "linkType": "Product", "linkCode": "TREASURE_P" }] }
----

POST /api/v1/issuing/fee-management/card-issuance

{ "code": "TREASURE_F", "name": "treasure", "currencyCode": "TRY", "events": ["ReplacementLost"], "amount": 1 }
----

POST /api/v1/issuing/fee-management/card-annual

{ "code": "TREASURE_F", "name": "treasure", "currencyCode": "TRY", "amount": 1 }
----

POST /api/v1/issuing/authorization-control

{ "code": "TREASURE_C", "name": "treasure", "action": "Decline", "criteria": { "mccs": ["7995"] }, "links": [{ "linkType": "Product", "linkCode": "TREASURE_P" }] }
----

POST /api/v1/issuing/authorization-control/link

{ "authorizationCheckCode": "TREASURE_C", "linkType": "Global", "description": "treasure" }
----

let controlLink = id

POST /api/v1/issuing/customer

{"customerNo": "7770000017", "customerType": "Individual", "name": "treasure", "surname": "treasure", "birthDate": "1980-01-01",
 "nationality": "TR", "segmentCode": "TREASURE_S", "kycLevel": "Verified",
 "identifications": [{"identificationType": "Tckn", "identificationNo": "10000000146"}],
 "communications": [{"communicationType": "MobilePhone", "value": "05321234567"}],
 "addresses": [{"addressType": "Home", "countryCode": "TR", "cityCode": "34", "townName": "Kadıköy", "addressLine1": "treasure", "isDefault": true}]}
----

POST /api/v1/issuing/card

{"customerNo": "7770000017", "productCode": "TREASURE_P", "accountNo": "TREASURE-1", "externalCardId": "TREASURE-X"}
----

let cardToken = cardToken
let issuanceNo = issuanceNo

POST /api/v1/issuing/card/user-note

{"entityKey": "${cardToken}", "note": "treasure"}
----

POST /api/v1/issuing/customer/user-note

{"entityKey": "7770000017", "note": "treasure"}
----

POST /api/v1/issuing/account/TREASURE-1/adjustment

{"direction": "Credit", "amount": 100, "currency": "TRY", "description": "treasure", "externalReference": "TREASURE-L"}
----

pay ${cardToken} 12.50

GET /api/v1/issuing-transaction/card-transaction?CardToken=${cardToken}
----

let transactionId = items[0].transactionId

POST /api/v1/issuing/webhook

{"webHookType": "Event", "name": "treasure", "url": "https://hooks.example.com/treasure", "eventTypes": ["*"]}
----

let hook = id

POST /api/v1/issuing/webhook/${hook}/test
----

let delivery = deliveryId

POST /api/v1/system/client

{"name": "treasure", "permissions": ["Issuing.Card"]}
----

let client = clientId

POST /api/v1/issuing/card/noname

{"productCode": "TREASURE_P", "formFactor": "Virtual", "batchReference": "TREASURE-B"}
----

let batch = batchId

POST /api/v1/system/exchange-rate

{"baseCurrency": "USD", "quoteCurrency": "TRY", "buyRate": 43, "midRate": 43, "sellRate": 43, "source": "Manual", "effectiveFrom": "2026-03-31T00:00:00Z"}
----

let rate = id

POST /api/v1/issuing/replay

{"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}
----

let replay = replayId
`

// furnish gives tenant main its treasures and returns their identifiers, by the
// names of parameters and members. A name that means several things stands with
// the path before it.
func (w *world) furnish(d *db.DB) map[string]string {
	w.t.Helper()
	w.openTill(d)
	refused := regexp.MustCompile(`(?m)^[45]\d\d$`)
	for part := range strings.SplitAfterSeq(treasures, "----\n") {
		if out := w.Tell(part); refused.MatchString(out) {
			w.t.Fatalf("a treasure could not be made: %s", out)
		}
	}
	keyID, _ := w.dataKey()
	return map[string]string{
		"bin": "979209", "binRangeCode": "TREASURE_R", "groupCode": "TREASURE_G", "cardArtCode": "TREASURE_A",
		"segmentCode": "TREASURE_S", "listCode": "TREASURE_L", "velocityCheckCode": "TREASURE_V", "feeCode": "TREASURE_F", "linkId": w.Names["link"],
		"authorizationCheckCode": "TREASURE_C", "/api/v1/issuing/authorization-control/{code}": "TREASURE_C",
		"/api/v1/issuing/authorization-control/link/{linkId}": w.Names["controlLink"],
		"/api/v1/issuing/velocity-control/{code}":             "TREASURE_V", "productCode": "TREASURE_P", "customerNo": "7770000017", "accountNo": "TREASURE-1",
		"cardToken": w.Names["cardToken"], "issuanceNo": w.Names["issuanceNo"], "transactionId": w.Names["transactionId"],
		"parentIssuanceNo": w.Names["issuanceNo"], "parentCardToken": w.Names["cardToken"], "entityKey": w.Names["cardToken"],
		"externalCardId": "TREASURE-X", "keyId": keyID, "clientId": w.Names["client"],
		"/api/v1/issuing/webhook/{id}": w.Names["hook"], "/api/v1/system/exchange-rate/{id}": w.Names["rate"], "deliveryId": w.Names["delivery"],
		"replayId": w.Names["replay"], "batchId": w.Names["batch"], "batchReference": "TREASURE-B",
	}
}

// bodies are the members that a request needs beyond what the document says is
// required, or that a sample of the document cannot be. Null takes a member out.
var bodies = map[string]string{
	"PUT /api/v1/issuing/card/{cardToken}/policy":                      `{"policies": [{"policyType": "Recurring", "isAllowed": false}]}`,
	"PUT /api/v1/issuing/card/{cardToken}/phone-number":                `{"phoneNumber": "+905321112233"}`,
	"PUT /api/v1/issuing/card/{cardToken}/status":                      `{"status": "Inactive", "reason": "CustomerRequest"}`,
	"POST /api/v1/issuing/card/{cardToken}/cvv2/verify":                `{"encryptedCvv2": "123", "expireYear": 2031, "expireMonth": 3}`,
	"POST /api/v1/issuing/card/{cardToken}/pin/set":                    `{"encryptedPin": "7392"}`,
	"POST /api/v1/issuing/card/{cardToken}/pin/verify":                 `{"encryptedPin": "7392"}`,
	"POST /api/v1/issuing/card/{cardToken}/pin/change":                 `{"oldPinBlock": "7392", "newPinBlock": "8274"}`,
	"POST /api/v1/issuing/account/{accountNo}/adjustment":              `{"direction": "Credit", "amount": 5, "currency": "TRY", "externalReference": "mine"}`,
	"PUT /api/v1/issuing/webhook/{id}":                                 `{"webHookType": "Event", "name": "mine", "url": "https://hooks.example.com/mine", "eventTypes": ["*"]}`,
	"POST /api/v1/issuing/webhook":                                     `{"webHookType": "Event", "name": "mine", "url": "https://hooks.example.com/mine", "eventTypes": ["*"]}`,
	"PUT /api/v1/system/client/{clientId}":                             `{"name": "mine", "permissions": ["*"]}`,
	"POST /api/v1/system/client":                                       `{"name": "mine", "permissions": ["*"]}`,
	"PUT /api/v1/issuing/customer/{customerNo}":                        `{"name": "mine", "surname": "mine", "birthDate": "1980-01-01", "nationality": "TR"}`,
	"POST /api/v1/issuing/customer/{customerNo}/address/upsert":        `{"addressType": "Work", "countryCode": "TR", "cityCode": "34", "townName": "mine", "addressLine1": "mine"}`,
	"POST /api/v1/issuing/customer/{customerNo}/communication/upsert":  `{"communicationType": "MobilePhone", "value": "05329999999"}`,
	"POST /api/v1/issuing/customer/{customerNo}/identification/upsert": `{"identificationType": "Tckn", "identificationNo": "19191919190"}`,
	"POST /api/v1/issuing/customer":                                    `{"customerNo": null, "customerType": "Individual", "name": "mine", "surname": "mine", "birthDate": "1980-01-01", "nationality": "TR", "kycLevel": "None", "segmentCode": null, "communications": [{"communicationType": "MobilePhone", "value": "05328888888"}]}`,
	"POST /api/v1/issuing/customer/get-or-create":                      `{"customerNo": null, "customerType": "Individual", "name": "mine", "surname": "mine", "birthDate": "1980-01-01", "nationality": "TR", "kycLevel": "None", "segmentCode": null, "identifications": [{"identificationType": "Tckn", "identificationNo": "10000000146"}], "communications": [{"communicationType": "MobilePhone", "value": "05321234567"}]}`,
	"POST /api/v1/issuing/customer/user-note":                          `{"entityKey": "7770000017", "note": "mine"}`,
	"POST /api/v1/issuing/card/user-note":                              `{"note": "mine"}`,
	"PUT /api/v1/system/tenant":                                        `{"name": "Mine", "institutionType": "EMoney", "timeZone": "Europe/Istanbul", "language": "tr", "defaultCurrency": "TRY"}`,
	"POST /api/v1/system/bin":                                          `{"brand": "Troy", "cardType": "Prepaid"}`,
	"POST /api/v1/issuing/product/bin-range":                           `{"code": "MINE", "name": "mine", "rangeStart": "979209100000000", "rangeEnd": "979209100999999"}`,
	"PUT /api/v1/issuing/product/bin-range/{binRangeCode}":             `{"name": "mine", "rangeEnd": "979209001999999"}`,
	"PUT /api/v1/issuing/product/{productCode}/contactless-limit":      `{"currencyCode": "TRY"}`,
	"POST /api/v1/issuing/product":                                     `{"code": "MINE", "name": "mine", "groupCode": null, "cardType": "Prepaid", "currencyCode": "TRY", "allowedFormFactors": ["Virtual"], "validityMonths": 60, "serviceCode": "221"}`,
	"PUT /api/v1/issuing/product/{productCode}":                        `{"name": "mine", "cardType": "Prepaid", "currencyCode": "TRY", "allowedFormFactors": ["Virtual"], "validityMonths": 60, "serviceCode": "221"}`,
	"POST /api/v1/issuing/product/group":                               `{"code": "MINE", "name": "mine"}`,
	"POST /api/v1/issuing/product/card-art":                            `{"code": "MINE", "name": "mine", "persoDesignCode": "D-01"}`,
	"POST /api/v1/issuing/customer-segment":                            `{"code": "MINE", "name": "mine"}`,
	"POST /api/v1/issuing/velocity-control":                            `{"code": "MINE", "name": "mine", "period": "Day", "maxCount": 1}`,
	"PUT /api/v1/issuing/velocity-control/{code}":                      `{"name": "mine", "period": "Day", "maxCount": 1}`,
	"POST /api/v1/issuing/velocity-control/link":                       `{"velocityCheckCode": "TREASURE_V", "linkType": "Global", "linkCode": null}`,
	"POST /api/v1/issuing/velocity-control/card/{cardToken}":           `{"velocityCheckCode": "TREASURE_V", "maxCount": 2}`,
	"POST /api/v1/issuing/fee-management/transaction":                  `{"code": "MINE", "name": "mine", "currencyCode": "TRY", "calculationType": "Fixed", "fixedAmount": 1}`,
	"PUT /api/v1/issuing/fee-management/transaction/{feeCode}":         `{"name": "mine", "currencyCode": "TRY", "calculationType": "Fixed", "fixedAmount": 1}`,
	"POST /api/v1/issuing/fee-management/transaction/link":             `{"feeCode": "TREASURE_F", "linkType": "Global", "linkCode": null}`,
	"POST /api/v1/issuing/fee-management/card-issuance":                `{"code": "MINE", "name": "mine", "currencyCode": "TRY", "events": ["PinMailer"], "amount": 1}`,
	"PUT /api/v1/issuing/fee-management/card-issuance/{feeCode}":       `{"name": "mine", "currencyCode": "TRY", "events": ["PinMailer"], "amount": 1}`,
	"POST /api/v1/issuing/fee-management/card-issuance/link":           `{"feeCode": "TREASURE_F", "linkType": "Global", "linkCode": null}`,
	"POST /api/v1/issuing/fee-management/card-annual":                  `{"code": "MINE", "name": "mine", "currencyCode": "TRY", "amount": 1}`,
	"PUT /api/v1/issuing/fee-management/card-annual/{feeCode}":         `{"name": "mine", "currencyCode": "TRY", "amount": 1}`,
	"POST /api/v1/issuing/fee-management/card-annual/link":             `{"feeCode": "TREASURE_F", "linkType": "Global", "linkCode": null}`,
	"POST /api/v1/issuing/authorization-control":                       `{"code": "MINE", "name": "mine", "action": "Decline", "criteria": {"mccs": ["7995"]}}`,
	"PUT /api/v1/issuing/authorization-control/{code}":                 `{"name": "mine", "action": "Decline", "criteria": {"mccs": ["7995"]}}`,
	"POST /api/v1/issuing/authorization-control/link":                  `{"authorizationCheckCode": "TREASURE_C", "linkType": "Global", "linkCode": null}`,
	"POST /api/v1/issuing/replay":                                      `{"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z", "draft": null}`,
	"POST /api/v1/issuing/rule-engine/list":                            `{"code": "MINE", "name": "mine", "values": ["mine"]}`,
	"PUT /api/v1/issuing/rule-engine/list/{listCode}":                  `{"name": "mine", "values": ["mine"]}`,
	"POST /api/v1/issuing/rule-engine/validate":                        `{"context": "Velocity", "rule": "transaction.mcc.in_list('TREASURE_L')"}`,
	"POST /api/v1/issuing/rule-engine/evaluate":                        `{"context": "Velocity", "rule": null}`,
	"POST /api/v1/issuing/card":                                        `{"parentIssuanceNo": null}`,
	"POST /api/v1/issuing/card/detokenize":                             `{"cardToken": null, "cardTokens": ["${cardToken}"], "encryption": null, "keyId": "${ownKey}", "purpose": "mine"}`,
	"POST /api/v1/issuing/card/find":                                   `{"encryptedCardNo": "${cardNo}", "encryption": null}`,
	"POST /api/v1/issuing/perso/event":                                 `{"vendorCode": "BUREAU1", "eventId": "E1", "statusCode": "120", "eventDate": "2026-01-01T00:00:00Z"}`,
	"POST /api/v1/issuing/shipment/event":                              `{"vendorCode": "COURIER1", "eventId": "E1", "statusCode": "100", "eventDate": "2026-01-01T00:00:00Z"}`,
	"POST /api/v1/issuing/card/noname/link":                            `{"checkMethod": "None", "encryptedCardNo": null}`,
	"PUT /api/v1/issuing/card/customer-card-statuses":                  `{"status": "Inactive", "reason": "CustomerRequest"}`,
	"POST /api/v1/issuing/integration/key-exchange":                    `{"publicKey": "${publicKey}"}`,
	"PUT /api/v1/system/tenant/currency-conversion":                    `{"conversionSource": "Network"}`,
	"POST /api/v1/sandbox/pin-block/generate":                          `{"pin": "7392", "cardToken": null, "cardNo": "${cardNo}"}`,
	"POST /api/v1/sandbox/pin-block/extract":                           `{"pinBlock": "0011223344556677"}`,
	"POST /api/v1/sandbox/pin-test":                                    `{"pin": "7392"}`,
	"POST /api/v1/sandbox/transaction/process":                         `{"amount": 5, "currencyCode": "TRY", "cardToken": null, "cardNo": "${cardNo}"}`,
	"POST /api/v1/sandbox/transaction/void":                            `{"originalTransactionId": "${transactionId}", "cardToken": null, "rrn": null, "authorizationCode": null}`,
	"POST /api/v1/sandbox/transaction/refund":                          `{"originalTransactionId": "${transactionId}", "amount": 5, "currencyCode": "TRY", "cardToken": null}`,
	"POST /api/v1/sandbox/transaction/clear":                           `{"cardToken": null, "cardNo": null}`,
	"POST /api/v1/sandbox/transaction/advance-time":                    `{"days": 1}`,
	"POST /api/v1/sandbox/encrypt-card-number":                         `{"cardNo": "${cardNo}"}`,
	"POST /api/v1/system/exchange-rate":                                `{"baseCurrency": "USD", "quoteCurrency": "TRY", "buyRate": 43, "midRate": 43, "sellRate": 43, "source": "Manual", "effectiveFrom": "2026-03-31T00:00:00Z"}`,
	"PUT /api/v1/system/exchange-rate/{id}":                            `{"baseCurrency": "USD", "quoteCurrency": "TRY", "buyRate": 43, "midRate": 43, "sellRate": 43, "source": "Manual", "effectiveFrom": "2026-03-31T00:00:00Z"}`,
}

// outcome is how a route answers that has no identifier in its path, when
// another tenant's stand in its query and body.
type outcome int

const (
	notFound  outcome = iota + 1
	empty             // a list without items
	ownThing          // it is about what the caller has, or makes something for it
	notItself         // refused: the thing exists elsewhere and cannot be referred to
	eachFails         // each element of the answer says that there is no such thing
)

// unaddressed says it for every such route.
var unaddressed = map[string]outcome{
	"GET /api/v1/issuing/integration/key-exchange":           ownThing, // its own
	"POST /api/v1/issuing/integration/key-exchange":          ownThing,
	"GET /api/v1/system/tenant":                              ownThing,
	"PUT /api/v1/system/tenant":                              ownThing,
	"POST /api/v1/system/client":                             ownThing,
	"GET /api/v1/system/client":                              ownThing, // its own
	"GET /api/v1/system/tenant/issuing-attribute":            ownThing,
	"POST /api/v1/system/tenant/issuing-attribute":           ownThing,
	"PUT /api/v1/system/tenant/issuing-attribute":            ownThing,
	"GET /api/v1/system/tenant/currency-conversion":          ownThing,
	"PUT /api/v1/system/tenant/currency-conversion":          ownThing,
	"POST /api/v1/system/bin":                                notItself, // a BIN belongs to one tenant of the platform
	"POST /api/v1/system/exchange-rate":                      ownThing,  // also where another tenant has the same
	"GET /api/v1/system/exchange-rate":                       empty,
	"POST /api/v1/issuing/customer":                          ownThing,
	"POST /api/v1/issuing/customer/get-or-create":            ownThing,
	"GET /api/v1/issuing/customer":                           empty,
	"POST /api/v1/issuing/customer/user-note":                notFound,
	"GET /api/v1/issuing/customer/user-note":                 notFound,
	"POST /api/v1/issuing/customer-segment":                  ownThing,
	"POST /api/v1/issuing/replay":                            ownThing,
	"GET /api/v1/issuing/customer-segment":                   empty,
	"GET /api/v1/issuing/product/bin":                        empty,
	"POST /api/v1/issuing/product/bin-range":                 notFound,
	"GET /api/v1/issuing/product/bin-range":                  empty,
	"POST /api/v1/issuing/product/group":                     ownThing,
	"GET /api/v1/issuing/product/group":                      empty,
	"POST /api/v1/issuing/product/card-art":                  ownThing,
	"GET /api/v1/issuing/product/card-art":                   empty,
	"POST /api/v1/issuing/product":                           notFound,
	"GET /api/v1/issuing/product":                            empty,
	"POST /api/v1/issuing/card":                              notFound,
	"GET /api/v1/issuing/card":                               empty,
	"POST /api/v1/issuing/card/find":                         notFound,
	"POST /api/v1/issuing/card/noname":                       notFound,
	"POST /api/v1/issuing/card/noname/link":                  notFound,
	"POST /api/v1/issuing/card/noname/unlink":                notFound,
	"POST /api/v1/issuing/card/detokenize":                   eachFails,
	"PUT /api/v1/issuing/card/customer-card-statuses":        notFound,
	"POST /api/v1/issuing/perso/event":                       notFound,
	"POST /api/v1/issuing/shipment/event":                    notFound,
	"POST /api/v1/issuing/card/user-note":                    notFound,
	"GET /api/v1/issuing/card/user-note":                     notFound,
	"GET /api/v1/issuing/audit-log/card":                     empty,
	"GET /api/v1/issuing/audit-log/product":                  empty,
	"GET /api/v1/issuing/audit-log/policy":                   empty,
	"GET /api/v1/issuing-transaction/card-transaction":       empty,
	"GET /api/v1/issuing/rule-engine/fields":                 ownThing, // the same for everybody
	"POST /api/v1/issuing/rule-engine/validate":              ownThing, // says that there is no such list
	"POST /api/v1/issuing/rule-engine/evaluate":              notFound,
	"POST /api/v1/issuing/rule-engine/list":                  ownThing,
	"POST /api/v1/issuing/velocity-control":                  ownThing,
	"GET /api/v1/issuing/velocity-control":                   empty,
	"GET /api/v1/issuing/velocity-control/link":              empty,
	"POST /api/v1/issuing/velocity-control/link":             notFound,
	"POST /api/v1/issuing/fee-management/transaction":        ownThing,
	"GET /api/v1/issuing/fee-management/transaction":         empty,
	"GET /api/v1/issuing/fee-management/transaction/link":    empty,
	"POST /api/v1/issuing/fee-management/transaction/link":   notFound,
	"POST /api/v1/issuing/fee-management/card-issuance":      ownThing,
	"GET /api/v1/issuing/fee-management/card-issuance":       empty,
	"GET /api/v1/issuing/fee-management/card-issuance/link":  empty,
	"POST /api/v1/issuing/fee-management/card-issuance/link": notFound,
	"POST /api/v1/issuing/fee-management/card-annual":        ownThing,
	"GET /api/v1/issuing/fee-management/card-annual":         empty,
	"GET /api/v1/issuing/fee-management/card-annual/link":    empty,
	"POST /api/v1/issuing/fee-management/card-annual/link":   notFound,
	"GET /api/v1/issuing/rule-engine/findings":               ownThing, // of its own controls, of which it has none
	"GET /api/v1/issuing/rule-engine/list":                   empty,
	"POST /api/v1/issuing/webhook":                           ownThing,
	"GET /api/v1/issuing/webhook":                            empty,
	"POST /api/v1/sandbox/card-info":                         notFound,
	"POST /api/v1/sandbox/pin-block/generate":                notFound,
	"POST /api/v1/sandbox/pin-block/extract":                 notFound,
	"POST /api/v1/sandbox/pin-test":                          notFound,
	"POST /api/v1/sandbox/transaction/process":               notFound,
	"POST /api/v1/sandbox/transaction/void":                  notFound,
	"POST /api/v1/sandbox/transaction/refund":                notFound,
	"POST /api/v1/sandbox/transaction/advance-time":          ownThing,
	"POST /api/v1/sandbox/transaction/clear":                 notFound,
	"POST /api/v1/sandbox/encrypt-card-number":               notItself, // another's key
	"GET /api/v1/sandbox/inbox":                              empty,
	"POST /api/v1/issuing/authorization-control":             ownThing,
	"GET /api/v1/issuing/authorization-control":              empty,
	"GET /api/v1/issuing/authorization-control/link":         empty,
	"POST /api/v1/issuing/authorization-control/link":        notFound,
}

// selectors are queries that ask for what is not the caller's, where the first
// parameter that names such a thing will not do.
var selectors = map[string]string{
	"GET /api/v1/issuing/audit-log/card":     "CardToken=${cardToken}",
	"GET /api/v1/issuing/rule-engine/fields": "context=Velocity",
}

// Whatever another tenant has is not there: for every route of the document,
// asked with another tenant's identifiers, the answer is 404, or an empty list,
// and no row of any table changes but what tells of the attempt.
//
// A new route fails here until it can be addressed: give the identifier in its
// path to furnish, its body to bodies, and, when its path has no identifier,
// its outcome to unaddressed.
func TestRoutes_showNothingOfAnotherTenant(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		known := w.furnish(d)
		w.Names["cardNo"] = w.clearCard(w.Names["cardToken"]).CardNo
		_, w.Names["publicKey"] = w.clientKey()
		w.bearer = "other"
		w.Names["ownKey"], _ = w.dataKey()
		bearer := map[string]string{"Authorization": "Bearer " + w.token("other"), "Accept-Language": "en"}
		w.bearer = ""
		doc := document(t)
		stranger := []string{w.tenants["other"].ID.String(), w.clients["other"].ClientID}
		before := rowsOf(t, d)
		for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
			for _, method := range slices.Sorted(maps.Keys(doc.Paths[path])) {
				op, name := doc.Paths[path][method], strings.ToUpper(method)+" "+path
				if strings.HasPrefix(path, tokenPaths) || !strings.HasPrefix(path, "/api/") {
					continue // for everybody; credentials of others are tried elsewhere
				}
				at, addressed := address(path, known)
				if !addressed {
					t.Errorf("%s: nobody said what stands in its path: see furnish", name)
					continue
				}
				query := w.Fill(selectors[name])
				if query == "" {
					query = queryFor(op, known)
				}
				if query != "" {
					at += "?" + query
				}
				body := w.Fill(doc.bodyFor(op, known, bodies[name]))
				out := w.send(strings.ToUpper(method), at, bearer, body)
				want := unaddressed[name]
				if strings.Contains(path, "{") {
					want = notFound
				}
				if complaint := want.differs(out.Code, out.Body.Bytes()); complaint != "" {
					t.Errorf("%s %s\n%s\nanswered %d %s\n%s", name, at, body, out.Code, out.Body, complaint)
				}
				tells := func(word string) bool {
					return strings.Contains(out.Body.String(), word) && !strings.Contains(at+body, word)
				}
				if tells("treasure") || slices.ContainsFunc(slices.Collect(maps.Values(known)), tells) {
					t.Errorf("%s tells of another tenant: %s", name, out.Body)
				}
				after := rowsOf(t, d)
				for _, change := range differences(before, after, stranger, out.Code < 400) {
					t.Errorf("%s changed %s", name, change)
				}
				before = after
			}
		}
	})
}

// differs says how an answer is not the outcome.
func (o outcome) differs(status int, body []byte) string {
	switch o {
	case notFound:
		if status != http.StatusNotFound {
			return "want 404"
		}
	case notItself:
		if status != http.StatusConflict && status != http.StatusUnprocessableEntity {
			return "want 409 or 422"
		}
	case eachFails:
		if status != http.StatusOK || strings.Count(string(body), `"errorCode":"Issuing:CardNotFound"`) != 1 {
			return "want an element that was not found"
		}
	case ownThing:
		if status >= 300 && status != http.StatusNotFound {
			return "want an answer about what is the caller's own"
		}
	case empty:
		var page struct{ TotalCount *int }
		var list []any
		if status != http.StatusOK || (json.Unmarshal(body, &list) != nil || len(list) > 0) &&
			(json.Unmarshal(body, &page) != nil || page.TotalCount == nil || *page.TotalCount != 0) {
			return "want an empty list"
		}
	default:
		return "nobody said what this route answers: see unaddressed"
	}
	return ""
}

// address fills the places of a path.
func address(path string, known map[string]string) (string, bool) {
	ok := true
	for _, p := range regexp.MustCompile(`\{[^}]+\}`).FindAllString(path, -1) {
		value := known[path[:strings.Index(path, p)+len(p)]]
		if value == "" {
			value = known[strings.Trim(p, "{}")]
		}
		ok = ok && value != ""
		path = strings.Replace(path, p, value, 1)
	}
	return path, ok
}

// queryFor names the first thing of another tenant that a route can be asked
// about.
func queryFor(op publishedOperation, known map[string]string) string {
	for _, p := range op.Parameters {
		for name, value := range known {
			if p.In == "query" && strings.EqualFold(p.Name, name) { // no two of them are equal so
				return p.Name + "=" + value
			}
		}
	}
	return ""
}

// bodyFor is a body with the required members of op, the identifiers it can
// hold, and over them given.
func (d *published) bodyFor(op publishedOperation, known map[string]string, given string) string {
	if op.RequestBody == nil {
		return ""
	}
	schema := op.RequestBody.Content["application/json"].Schema
	body := d.sample(schema).(map[string]any)
	for member := range d.properties(schema) {
		if value := known[member]; value != "" {
			body[member] = value
		}
	}
	if given != "" {
		over := map[string]any{}
		if err := json.Unmarshal([]byte(given), &over); err != nil {
			panic(fmt.Sprintf("%s: %v", given, err))
		}
		maps.Copy(body, over)
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// rowsOf returns every row of every table as text, with how often it is there.
func rowsOf(t *testing.T, d *db.DB) map[string]map[string]int {
	t.Helper()
	names := `SELECT name FROM sqlite_master WHERE type = 'table'`
	if d.Engine() == db.Postgres {
		names = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`
	}
	all := map[string]map[string]int{}
	err := d.View(t.Context(), func(tx db.Tx) error {
		tables, err := db.Collect(t.Context(), tx, func(row db.Scanner) (name string, err error) { return name, row.Scan(&name) }, names)
		if err != nil {
			return err
		}
		for _, table := range tables {
			rows := map[string]int{}
			if err := hashTable(t.Context(), tx, table, func(row []byte) (int, error) {
				rows[string(row)]++
				return len(row), nil
			}); err != nil {
				return fmt.Errorf("table %s: %w", table, err)
			}
			all[table] = rows
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// attempts are the tables that tell of an attempt, of the one who made it.
var attempts = []string{"audit_chain", "audit_act", "audit_personal", "refresh_token", "api_client", "idempotency"}

// differences are the rows that went or came and should not have. What holds a
// word of the caller is its own: it may change when the request had an effect,
// and what tells of the attempt in any case. Of anybody else nothing goes.
func differences(before, after map[string]map[string]int, own []string, effect bool) []string {
	isOwn := func(row string) bool {
		return slices.ContainsFunc(own, func(word string) bool { return strings.Contains(row, word) })
	}
	var all []string
	for table := range after {
		told := slices.Contains(attempts, table)
		for row, n := range before[table] {
			if after[table][row] < n && !(isOwn(row) && (told || effect)) {
				all = append(all, "- "+row)
			}
		}
		for row, n := range after[table] {
			if before[table][row] < n && !effect && !(isOwn(row) && told) {
				all = append(all, "+ "+row)
			}
		}
	}
	return all
}

func TestDifferences_findsWhatAStrangerChanged(t *testing.T) {
	before := map[string]map[string]int{"card": {"card [main 1]": 1, "card [other 1]": 1}, "audit_act": {}}
	for _, c := range []struct {
		what   string
		after  map[string]map[string]int
		effect bool
		want   int
	}{
		{"nothing", before, false, 0},
		{"the attempt is told", map[string]map[string]int{"card": before["card"], "audit_act": {"audit_act [other]": 1}}, false, 0},
		{"it is told in another's chain", map[string]map[string]int{"card": before["card"], "audit_act": {"audit_act [main]": 1}}, false, 1},
		{"another's row went", map[string]map[string]int{"card": {"card [other 1]": 1}}, true, 1},
		{"its own row changed by a success", map[string]map[string]int{"card": {"card [main 1]": 1, "card [other 2]": 1}}, true, 0},
		{"its own row changed by a refusal", map[string]map[string]int{"card": {"card [main 1]": 1, "card [other 2]": 1}}, false, 2},
	} {
		if got := differences(before, c.after, []string{"other"}, c.effect); len(got) != c.want {
			t.Errorf("%s: %v", c.what, got)
		}
	}
}

// permissionOf is the permission that the document names for a route.
func permissionOf(operation map[string]any) string {
	description, _ := operation["description"].(string)
	rest, found := strings.CutPrefix(description, "Permission: ")
	name, _, _ := strings.Cut(rest, ". ")
	if name = strings.TrimSuffix(name, "."); !found || name == anyCaller {
		return ""
	}
	return name
}

// For every route: who holds every permission but the one it asks for gets 403,
// and who shows no token 401. Nothing changes.
func TestRoutes_needExactlyThePermissionTheDocumentNames(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		known := w.furnish(d)
		_, w.Names["publicKey"] = w.clientKey()
		w.Names["cardNo"], w.Names["ownKey"] = "1", "key"
		all, _ := operations(t, w)
		doc := document(t)
		asked := map[string]bool{}
		for _, operation := range all {
			if p := permissionOf(operation); p != "" {
				asked[p] = true
			}
		}
		without := map[string]string{}
		for p := range asked {
			others := maps.Clone(asked)
			delete(others, p)
			tokens, err := w.services.Access.Token(t.Context(), access.Grant{
				ClientID: w.clients["main"].ClientID, ClientSecret: w.clients["main"].ClientSecret,
				Scope: strings.Join(slices.Sorted(maps.Keys(others)), " "),
			})
			if err != nil {
				t.Fatal(err)
			}
			without[p] = "Bearer " + string(tokens.Access.Reveal())
		}
		w.bearer = ""
		before := rowsOf(t, d)
		for name, operation := range all {
			if operation["security"] == nil || fmt.Sprint(operation["security"]) == "[]" {
				continue
			}
			method, path, _ := strings.Cut(name, " ")
			at, _ := address(path, known)
			body := w.Fill(doc.bodyFor(doc.Paths[path][strings.ToLower(method)], known, bodies[name]))
			if out := w.send(method, at, nil, body); out.Code != http.StatusUnauthorized || out.Header().Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("%s without a token: %d", name, out.Code)
			}
			p := permissionOf(operation)
			if p == "" {
				continue
			}
			if out := w.send(method, at, map[string]string{"Authorization": without[p]}, body); out.Code != http.StatusForbidden {
				t.Errorf("%s without %s: %d %s", name, p, out.Code, out.Body)
			}
		}
		own := []string{w.tenants["main"].ID.String(), w.clients["main"].ClientID}
		for _, change := range differences(before, rowsOf(t, d), own, false) {
			t.Errorf("a refused request changed %s", change)
		}
	})
}
