package authorization

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/notification"
)

// alert notes that somebody is to be told that a control has acted.
func (d *Decision) alert(c ControlFacts) {
	if c.Action == control.Alert || c.AlertChannels != "" {
		d.Alerts = append(d.Alerts, c)
	}
}

// alertsBy reports whether a channel is told. The webhooks of the tenant are told
// of every Alert.
func (c *ControlFacts) alertsBy(channel control.AlertChannel) bool {
	return slices.Contains(strings.Fields(c.AlertChannels), string(channel)) || c.Action == control.Alert && channel == control.AlertByWebhook
}

// holderNotice is what the holder of a card is told by an authorization control.
type holderNotice struct {
	tenant     access.TenantID
	card       id.ID[issuing.Card]
	issuanceNo string // empty: to be read
	notice     notification.Notice
}

// tellHolder keeps for writing what a control tells the holder of the card.
func (w *work) tellHolder(op *operation, c *ControlFacts, t *Transaction) {
	var channels []notification.Channel
	if c.alertsBy(control.AlertBySMS) {
		channels = append(channels, notification.SMS)
	}
	if c.alertsBy(control.AlertByEmail) {
		channels = append(channels, notification.Email)
	}
	if len(channels) == 0 {
		return
	}
	w.notices = append(w.notices, holderNotice{t.Tenant, t.Card, op.facts.name.IssuanceNo, notification.Notice{
		Event: notification.ControlAlert, Card: t.Card.String(), Channels: channels,
		Values: map[string]string{"amount": t.Amount.String(), "merchant": t.Message.MerchantName},
	}})
}

// writeNotices queues what holders are told.
func (w *work) writeNotices(ctx context.Context, tx db.Tx) error {
	for _, n := range w.notices {
		if n.issuanceNo == "" {
			names, err := issuing.ReadCardNames(ctx, tx, n.tenant, []id.ID[issuing.Card]{n.card})
			if err != nil {
				return fmt.Errorf("name card of alert: %w", err)
			}
			n.issuanceNo = names[n.card].IssuanceNo
		}
		if err := notification.Tell(ctx, tx, n.tenant, n.issuanceNo, n.notice, w.now); err != nil {
			return fmt.Errorf("tell the holder of a card: %w", err)
		}
	}
	return nil
}
