package program

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"strconv"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// randomPicks is how often a random range is tried before it is searched.
const randomPicks = 10

// AllocatePAN takes an unused card number from a range of cfg: its account part
// with the Luhn check digit. The number counts as used when the transaction
// commits; until then other allocations from the same range wait, so that the
// caller's insert of the card does not meet the same number. taken says which
// numbers a card has already.
//
// A random range is picked from at most ten times, then searched upwards from
// a random place; a sequential one gives its next number. It fails with
// bin_range_exhausted when nothing is left, and bin_range_passive when the
// range gives out no new numbers.
func AllocatePAN(ctx context.Context, tx db.Tx, cfg *Configuration, rangeCode string, now clock.Real, taken func(pan.PAN) (bool, error)) (pan.PAN, error) {
	tenant := cfg.Tenant.ID
	r, found, err := readRange(ctx, tx, tenant, rangeCode)
	if err != nil {
		return pan.PAN{}, fmt.Errorf("read BIN range: %w", err)
	}
	if !found {
		return pan.PAN{}, errRangeNotFound.With("binRangeCode", rangeCode)
	}
	// From here on the row is ours until the transaction ends. The range may
	// only have grown since it was read, which costs nothing but a refusal.
	offset, used, ok, err := takeFromRange(ctx, tx, tenant, rangeCode, r.Capacity())
	if err != nil {
		return pan.PAN{}, fmt.Errorf("take from BIN range: %w", err)
	}
	if !ok {
		if r.Status != RecordActive {
			return pan.PAN{}, errRangePassive.With("binRangeCode", rangeCode)
		}
		return pan.PAN{}, errRangeExhausted.With("binRangeCode", rangeCode)
	}
	if err := raiseThreshold(ctx, tx, tenant, r, used, 1, now); err != nil {
		return pan.PAN{}, err
	}
	next := sequential(ctx, tx, cfg, r, offset)
	if r.Generation == RandomPAN {
		next = random(r.Capacity())
	}
	for {
		offset, ok, err := next()
		if err != nil {
			return pan.PAN{}, err
		}
		if !ok {
			return pan.PAN{}, errRangeExhausted.With("binRangeCode", rangeCode)
		}
		p, err := r.number(offset)
		if err != nil {
			return pan.PAN{}, err
		}
		used, err := taken(p)
		if err != nil {
			return pan.PAN{}, fmt.Errorf("look for card number: %w", err)
		}
		if !used {
			return p, nil
		}
	}
}

// random returns the offsets a random range tries: ten picks, then every
// offset once, upwards from a random one and round.
func random(capacity int64) func() (int64, bool, error) {
	tried := int64(0)
	var start int64
	return func() (int64, bool, error) {
		tried++
		if tried > randomPicks+capacity {
			return 0, false, nil
		}
		if tried <= randomPicks+1 {
			n, err := rand.Int(rand.Reader, big.NewInt(capacity))
			if err != nil {
				return 0, false, fmt.Errorf("pick card number: %w", err)
			}
			start = n.Int64()
			return start, true, nil
		}
		return (start + tried - randomPicks - 1) % capacity, true, nil
	}
}

// sequential returns the offsets a sequential range gives out from first on.
func sequential(ctx context.Context, tx db.Tx, cfg *Configuration, r BINRange, first int64) func() (int64, bool, error) {
	offset, started := first, false
	return func() (int64, bool, error) {
		if started {
			var err error
			if offset, err = skipInRange(ctx, tx, cfg.Tenant.ID, r.Code); err != nil {
				return 0, false, fmt.Errorf("skip in BIN range: %w", err)
			}
		}
		started = true
		return offset, offset < r.Capacity(), nil
	}
}

// number is the card number at an offset of the range.
func (r BINRange) number(offset int64) (pan.PAN, error) {
	first, err := strconv.ParseInt(r.Start, 10, 64)
	if err != nil {
		return pan.PAN{}, fmt.Errorf("BIN range %s: start is no number", r.Code)
	}
	body := fmt.Sprintf("%0*d", len(r.Start), first+offset)
	return pan.Parse(body + string(pan.CheckDigit(body)))
}

// RangeExhausted refuses because a range has no card number left.
func RangeExhausted(rangeCode string) error { return errRangeExhausted.With("binRangeCode", rangeCode) }
