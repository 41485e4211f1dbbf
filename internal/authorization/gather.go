package authorization

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// gather reads and computes everything that cannot change under our feet: the
// configuration, the card, and what its cryptography says. It holds no lock.
func (e *Engine) gather(ctx context.Context, req *Request) (*Facts, error) {
	moment := clock.RealNow(e.clock)
	f := &Facts{
		Transaction: id.New[Transaction](moment.Time()), Now: moment.Time(), BusinessOn: clock.DateOf(moment.Time(), time.UTC),
		Billing: req.Amount, ClearingModel: e.clearingModel(req.Link), network: req.Network,
		Hold: id.New[ledger.Hold](moment.Time()), Entry: id.New[ledger.Entry](moment.Time()),
		AuthorizationCode: newAuthorizationCode(),
	}
	var err error
	if f.fingerprint, err = e.fingerprint(ctx, req); err != nil {
		return nil, err
	}
	cfg, bin, found, err := e.programs.Route(ctx, req.Card.PAN)
	if err != nil {
		return nil, fmt.Errorf("route: %w", err)
	}
	if !found {
		return f, nil
	}
	f.Tenant, f.TenantActive = cfg.Tenant.ID, cfg.Tenant.IsActive
	controls, err := e.configure(ctx, f, cfg)
	if err != nil {
		return nil, fmt.Errorf("read controls: %w", err)
	}
	now := cfg.Tenant.Ahead.At(moment)
	f.Now, f.BusinessOn, f.ahead = now, clock.DateOf(now, cfg.Tenant.Zone), cfg.Tenant.Ahead
	f.codes = cfg.Attributes.ResponseCodeMap
	cards, err := e.reader.read(ctx, cfg.Tenant.ID, req.Card.PAN)
	if err != nil {
		return nil, fmt.Errorf("find card: %w", err)
	}
	if len(cards) == 0 {
		return f, nil
	}
	for _, c := range cards {
		f.plastics = append(f.plastics, c.Card.ID)
	}
	card := choose(cards, req)
	product, known := cfg.Product(card.Card.ProductCode)
	keys, keyed := cfg.KeysOf(bin)
	if !known || !keyed {
		return f, fmt.Errorf("%w: product %s of card %s", errNotConfigured, card.Card.ProductCode, card.Card.ID)
	}
	f.Card, f.name, f.found = cardFacts(card, cfg, now), card.Name(), card
	f.slipMonths = cfg.Attributes.DigitalSlipRetentionMonths
	f.Card.Network, f.Card.Country = string(bin.Network), bin.Country.Alpha2()
	f.Product = productFacts(product)
	f.tellsPIN = slices.Contains(product.PINDeliveries, program.PINBySMS)
	f.HoldExpires = now.AddDate(0, 0, holdDays(cfg.Attributes.HoldExpiryDays, req))
	f.bill(req, product.Currency)
	f.Client = clientFacts(cfg, product, card, req, moment, e.within)
	if req.Flow.IsReversal() {
		return f, nil
	}
	if req.IsIncrement || req.Flow.IsAdvice() {
		if f.Candidate, err = e.findOpen(ctx, f, req); err != nil {
			return nil, fmt.Errorf("find original: %w", err)
		}
	}
	f.queueing = e.beside.compute(func() {
		watch := clock.StartStopwatch()
		err = e.judge(ctx, req, f, card.Card, keys)
		if req.bringsSecrets() {
			f.judging = watch.Elapsed()
		}
	})
	if err != nil {
		return f, err
	}
	if err := e.force(req, f, cfg.Tenant.Environment); err != nil {
		return f, err
	}
	if f.Subject, err = e.subjectFacts(ctx, card, cfg, product, now); err != nil {
		return f, err
	}
	if controls != nil && controls.ReadsUses() {
		if f.Uses, err = e.useFacts(ctx, f); err != nil {
			return f, err
		}
	}
	return f, e.bind(ctx, req, f, cfg, controls)
}

// errNotConfigured says that a card is newer than the configuration it was
// looked up in.
var errNotConfigured = errors.New("not in the configuration")

// fingerprint identifies what a message is about, for telling a repeat from a
// different message under the same key.
func (e *Engine) fingerprint(ctx context.Context, req *Request) (string, error) {
	return e.cards.Fingerprint(ctx, req.Card.PAN, req.ProcessingCode+"|"+
		strconv.FormatInt(req.Amount.Minor(), 10)+"|"+req.Amount.Currency().Code())
}

// choose picks the plastic a message is about: by expiry, then by sequence
// number; so an old plastic that is still valid keeps working beside its
// renewal. What the message leaves open is the plastic in force; when none
// fits, that one is judged (and will fail its expiry).
func choose(cards []issuing.CardOnNetwork, req *Request) issuing.CardOnNetwork {
	best, score := cards[0], -1
	for _, c := range cards {
		n := 0
		if req.Expiry != "" && c.Card.Expires.YYMM() == req.Expiry {
			n += 4
		}
		if req.PSN != "" && c.Card.PSN == req.PSN {
			n += 2
		}
		if c.Issuance.CurrentCard == c.Card.ID {
			n++
		}
		if n > score {
			best, score = c, n
		}
	}
	return best
}

