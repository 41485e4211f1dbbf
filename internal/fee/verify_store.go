package fee

import "github.com/sarraf-platform/sarraf/internal/ledger"

// Rules is what must always hold of fees that ride on life cycles.
var Rules = []ledger.Rule{{
	Name:   "the fees of a life cycle are of its account's tenant",
	Count:  "SELECT COUNT(*) FROM fee_due",
	Broken: "SELECT f.root_id FROM fee_due f WHERE " + ledger.OfAnotherTenant("f"),
}}
