package program

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// Configuration is everything a tenant has defined for its cards, as it was at
// one Version. It is a snapshot: nobody changes it, and whoever holds one may
// read it without a lock.
type Configuration struct {
	Tenant     access.Tenant
	Version    int64
	Hash       string // SHA-256 in hexadecimal; see [Configuration.hash]
	Attributes Attributes
	Conversion CurrencyConversion
	BINs       map[string]BIN
	Ranges     map[string]BINRange
	Groups     map[string]Group
	Products   map[string]Product
	Keys       map[string]KeySet // by BIN.KeySetCode
}

// KeySet holds the keys that cards of a BIN are made and checked with. Only
// references are here; the keys open inside the HSM.
type KeySet struct {
	CVK hsm.KeyRef // CVV, iCVV, CVV2
	PVK hsm.KeyRef // PVV, of four-digit PINs
	// PVKOffset makes the IBM 3624 offsets of longer PINs.
	PVKOffset hsm.KeyRef
	IMKAC     hsm.KeyRef // application cryptograms
	IMKSMI    hsm.KeyRef // issuer script integrity
	IMKSMC    hsm.KeyRef // issuer script confidentiality
	ZPK       hsm.KeyRef // PIN blocks of ISO formats 0, 1 and 3 (TDES)
	ZPKAES    hsm.KeyRef // PIN blocks of ISO format 4 (AES)
	PINStore  hsm.KeyRef // PINs that are kept; it never leaves
}

// Product returns the product with this code, its group and range being in the
// same snapshot.
func (c *Configuration) Product(code string) (Product, bool) {
	p, ok := c.Products[code]
	return p, ok
}

// ProductNamed returns the product with this code, or refuses.
func (c *Configuration) ProductNamed(code string) (Product, error) {
	if p, found := c.Products[code]; found {
		return p, nil
	}
	return Product{}, errProductNotFound
}

// BINOf returns the BIN that a product issues from.
func (c *Configuration) BINOf(p Product) (BIN, bool) {
	r, ok := c.Ranges[p.BINRangeCode]
	if !ok {
		return BIN{}, false
	}
	b, ok := c.BINs[r.BIN]
	return b, ok
}

// BINFor returns the BIN of a card number: of two that fit the longer one.
func (c *Configuration) BINFor(p pan.PAN) (BIN, bool) {
	for _, n := range binLengths {
		if b, ok := c.BINs[p.Prefix(n)]; ok {
			return b, true
		}
	}
	return BIN{}, false
}

// KeysOf returns the key set of a BIN.
func (c *Configuration) KeysOf(b BIN) (KeySet, bool) {
	k, ok := c.Keys[b.KeySetCode]
	return k, ok
}

// binLengths are the lengths a BIN may have, longest first.
var binLengths = [...]int{8, 6}

