package clearing

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// FileID identifies an imported file.
type FileID = id.ID[Import]

// Import is a file that was imported.
type Import struct {
	ID FileID
	File
	At clock.Real
}

// IDPrefix implements id.Entity.
func (Import) IDPrefix() string { return "clr" }

// Summary is what became of a file.
type Summary struct {
	Import
	ByStatus map[MatchStatus]int
	ByCause  map[Cause]int // exceptions
}

// Options change how a file is taken in; the zero value is the default.
type Options struct {
	// Tenant takes the records whose BIN nobody has into its suspense account.
	// Zero refuses a file that holds one.
	Tenant access.TenantID
}

// importMax bounds how often an import runs because another one posted a
// record of it at the same moment.
const importMax = 3

// Import takes a clearing file in: all of it in one transaction, or nothing.
//
// It is refused whole when src finds it broken, when its content was imported
// before (FileSeen, whatever its name), and when nobody has the BIN of one of
// its cards (BINUnknown). What does not fit an authorization is no reason to
// refuse: it is posted and an exception tells of it.
//
// While it runs it holds the locks of the cards' accounts it posts to, but not
// of the network's, which it opens before; on SQLite, of everything.
func (s *Service) Import(ctx context.Context, src Source, o Options) (Summary, error) {
	if err := s.checkTenant(ctx, o.Tenant); err != nil {
		return Summary{}, err
	}
	r := &resolver{programs: s.programs, cards: s.cards, fallback: o.Tenant, places: map[pan.PAN]*place{}, books: map[ledgerOf]bool{}}
	file, err := src.Read(func(p *Presentment) error {
		err := r.resolve(ctx, p)
		if err == nil {
			r.note(p)
		}
		return err
	})
	if err != nil {
		return Summary{}, fmt.Errorf("read clearing file: %w", err)
	}
	if err := s.openControls(ctx, file, r); err != nil {
		return Summary{}, fmt.Errorf("open accounts of clearing file: %w", err)
	}
	for attempt := 1; ; attempt++ {
		var sum Summary
		err := s.db.InTx(ctx, func(tx db.Tx) (err error) {
			sum, err = s.post(ctx, tx, src, file, r)
			return err
		})
		if err == nil {
			return sum, nil
		}
		if !db.IsUnique(err) || attempt == importMax {
			return Summary{}, fmt.Errorf("import clearing file: %w", err)
		}
	}
}

func (s *Service) checkTenant(ctx context.Context, tenant access.TenantID) error {
	if tenant.IsZero() {
		return nil
	}
	return s.db.View(ctx, func(tx db.Tx) error {
		_, found, err := access.ReadTenant(ctx, tx, tenant)
		if err == nil && !found {
			err = fault.New(fault.NotFound, TenantNotFound, "there is no such tenant")
		}
		return err
	})
}

// openControls makes the network's accounts of the file's day, which messages of
// that day post to as well, before the import takes its time. A file that is
// refused after all leaves them without postings.
func (s *Service) openControls(ctx context.Context, file File, r *resolver) error {
	var all []ledger.Account
	for k := range r.books {
		all = append(all, ledger.Control(k.tenant, ledger.SettlementCode(file.Network, file.BusinessOn), k.currency),
			ledger.Control(k.tenant, ledger.UnmatchedClearing, k.currency))
	}
	return s.db.InTx(ctx, func(tx db.Tx) error { return ledger.OpenControls(ctx, tx, all, clock.RealNow(s.clock).Time()) })
}

// post is the body of the transaction.
func (s *Service) post(ctx context.Context, tx db.Tx, src Source, file File, r *resolver) (Summary, error) {
	now := clock.RealNow(s.clock)
	in := Import{ID: id.New[Import](now.Time()), File: file, At: now}
	sum := Summary{Import: in, ByStatus: map[MatchStatus]int{}, ByCause: map[Cause]int{}}
	fresh, err := insertFile(ctx, tx, in)
	if err != nil {
		return sum, fmt.Errorf("record file: %w", err)
	}
	if !fresh {
		return sum, fault.New(fault.Conflict, FileSeen, "a file with this content was imported before").With("fileId", file.Name)
	}
	// All accounts are locked before the first batch, in the one order in which
	// everybody locks them: batches lock in the order of the file, and would
	// meet an authorization half-way.
	if err := r.lock(ctx, tx); err != nil {
		return sum, err
	}
	if err := r.readDates(ctx, tx); err != nil {
		return sum, fmt.Errorf("read dates of tenants: %w", err)
	}
	presented := &authorization.Presented{}
	b := newBatch(in, r, s.limits, presented)
	flush := func() error {
		if err := b.run(ctx, tx); err != nil {
			return err
		}
		b.count(sum)
		b = newBatch(in, r, s.limits, presented)
		return nil
	}
	again, err := src.Read(func(p *Presentment) error {
		if b.add(p); len(b.records) < batchMax {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return sum, err
	}
	if again.Hash != file.Hash {
		return sum, fault.New(fault.Conflict, FileChanged, "the file changed while it was imported")
	}
	// Limits come after all accounts, and all at once: an authorization locks them
	// in one order, too.
	return sum, s.limits.Count(ctx, tx, presented, now, func(tenant access.TenantID) time.Time { return r.tenantAt(tenant, now) })
}
