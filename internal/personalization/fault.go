package personalization

import (
	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// Codes of the faults this package raises.
const (
	CodeTransition    fault.Code = "plastic_transition_not_allowed"
	CodeOrderNotFound fault.Code = "perso_order_not_found"
	CodeBatchNotFound fault.Code = "perso_batch_not_found"
	CodeReport        fault.Code = "perso_report_invalid"
)

// Codes lists them, for the totality tests of the families.
var Codes = []fault.Code{CodeTransition, CodeOrderNotFound, CodeBatchNotFound, CodeReport}

var (
	errTransition    = fault.New(fault.Conflict, CodeTransition, "production or shipment cannot go from its status to that one")
	errOrderNotFound = fault.New(fault.NotFound, CodeOrderNotFound, "there is no such order")
	errBatchNotFound = fault.New(fault.NotFound, CodeBatchNotFound, "there is no such batch")
	errReport        = fault.New(fault.Refused, CodeReport, "the report is not from the bureau it names")
	errInvalid       = access.ErrInvalid
)
