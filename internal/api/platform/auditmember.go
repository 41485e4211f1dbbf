package platform

import (
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// definitions are what the parts of a tenant's configuration look like on the
// wire, by what the audit record calls them.
var definitions = map[string]reflect.Type{
	"Product":            reflect.TypeFor[cardProductDetail](),
	"Group":              reflect.TypeFor[cardProductGroup](),
	"BinRange":           reflect.TypeFor[cardBinRange](),
	"Art":                reflect.TypeFor[cardArt](),
	"Bin":                reflect.TypeFor[cardBin](),
	"IssuingAttribute":   reflect.TypeFor[tenantIssuingAttribute](),
	"ExchangeRate":       reflect.TypeFor[exchangeRate](),
	"CurrencyConversion": reflect.TypeFor[currencyConversion](),
	"TransactionFee":     reflect.TypeFor[transactionFee](),
	"CardIssuanceFee":    reflect.TypeFor[cardIssuanceFee](),
	"CardAnnualFee":      reflect.TypeFor[cardAnnualFee](),
	"TransactionFeeLink": reflect.TypeFor[feeLink](),
	"IssuanceFeeLink":    reflect.TypeFor[feeLink](),
	"AnnualFeeLink":      reflect.TypeFor[feeLink](),
	"VelocityCheck":      reflect.TypeFor[velocityCheck](),
	"VelocityLink":       reflect.TypeFor[velocityLink](),
	"CardVelocity":       reflect.TypeFor[cardVelocity](),
	"AuthorizationCheck": reflect.TypeFor[authorizationCheck](),
	"AuthorizationLink":  reflect.TypeFor[authorizationCheckLink](),
	"NamedList":          reflect.TypeFor[namedList](),
}

// otherNames are the fields that domains and wire structs name differently, by
// the property of the audit record.
var otherNames = map[reflect.Type]map[string]string{
	reflect.TypeFor[cardProductDetail](): {"chipProfile": "ChipProfileCode", "plastics": "Physicals"},
	reflect.TypeFor[cardPolicySwitch]():  {"type": "PolicyType", "isLocked": "Locked", "startsAt": "StartDate", "endsAt": "EndDate"},
	reflect.TypeFor[cardBinRange]():      {"alertThresholdPercent": "AlertThreshold"},
	reflect.TypeFor[tenantIssuingAttribute](): {
		"standIn": "StandInPolicy", "clientTimeout": "ClientTimeoutMS", "digitalSlipRetentionMonths": "SlipRetentionMonths",
	},
	reflect.TypeFor[standInPolicy](): {"amountPerTransaction": "AmountPerTxn"},
	reflect.TypeFor[transactionFee](): {
		"startsAt": "StartDate", "endsAt": "EndDate", "group": "FeeGroup", "type": "AdditionalAmountType", "currency": "CurrencyCode",
		"calculation": "CalculationType", "fixed": "FixedAmount", "min": "MinAmount", "max": "MaxAmount", "base": "BaseAmount",
		"timing": "ChargeTiming", "onDeclined": "ApplyOnDeclined",
	},
	reflect.TypeFor[feeTier](): {"from": "FromAmount", "to": "ToAmount", "fixed": "FixedAmount"},
	reflect.TypeFor[feeTax]():  {"type": "TaxType"},
	reflect.TypeFor[cardIssuanceFee](): {
		"startsAt": "StartDate", "endsAt": "EndDate", "currency": "CurrencyCode", "freePerYear": "FreeCountPerCalendarYear",
		"timing": "ChargeTiming", "refundsCancellation": "RefundIfCancelledBeforeProduction",
	},
	reflect.TypeFor[cardAnnualFee](): {
		"startsAt": "StartDate", "endsAt": "EndDate", "currency": "CurrencyCode", "timing": "ChargeTiming", "freeFirst": "FreeFirstYear",
		"waiverSpend": "WaiverMinAnnualSpend", "waiverCount": "WaiverMinTransactionCount", "instalments": "InstallmentCount",
		"proRata": "ProRataRefundOnClose",
	},
	reflect.TypeFor[feeLink](): linkNames("FeeCode"),
	reflect.TypeFor[velocityCheck](): {
		"startsAt": "StartDate", "endsAt": "EndDate", "currency": "CurrencyCode", "level": "AccumulationLevel", "refunds": "RefundHandling",
		"declineCode": "DeclineReasonCode", "onExceed": "ActionOnExceed", "allowsOverride": "AllowOverride",
		"limits.amount": "MaxAmount", "limits.count": "MaxCount", "span.length": "WindowLength", "span.unit": "WindowUnit",
		"overrideMax.amount": "OverrideMaxAmount", "overrideMax.count": "OverrideMaxCount",
	},
	reflect.TypeFor[velocityLink](): linkNames("VelocityCheckCode"),
	reflect.TypeFor[cardVelocity](): {
		"check": "VelocityCheckCode", "startsAt": "StartDate", "endsAt": "EndDate", "limits.amount": "MaxAmount", "limits.count": "MaxCount",
	},
	reflect.TypeFor[authorizationCheck](): {
		"startsAt": "StartDate", "endsAt": "EndDate", "flows": "FlowCodes", "mode": "EvaluationMode",
	},
	reflect.TypeFor[controlSchedule]():        {"days": "DaysOfWeek"},
	reflect.TypeFor[authorizationCheckLink](): linkNames("AuthorizationCheckCode"),
	reflect.TypeFor[namedList]():              {"type": "ValueType", "count": "ValueCount"},
	reflect.TypeFor[transactionCriteria](): {
		"flows": "FlowCodes", "entryModes": "PosEntryModes", "presences": "CardholderPresences", "exceptMCCs": "ExcludeMCCs",
		"exceptCountries": "ExcludeCountries",
	},
	reflect.TypeFor[conversionMarkup](): {"rate": "Percent"},
}

// linkNames are the other names of a link whose member parent says what it ties.
func linkNames(parent string) map[string]string {
	return map[string]string{"parent": parent, "type": "LinkType", "code": "LinkCode", "startsAt": "StartDate", "endsAt": "EndDate"}
}

// encodeChange names what changed of a definition as the contract does. What is
// no definition stays as the record names it.
func encodeChange(entity string, c audit.Change) auditChange {
	out := auditChange{c.Property, c.Old, c.New}
	dto, isDefinition := definitions[entity]
	if !isDefinition {
		return out
	}
	if name, known := memberPath(dto, c.Property); known {
		out.Property = name
	}
	switch last := out.Property[strings.LastIndex(out.Property, ".")+1:]; {
	case last == "clientAuthTimeoutMs":
		out.OldValue, out.NewValue = inMilliseconds(c.Old), inMilliseconds(c.New)
	case entity != "ExchangeRate" && (last == "rate" || last == "percent" || last == "fx"):
		out.OldValue, out.NewValue = inPercent(c.Old), inPercent(c.New)
	}
	return out
}

// memberPath turns the path of a domain's field into that of its member in a
// wire struct: plastics[0].cardArtCode is physicals[0].cardArtCode.
func memberPath(dto reflect.Type, property string) (path string, known bool) {
	for dto.Kind() == reflect.Pointer || dto.Kind() == reflect.Slice {
		dto = dto.Elem()
	}
	if dto.Kind() == reflect.Map { // its keys are data
		return property, true
	}
	if _, isOneMember := otherNames[dto][property]; isOneMember { // what lies deeper in the domain
		field, known := memberField(dto, property)
		path, _, _ = strings.Cut(field.Tag.Get("json"), ",")
		return path, known
	}
	word, rest, deeper := strings.Cut(property, ".")
	word, index, isIndexed := strings.Cut(word, "[")
	field, known := memberField(dto, word)
	if !known {
		return "", false
	}
	path, _, _ = strings.Cut(field.Tag.Get("json"), ",")
	if isIndexed {
		path += "[" + index
	}
	if !deeper {
		return path, true
	}
	rest, known = memberPath(field.Type, rest)
	return path + "." + rest, known
}

// memberField finds the field of a wire struct for one word of a property.
func memberField(dto reflect.Type, word string) (reflect.StructField, bool) {
	if dto.Kind() != reflect.Struct {
		return reflect.StructField{}, false
	}
	if other, is := otherNames[dto][word]; is {
		return dto.FieldByName(other)
	}
	return dto.FieldByNameFunc(func(name string) bool { return strings.EqualFold(name, word) })
}

// inPercent is a rate, which the record writes in parts per million, as the
// contract writes it.
func inPercent(text *string) *string {
	if text == nil {
		return nil
	}
	ppm, err := strconv.ParseInt(*text, 10, 64)
	if err != nil {
		return text
	}
	out := string(percentOf(money.Rate(ppm)))
	return &out
}

// inMilliseconds is a duration as the record writes it, in milliseconds.
func inMilliseconds(text *string) *string {
	if text == nil {
		return nil
	}
	d, err := time.ParseDuration(*text)
	if err != nil {
		return text
	}
	out := strconv.FormatInt(d.Milliseconds(), 10)
	return &out
}
