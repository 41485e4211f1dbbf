package issuing

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// The events about PIN and CVV2 of a card. Those about a PIN add [CardPIN].
const (
	EventPINChanged   = "card.pin-changed" // set, changed, or drawn
	EventPINBlocked   = "card.pin-blocked"
	EventPINUnblocked = "card.pin-unblocked"
	EventPINSent      = "card.pin-sent"
	EventCVV2Blocked  = "card.cvv2-blocked"
	EventCVV2Reset    = "card.cvv2-reset"
)

// CardPIN is what events about a PIN add. The PIN is not among it.
type CardPIN struct {
	Status  PINStatus
	Channel string // empty where nobody named one
}

func raisePIN(ctx context.Context, tx db.Tx, c access.Caller, name string, card id.ID[Card], now time.Time, s PINStatus, channel string) error {
	return raiseCard(ctx, tx, c, name, card, now, CardPIN{Status: s, Channel: channelOf(c, channel)})
}

// networkChannel is the channel of what a message from a network did.
const networkChannel = "Network"

// RaisePINBlocked tells that a wrong PIN at a terminal was the last one allowed.
func RaisePINBlocked(ctx context.Context, tx db.Tx, card id.ID[Card], now clock.Real) error {
	return raisePIN(ctx, tx, access.Caller{}, EventPINBlocked, card, now.Time(), PINBlocked, networkChannel)
}

// RaiseCVV2Blocked tells that a wrong CVV2 in a message was the last one
// allowed.
func RaiseCVV2Blocked(ctx context.Context, tx db.Tx, card id.ID[Card], now clock.Real) error {
	return raiseCard(ctx, tx, access.Caller{}, EventCVV2Blocked, card, now.Time(), nil)
}
