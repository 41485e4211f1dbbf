package app

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/api/platform"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/list"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/program"
	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/emv"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// messageTypes are the messages that a terminal sends by itself.
var messageTypes = map[authorization.Flow]iso8583.MTI{
	authorization.AuthorizationRequest: iso8583.AuthorizationRequest, authorization.FinancialRequest: iso8583.FinancialRequest,
	authorization.AuthorizationAdvice: iso8583.AuthorizationAdvice, authorization.FinancialAdvice: iso8583.FinancialAdvice,
}

// compose makes the message of a use of a card: as a terminal makes it, and over
// that what the tester has chosen.
func (t *tester) compose(ctx context.Context, c access.Caller, in platform.Simulation, k issuing.ClearCard, card *sim.Card) (*sim.Request, error) {
	cfg, err := t.Programs.Configuration(ctx, c.Tenant)
	if err != nil {
		return nil, err
	}
	choice, err := chipChoice(in, k)
	if err != nil {
		return nil, err
	}
	payment := sim.Payment{
		MTI: messageTypes[in.Flow], Kind: sim.Kind(in.Processing), Amount: in.Amount, Entry: sim.Entry(in.EntryMode), PIN: in.PIN,
		CVV2: in.CVV2, Chip: choice,
	}
	if in.Flow.IsAdvice() {
		payment.Reason = "00" // what the network has answered in our place
	}
	if in.ForceCVC == "N" && !k.CVV2.IsZero() {
		payment.CVV2 = otherDigits(k.CVV2)
	}
	reads := payment.Entry.Reads()
	if in.ForceCVC == "S" || reads != sim.ReadsNumber {
		payment.CVV2 = secret.Value{}
	}
	r, err := t.terminal(in, cfg.Tenant.Zone, c.Ahead).Use(card, payment)
	if errors.Is(err, sim.ErrCounterUsedUp) {
		return nil, platform.ErrChipUsedUp
	}
	if err != nil {
		return nil, err
	}
	m := r.Message
	t.sign(in, m)
	if err := money54(in, m); err != nil {
		return nil, err
	}
	if err := t.convert(ctx, c, in, cfg, k, m); err != nil {
		return nil, err
	}
	if err := private(in, reads, m); err != nil {
		return nil, err
	}
	if reads != sim.ReadsNumber {
		if err := track(in, k, m); err != nil {
			return nil, err
		}
	}
	if in.Expires != nil && reads == sim.ReadsNumber {
		m.SetText(iso8583.ExpirationDate, in.Expires.YYMM())
	}
	spoilChip(in, m)
	return r, nil
}

// terminal is the place where the card is used.
func (t *tester) terminal(in platform.Simulation, zone *time.Location, ahead clock.Ahead) *sim.Terminal {
	p := in.Merchant
	return &sim.Terminal{
		Acquirer: t.acquirer, ID: p.TerminalID, Merchant: p.ID, Name: p.Name, City: p.City, Country: p.Country, MCC: p.MCC, Zone: zone,
		Ahead: ahead, Type: p.TerminalType,
	}
}

// chipChoice is what the tester wants of the chip.
func chipChoice(in platform.Simulation, k issuing.ClearCard) (sim.ChipChoice, error) {
	out := sim.ChipChoice{Silent: in.Chip.Unsigned || in.Chip.Data != nil || in.ForceARQC == "NotPresent"}
	if in.Chip.ATC != nil {
		atc := uint16(*in.Chip.ATC)
		out.ATC = &atc
	}
	if in.ForceARQC == "AtcReplay" {
		if k.Card.LastATC <= 0 {
			return out, api.Invalid().OnField("forceArqcResult", "no_atc", "needs a chip that was used before")
		}
		atc := uint16(k.Card.LastATC)
		out.ATC = &atc
	}
	if in.Chip.UN != nil {
		un := [4]byte(in.Chip.UN)
		out.UN = &un
	}
	if in.Chip.TVR != nil {
		tvr := [5]byte(in.Chip.TVR)
		out.TVR = &tvr
	}
	if in.Chip.CVM != nil {
		cvm := [3]byte(in.Chip.CVM)
		out.CVM = &cvm
	}
	return out, nil
}

