package app

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/api/platform"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/clearing"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/wire/clearingfile"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

var errNoSuchTransaction = fault.New(fault.NotFound, authorization.TransactionNotFound, "there is no such transaction")

// original is a transaction that something refers to, with its card.
type original struct {
	authorization.ListedTransaction
	card issuing.ClearCard
}

// find reads a transaction of the caller's tenant and opens its card.
func (t *tester) find(ctx context.Context, c access.Caller, f authorization.TransactionFilter, fits func(*authorization.ListedTransaction, issuing.CardName) bool) (original, error) {
	f.Take = 50
	page, _, err := t.Queries.Transactions(ctx, c, f)
	if err != nil {
		return original{}, err
	}
	for i := range page {
		found := &page[i]
		names, err := t.Issuing.CardNames(ctx, c, []id.ID[issuing.Card]{found.Card})
		if err != nil {
			return original{}, err
		}
		name, known := names[found.Card]
		if !known || !fits(found, name) {
			continue
		}
		card, err := t.Issuing.RevealCard(ctx, c, name.Token, name.Sequence)
		return original{*found, card}, err
	}
	return original{}, errNoSuchTransaction
}

func (t *tester) findByID(ctx context.Context, c access.Caller, transaction authorization.TransactionID) (original, error) {
	return t.find(ctx, c, authorization.TransactionFilter{ID: transaction},
		func(*authorization.ListedTransaction, issuing.CardName) bool { return true })
}

// follow makes what is done about one transaction wait for each other until done is
// called: how much of it is left is read before it is taken. The work goes under the
// context that it returns. Of two transactions that share a mutex one waits in vain,
// for no longer than a record takes; the mutex spares those on one node the asking.
func (t *tester) follow(ctx context.Context, c access.Caller, transaction authorization.TransactionID) (_ context.Context, done func(), err error) {
	if transaction.IsZero() {
		return ctx, func() {}, nil
	}
	h := fnv.New32a()
	_, _ = io.WriteString(h, transaction.String()) // never fails
	m := &t.following[h.Sum32()%uint32(len(t.following))]
	m.Lock()
	ctx, end, err := t.Turns.Take(ctx, c, transaction)
	if err != nil {
		m.Unlock()
		return nil, nil, err
	}
	return ctx, func() { end(); m.Unlock() }, nil
}

// isRecord reports whether a transaction came in a clearing file.
func isRecord(t *authorization.Transaction) bool { return t.Message.MTI == "" }

// presented are the clearing records of an original, oldest first.
func (o *original) presented() []authorization.Transaction {
	return slices.DeleteFunc(slices.Clone(o.Related), func(r authorization.Transaction) bool {
		return !isRecord(&r) || r.Original != o.ID || r.Flow != authorization.Clearing
	})
}

// asAsked is an amount of the account in the currency of the transaction, in
// proportion.
func (o *original) asAsked(billing money.Amount) (money.Amount, error) {
	if billing.Currency() == o.Amount.Currency() || o.Billing.IsZero() {
		return billing, nil
	}
	return o.Amount.MulDiv(billing.Minor(), o.Billing.Minor(), money.HalfUp)
}

// reversalCodes are DE39 of a reversal, by its reason.
var reversalCodes = map[string]string{"CustomerCancel": "17", "Malfunction": "22", "SuspectedFraud": "34", "Timeout": tooLate}

// Void implements [platform.Tester].
func (t *tester) Void(ctx context.Context, c access.Caller, in platform.SimulatedVoid) (platform.Simulated, error) {
	ctx, done, err := t.follow(ctx, c, in.Transaction)
	if err != nil {
		return platform.Simulated{}, err
	}
	defer done()
	o, err := t.find(ctx, c, authorization.TransactionFilter{ID: in.Transaction, RRN: in.RRN}, func(x *authorization.ListedTransaction, n issuing.CardName) bool {
		return in.RRN == "" || x.AuthorizationCode == in.AuthorizationCode && n.Token == in.CardToken && !x.Flow.IsReversal() && !isRecord(&x.Transaction)
	})
	if err == nil && in.Transaction.IsZero() {
		in.Transaction, in.RRN = o.ID, ""
		return t.Void(ctx, c, in) // as it is when it is its turn
	}
	if err != nil {
		return platform.Simulated{}, err
	}
	switch {
	case isRecord(&o.Transaction) || o.Flow.IsReversal():
		return platform.Simulated{}, platform.ErrNotReversible.With("flowCode", string(o.Flow))
	case len(o.presented()) > 0:
		return platform.Simulated{}, platform.ErrAlreadyCleared
	}
	remaining, err := o.remaining(in.Amount)
	if err != nil {
		return platform.Simulated{}, err
	}
	m, err := t.reversal(o, remaining)
	if err != nil {
		return platform.Simulated{}, err
	}
	if in.IsAdvice {
		m.MTI = iso8583.ReversalAdvice
	}
	m.SetText(iso8583.ResponseCode, reversalCodes[in.Reason])
	out, _, err := t.exchangeAbout(ctx, c, m, o.Message.Link)
	out.Original = o.ID
	return out, err
}

