package control

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// Snapshot is what a tenant has defined here as it was at one version of its
// configuration. Nobody changes it, and whoever holds one may read it without a
// lock.
type Snapshot struct {
	Version int64
	// Hash is the SHA-256 in hexadecimal of what decides, see hashOf.
	Hash  string
	Lists *rule.Lists

	stamps, digests map[string]string // of the lists, by code
	parts           map[Kind]part
	isEmpty         bool // all parts that transactions are asked about are
	readsUses       bool

	links Links
	// personal says that links to customers or cards exist: those are read with
	// the card, for there may be as many as there are customers.
	personal bool
	// overridden are the velocity controls, by code, that limits of cards were ever
	// set for: those are read with the card, too.
	overridden map[string]bool
	combined   atomic.Pointer[combinedHash]
	draft      *draftedPart // nil: it is what the tenant has
}

// ReadsUses reports whether an authorization control asks what the card or its
// customer was used for before.
func (k *Snapshot) ReadsUses() bool { return k.readsUses }

// IsEmpty reports whether the tenant has defined nothing that transactions are
// asked about.
func (k *Snapshot) IsEmpty() bool { return k.isEmpty }

// LinksOf returns the links that may hold for a card.
func (s *Service) LinksOf(ctx context.Context, k *Snapshot, tenant access.TenantID, subject Subject) (Links, error) {
	if !k.personal {
		return k.links, nil
	}
	var links Links
	err := s.DB.View(ctx, func(tx db.Tx) (err error) {
		links, err = k.linksOf(ctx, tx, tenant, subject)
		return err
	})
	return links, err
}

func (k *Snapshot) linksOf(ctx context.Context, tx db.Tx, tenant access.TenantID, s Subject) (Links, error) {
	if !k.personal {
		return k.links, nil
	}
	own, err := readPersonalLinks(ctx, tx, tenant, s)
	if err != nil {
		return Links{}, fmt.Errorf("read links of card: %w", err)
	}
	if k.draft != nil {
		own = slices.DeleteFunc(own, k.isUntied)
	}
	return k.links.with(own), nil
}

// Snapshot returns what the tenant has defined, as of version or later; that is
// the version of the configuration that the caller gathers under. One that is
// newer than the caller's shows by its Version, and again when the caller
// compares versions before it commits.
func (s *Service) Snapshot(ctx context.Context, tenant access.TenantID, version int64) (*Snapshot, error) {
	var before *Snapshot
	if k, found := s.kept.Load(tenant); found {
		if before = k.(*Snapshot); before.Version >= version {
			return before, nil
		}
	}
	var k *Snapshot
	// A transaction that ctx carries is left out: what it has not committed must
	// not be kept.
	err := s.DB.View(db.WithTx(ctx, nil), func(tx db.Tx) (err error) {
		k, err = s.readSnapshot(ctx, tx, tenant, before)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load controls of %s: %w", tenant, err)
	}
	s.tellBroken(ctx, tenant, k)
	s.keep(tenant, k)
	return k, nil
}

// tellBroken logs which definitions have a rule that compiles no longer.
func (s *Service) tellBroken(ctx context.Context, tenant access.TenantID, k *Snapshot) {
	if s.Log == nil {
		return
	}
	for _, p := range k.parts {
		p.eachBroken(func(kind Kind, h Head, why rule.Problem) {
			s.Log.ErrorContext(ctx, "rule of a control compiles no longer: save it anew", "tenant", tenant, "kind", kind, "code", h.Code,
				"version", h.Version, "at", why.At("rule"), "problem", string(why.Code))
		})
	}
}

// current returns the committed snapshot.
func (s *Service) current(ctx context.Context, tenant access.TenantID) (*Snapshot, error) {
	var versions map[access.TenantID]int64
	err := s.DB.View(db.WithTx(ctx, nil), func(tx db.Tx) (err error) {
		versions, err = program.ConfigurationVersions(ctx, tx, []access.TenantID{tenant})
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.Snapshot(ctx, tenant, versions[tenant])
}

// SnapshotIn returns what the tenant has defined as tx sees it, for use cases
// that save what must fit to exactly that.
func (s *Service) SnapshotIn(ctx context.Context, tx db.Tx, tenant access.TenantID) (*Snapshot, error) {
	return s.readSnapshot(ctx, tx, tenant, nil)
}

func (s *Service) readSnapshot(ctx context.Context, tx db.Tx, tenant access.TenantID, before *Snapshot) (*Snapshot, error) {
	k, lists, err := readLists(ctx, tx, tenant, before)
	if err != nil {
		return nil, err
	}
	k.parts, k.isEmpty = make(map[Kind]part, len(s.kinds)), true
	for _, definitions := range s.kinds {
		kind, p, err := definitions.compile(ctx, tx, tenant, k.Lists)
		if err != nil {
			return nil, err
		}
		k.parts[kind] = p
		k.readsUses = k.readsUses || kind == Authorization && p.reads(rule.FieldID.IsStatistic)
		if kind != IssuanceFee && kind != AnnualFee { // those no transaction is asked about
			k.isEmpty = k.isEmpty && p.isEmpty()
		}
	}
	links, personal, err := readGeneralLinks(ctx, tx, tenant)
	if err != nil {
		return nil, fmt.Errorf("read links: %w", err)
	}
	k.links, k.personal = NewLinks(links), personal
	if k.overridden, err = readOverridden(ctx, tx, tenant); err != nil {
		return nil, err
	}
	stored, err := readStoredDefinitions(ctx, tx, tenant)
	if err != nil {
		return nil, fmt.Errorf("read definitions: %w", err)
	}
	k.Hash = hashOf(stored, links, lists, k.digests)
	return k, nil
}

// readLists begins a snapshot with its version and lists, which it returns without
// their values, too. It takes the lists that have not changed from the snapshot
// before, nil for none: most changes of a configuration are about something else,
// and lists are long.
func readLists(ctx context.Context, tx db.Tx, tenant access.TenantID, before *Snapshot) (*Snapshot, []NamedList, error) {
	if before == nil {
		before = &Snapshot{}
	}
	// The version comes first: on PostgreSQL later statements may see later
	// changes, and such a mixture then counts as old.
	versions, err := program.ConfigurationVersions(ctx, tx, []access.TenantID{tenant})
	if err != nil {
		return nil, nil, err
	}
	heads, err := readListHeads(ctx, tx, tenant)
	if err != nil {
		return nil, nil, fmt.Errorf("read named lists: %w", err)
	}
	k := &Snapshot{Version: versions[tenant], stamps: make(map[string]string, len(heads)), digests: make(map[string]string, len(heads))}
	lists := make([]rule.List, 0, len(heads))
	for _, head := range heads {
		if before.stamps[head.Code] == head.ConcurrencyStamp {
			lists = append(lists, rule.List{Code: head.Code, IsSame: true})
			k.stamps[head.Code], k.digests[head.Code] = head.ConcurrencyStamp, before.digests[head.Code]
			continue
		}
		l, found, err := readNamedList(ctx, tx, tenant, head.Code)
		if err != nil {
			return nil, nil, fmt.Errorf("read named list: %w", err)
		}
		if found { // else it was deleted a moment ago
			lists = append(lists, rule.List{Code: l.Code, IsNumeric: l.Type == IntegerValues, Values: l.Values, IsActive: l.IsActive})
			k.stamps[l.Code], k.digests[l.Code] = l.ConcurrencyStamp, l.digest()
		}
	}
	k.Lists = before.Lists.Renewed(lists)
	return k, heads, nil
}
