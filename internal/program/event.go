package program

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// The events about what cards are made of.
const (
	EventProductUpdated = "product.updated"     // ProductUpdated
	EventRangeThreshold = "bin-range.threshold" // RangeThreshold
)

// ProductUpdated is what the event of a changed product tells. Its member names
// are the stored form, as those of RangeThreshold.
type ProductUpdated struct {
	Code    string
	Changed []string // the fields of Product that differ, beginning small
}

// RangeThreshold is what the event of a range tells whose usage has reached the
// percentage at which its owner wants to know.
type RangeThreshold struct {
	Code             string
	BIN              string
	UsedCount        int64
	Capacity         int64
	ThresholdPercent int
}

// raiseProductUpdate tells that a product is another.
func raiseProductUpdate(ctx context.Context, tx db.Tx, c access.Caller, code string, changes []audit.Change, at clock.Real) error {
	e := ProductUpdated{Code: code}
	for _, change := range changes {
		name := change.Property
		if end := strings.IndexAny(name, ".["); end >= 0 {
			name = name[:end]
		}
		if !slices.Contains(e.Changed, name) {
			e.Changed = append(e.Changed, name)
		}
	}
	if len(e.Changed) == 0 {
		return nil
	}
	return raiseProgram(ctx, tx, c.Tenant, c.CorrelationID, EventProductUpdated, "product:"+code, at, e)
}

// raiseThreshold tells that a range has reached its threshold with the numbers
// that were just taken, so many of those used: once, since usage only grows.
func raiseThreshold(ctx context.Context, tx db.Tx, tenant access.TenantID, r BINRange, used, taken int64, at clock.Real) error {
	if !r.reaches(used) || r.reaches(used-taken) {
		return nil
	}
	return raiseProgram(ctx, tx, tenant, "", EventRangeThreshold, "bin-range:"+r.Code, at, RangeThreshold{
		Code: r.Code, BIN: r.BIN, UsedCount: used, Capacity: r.Capacity(), ThresholdPercent: r.AlertThresholdPercent,
	})
}

// reaches reports whether so many used numbers are as many percent as the
// owner wants to know of.
func (r BINRange) reaches(used int64) bool {
	capacity, percent := r.Capacity(), int64(r.AlertThresholdPercent)
	// In two steps, as a hundred times a capacity may be too much for 64 bits.
	threshold := capacity/100*percent + (capacity%100*percent+99)/100
	return percent > 0 && used >= threshold
}

func raiseProgram(ctx context.Context, tx db.Tx, tenant access.TenantID, correlation, name, key string, at clock.Real, about any) error {
	payload, err := json.Marshal(about)
	if err != nil {
		return fmt.Errorf("encode event %s: %w", name, err)
	}
	return outbox.Add(ctx, tx, outbox.Event{
		Tenant: tenant.String(), Name: name, Key: key, Payload: payload, CorrelationID: correlation, At: at,
	})
}