// remaining is what stays, in minor units of the transaction's currency, when
// this is taken off; nil when nothing does.
func (o *original) remaining(off api.Decimal) (*int64, error) {
	if off == "" {
		return nil, nil
	}
	amount, err := off.Amount("amount", o.Amount.Currency())
	if err != nil {
		return nil, err
	}
	stands, err := o.asAsked(o.Outstanding())
	if err != nil {
		return nil, fmt.Errorf("convert what stands: %w", err)
	}
	if amount.Sign() <= 0 || amount.Cmp(stands) > 0 {
		return nil, api.Invalid().OnField("amount", "range", "must be above 0 and at most "+stands.Decimal())
	}
	left := stands.Minor() - amount.Minor()
	if left == 0 {
		return nil, nil
	}
	return &left, nil
}

// reversal is the message that takes an earlier one back.
func (t *tester) reversal(o original, remaining *int64) (*iso8583.Message, error) {
	d := &o.Message
	mti, err := iso8583.ParseMTI(d.MTI)
	if err != nil {
		return nil, fmt.Errorf("read message type of %s: %w", o.ID, err)
	}
	m := &iso8583.Message{MTI: mti}
	for field, text := range map[int]string{
		iso8583.PAN: o.card.Number.Reveal(), iso8583.ProcessingCode: d.ProcessingCode, iso8583.STAN: d.STAN, iso8583.MCC: d.MCC,
		iso8583.POSEntryMode: d.EntryMode, iso8583.POSConditionCode: d.ConditionCode, iso8583.RRN: d.RRN,
		iso8583.AcquiringInstitutionID: d.AcquirerID, iso8583.ForwardingInstitutionID: d.ForwarderID, iso8583.TerminalID: d.TerminalID,
		iso8583.CardAcceptorID: d.CardAcceptorID, iso8583.TransactionCurrency: o.Amount.Currency().Numeric(),
	} {
		if text != "" {
			m.SetText(field, text)
		}
	}
	m.SetNumber(iso8583.AmountTransaction, o.Amount.Minor())
	m.Set(iso8583.TransmissionDateTime, iso8583.AppendTransmissionDateTime(nil, d.TransmittedAt))
	if len(d.LocalTime) == len("MMDDhhmmss") {
		m.SetText(iso8583.LocalDate, d.LocalTime[:4])
		m.SetText(iso8583.LocalTime, d.LocalTime[4:])
	}
	return t.acquirer.Reverse(m, remaining)
}

// Refund implements [platform.Tester].
func (t *tester) Refund(ctx context.Context, c access.Caller, in platform.SimulatedRefund) (platform.Simulated, error) {
	ctx, done, err := t.follow(ctx, c, in.Transaction)
	if err != nil {
		return platform.Simulated{}, err
	}
	defer done()
	var o original
	if in.Transaction.IsZero() {
		o.card, err = t.Issuing.RevealNamed(ctx, c, in.Card)
	} else {
		o, err = t.findByID(ctx, c, in.Transaction)
	}
	if err != nil {
		return platform.Simulated{}, err
	}
	place := o.placeOf(in.Merchant)
	if !in.Transaction.IsZero() {
		announced, err := t.announced(ctx, c, &o)
		if err == nil {
			err = o.refundable(in.Amount, announced)
		}
		if err != nil {
			return platform.Simulated{}, err
		}
	}
	if in.IsOnline {
		out, err := t.Process(ctx, c, platform.Simulation{
			Card: issuing.NamedCard{Token: o.card.Card.Token}, Flow: in.Flow, Processing: "20", Amount: in.Amount, Merchant: place,
			EntryMode: "051", RRN: o.Message.RRN,
		})
		out.Original = in.Transaction
		return out, err
	}
	p, err := t.present(ctx, c, o, place, in.Amount)
	if err != nil {
		return platform.Simulated{}, err
	}
	p.Kind = clearingfile.Refund
	if records := o.presented(); len(records) > 0 {
		p.OriginalARN = records[0].ARN
	}
	p.RRN, p.STAN, p.SequenceNumber, p.SequenceCount = "", "", 1, 1 // a record of its own
	return t.importRecord(ctx, c, o, p)
}

