package webhook

import (
	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// The codes of this package's refusals.
const (
	CodeNotFound         fault.Code = "webhook_not_found"
	CodeDeliveryNotFound fault.Code = "webhook_delivery_not_found"
	CodeTooMany          fault.Code = "webhook_limit_exceeded"
	CodeConflict         fault.Code = "webhook_conflict"
	CodeMessageSent      fault.Code = "webhook_message_sent"
)

// Codes lists every code that only this package refuses with.
var Codes = []fault.Code{CodeNotFound, CodeDeliveryNotFound, CodeTooMany, CodeConflict, CodeMessageSent}

var (
	errNotFound         = fault.New(fault.NotFound, CodeNotFound, "there is no such webhook")
	errDeliveryNotFound = fault.New(fault.NotFound, CodeDeliveryNotFound, "there is no such delivery")
	errTooMany          = fault.New(fault.Refused, CodeTooMany, "the tenant has as many webhooks as it may have")
	errConflict         = fault.New(fault.Conflict, CodeConflict, "another active authorization webhook is asked about the same")
	errMessageSent      = fault.New(fault.Conflict, CodeMessageSent, "the message went another way after this delivery was given up")
	errInvalid          = access.ErrInvalid
	errStale            = access.ErrStale
)