func cardFacts(c issuing.CardOnNetwork, cfg *program.Configuration, now time.Time) CardFacts {
	k := CardFacts{
		Found: true, ID: c.Card.ID, Issuance: c.Issuance.ID, Account: c.Issuance.Account,
		ExpiryYYMM: c.Card.Expires.YYMM(), Expired: c.Card.Expires.PassedAt(now, cfg.Tenant.Zone),
		PSN: c.Card.PSN, PINChangedAt: c.Card.PINChangedAt, MayActivate: c.Card.Status == issuing.Pending && c.MayActivate(cfg, now),
		DigitalSlip: string(c.Issuance.DigitalSlipType),
	}
	k.PoliciesOff = policiesOff(c.PoliciesOff(cfg, now))
	k.IsSuperseded = c.IsSuperseded(cfg, now)
	k.RecursWhenInactive = cfg.Attributes.AllowRecurringWhenInactive
	k.ActivatesAtFirstUse = k.MayActivate && cfg.Attributes.ActivateOnFirstPIN
	if c.Customer != nil {
		k.CustomerStatus = string(c.Customer.Status)
	}
	return k
}

func productFacts(p program.Product) ProductFacts {
	f := ProductFacts{
		Code: p.Code, Currency: p.Currency.Code(), PINTryLimit: p.PINTryLimit, CVV2TryLimit: p.CVV2TryLimit,
		CVV2ResetOnSuccess: p.CVV2ResetOnSuccess, ContactlessEnabled: p.ContactlessEnabled,
		ContactlessLimit: -1, ContactlessCumulative: -1, ContactlessCount: -1, InstallmentAllowed: p.InstallmentAllowed,
	}
	if l := p.ContactlessLimit; l != nil {
		f.ContactlessLimit = l.Transaction.Minor()
		if l.Cumulative != nil {
			f.ContactlessCumulative = l.Cumulative.Minor()
		}
		if l.ConsecutiveCount != nil {
			f.ContactlessCount = *l.ConsecutiveCount
		}
	}
	return f
}

// bill finds the amount in the account's currency: as it is, or as the network
// converted it (DE6 in DE51).
func (f *Facts) bill(req *Request, account money.Currency) {
	f.Billing, f.Convertible = money.Zero(account), true
	switch {
	case req.Amount.Currency() == account:
		f.Billing = req.Amount
	case req.Billing != nil && req.Billing.Currency() == account:
		f.Billing = *req.Billing
	case req.Amount.IsZero():
	default:
		f.Convertible = false
	}
}

// holdDays is how long the hold of this request lasts, by what it is.
func holdDays(d program.HoldExpiryDays, req *Request) int {
	mcc, _ := strconv.Atoi(req.MCC)
	switch row := classify(req.ProcessingCode, req.MCC, req.Amount); {
	case row.code == CashWithdrawal:
		return d.ATM
	case mcc == 7011, mcc >= 3351 && mcc <= 3441, mcc >= 3501 && mcc <= 3999, mcc == 7512, mcc == 7513, mcc == 4411:
		return d.HotelCar
	case req.ConditionCode == conditionPreAuth:
		return d.PreAuth
	}
	return d.Default
}

// judge compares every secret that came with the message.
func (e *Engine) judge(ctx context.Context, req *Request, f *Facts, card issuing.Card, keys program.KeySet) error {
	if err := e.judgePIN(ctx, req, f, card, keys); err != nil {
		return err
	}
	if err := e.judgeChip(ctx, req, f, card, keys); err != nil {
		return err
	}
	value := func(kind hsm.CardValueKind, got secret.Value) (Result, error) {
		ok, err := e.hsm.VerifyCardValue(ctx, keys.CVK, kind,
			hsm.CardValueInput{PAN: req.Card.PAN, Expiry: card.Expires.YYMM(), ServiceCode: card.ServiceCode}, got)
		return resultOf(ok), err
	}
	var err error
	if track := req.Card.Track2; !track.IsZero() {
		switch {
		case req.isStripe():
			f.CVV, err = value(hsm.CVV, issuing.CardValueOnTrack(track))
			// A track with another service code is not ours: under 000 or 999
			// the printed or the chip's value would pass for the stripe's.
			if track.ServiceCode() != card.ServiceCode {
				f.CVV = NoMatch
			}
		case req.isChip():
			f.CVV, err = value(hsm.ICVV, issuing.CardValueOnTrack(track))
		}
		if err != nil {
			return fmt.Errorf("verify CVV: %w", err)
		}
	}
	if !req.Card.CVV2.IsZero() {
		if f.CVV2, err = value(hsm.CVV2, req.Card.CVV2); err != nil {
			return fmt.Errorf("verify CVV2: %w", err)
		}
	}
	return nil
}