// announced is what messages have given back of an original, in its currency.
// They name it by its retrieval reference; its clearing records know nothing of
// them.
func (t *tester) announced(ctx context.Context, c access.Caller, o *original) (money.Amount, error) {
	sum := money.Zero(o.Amount.Currency())
	if o.Message.RRN == "" {
		return sum, nil
	}
	f := authorization.TransactionFilter{RRN: o.Message.RRN, Issuances: []id.ID[issuing.Issuance]{o.Issuance}, Cards: []id.ID[issuing.Card]{o.Card}, Take: 100}
	for {
		page, total, err := t.Queries.Transactions(ctx, c, f)
		if err != nil {
			return sum, err
		}
		for i := range page {
			r := original{ListedTransaction: page[i]}
			if r.Code != authorization.RefundCode || isRecord(&r.Transaction) || r.Flow.IsReversal() || !r.IsFinancial() || r.Amount.Currency() != sum.Currency() {
				continue
			}
			back, err := r.asAsked(r.Outstanding())
			if err == nil {
				sum, err = sum.Add(back)
			}
			if err != nil {
				return sum, fmt.Errorf("sum up what was announced: %w", err)
			}
		}
		if f.Skip += len(page); len(page) == 0 || f.Skip >= total {
			return sum, nil
		}
	}
}

// refundable refuses more than was cleared and not given back yet, nor announced
// to be.
func (o *original) refundable(amount, announced money.Amount) error {
	taken := o.Cleared
	if o.IsPosted() {
		taken = o.Outstanding()
	}
	left, err := taken.Sub(o.Refunded)
	if err != nil {
		return fmt.Errorf("what can be refunded: %w", err)
	}
	if left, err = o.asAsked(left); err == nil {
		left, err = left.Sub(announced)
	}
	if err != nil {
		return fmt.Errorf("what can be refunded: %w", err)
	}
	switch {
	case amount.Currency() != left.Currency():
		return api.Invalid().OnField("currencyCode", "other_currency", "must be the original's")
	case !o.IsDebit || amount.Cmp(left) > 0:
		return platform.ErrRefundExceeds.With("refundable", left.Decimal())
	}
	return nil
}

// Clear implements [platform.Tester].
func (t *tester) Clear(ctx context.Context, c access.Caller, in platform.SimulatedPresentment) (platform.Simulated, error) {
	ctx, done, err := t.follow(ctx, c, in.Transaction)
	if err != nil {
		return platform.Simulated{}, err
	}
	defer done()
	var o original
	if in.Transaction.IsZero() {
		o.card, err = t.Issuing.RevealNamed(ctx, c, in.Card)
	} else if o, err = t.findByID(ctx, c, in.Transaction); err == nil && (isRecord(&o.Transaction) || o.Flow.IsReversal()) {
		err = api.Invalid().OnField("transactionId", "not_presentable", "must be of a message that asks for money or gives it")
	}
	if err != nil {
		return platform.Simulated{}, err
	}
	amount, err := o.left(in.Amount)
	if err != nil {
		return platform.Simulated{}, err
	}
	p, err := t.present(ctx, c, o, o.placeOf(in.Merchant), amount)
	if err != nil {
		return platform.Simulated{}, err
	}
	if p.SequenceNumber = len(o.presented()) + 1; p.SequenceNumber > 98 {
		return platform.Simulated{}, api.Invalid().OnField("transactionId", "too_many", "was presented 98 times")
	}
	if o.Code == authorization.RefundCode {
		p.RRN = "" // it may be that of the purchase, of which the message has taken it already
	}
	p.SequenceCount, p.Final = p.SequenceNumber, !in.IsPartial
	if in.IsPartial {
		p.SequenceCount++
	}
	return t.importRecord(ctx, c, o, p)
}

// left is the amount of a presentment: what was asked for, else what stands of
// the original and was not presented yet.
func (o *original) left(asked *money.Amount) (money.Amount, error) {
	if asked != nil {
		return *asked, nil
	}
	left, err := o.Outstanding().Sub(o.Cleared)
	if err == nil {
		left, err = o.asAsked(left)
	}
	switch {
	case err != nil:
		return money.Amount{}, fmt.Errorf("what is left: %w", err)
	case left.Sign() <= 0:
		return money.Amount{}, api.Invalid().OnField("amount", "required", "is required: nothing is left of the transaction")
	}
	return left, nil
}

// placeOf is where something happens that refers to o: as it is said, else there,
// else at the tester's own merchant.
func (o *original) placeOf(said platform.SimulatedPlace) platform.SimulatedPlace {
	d := &o.Message
	for _, member := range []struct {
		to         *string
		its, other string
	}{
		{&said.MCC, d.MCC, "5411"}, {&said.ID, strings.TrimSpace(d.CardAcceptorID), "SANDBOX00000001"}, {&said.Name, d.MerchantName, "TEST MARKET"},
		{&said.City, d.MerchantCity, "ISTANBUL"}, {&said.TerminalID, strings.TrimSpace(d.TerminalID), "00000001"}, {&said.AcquirerID, d.AcquirerID, testerID},
	} {
		if *member.to == "" {
			*member.to = member.its
		}
		if *member.to == "" {
			*member.to = member.other
		}
	}
	if said.Country.IsZero() {
		if where, err := country.Parse(d.MerchantCountry); err == nil {
			said.Country = where
		} else {
			said.Country = country.Must("TR")
		}
	}
	said.TerminalType = 0x22
	return said
}