// Configuration returns the tenant's committed configuration. It is kept in
// memory until [Service.Forget]; a caller for whom it must not be older than
// its transaction compares Version with [ConfigurationVersions].
//
// An unknown tenant is an error, not a fault: tenants come from tokens and BINs
// that exist.
func (s *Service) Configuration(ctx context.Context, tenant access.TenantID) (*Configuration, error) {
	if cfg := s.cache.configuration(tenant); cfg != nil {
		return cfg, nil
	}
	generation := s.cache.generation()
	var cfg *Configuration
	// A transaction that ctx carries is left out: what it has not committed
	// must not enter the cache.
	err := s.DB.View(db.WithTx(ctx, nil), func(tx db.Tx) (err error) {
		cfg, err = readConfiguration(ctx, tx, tenant)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load configuration of %s: %w", tenant, err)
	}
	s.cache.keep(cfg, generation)
	return cfg, nil
}

// ConfigurationIn returns the tenant's configuration as tx sees it, for use
// cases that must act on exactly that. What it has to load enters the cache when
// tx is committed, unless tx changes the configuration: see [Service.changed].
func (s *Service) ConfigurationIn(ctx context.Context, tx db.Tx, tenant access.TenantID) (*Configuration, error) {
	versions, err := ConfigurationVersions(ctx, tx, []access.TenantID{tenant})
	if err != nil {
		return nil, err
	}
	if cfg := s.cache.configuration(tenant); cfg != nil && cfg.Version == versions[tenant] && cfg.Version > 0 {
		return cfg, nil
	}
	generation := s.cache.generation()
	cfg, err := readConfiguration(ctx, tx, tenant)
	if err != nil {
		return nil, fmt.Errorf("load configuration of %s: %w", tenant, err)
	}
	db.AfterCommit(tx, func() { s.cache.keep(cfg, generation) })
	return cfg, nil
}

// Route finds the tenant and BIN that a card number belongs to. found is false
// when nobody has its BIN. A BIN that was created a moment ago is found at
// once: what memory does not know is looked up.
func (s *Service) Route(ctx context.Context, p pan.PAN) (cfg *Configuration, b BIN, found bool, err error) {
	tenant, found := s.cache.route(p)
	if !found {
		err := s.DB.View(db.WithTx(ctx, nil), func(tx db.Tx) (err error) {
			tenant, found, err = tenantOfBIN(ctx, tx, p.Prefix(8), p.Prefix(6))
			return err
		})
		if err != nil {
			return nil, BIN{}, false, fmt.Errorf("look up BIN: %w", err)
		}
		if !found {
			return nil, BIN{}, false, nil
		}
	}
	for range 2 {
		if cfg, err = s.Configuration(ctx, tenant); err != nil {
			return nil, BIN{}, false, err
		}
		if b, found = cfg.BINFor(p); found {
			return cfg, b, true, nil
		}
		s.Forget(tenant) // the snapshot is older than the BIN
	}
	return nil, BIN{}, false, nil
}

// Forget drops what is kept of a tenant's configuration, so that the next use
// loads it anew. Snapshots already handed out stay as they are.
func (s *Service) Forget(tenant access.TenantID) { s.cache.forget(tenant, 0) }

// TenantChanged raises the configuration version of a tenant that was created
// or changed: its zone, language and environment are part of the snapshot. A
// default currency that is not the one of the tenant's issuing attributes is
// refused: their amounts were meant in the other.
func (s *Service) TenantChanged(ctx context.Context, tx db.Tx, tenant access.TenantID) error {
	if err := s.changed(ctx, tx, tenant); err != nil {
		return err
	}
	t, err := access.MustTenant(ctx, tx, tenant)
	if err != nil {
		return err
	}
	a, _, err := readAttributes(ctx, tx, t)
	if err != nil {
		return fmt.Errorf("read issuing attributes: %w", err)
	}
	if other, found := a.foreignTo(t.DefaultCurrency); found {
		return errTenantCurrency.With("currency", other.Code())
	}
	return nil
}

// changed must be called in every transaction that changes a tenant's
// configuration. Changes of one tenant wait for one another from here on, so
// that what they check (overlaps, codes in use) still holds at commit.
//
// Once tx is committed, older snapshots leave the cache for good, and so does
// what tx itself has read meanwhile, which may be half of its change.
func (s *Service) changed(ctx context.Context, tx db.Tx, tenant access.TenantID) error {
	version, err := raiseVersion(ctx, tx, tenant)
	if err != nil {
		return fmt.Errorf("raise configuration version: %w", err)
	}
	db.AfterCommit(tx, func() { s.cache.forget(tenant, version) })
	return nil
}

// Change runs f in a transaction that raises the tenant's configuration version:
// what is decided from its commit on is decided under it. Changes of one tenant
// wait for one another.
func (s *Service) Change(ctx context.Context, tenant access.TenantID, f func(tx db.Tx) error) error {
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		if err := s.changed(ctx, tx, tenant); err != nil {
			return err
		}
		return f(tx)
	})
	if err != nil {
		s.Forget(tenant) // the commit may have succeeded without an answer
	}
	return err
}

// cache keeps snapshots by tenant and the tenants of BINs. Readers take no
// lock; writers copy.
type cache struct {
	mu      sync.Mutex
	current atomic.Pointer[snapshots]
}

type snapshots struct {
	generation     int64 // raised by every forget
	configurations map[access.TenantID]*Configuration
	oldest         map[access.TenantID]int64  // the version that a snapshot must at least have
	routes         map[string]access.TenantID // by BIN
}

func (c *cache) load() *snapshots {
	if s := c.current.Load(); s != nil {
		return s
	}
	return &snapshots{}
}

func (c *cache) generation() int64 { return c.load().generation }

func (c *cache) configuration(tenant access.TenantID) *Configuration {
	return c.load().configurations[tenant]
}

// route finds the tenant of a card number among the snapshots. Two tenants
// never share a BIN, so any fitting prefix tells.
func (c *cache) route(p pan.PAN) (access.TenantID, bool) {
	s := c.load()
	for _, n := range binLengths {
		if tenant, ok := s.routes[p.Prefix(n)]; ok {
			return tenant, true
		}
	}
	return access.TenantID{}, false
}

// keep stores cfg unless something was forgotten since generation, for cfg may
// then be what should be forgotten, or cfg was out of date before that: its
// transaction may have begun before a change and asked for it after.
func (c *cache) keep(cfg *Configuration, generation int64) {
	c.replace(func(s *snapshots) {
		if s.generation != generation || cfg.Version < s.oldest[cfg.Tenant.ID] {
			return
		}
		s.configurations[cfg.Tenant.ID] = cfg
		for b := range cfg.BINs {
			s.routes[b] = cfg.Tenant.ID
		}
	})
}

// forget drops the tenant's snapshot and never again keeps one from before
// version. It leaves routes as they are: a BIN never changes its tenant.
func (c *cache) forget(tenant access.TenantID, version int64) {
	c.replace(func(s *snapshots) {
		s.generation++
		delete(s.configurations, tenant)
		s.oldest[tenant] = max(s.oldest[tenant], version)
	})
}

// replace puts a changed copy of what is kept in its place.
func (c *cache) replace(change func(*snapshots)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.load()
	s := &snapshots{old.generation, copied(old.configurations), copied(old.oldest), copied(old.routes)}
	change(s)
	c.current.Store(s)
}

// copied clones m; the clone of nil is empty.
func copied[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return maps.Clone(m)
}
