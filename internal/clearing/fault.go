package clearing

import "github.com/sarraf-platform/sarraf/internal/fault"

// Codes of the faults this package raises.
const (
	FileSeen       fault.Code = "clearing_file_seen"
	FileInvalid    fault.Code = "clearing_file_invalid"
	FileChanged    fault.Code = "clearing_file_changed"
	BINUnknown     fault.Code = "clearing_bin_unknown"
	TenantNotFound fault.Code = "clearing_tenant_not_found"
)

// Codes lists them, for the totality tests of the families.
var Codes = []fault.Code{FileSeen, FileInvalid, FileChanged, BINUnknown, TenantNotFound}