// present is the clearing record of a payment, the only one of it and final.
func (t *tester) present(ctx context.Context, c access.Caller, o original, place platform.SimulatedPlace, amount money.Amount) (clearingfile.Presentment, error) {
	cfg, err := t.Programs.Configuration(ctx, c.Tenant)
	if err != nil {
		return clearingfile.Presentment{}, err
	}
	now := c.Now(t.Clock)
	arn, err := clearingfile.ARN(testerID, clock.DateOf(now, cfg.Tenant.Zone), t.presented.Add(1)%100_000_000_000)
	if err != nil {
		return clearingfile.Presentment{}, fmt.Errorf("make acquirer reference: %w", err)
	}
	p := clearingfile.Presentment{
		Kind: clearingfile.Purchase, Function: clearingfile.FirstPresentment, PAN: o.card.Number, ARN: arn, Transaction: amount,
		AuthorizationCode: o.AuthorizationCode, RRN: o.Message.RRN, STAN: o.Message.STAN, NetworkTransactionID: o.NetworkTransactionID,
		AcquiringInstitutionID: place.AcquirerID, TerminalID: place.TerminalID, CardAcceptorID: place.ID, MerchantName: place.Name,
		MerchantCity: place.City, MerchantCountry: place.Country, MCC: place.MCC, LocalDateTime: wallClock(now, cfg.Tenant.Zone),
		POSEntryMode: o.Message.EntryMode, SequenceNumber: 1, SequenceCount: 1, Final: true,
	}
	switch o.Code {
	case authorization.CashWithdrawal, authorization.CashAdvance:
		p.Kind = clearingfile.Cash
	case authorization.RefundCode, authorization.CashDeposit, authorization.Payment:
		p.Kind = clearingfile.Refund
	}
	if c := o.Billing.Currency(); !c.IsZero() && c != amount.Currency() && amount.Currency() == o.Amount.Currency() && !o.Amount.IsZero() {
		if p.Billing, err = o.Billing.MulDiv(amount.Minor(), o.Amount.Minor(), money.HalfUp); err != nil {
			return p, fmt.Errorf("bill presentment: %w", err)
		}
	}
	return p, nil
}

// wallClock is what a merchant's clock shows, as if it were UTC.
func wallClock(now time.Time, zone *time.Location) time.Time {
	local := now.In(zone)
	return time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), 0, time.UTC)
}

// importRecord writes a clearing file of one record and takes it in, as the night
// does, and finds what became of it.
func (t *tester) importRecord(ctx context.Context, c access.Caller, o original, p clearingfile.Presentment) (platform.Simulated, error) {
	now, network := c.Now(t.Clock), o.Message.Network
	if network == "" {
		network = t.acquirer.Dialect.Name()
	}
	cfg, err := t.Programs.Configuration(ctx, c.Tenant)
	if err != nil {
		return platform.Simulated{}, err
	}
	var file bytes.Buffer
	header := clearingfile.Header{
		Network: network, FileID: "SANDBOX." + p.ARN, CreatedAt: c.Real(now).Time(), BusinessDate: clock.DateOf(now, cfg.Tenant.Zone),
	}
	if err := t.acquirer.Clear(&file, header, []clearingfile.Presentment{p}); err != nil {
		return platform.Simulated{}, err
	}
	content := file.Bytes()
	defer clear(content)
	sum, err := t.Clearing.Import(ctx, clearingSource{bytes.NewReader(content)}, clearing.Options{Tenant: c.Tenant})
	if err != nil {
		return platform.Simulated{}, err
	}
	out := platform.Simulated{Original: o.ID, Clearing: &platform.SimulatedClearing{ARN: p.ARN}}
	for status := range sum.ByStatus {
		out.Clearing.MatchStatus = string(status)
	}
	for cause := range sum.ByCause {
		out.Clearing.Exceptions = append(out.Clearing.Exceptions, string(cause))
	}
	slices.Sort(out.Clearing.Exceptions)
	posted, err := t.find(ctx, c, authorization.TransactionFilter{Issuances: []id.ID[issuing.Issuance]{o.card.Card.Issuance}, Cards: []id.ID[issuing.Card]{o.card.Card.ID}, From: now.Add(-time.Second)},
		func(x *authorization.ListedTransaction, _ issuing.CardName) bool { return x.ARN == p.ARN })
	switch {
	case err == nil:
		out.Transaction = posted.ID
	case fault.KindOf(err) != fault.NotFound:
		return out, err
	}
	return out, nil
}
