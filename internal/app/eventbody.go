package app

import (
	"strings"

	"github.com/sarraf-platform/sarraf/internal/api/ewallet"
	"github.com/sarraf-platform/sarraf/internal/api/platform"
	"github.com/sarraf-platform/sarraf/internal/webhook"
)

// eventBodies makes the bodies of webhooks, each in the words of the family whose
// contract has the event.
type eventBodies struct{}

// EncodeEvent implements [webhook.Encoder].
func (eventBodies) EncodeEvent(m webhook.Delivery) (webhook.Content, error) {
	if strings.HasPrefix(m.Name, "wallet.") {
		return ewallet.Events{}.EncodeEvent(m)
	}
	return platform.Events{}.EncodeEvent(m)
}