// sign puts in what the message is known by, and what else was chosen.
func (t *tester) sign(in platform.Simulation, m *iso8583.Message) {
	set := func(field int, text string) {
		if text != "" {
			m.SetText(field, text)
		}
	}
	m.SetText(iso8583.ForwardingInstitutionID, t.forwarder)
	set(iso8583.AcquiringInstitutionID, in.Merchant.AcquirerID)
	set(iso8583.ForwardingInstitutionID, in.Merchant.Forwarding)
	set(iso8583.STAN, in.STAN)
	set(iso8583.RRN, in.RRN)
	set(iso8583.AuthorizationCode, in.AuthorizationCode)
	set(iso8583.POSConditionCode, in.ConditionCode)
	if !in.LocalTime.IsZero() {
		m.SetText(iso8583.LocalTime, in.LocalTime.Format("150405"))
		m.SetText(iso8583.LocalDate, in.LocalTime.Format("0102"))
	}
	if in.PINBlock != nil {
		m.Set(iso8583.PINData, in.PINBlock)
		if in.PINForm == issuing.ISO3Block {
			m.SetText(iso8583.SecurityControl, "0000030000000000") // positions 5 and 6: the format
		}
	}
	if in.Chip.Data != nil {
		m.Set(iso8583.ICCData, in.Chip.Data)
	}
}

// money54 puts in the parts of the amount.
func money54(in platform.Simulation, m *iso8583.Message) error {
	if in.Surcharge != nil {
		m.SetText(iso8583.AmountTransactionFee, fmt.Sprintf("D%08d", in.Surcharge.Minor()))
	}
	if in.Settlement != nil {
		m.SetNumber(iso8583.AmountSettlement, in.Settlement.Minor())
		m.SetText(iso8583.SettlementCurrency, in.Settlement.Currency().Numeric())
	}
	if in.Cashback == nil {
		return nil
	}
	field, err := iso8583.AppendAdditionalAmount(nil, iso8583.AdditionalAmount{
		AccountType: "00", AmountType: iso8583.Cash, Currency: in.Cashback.Currency().Numeric(), Negative: true, Minor: in.Cashback.Minor(),
	})
	if err != nil {
		return fmt.Errorf("write cash-back: %w", err)
	}
	m.Set(iso8583.AdditionalAmounts, field)
	return nil
}

// convert puts in what the network would have converted: by the tester's amount,
// by its rate, or by what the tenant sells the currency for.
func (t *tester) convert(ctx context.Context, c access.Caller, in platform.Simulation, cfg *program.Configuration, k issuing.ClearCard, m *iso8583.Message) error {
	product, known := cfg.Product(k.ProductCode)
	billing, rate := in.Billing, in.BillingRate
	if billing == nil && !known {
		return nil // no account whose currency it could be
	}
	if billing == nil && rate == "" && (in.Amount.Currency() == product.Currency || in.Amount.IsZero()) {
		return nil
	}
	if billing == nil {
		if rate == "" {
			rates, _, err := t.Programs.ExchangeRates(ctx, c, program.ExchangeRateFilter{
				Base: in.Amount.Currency(), Quote: product.Currency, EffectiveAt: c.Now(t.Clock), Page: list.Page{Limit: 1},
			})
			if err != nil {
				return err
			}
			if len(rates) == 0 {
				return platform.ErrNoExchangeRate.With("base", in.Amount.Currency().Code()).With("quote", product.Currency.Code())
			}
			rate = rates[0].Sell.String()
		}
		converted, err := multiply(in.Amount, rate, product.Currency)
		if err != nil {
			return api.Invalid().OnField("amount", "range", "is out of range when it is converted")
		}
		billing = &converted
		m.SetText(iso8583.RateCardholderBilling, rateField(rate))
	}
	m.SetNumber(iso8583.AmountCardholderBilling, billing.Minor())
	m.SetText(iso8583.BillingCurrency, billing.Currency().Numeric())
	return nil
}

// multiply converts an amount by a decimal rate, half up.
func multiply(a money.Amount, rate string, to money.Currency) (money.Amount, error) {
	amount, ok := new(big.Rat).SetString(a.Decimal())
	factor, isRate := new(big.Rat).SetString(rate)
	if !ok || !isRate {
		return money.Amount{}, fmt.Errorf("no rate")
	}
	return money.Parse(amount.Mul(amount, factor).FloatString(to.Exponent()), to)
}

// rateField is DE10: how many decimals, then seven digits.
func rateField(rate string) string {
	whole, fraction, _ := strings.Cut(rate, ".")
	whole = strings.TrimLeft(whole, "0")
	fraction = fraction[:min(len(fraction), max(0, 7-len(whole)))]
	return fmt.Sprintf("%d%07s", len(fraction), whole+fraction)
}

