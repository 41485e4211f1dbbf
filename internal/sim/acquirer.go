package sim

import (
	"fmt"
	"io"
	"sync/atomic"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// Acquirer is the institution that connects terminals to us. Its terminals
// share one sequence of trace numbers, as those behind one link do. It is safe
// for concurrent use.
type Acquirer struct {
	ID      string // institution identifier, up to 6 digits (DE32, and in references of clearing)
	Dialect *iso8583.Dialect
	Clock   clock.Clock
	Random  io.Reader

	stan      atomic.Uint32
	presented atomic.Int64 // acquirer reference numbers given
}

// NewAcquirer returns an acquirer that speaks the dialect "generic". id has at
// most six digits.
func NewAcquirer(id string, c clock.Clock, random io.Reader) (*Acquirer, error) {
	d, err := iso8583.LoadDialect("generic")
	if err != nil {
		return nil, fmt.Errorf("load dialect: %w", err)
	}
	a := &Acquirer{ID: id, Dialect: d, Clock: c, Random: random}
	// Numbers of two runs must differ: trace numbers within a second, reference
	// numbers within a day. A run may take more trace numbers than milliseconds pass, so
	// what is begun a little later begins far away. Within an hour it may get there
	// all the same, and retrieval references of the two are alike then.
	a.stan.Store(uint32(c.Now().UnixMilli() % traceNumbers * traceStride % traceNumbers))
	a.presented.Store(c.Now().UnixMicro() % 10_000_000_000)
	return a, nil
}

const (
	traceNumbers = 999_999 // from 1
	traceStride  = 618_034 // the golden section of them, and prime to them: it passes all
)

// SignOn makes the message that opens business on a link (0800, DE70 001).
func (a *Acquirer) SignOn() *iso8583.Message { return a.manage(iso8583.SignOn) }

// SignOff makes the message that ends business on a link (0800, DE70 002).
func (a *Acquirer) SignOff() *iso8583.Message { return a.manage(iso8583.SignOff) }

// Echo makes the message that asks whether the other side is there (0800,
// DE70 301).
func (a *Acquirer) Echo() *iso8583.Message { return a.manage(iso8583.EchoTest) }

func (a *Acquirer) manage(function string) *iso8583.Message {
	m := &iso8583.Message{MTI: iso8583.NetworkRequest}
	a.number(m)
	m.SetText(iso8583.AcquiringInstitutionID, a.ID)
	m.SetText(iso8583.NetworkManagementCode, a.Dialect.NetworkCode(function))
	return m
}

// number gives m its time of transmission and the next trace number. Trace
// numbers run from 1 to 999999 and begin again.
func (a *Acquirer) number(m *iso8583.Message) {
	m.Set(iso8583.TransmissionDateTime, iso8583.AppendTransmissionDateTime(nil, a.Clock.Now()))
	m.SetText(iso8583.STAN, fmt.Sprintf("%06d", a.stan.Add(1)%traceNumbers+1))
}

// Repeat is m as it is sent again when no answer came: the same but for the
// repeat origin in its MTI.
func Repeat(m *iso8583.Message) *iso8583.Message {
	again := new(iso8583.Message)
	m.CopyTo(again)
	again.MTI = m.MTI.Repeat()
	return again
}

// Reverse makes the reversal request (0400) of an original. With remaining nil
// all of it is undone; else remaining, in minor units of its currency, is what
// stays (DE95).
func (a *Acquirer) Reverse(original *iso8583.Message, remaining *int64) (*iso8583.Message, error) {
	m := &iso8583.Message{MTI: iso8583.ReversalRequest}
	for _, n := range []int{
		iso8583.PAN, iso8583.ProcessingCode, iso8583.AmountTransaction, iso8583.LocalTime, iso8583.LocalDate,
		iso8583.MCC, iso8583.POSEntryMode, iso8583.POSConditionCode, iso8583.AcquiringCountry,
		iso8583.AcquiringInstitutionID, iso8583.ForwardingInstitutionID, iso8583.RRN,
		iso8583.TerminalID, iso8583.CardAcceptorID, iso8583.TransactionCurrency,
	} {
		if original.Has(n) {
			m.Set(n, original.Bytes(n))
		}
	}
	a.number(m)
	elements, err := iso8583.OriginalOf(original).Append(nil)
	if err != nil {
		return nil, fmt.Errorf("name the original: %w", err)
	}
	m.Set(iso8583.OriginalDataElements, elements)
	if remaining != nil {
		amounts, err := iso8583.Replacement{Transaction: *remaining}.Append(nil)
		if err != nil {
			return nil, fmt.Errorf("write the remaining amount: %w", err)
		}
		m.Set(iso8583.ReplacementAmounts, amounts)
	}
	return m, nil
}
