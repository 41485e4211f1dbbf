package program

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// hashVersion is the first byte of what [Configuration.hash] hashes. A change
// of the encoding needs a new one.
const hashVersion = 2

// hash is the SHA-256 of the configuration in hexadecimal.
//
// What is hashed: the byte 0x02, then one field after another. A field is its
// length as uint32 big endian and its bytes: text in UTF-8, numbers in decimal,
// booleans as 0 or 1, times as microseconds since 1970, amounts as minor units
// and currency code. A list is its length as a field and then its elements; a
// map is a list of key and value in key order; something absent is a field of
// length 0xFFFFFFFF without bytes.
//
// The order is: tenant, attributes, conversion, BINs, ranges, groups, products, keys, each
// with the members in the order of the functions below. Left out are the
// version itself, stamps, authors and times of writing, and how much of a
// range is used: two configurations of one hash decide alike.
func (c *Configuration) hash() string {
	h := sha256.New()
	h.Write([]byte{hashVersion})
	e := encoder{h}
	t := c.Tenant
	zone := ""
	if t.Zone != nil {
		zone = t.Zone.String()
	}
	e.text(t.ID.String(), zone, t.Language, string(t.Environment), t.DefaultCurrency.Code())
	e.flag(t.IsActive)
	e.attributes(c.Attributes)
	e.conversion(c.Conversion)
	encodeMap(e, c.BINs, encoder.bin)
	encodeMap(e, c.Ranges, encoder.binRange)
	encodeMap(e, c.Groups, encoder.group)
	encodeMap(e, c.Products, encoder.product)
	encodeMap(e, c.Keys, encoder.keySet)
	return hex.EncodeToString(h.Sum(nil))
}

// encoder writes the fields of the encoding into a hash.
type encoder struct{ h hash.Hash }

func (e encoder) text(fields ...string) {
	var n [4]byte
	for _, f := range fields {
		binary.BigEndian.PutUint32(n[:], uint32(len(f)))
		e.h.Write(n[:])
		e.h.Write([]byte(f))
	}
}

func (e encoder) absent() { e.h.Write([]byte{0xFF, 0xFF, 0xFF, 0xFF}) }

func (e encoder) number(values ...int) {
	for _, n := range values {
		e.text(strconv.Itoa(n))
	}
}

func (e encoder) flag(values ...bool) {
	for _, v := range values {
		if v {
			e.text("1")
		} else {
			e.text("0")
		}
	}
}

func (e encoder) amount(a *money.Amount) {
	if a == nil {
		e.absent()
		return
	}
	e.text(strconv.FormatInt(a.Minor(), 10), a.Currency().Code())
}

func (e encoder) time(t *time.Time) {
	if t == nil {
		e.absent()
		return
	}
	e.text(strconv.FormatInt(t.UnixMicro(), 10))
}

func encodeMap[V any](e encoder, m map[string]V, value func(encoder, V)) {
	e.number(len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		e.text(k)
		value(e, m[k])
	}
}

func encodeList[T ~string](e encoder, list []T) {
	e.number(len(list))
	for _, v := range list {
		e.text(string(v))
	}
}

func (e encoder) plain(s string) { e.text(s) }

func (e encoder) attributes(a Attributes) {
	e.text(string(a.BalanceMode), string(a.StandIn.Action))
	e.amount(a.StandIn.AmountPerTransaction)
	e.amount(a.StandIn.AmountPerDay)
	encodeList(e, a.StandIn.MCCExclusions)
	e.text(strconv.FormatInt(a.ClientTimeout.Milliseconds(), 10))
	e.flag(a.PINCounterDailyReset)
	e.number(a.PINSMSCoolingHours, a.PINSMSDailyLimit, a.LostReactivationHours)
	e.flag(a.ActivateOnFirstPIN, a.AllowRecurringWhenInactive, a.ChildPolicyCapped, a.UniqueMobilePhone)
	e.number(int(a.WeekStart))
	e.text(a.HolidayCalendarCode)
	e.amount(a.MaxContactlessLimit)
	e.number(a.UndeliveredCancelDays)
	e.flag(a.AllowFeeShortfall)
	e.number(len(a.TaxRates))
	for _, r := range a.TaxRates {
		e.text(r.TaxType, strconv.FormatInt(int64(r.Rate), 10), r.EffectiveFrom)
	}
	e.number(a.HoldExpiryDays.Default, a.HoldExpiryDays.PreAuth, a.HoldExpiryDays.HotelCar, a.HoldExpiryDays.ATM)
	e.number(len(a.ClearingTolerances.ByMCC))
	for _, t := range a.ClearingTolerances.ByMCC {
		e.text(t.Name)
		encodeList(e, t.MCCs)
		e.text(strconv.FormatInt(int64(t.Rate), 10))
	}
	e.text(strconv.FormatInt(int64(a.ClearingTolerances.FX), 10))
	e.amount(a.ClearingTolerances.RefundAlert)
	e.text(a.SettlementCutOff)
	e.number(a.DetokenizeDailyQuota)
	encodeMap(e, a.ResponseCodeMap, encoder.plain)
	encodeMap(e, a.SMSTemplates, encoder.plain)
	e.flag(a.AllowClearSensitive)
	e.number(a.DigitalSlipRetentionMonths)
}

