package platform

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// Whatever can change of a definition has a name in its wire struct, so that
// who reads the record finds the member in the document.
func TestEncodeChange_everyPropertyIsAMember(t *testing.T) {
	for entity, definition := range map[string]any{
		"Product": program.Product{}, "Group": program.Group{}, "BinRange": program.BINRange{}, "Art": program.CardArt{}, "Bin": program.BIN{},
		"IssuingAttribute": program.Attributes{}, "ExchangeRate": program.ExchangeRate{}, "CurrencyConversion": program.CurrencyConversion{},
		"TransactionFee": fee.OnTransaction{}, "CardIssuanceFee": fee.OnIssuance{}, "CardAnnualFee": fee.Yearly{},
		"VelocityCheck": control.VelocityCheck{}, "AuthorizationCheck": control.AuthorizationCheck{},
		"VelocityLink": control.Link{}, "AuthorizationLink": control.Link{}, "CardVelocity": control.Override{}, "NamedList": control.NamedList{},
	} {
		full := reflect.New(reflect.TypeOf(definition)).Elem()
		fill(full)
		// What the packages leave out is inside only.
		inside := []string{"ID", "Kind", "Target", "Generation", "Founder", "Issuance", "CreatedAt", "CreatedBy", "UpdatedAt", "UpdatedBy"}
		changes := audit.Changes(nil, full.Interface(), inside...)
		if len(changes) < full.NumField()-2-len(inside) { // counts and the record are left out
			t.Errorf("%s: only %d properties", entity, len(changes))
		}
		for _, c := range changes {
			path, known := memberPath(definitions[entity], c.Property)
			if !known {
				t.Errorf("%s: %s is no member", entity, c.Property)
			}
			if _, isOneMember := otherNames[definitions[entity]][c.Property]; isOneMember {
				continue
			}
			if strings.Count(path, ".") != strings.Count(c.Property, ".") || strings.Count(path, "[") != strings.Count(c.Property, "[") {
				t.Errorf("%s: %s became %s", entity, c.Property, path)
			}
			if !regexp.MustCompile(`^[a-z][A-Za-z0-9]*(\[0\])?(\.[a-z][A-Za-z0-9]*(\[0\])?)*$`).MatchString(path) {
				t.Errorf("%s: %s became %q", entity, c.Property, path)
			}
		}
	}
}

// fill gives every field of v a value.
func fill(v reflect.Value) {
	switch v.Interface().(type) {
	case money.Amount:
		v.Set(reflect.ValueOf(money.Must(100, "TRY")))
		return
	case money.Currency:
		v.Set(reflect.ValueOf(money.MustCurrency("TRY")))
		return
	case country.Country:
		v.Set(reflect.ValueOf(country.Must("TR")))
		return
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(1, 0)))
		return
	case access.Record:
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key)
		fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	}
}

func TestEncodeChange_timeoutIsInMilliseconds(t *testing.T) {
	was, is := "2s", "1.5s"
	got := encodeChange("IssuingAttribute", audit.Change{Property: "clientTimeout", Old: &was, New: &is})
	if got.Property != "clientAuthTimeoutMs" || *got.OldValue != "2000" || *got.NewValue != "1500" {
		t.Errorf("got %s from %s to %s", got.Property, *got.OldValue, *got.NewValue)
	}
	got = encodeChange("Card", audit.Change{Property: "clientTimeout", Old: nil, New: &is})
	if got.Property != "clientTimeout" || got.OldValue != nil || *got.NewValue != "1.5s" {
		t.Errorf("what is no definition became %v", got)
	}
}

func TestEncodeChange_ratesAreInPercent(t *testing.T) {
	was, is := "30000", "125"
	for entity, property := range map[string]string{"TransactionFee": "tiers[0].rate", "IssuingAttribute": "taxRates[1].rate"} {
		got := encodeChange(entity, audit.Change{Property: property, Old: &was, New: &is})
		if got.Property != property || *got.OldValue != "3" || *got.NewValue != "0.0125" {
			t.Errorf("got %s from %s to %s", got.Property, *got.OldValue, *got.NewValue)
		}
	}
}
