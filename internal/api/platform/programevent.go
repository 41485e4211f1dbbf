package platform

import (
	"slices"

	"github.com/sarraf-platform/sarraf/internal/program"
	"github.com/sarraf-platform/sarraf/internal/webhook"
)

type productUpdatedEvent struct {
	ProductCode string   `json:"productCode"`
	Changed     []string `json:"changed" doc:"Members of the product that are another."`
}

func encodeProductUpdated(e program.ProductUpdated) (productUpdatedEvent, webhook.Content) {
	out := productUpdatedEvent{ProductCode: e.Code, Changed: []string{}}
	for _, field := range e.Changed {
		if name := productMember(field); !slices.Contains(out.Changed, name) {
			out.Changed = append(out.Changed, name)
		}
	}
	return out, webhook.Content{ProductCode: e.Code}
}

// productMember is what the contract calls a field of a product.
func productMember(field string) string {
	if name, known := memberPath(definitions["Product"], field); known {
		return name
	}
	return field
}

type rangeThresholdEvent struct {
	BinRangeCode          string `json:"binRangeCode"`
	BIN                   string `json:"bin"`
	UsedCount             int64  `json:"usedCount"`
	Capacity              int64  `json:"capacity"`
	UsagePercent          int64  `json:"usagePercent"`
	AlertThresholdPercent int    `json:"alertThresholdPercent"`
}

func encodeRangeThreshold(e program.RangeThreshold) (rangeThresholdEvent, webhook.Content) {
	out := rangeThresholdEvent{
		BinRangeCode: e.Code, BIN: e.BIN, UsedCount: e.UsedCount, Capacity: e.Capacity, AlertThresholdPercent: e.ThresholdPercent,
	}
	if e.Capacity > 0 {
		out.UsagePercent = int64(float64(e.UsedCount) * 100 / float64(e.Capacity))
	}
	return out, webhook.Content{}
}