func (e encoder) conversion(v CurrencyConversion) {
	e.text(string(v.Source), string(v.Rounding))
	e.number(len(v.Markups))
	for _, m := range v.Markups {
		e.text(m.Group)
		e.currencies(m.Currencies)
		e.text(strconv.FormatInt(int64(m.Rate), 10))
	}
	e.currencies(v.BillingCurrencies)
}

func (e encoder) currencies(list []money.Currency) {
	e.number(len(list))
	for _, c := range list {
		e.text(c.Code())
	}
}

func (e encoder) bin(b BIN) {
	e.text(string(b.Brand), string(b.Network), string(b.CardType), string(b.CardLevel), b.Currency.Code(), b.Country.Alpha2())
	e.number(b.PANLength)
	e.text(b.SponsorName, b.NetworkMemberID, b.KeySetCode)
	e.flag(b.ThreeDS, b.Tokenization)
	e.text(string(b.Status))
}

func (e encoder) binRange(r BINRange) {
	e.text(r.Name, r.BIN, r.Start, r.End, string(r.Generation))
	e.number(r.AlertThresholdPercent)
	e.text(string(r.Status))
}

func (e encoder) group(g Group) {
	e.text(g.Name, g.Description)
	e.flag(g.IsActive)
}

func (e encoder) product(p Product) {
	e.text(p.Name, p.Description, p.GroupCode, p.BINRangeCode, string(p.CardType), string(p.CardLevel), p.Currency.Code())
	encodeList(e, p.CustomerTypes)
	encodeList(e, p.FormFactors)
	e.number(p.ValidityMonths, p.RenewalLeadDays, p.RenewalOverlapDays)
	e.text(string(p.AutoRenewal))
	e.flag(p.KeepPANOnExpiryRenewal)
	e.number(p.AutoRenewalInactivityMonths)
	e.text(string(p.InitialStatusPhysical), string(p.InitialStatusVirtual))
	e.flag(p.RequireDelivery)
	e.text(p.ServiceCode, p.ChipProfile)
	e.flag(p.ContactlessEnabled, p.MagstripeEnabled)
	if l := p.ContactlessLimit; l == nil {
		e.absent()
	} else {
		e.amount(&l.Transaction)
		e.amount(l.Cumulative)
		if l.ConsecutiveCount == nil {
			e.absent()
		} else {
			e.number(*l.ConsecutiveCount)
		}
	}
	e.number(p.PINLength)
	e.flag(p.PINRequired)
	encodeList(e, p.PINDeliveries)
	e.number(p.PINTryLimit, p.CVV2TryLimit)
	e.flag(p.CVV2ResetOnSuccess, p.DynamicCVV2, p.ThreeDSEnrolled, p.TokenizationAllowed, p.InstallmentAllowed)
	e.text(string(p.DigitalSlip))
	e.number(p.MaxCardsPerCustomer, p.MaxChildCards, p.MinAge, p.ChildMinAge, int(p.MinKYCLevel))
	e.flag(p.EmbossNameRequired)
	e.number(len(p.Plastics))
	for _, v := range p.Plastics {
		e.text(v.Code, v.CardArtCode, v.PlasticCode, v.CarrierCode, v.PersoVendorCode, v.CourierCode)
		encodeList(e, v.DeliveryMethods)
		e.number(v.Line1MaxLength, v.Line2MaxLength)
		e.text(string(v.EmbossType), v.LanguageCode)
		e.flag(v.IsDefault, v.IsActive, v.ExpressAvailable)
	}
	e.number(len(p.Policies))
	for _, v := range p.Policies {
		e.text(string(v.Type))
		e.flag(v.IsAllowed, v.IsLocked)
		e.time(v.StartsAt)
		e.time(v.EndsAt)
	}
	e.text(string(p.Status))
}

func (e encoder) keySet(k KeySet) {
	for _, slot := range keySlots {
		e.key(*slot.at(&k))
	}
}

// key encodes what a key is, not its block: wrapping it anew changes nothing.
func (e encoder) key(r hsm.KeyRef) {
	if r.IsZero() {
		e.absent()
		return
	}
	e.text(r.ID, string(r.Usage), string(r.Algorithm), string(r.Mode), r.Version, r.KCV)
	e.flag(r.Test)
}
