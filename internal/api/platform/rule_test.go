package platform

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

const rulePath = "/api/v1/issuing/rule-engine"

// Rules name the values of enumerations as the rest of the API does.
func TestRuleFields_haveTheEnumerationsOfTheContract(t *testing.T) {
	for id, members := range map[rule.FieldID][]api.Member{
		rule.TransactionCode:               transactionCodes{}.Members(),
		rule.TransactionFlowCode:           flowCodes{}.Members(),
		rule.TransactionNetwork:            networks{}.Members(),
		rule.TransactionDomain:             transactionDomains{}.Members(),
		rule.TransactionPOSEntryMode:       posEntryModes{}.Members(),
		rule.TransactionTerminalType:       terminalTypes{}.Members(),
		rule.TransactionCardholderPresence: cardholderPresences{}.Members(),
		rule.CardCardLevel:                 cardLevels{}.Members(),
		rule.CardFormFactor:                formFactors{}.Members(),
		rule.CardOwnershipType:             cardOwnerships{}.Members(),
		rule.CardStatus:                    cardStatuses{}.Members(),
		rule.ProductCardType:               cardTypes{}.Members(),
		rule.ProductBrand:                  brands{}.Members(),
		rule.CustomerType:                  customerTypes{}.Members(),
		rule.CustomerKYCLevel:              kycLevels{}.Members(),
		rule.CustomerStatus:                customerStatuses{}.Members(),
		rule.IssuanceRenewalReason:         renewalReasons{}.Members(),
	} {
		var got []api.Member
		for _, v := range id.Field().Values {
			got = append(got, api.Member{Code: v.Code, Name: v.Name})
		}
		if !slices.Equal(got, members) {
			t.Errorf("%s: rules have %v, the API %v", id, got, members)
		}
	}
	for digits, name := range pinCapabilities {
		if !slices.ContainsFunc(rule.TransactionTerminalPINCapability.Field().Values, func(v rule.Value) bool {
			return v.Name == name && fmt.Sprint(v.Code) == digits
		}) {
			t.Errorf("rules have no PIN capability %s", name)
		}
	}
}

func TestRuleFields_areDescribedInTheCallersLanguage(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	for _, context := range rule.Contexts() {
		for language, label := range map[string]string{"en": "Customer number", "tr": "Müşteri numarası"} {
			out := w.send(http.MethodGet, rulePath+"/fields?context="+string(context), map[string]string{"Accept-Language": language}, "")
			var fields []queryBuilderField
			if err := json.Unmarshal(out.Body.Bytes(), &fields); err != nil || out.Code != http.StatusOK {
				t.Fatalf("%s: %d %s", context, out.Code, out.Body)
			}
			if len(fields) != len(rule.Fields(context)) {
				t.Errorf("%s: %d fields", context, len(fields))
			}
			for _, f := range fields {
				if f.Label == "" || f.Group == "" || len(f.Operators) == 0 || !slices.Contains(f.Contexts, string(context)) || f.Type == "enum" && len(f.Values) == 0 {
					t.Errorf("%s: %+v", context, f)
				}
				if f.Field == "customer.no" && f.Label != label {
					t.Errorf("%s calls it %s", language, f.Label)
				}
			}
		}
	}
}

func TestNamedLists_takeAsManyValuesAsTheyMay(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		values := make([]string, control.ListValuesMax)
		for i := range values {
			values[i] = fmt.Sprintf("%q", fmt.Sprintf("merchant-%055d", i))
		}
		all := strings.Join(values, ",")
		if out := w.send(http.MethodPost, rulePath+"/list", nil, `{"code": "ALL", "name": "All", "values": [`+all+`]}`); out.Code != http.StatusOK {
			t.Fatalf("%d %.300s", out.Code, out.Body)
		}
		out := w.send(http.MethodPut, rulePath+"/list/ALL", nil, `{"name": "All", "values": [`+all+`,"one more"]}`)
		if out.Code != http.StatusBadRequest || !strings.Contains(out.Body.String(), `"values"`) {
			t.Errorf("one more: %d %.300s", out.Code, out.Body)
		}
		out = w.send(http.MethodPost, rulePath+"/evaluate", nil,
			fmt.Sprintf(`{"context": "Velocity", "rule": "merchant.name.in_list('ALL')", "facts": {"merchant.name": "merchant-%d"}}`, 7))
		if out.Code != http.StatusOK || !strings.Contains(out.Body.String(), `"result":false`) {
			t.Errorf("%d %s", out.Code, out.Body)
		}
	})
}

