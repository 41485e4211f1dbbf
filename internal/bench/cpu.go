package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/sarraf-platform/sarraf/internal/app"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/wire/emv"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// CPUOptions say how what needs no database is measured.
type CPUOptions struct {
	Rounds   int           // the steps take turns so often
	Duration time.Duration // of one turn
	JSON     bool
}

// cpuResult is what was measured of work that is nothing but computation.
type cpuResult struct {
	Subject string    `json:"subject"`
	CPUs    int       `json:"cpus"`
	Go      string    `json:"go"`
	Rounds  int       `json:"rounds"`
	Bytes   int       `json:"messageBytes,omitempty"`
	Steps   []cpuStep `json:"steps"`
}

// cpuStep is one step on one core; medians of the rounds.
type cpuStep struct {
	Name        string  `json:"step"`
	Nanoseconds float64 `json:"nanoseconds"`
	PerSecond   float64 `json:"perCorePerSecond"`
	Allocations float64 `json:"allocations"`
	Bytes       float64 `json:"allocatedBytes"`
}

// cpuWork is work that is done over and over.
type cpuWork struct {
	name string
	do   func() error
}

// measureSteps lets the steps take turns and returns the medians.
func measureSteps(ctx context.Context, steps []cpuWork, o CPUOptions) ([]cpuStep, error) {
	turns := make([][]cpuStep, len(steps))
	for range o.Rounds {
		for i, s := range steps {
			turn, err := measureStep(ctx, s, o.Duration)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
			turns[i] = append(turns[i], turn)
		}
	}
	out := make([]cpuStep, len(steps))
	for i, s := range steps {
		of := func(value func(cpuStep) float64) float64 {
			var all []float64
			for _, t := range turns[i] {
				all = append(all, value(t))
			}
			return median(all)
		}
		ns := of(func(t cpuStep) float64 { return t.Nanoseconds })
		out[i] = cpuStep{
			Name: s.name, Nanoseconds: ns, PerSecond: 1e9 / ns, Allocations: of(func(t cpuStep) float64 { return t.Allocations }),
			Bytes: of(func(t cpuStep) float64 { return t.Bytes }),
		}
	}
	return out, nil
}

func measureStep(ctx context.Context, s cpuWork, d time.Duration) (cpuStep, error) {
	const batch = 64
	run := func() error {
		for range batch {
			if err := s.do(); err != nil {
				return err
			}
		}
		return ctx.Err()
	}
	if err := run(); err != nil { // pools and caches are filled
		return cpuStep{}, err
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n, watch := 0, clock.StartStopwatch()
	for watch.Elapsed() < d {
		if err := run(); err != nil {
			return cpuStep{}, err
		}
		n += batch
	}
	took := watch.Elapsed()
	runtime.ReadMemStats(&after)
	// Whole numbers, as go test -benchmem tells them: what the runtime itself
	// allocates meanwhile is no part of a step.
	each := func(before, after uint64) float64 { return float64((after - before) / uint64(n)) }
	return cpuStep{
		Nanoseconds: float64(took.Nanoseconds()) / float64(n),
		Allocations: each(before.Mallocs, after.Mallocs), Bytes: each(before.TotalAlloc, after.TotalAlloc),
	}, nil
}

// median is the middle of all, or the mean of the two in the middle.
func median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	all = slices.Sorted(slices.Values(all))
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}

func (r *cpuResult) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return app.PrintJSON(w, r)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s, on one core of %d, %s, medians of %d rounds\n", r.Subject, r.CPUs, r.Go, r.Rounds)
	if r.Bytes > 0 {
		fmt.Fprintf(&out, "message      %d bytes\n", r.Bytes)
	}
	fmt.Fprintln(&out)
	t := tabwriter.NewWriter(&out, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "step\tns\tper core per second\tallocations\tbytes\t")
	for _, s := range r.Steps {
		fmt.Fprintf(t, "%s\t%.0f\t%.0f\t%.0f\t%.0f\t\n", s.Name, s.Nanoseconds, s.PerSecond, s.Allocations, s.Bytes)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := w.Write(out.Bytes())
	return err
}

