package program

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// probeBlock is how many numbers of a crowded range are looked up at once.
const probeBlock = 512

// PANSource takes card numbers from a range, many at once, inside one
// transaction; see [AllocatePAN] for the rules.
type PANSource struct {
	tx    db.Tx
	cfg   *Configuration
	of    BINRange
	taken func([]pan.PAN) (map[pan.PAN]bool, error)

	reserved int64 // what next of a sequential range is ours
	next     int64
	given    map[int64]bool // offsets that were given out or found taken
	picks    int
	probed   int64 // of a random range: how many offsets of the search were looked at
	start    int64
	spare    []pan.PAN // found free and not given out yet
}

// RoomFor refuses when the range of cfg has not got n more numbers to give out
// at the moment.
func RoomFor(ctx context.Context, tx db.Tx, cfg *Configuration, rangeCode string, n int) error {
	left, _, err := leftInRange(ctx, tx, cfg, rangeCode)
	if err == nil && left < int64(n) {
		err = RangeExhausted(rangeCode)
	}
	return err
}

// leftInRange is how many numbers a range has that gives out new ones.
func leftInRange(ctx context.Context, tx db.Tx, cfg *Configuration, rangeCode string) (int64, BINRange, error) {
	r, found, err := readRange(ctx, tx, cfg.Tenant.ID, rangeCode)
	switch {
	case err != nil:
		return 0, r, fmt.Errorf("read BIN range: %w", err)
	case !found:
		return 0, r, errRangeNotFound.With("binRangeCode", rangeCode)
	case r.Status != RecordActive:
		return 0, r, errRangePassive.With("binRangeCode", rangeCode)
	}
	return r.Capacity() - r.UsedCount, r, nil
}

// OpenSource counts up to n more numbers of a range of cfg as used and returns
// where they come from, and how many they are: fewer when no more are left, and
// bin_range_exhausted when there is none. Until the transaction ends, others wait
// for the range. taken says which numbers cards have already.
func OpenSource(ctx context.Context, tx db.Tx, cfg *Configuration, rangeCode string, n int, now clock.Real, taken func([]pan.PAN) (map[pan.PAN]bool, error)) (*PANSource, int, error) {
	for {
		left, r, err := leftInRange(ctx, tx, cfg, rangeCode)
		if err != nil {
			return nil, 0, err
		}
		reserved := min(int64(n), left)
		if reserved <= 0 {
			return nil, 0, RangeExhausted(rangeCode)
		}
		first, used, ok, err := takeBlock(ctx, tx, cfg.Tenant.ID, rangeCode, reserved, r.Capacity())
		if err != nil {
			return nil, 0, fmt.Errorf("take from BIN range: %w", err)
		}
		if ok { // else somebody else took some meanwhile
			if err := raiseThreshold(ctx, tx, cfg.Tenant.ID, r, used, reserved, now); err != nil {
				return nil, 0, err
			}
			source := &PANSource{tx: tx, cfg: cfg, of: r, taken: taken, next: first, reserved: reserved, given: map[int64]bool{}}
			return source, int(reserved), nil
		}
	}
}

// GiveBack counts n of the numbers as not used after all.
func (p *PANSource) GiveBack(ctx context.Context, n int) error {
	if err := giveBack(ctx, p.tx, p.cfg.Tenant.ID, p.of.Code, int64(n)); err != nil {
		return fmt.Errorf("give numbers back: %w", err)
	}
	return nil
}

// Take returns n numbers that no card has; fewer when the range has no more.
func (p *PANSource) Take(ctx context.Context, n int) ([]pan.PAN, error) {
	for len(p.spare) < n {
		offsets, err := p.offsets(ctx, n-len(p.spare))
		if err != nil {
			return nil, err
		}
		if len(offsets) == 0 {
			break
		}
		some, err := p.unused(offsets)
		if err != nil {
			return nil, err
		}
		p.spare = append(p.spare, some...)
	}
	n = min(n, len(p.spare))
	free := p.spare[:n:n]
	p.spare = p.spare[n:]
	return free, nil
}

// offsets proposes places in the range, each once; none when all were.
func (p *PANSource) offsets(ctx context.Context, n int) ([]int64, error) {
	if p.of.Generation != RandomPAN {
		return p.following(ctx, n)
	}
	capacity := p.of.Capacity()
	var some []int64
	if p.picks < randomPicks {
		p.picks++
		for range n {
			at, err := randomBelow(capacity)
			if err != nil {
				return nil, err
			}
			if !p.given[at] {
				p.given[at] = true
				some = append(some, at)
			}
		}
		if len(some) > 0 {
			return some, nil
		}
	}
	if p.probed == 0 {
		var err error
		if p.start, err = randomBelow(capacity); err != nil {
			return nil, err
		}
	}
	for ; p.probed < capacity && len(some) < probeBlock; p.probed++ {
		if at := (p.start + p.probed) % capacity; !p.given[at] {
			p.given[at] = true
			some = append(some, at)
		}
	}
	return some, nil
}

// following are the next places of a sequential range: those reserved first.
func (p *PANSource) following(ctx context.Context, n int) ([]int64, error) {
	if p.reserved == 0 {
		first, err := skipBlock(ctx, p.tx, p.cfg.Tenant.ID, p.of.Code, int64(n))
		if err != nil {
			return nil, fmt.Errorf("skip in BIN range: %w", err)
		}
		p.next, p.reserved = first, int64(n)
	}
	var some []int64
	for ; len(some) < n && p.reserved > 0 && p.next < p.of.Capacity(); p.next, p.reserved = p.next+1, p.reserved-1 {
		some = append(some, p.next)
	}
	return some, nil
}

// unused returns the numbers at those of the places that no card has.
func (p *PANSource) unused(offsets []int64) ([]pan.PAN, error) {
	all := make([]pan.PAN, len(offsets))
	for i, at := range offsets {
		var err error
		if all[i], err = p.of.number(at); err != nil {
			return nil, err
		}
	}
	taken, err := p.taken(all)
	if err != nil {
		return nil, fmt.Errorf("look for card numbers: %w", err)
	}
	return slices.DeleteFunc(all, func(n pan.PAN) bool { return taken[n] }), nil
}

func randomBelow(n int64) (int64, error) {
	at, err := rand.Int(rand.Reader, big.NewInt(n))
	if err != nil {
		return 0, fmt.Errorf("pick card number: %w", err)
	}
	return at.Int64(), nil
}
