package personalization

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

// Bureaus brings files to card bureaus. app plugs it in.
type Bureaus interface {
	// Prepare writes a file where it survives, and where no bureau looks.
	Prepare(ctx context.Context, f File) (Prepared, error)
	// Deliver moves a prepared file to where its bureau takes it. When it has
	// been moved already, nothing happens.
	Deliver(ctx context.Context, p Prepared) error
	// Discard removes a prepared file that will not be delivered.
	Discard(ctx context.Context, p Prepared) error
}

// File is a personalisation order as it is to be written.
type File struct {
	ID              string // and the name without its extension
	Tenant          access.TenantID
	Vendor          string
	CreatedAt       time.Time
	TransportKeyID  string
	TransportKeyKCV string
	DataKey         string // key blocks under the transport key
	PINKey          string // empty: no card of the file has a PIN block
	MACKey          string
	Cards           []OrderedCard
	// Authenticate computes the code of the file's digest.
	Authenticate func(digest [32]byte) ([]byte, error)
}

// OrderedCard is one card of a file.
type OrderedCard struct {
	OrderID   string
	Plastic   issuing.PlasticToMake
	Parts     hsm.PersonalizedCard
	Tags      []Tag
	Limits    Limits
	Recipient []byte // encrypted for the bureau; empty when nothing is known
}

// Tag is a data element of a chip that is no secret: name and value in
// hexadecimal digits.
type Tag struct{ Name, Value string }

// Limits bound what a chip does without asking, in minor units of Currency.
type Limits struct {
	Currency              string
	ContactlessAmount     int64
	ContactlessCumulative int64
	ContactlessCount      int
	OfflineCount          int
}

// Prepared is a file that was written and not delivered yet.
type Prepared struct {
	Tenant access.TenantID
	Vendor string
	FileID string
	Place  string // where it lies, in the adapter's words
	Digest string
}