// Codec measures packing and unpacking an authorization request.
func Codec(ctx context.Context, w io.Writer, o CPUOptions) error {
	r, err := measureCodec(ctx, o)
	if err != nil {
		return err
	}
	return r.print(w, o.JSON)
}

// fullPurchase is a 0100 with everything that a chip purchase with PIN brings.
// Its card is one that no one has.
var fullPurchase = map[int]string{
	2: "9792061234560017", 3: "000000", 4: "000000012550", 7: "1121130501", 11: "000123", 12: "160501", 13: "1121", 14: "3111",
	18: "5411", 19: "792", 22: "051", 23: "001", 25: "00", 32: "12345678", 35: "9792061234560017=31112211234567",
	37: "632513000123", 41: "TERM0001", 42: "MERCHANT0000001", 43: "BAKKAL NO 1              ISTANBUL     TR",
	48: "9203123940205", 49: "949", 52: "\x01\x02\x03\x04\xFA\xFB\xFC\xFD", 60: "000001",
}

// fullChip is its DE55.
func fullChip() []byte {
	var out []byte
	for _, part := range []struct {
		tag   emv.Tag
		value string
	}{
		{emv.Cryptogram, "\x01\x02\x03\x04\x05\x06\x07\x08"}, {emv.CID, "\x80"}, {emv.IAD, "\x06\x01\x12\x03\xA0\xB8\x00"},
		{emv.UnpredictableNumber, "\x0A\x0B\x0C\x0D"}, {emv.ATC, "\x00\x09"}, {emv.TVR, "\x00\x00\x00\x80\x00"},
		{emv.TransactionDate, "\x26\x11\x21"}, {emv.TransactionType, "\x00"}, {emv.AmountAuthorized, "\x00\x00\x00\x01\x25\x50"},
		{emv.TransactionCurrency, "\x09\x49"}, {emv.AIP, "\x39\x00"}, {emv.TerminalCountry, "\x07\x92"},
		{emv.AmountOther, "\x00\x00\x00\x00\x00\x00"}, {emv.TerminalCapabilities, "\xE0\xF8\xC8"}, {emv.CVMResults, "\x42\x03\x00"},
		{emv.TerminalType, "\x22"}, {emv.PSN, "\x01"},
	} {
		out = emv.Append(out, part.tag, []byte(part.value))
	}
	return out
}

var errCodec = errors.New("the message is not what was packed")

func measureCodec(ctx context.Context, o CPUOptions) (*cpuResult, error) {
	d, err := iso8583.LoadDialect("generic")
	if err != nil {
		return nil, err
	}
	m := &iso8583.Message{MTI: iso8583.AuthorizationRequest}
	for n, v := range fullPurchase {
		m.SetText(n, v)
	}
	m.Set(iso8583.ICCData, fullChip())
	body, err := d.Append(nil, m)
	if err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	icc, err := emv.ParseICC(fullChip())
	if err != nil {
		return nil, fmt.Errorf("chip data: %w", err)
	}
	var read iso8583.Message
	var data []byte
	out := make([]byte, 0, 2*len(body))
	r := &cpuResult{
		Subject: "A full 0100 with chip data (DE55) in the generic dialect", CPUs: runtime.NumCPU(), Go: runtime.Version(),
		Rounds: o.Rounds, Bytes: len(body),
	}
	r.Steps, err = measureSteps(ctx, []cpuWork{
		{"pack", func() error {
			data = icc.Append(data[:0])
			m.Set(iso8583.ICCData, data)
			if out, err = d.Append(out[:0], m); err == nil && len(out) != len(body) {
				err = errCodec
			}
			return err
		}},
		{"unpack", func() error {
			if err := d.Parse(&read, body); err != nil {
				return err
			}
			chip, err := emv.ParseICC(read.Bytes(iso8583.ICCData))
			if err == nil && chip.Cryptogram != icc.Cryptogram {
				err = errCodec
			}
			return err
		}},
	}, o)
	return r, err
}