// private adds the tags of field 48 to what the terminal has put there.
func private(in platform.Simulation, reads sim.Reading, m *iso8583.Message) error {
	tags := append([]byte(nil), m.Bytes(iso8583.PrivateElements)...)
	authorized := ""
	switch {
	case in.PreAuthorization:
		authorized = "1"
	case in.FinalAuthorization, in.PartialApproval:
		authorized = "0"
	}
	if authorized != "" && in.PartialApproval {
		authorized += "1"
	} else if authorized != "" {
		authorized += "0"
	}
	cvv2 := ""
	if !in.CVV2.IsZero() && reads != sim.ReadsNumber && in.ForceCVC != "S" {
		cvv2 = string(in.CVV2.Reveal())
	}
	for _, tag := range []struct {
		number int
		value  string
	}{
		{iso8583.TagCVV2, cvv2}, {iso8583.TagCAVV, in.Remote.CAVV}, {iso8583.TagECI, in.Remote.ECI}, {iso8583.TagRecurring, in.Remote.Recurring},
		{iso8583.TagWallet, in.Remote.Wallet}, {iso8583.TagInstalments, in.Remote.Instalments}, {iso8583.TagPreAuthorization, authorized},
	} {
		if tag.value == "" {
			continue
		}
		var err error
		if tags, err = iso8583.AppendTag(tags, tag.number, []byte(tag.value)); err != nil {
			return fmt.Errorf("write tag %d: %w", tag.number, err)
		}
	}
	if len(tags) > 0 {
		m.Set(iso8583.PrivateElements, tags)
	}
	clear(tags)
	return nil
}

// track puts the chosen values on the track that was read. A card value that is
// to be missing takes the track with it.
func track(in platform.Simulation, k issuing.ClearCard, m *iso8583.Message) error {
	if in.ForceCVC == "S" {
		m.Unset(iso8583.Track2)
		if in.Expires != nil {
			m.SetText(iso8583.ExpirationDate, in.Expires.YYMM())
		}
		return nil
	}
	text := m.Text(iso8583.Track2)
	if !in.Track2.IsZero() {
		text = string(in.Track2.Reveal())
	} else {
		number, rest, _ := strings.Cut(text, "=")
		expires, service, data := rest[:4], rest[4:7], rest[7:]
		if in.Expires != nil {
			expires = in.Expires.YYMM()
		}
		if in.ServiceCode != "" {
			service = in.ServiceCode
		}
		value := in.CVV
		if in.ForceCVC == "N" {
			value = otherDigits(read(in, k))
		}
		if old := string(read(in, k).Reveal()); !value.IsZero() {
			at := strings.LastIndex(data, old)
			if at < 0 {
				return fmt.Errorf("the track has no card value")
			}
			data = data[:at] + string(value.Reveal()) + data[at+len(old):]
		}
		text = number + "=" + expires + service + data
	}
	parsed, err := pan.ParseTrack2(text)
	if err != nil {
		return api.Invalid().OnField("track2", "malformed", "is not a track")
	}
	if parsed.PAN() != k.Number {
		return api.Invalid().OnField("track2", "other_card", "is of another card")
	}
	m.SetText(iso8583.Track2, text)
	return nil
}

// read is the card value on the track that the terminal reads.
func read(in platform.Simulation, k issuing.ClearCard) secret.Value {
	if sim.Entry(in.EntryMode).Reads() == sim.ReadsChip {
		return k.ICVV
	}
	return k.CVV
}

// forcedOf is what the tester wants of the platform, since no bytes can make it.
func forcedOf(in platform.Simulation) authorization.Forced {
	f := authorization.Forced{HSMFails: in.ForceARQC == "HsmError"}
	if in.ForceARQC == "Valid" {
		f.ARQC = authorization.Match
	}
	wanted := map[string]authorization.Result{"M": authorization.Match, "P": authorization.Unusable}[in.ForceCVC]
	if sim.Entry(in.EntryMode).Reads() == sim.ReadsNumber {
		f.CVV2 = wanted
	} else {
		f.CVV = wanted
	}
	return f
}

// spoilChip makes the cryptogram wrong where that is asked for.
func spoilChip(in platform.Simulation, m *iso8583.Message) {
	if in.ForceARQC != "Invalid" {
		return
	}
	field := append([]byte(nil), m.Bytes(iso8583.ICCData)...)
	r := emv.Read(field)
	for r.Next() {
		if v := r.Value(); r.Tag() == emv.Cryptogram && len(v) > 0 {
			v[len(v)-1] ^= 0xFF
		}
	}
	m.Set(iso8583.ICCData, field)
}
