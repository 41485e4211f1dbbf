package bench

import (
	"context"
	"fmt"
	"io"
)

// compareGrowth measures what growth costs, on the engine of the settings: filling a
// big world takes longer than everything else.
func (r *comparing) compareGrowth(ctx context.Context) error {
	o := r.options.Growth
	o.Rounds, o.Connections, o.Duration, o.WarmUp = r.options.Rounds, r.options.Connections, r.options.Duration, r.options.WarmUp
	r.progress.prepare("growth")
	var told io.Writer = io.Discard
	if r.options.Progress != nil {
		told = r.options.Progress
	}
	found, err := MeasureGrowth(ctx, r.loaded, r.log, told, o)
	if err != nil {
		return fmt.Errorf("growth: %w", err)
	}
	on := " on " + found.Engine
	m := r.row("growth" + on)
	m.Value, m.Ratio = &found.Big.PerSecond, &found.Ratio
	m.Note = fmt.Sprintf("%d cards and %d stored authorizations (%.0f MB) beside %d cards and none", found.Big.Cards, found.Big.Authorizations,
		float64(found.Big.Bytes)/1e6, found.Small.Cards)
	if found.Serve.MemoryMost > 0 {
		m = r.row("memory of serve after growth" + on)
		m.Value, m.Note = &found.Serve.MemoryMost, fmt.Sprintf("at most, in %d payments", found.Serve.Payments)
	}
	r.row("start-up of serve after growth" + on).Value = &found.Serve.ReadySeconds
	r.row("size of the program").Value = &found.Serve.Binary
	return nil
}
