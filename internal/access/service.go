package access

import (
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// What tokens and keys live for.
const (
	TokenLife       = time.Hour
	RefreshLife     = 14 * 24 * time.Hour
	IdempotencyLife = 24 * time.Hour

	// leaseLife bounds how long a request may hold its idempotency key without
	// an answer. After a crash the key is free again when it has passed.
	leaseLife = time.Minute
	// Five wrong secrets within lockWindow lock a client until lockWindow has
	// passed since the last of them.
	failuresMax = 5
	lockWindow  = 15 * time.Minute
)

// ScopeAPI is the scope of a token that carries all permissions of its client.
const ScopeAPI = "api"

// Service is what this package does. Its fields are set once, before use; it is
// safe for concurrent use.
type Service struct {
	DB    *db.DB
	Seal  Sealer
	Clock clock.Clock
	// Issuer is the "iss" and the "aud" of access tokens.
	Issuer string
	// Rate is for clients whose tenant has none of its own; zero is any.
	Rate Rate
	// Cost is that of a password's hash.
	Cost PasswordCost
	// Watcher, when set, learns of new and changed tenants.
	Watcher TenantWatcher
	// Codes sends one-time passwords; without it only sandboxes have any.
	Codes CodeSender

	keys    keyring
	denials denials
	hashing chan struct{} // holds a place for each password being hashed
}

// New returns a service that issues tokens in the name of "sarraf".
func New(d *db.DB, seal Sealer, c clock.Clock) *Service {
	return &Service{DB: d, Seal: seal, Clock: c, Issuer: "sarraf", Cost: defaultCost, hashing: make(chan struct{}, hashesMax)}
}