// What rules, limits and replays tell of single transactions is for those who may read
// transactions.
func TestTransactions_areToldToThoseWhoMayReadThem(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	c := access.System(w.tenants["main"])
	_, created, err := w.services.Access.CreateClient(t.Context(), c, access.ClientChange{
		Name: "rules", Permissions: []string{access.IssuingAuthorizationControl, access.IssuingAuthorizationControlManage, access.IssuingVelocity},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.clients["main"] = created
	const some = "01890a5d-ac96-774b-bcce-b302099a8057"
	for _, ask := range []struct{ method, path, body string }{
		{http.MethodPost, rulePath + "/evaluate", `{"context": "Velocity", "rule": null, "transactionId": "` + some + `"}`},
		{http.MethodGet, "/api/v1/issuing/velocity-control/card/9792060000000001/limits/DAY/transaction", ""},
		{http.MethodGet, "/api/v1/issuing/replay/" + some + "/difference", ""},
	} {
		out := w.send(ask.method, ask.path, nil, ask.body)
		if out.Code != http.StatusForbidden || !strings.Contains(out.Body.String(), access.IssuingTransaction) {
			t.Errorf("%s: %d %s", ask.path, out.Code, out.Body)
		}
	}
}

// What a stored transaction tells is what rules are asked about, with its card,
// product and customer; what it does not tell is named.
func TestEvaluateRule_onAStoredTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.furnish(d)
		transaction := w.Names["transactionId"]
		type evaluation struct {
			Result        bool
			UnknownFields []string
		}
		evaluate := func(text string) evaluation {
			t.Helper()
			body, err := json.Marshal(map[string]string{"context": "Authorization", "action": "Approve", "rule": text, "transactionId": transaction})
			if err != nil {
				t.Fatal(err)
			}
			out := w.send(http.MethodPost, rulePath+"/evaluate", nil, string(body))
			var answer evaluation
			if err := json.Unmarshal(out.Body.Bytes(), &answer); err != nil || out.Code != http.StatusOK {
				t.Fatalf("%s: %d %s", text, out.Code, out.Body)
			}
			return answer
		}
		for _, text := range []string{
			`transaction.amount == decimal("12.50")`, `transaction.billingAmount == decimal("12.5")`, `transaction.transactionCurrency == "TRY"`,
			`transaction.isCurrencyConversion == false`, `transaction.code == "Purchase"`, `transaction.flowCode == "AuthorizationRequest"`,
			`transaction.network == "Troy"`, `time.localDate == date("2026-03-31")`, `time.localHour == 12`, `time.localTime == time("12:00")`,
			`time.dayOfWeek == 2`, `time.dayOfMonth == 31`, `card.bin == "979209"`, `card.formFactor == "Virtual"`, `card.ownershipType == "Main"`,
			`card.ageInDays == 0`, `card.daysToExpiry == 1826`, `!card.isNoname`, `card.status == "Active"`, `product.code == "TREASURE_P"`,
			`product.groupCode == "TREASURE_G"`, `product.cardType == "Prepaid"`, `product.brand == "Troy"`, `product.currencyCode == "TRY"`,
			`customer.no == "7770000017"`, `customer.type == "Individual"`, `customer.segmentCode == "TREASURE_S"`, `customer.kycLevel == "Verified"`,
			`customer.age == 46`, `customer.nationality == "TR"`, `customer.status == "Active"`, `customer.ageOfRelationDays == 0`,
			`card.bin == "979209" && !(transaction.mcc.is_empty())`, `!transaction.isRecurring && !transaction.isCredentialOnFile`,
			`!transaction.isMerchantInitiated && !transaction.isTokenised && !transaction.isInstallment && !transaction.isPreAuthorization`,
			`transaction.walletType.is_null() && security.eci.is_null() && !security.is3dsAuthenticated`,
			`transaction.mccGroup.contains_any(["RETAIL", "OTHER_STORES"]) || !transaction.mccGroup.is_empty()`,
		} {
			if got := evaluate(text); !got.Result || len(got.UnknownFields) > 0 && !strings.Contains(text, "is_null") {
				t.Errorf("%s: %+v", text, got)
			}
		}
		got := evaluate("counter.card.count.`1h` > 0 && security.liabilityShift && security.cavvResult == \"0\"")
		if want := []string{"security.cavvResult", "security.liabilityShift", "counter.card.count.1h"}; got.Result || !slices.Equal(got.UnknownFields, want) {
			t.Errorf("%+v", got)
		}
	})
}