func resultOf(ok bool) Result {
	if ok {
		return Match
	}
	return NoMatch
}

func (e *Engine) judgePIN(ctx context.Context, req *Request, f *Facts, card issuing.Card, keys program.KeySet) error {
	if len(req.Card.PINBlock) == 0 {
		return nil
	}
	if card.PIN.IsZero() {
		f.PIN = Unusable // decide answers PinNotSet
		return nil
	}
	key := keys.ZPK
	if req.Card.PINFormat == hsm.ISO4 {
		key = keys.ZPKAES
	}
	ok, err := e.hsm.VerifyPIN(ctx, keys.VerifierKey(card.PIN),
		hsm.PINBlock{Block: req.Card.PINBlock, Format: req.Card.PINFormat, PAN: req.Card.PAN, Key: key}, card.PIN)
	switch {
	case errors.Is(err, hsm.ErrFormat):
		f.PIN = Unusable // a block that cannot be opened is a wrong PIN to everyone
	case err != nil:
		return fmt.Errorf("verify PIN: %w", err)
	default:
		f.PIN = resultOf(ok)
	}
	return nil
}

func (e *Engine) judgeChip(ctx context.Context, req *Request, f *Facts, card issuing.Card, keys program.KeySet) error {
	if req.Chip == nil {
		return nil
	}
	f.ARQC = Unusable
	profile, err := program.ChipProfile(card.ChipProfile)
	if err != nil {
		return fmt.Errorf("profile of card %s: %w", card.ID, err)
	}
	iad, err := hsm.ParseIAD(req.Chip.IAD)
	switch {
	case err != nil || !iad.Fits(profile):
		f.ChipDetail = "the issuer application data does not fit the card's profile"
		return nil
	case card.KeyVersion != "" && fmt.Sprintf("%02X", iad.DKI) != card.KeyVersion:
		f.ChipDetail = "the key index is not the card's"
		return nil
	case req.Chip.CID&0xC0 != 0x80 && !req.Flow.IsAdvice():
		f.ChipDetail = "the cryptogram is no authorization request cryptogram"
		return nil
	case !amountIs(req.Chip.AmountAuthorized, req.Amount) || !currencyIs(req.Chip.Currency, req.Amount.Currency()):
		f.ChipDetail = "the chip signed another amount or currency"
		return nil
	}
	f.script = scriptFacts{
		kind: card.Script, sentWith: card.ScriptATC, pin: card.PINBlock, store: keys.PINStore,
		keys: hsm.ScriptKeys{AC: keys.IMKAC, SMI: keys.IMKSMI, SMC: keys.IMKSMC},
	}
	psn := card.PSN
	ok, err := e.hsm.VerifyARQC(ctx, keys.IMKAC, arqcInput(req, profile, psn))
	switch {
	case errors.Is(err, hsm.ErrFormat):
		f.ChipDetail = "the chip data cannot be read"
		return nil
	case err != nil:
		return fmt.Errorf("verify ARQC: %w", err)
	}
	f.profile, f.imk = profile, keys.IMKAC
	if f.ARQC = resultOf(ok); !ok {
		f.ChipDetail = "the cryptogram is wrong"
		return nil
	}
	if req.entry() == "07" {
		f.Tap = tap(req)
	}
	return nil
}

// tap fingerprints a contactless request, without its PIN.
func tap(req *Request) string {
	h := req.Chip
	sum := sha256.Sum256(fmt.Appendf(nil, "%x|%x|%x|%d|%s|%s", h.ARQC, h.ATC, h.UN, req.Amount.Minor(), req.TerminalID, req.CardAcceptorID))
	return hex.EncodeToString(sum[:12])
}

func arqcInput(req *Request, profile hsm.Profile, psn string) hsm.ARQCInput {
	h := req.Chip
	return hsm.ARQCInput{
		Profile: profile, PAN: req.Card.PAN, PSN: psn, ATC: h.ATC, UN: h.UN, AmountAuthorized: h.AmountAuthorized,
		AmountOther: h.AmountOther, Country: h.Country, TVR: h.TVR, Currency: h.Currency, Date: h.Date, Type: h.Type,
		AIP: h.AIP, IAD: h.IAD, ARQC: h.ARQC,
	}
}

// amountIs compares 9F02 (BCD) with DE4.
func amountIs(bcd [6]byte, a money.Amount) bool {
	return hex.EncodeToString(bcd[:]) == fmt.Sprintf("%012d", a.Minor())
}

// currencyIs compares 5F2A (BCD, numeric code) with DE49.
func currencyIs(bcd [2]byte, c money.Currency) bool {
	return hex.EncodeToString(bcd[:]) == "0"+c.Numeric()
}

// codeAlphabet leaves out letters that are misread; authorization codes are
// read aloud.
const codeAlphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

// newAuthorizationCode draws DE38: six characters, unpredictable.
func newAuthorizationCode() string {
	var b [6]byte
	rand.Read(b[:])
	for i := range b {
		b[i] = codeAlphabet[b[i]&31]
	}
	return string(b[:])
}
