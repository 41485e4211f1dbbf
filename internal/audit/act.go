package audit

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/db"
)

// Stream says in which list an act is shown.
type Stream string

// The streams.
const (
	CardStream     Stream = "Card"
	ProductStream  Stream = "Product"    // BINs, ranges, groups, products, attributes
	PolicyStream   Stream = "Policy"     // card policies, controls, fees
	CustomerStream Stream = "Customer"   // customers and segments; in no list of the API
	AccessStream   Stream = "Access"     // tokens; in no list of the API
	StoreStream    Stream = "StoredCard" // cards kept for merchants; in no list of the API
	CreditStream   Stream = "Credit"     // credit accounts and their terms; in no list of the API
	// DecisionStream seals authorization decisions; in no list of the API.
	DecisionStream Stream = "Decision"
)

// Result is how an act ended.
type Result string

// The results.
const (
	Success Result = "Success"
	Failure Result = "Failure"
)

// Act is something that somebody did. Empty members are absent. It never holds
// a card number, PIN, CVV2 or key.
type Act struct {
	Tenant                string // its identifier as text
	At                    time.Time
	Stream                Stream
	Action                string // Create, Update, StatusChange, …
	EntityType, EntityKey string

	CardID, IssuanceID string // identifiers as text
	ProductCode        string

	Client, UserID, Channel, CorrelationID string // UserID: of a user that signed in
	Result                                 Result // empty: Success
	ErrorCode                              string
	Changes                                []Change

	// Personal values; the chain holds their digests only.
	User, IP, Description string
}

// Change is one property before and after. nil is absent.
type Change struct {
	Property string
	Old, New *string
}

// Entry is an act in its place. Erased says that its personal values were
// removed.
type Entry struct {
	Act
	Position int64
	Hash     string // hexadecimal
	Erased   bool

	salt                                    []byte
	userDigest, ipDigest, descriptionDigest string
	storedChanges                           string
}

// Append adds an act to its tenant's chain, in the transaction of the act. It
// holds the chain's end until that transaction is over, so acts of one tenant
// follow one another whatever the engine.
func Append(ctx context.Context, tx db.Tx, a Act) error {
	if a.Result == "" {
		a.Result = Success
	}
	position, previous, err := advance(ctx, tx, a.Tenant)
	if err != nil {
		return fmt.Errorf("take the next place of the audit chain: %w", err)
	}
	e := Entry{Act: a, Position: position}
	if a.User+a.IP+a.Description != "" {
		e.salt = make([]byte, 16)
		rand.Read(e.salt) // never fails
	}
	e.userDigest, e.ipDigest, e.descriptionDigest = e.digests()
	hash := e.sum(previous)
	e.Hash = hex.EncodeToString(hash[:])
	if err := insertEntry(ctx, tx, e); err != nil {
		return fmt.Errorf("append to the audit chain: %w", err)
	}
	return nil
}
