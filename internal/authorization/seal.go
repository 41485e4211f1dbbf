package authorization

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// Decisions are too many for a row each in the audit chain, whose end only one
// transaction can hold. They are sealed into it afterwards: an act of
// audit.DecisionStream says of a run of a tenant's decisions which is the first
// and the last, how many there are, and what they hash to.

const (
	// sealAfter is how old a decision is when it is sealed. Its identifier is
	// given before it is committed; by then whatever has a smaller one is there.
	// One whose client was asked and that is not concluded holds up those after it.
	sealAfter = 10 * time.Minute
	sealBatch = 1000
	sealed    = "Seal"
)

// Seals puts the decisions into the audit chain and compares them with it. It is
// safe for concurrent use, also by several nodes.
type Seals struct {
	DB    *db.DB
	Clock clock.Clock
}

// Seal seals the decisions that are old enough and not sealed yet, and returns
// how many.
func (s *Seals) Seal(ctx context.Context) (int, error) { return s.sealOlder(ctx, sealAfter) }

// SealAll is [Seals.Seal] of the young ones, too. Nothing may be decided meanwhile:
// a decision that came late would never be sealed.
func (s *Seals) SealAll(ctx context.Context) (int, error) { return s.sealOlder(ctx, 0) }

func (s *Seals) sealOlder(ctx context.Context, than time.Duration) (int, error) {
	total := 0
	for {
		n := 0
		err := s.DB.InTx(ctx, func(tx db.Tx) (err error) {
			n, err = s.sealNext(ctx, tx, than)
			return err
		})
		if err != nil {
			return total, fmt.Errorf("seal decisions: %w", err)
		}
		if total += n; n < sealBatch {
			return total, ctx.Err()
		}
	}
}

// sealNext seals one batch of decisions of all tenants that are older than that, in
// the order of their identifiers.
func (s *Seals) sealNext(ctx context.Context, tx db.Tx, than time.Duration) (int, error) {
	now := clock.RealNow(s.Clock).Time()
	after, err := readSealed(ctx, tx)
	if err != nil {
		return 0, fmt.Errorf("read what is sealed: %w", err)
	}
	open, isOpen, err := firstPending(ctx, tx) // before the decisions: what is concluded by now is read as that
	if err != nil {
		return 0, fmt.Errorf("read what is pending: %w", err)
	}
	batch, err := decisionTextsAfter(ctx, tx, after, sealBatch)
	if err != nil {
		return 0, fmt.Errorf("read decisions: %w", err)
	}
	mayChange := func(d decisionText) bool {
		return d.at.After(now.Add(-than)) || isOpen && d.transaction >= open
	}
	if i := slices.IndexFunc(batch, mayChange); i >= 0 {
		batch = batch[:i]
	}
	if len(batch) == 0 {
		return 0, nil
	}
	if mine, err := moveSealed(ctx, tx, after, batch[len(batch)-1].transaction); err != nil || !mine {
		return 0, err // another node sealed them
	}
	byTenant := map[access.TenantID][]decisionText{}
	for _, d := range batch {
		if !d.tenant.IsZero() { // a number that is nobody's is in nobody's chain
			byTenant[d.tenant] = append(byTenant[d.tenant], d)
		}
	}
	for _, tenant := range tenantsOf(byTenant) {
		if err := audit.Append(ctx, tx, sealOf(byTenant[tenant], now)); err != nil {
			return 0, err
		}
	}
	return len(batch), nil
}

func tenantsOf(m map[access.TenantID][]decisionText) []access.TenantID {
	tenants := make([]access.TenantID, 0, len(m))
	for t := range m {
		tenants = append(tenants, t)
	}
	return slices.SortedFunc(slices.Values(tenants), access.TenantID.Compare)
}

// sealOf is the act that seals the decisions, which are of one tenant.
func sealOf(decisions []decisionText, now time.Time) audit.Act {
	first, last := decisions[0].transaction, decisions[len(decisions)-1].transaction
	count, digest := strconv.Itoa(len(decisions)), digestOf(decisions)
	return audit.Act{
		Tenant: decisions[0].tenant.String(), At: now, Stream: audit.DecisionStream, Action: sealed,
		EntityType: "Decision", EntityKey: last, Client: "system", Channel: "System",
		Changes: []audit.Change{{Property: "first", New: &first}, {Property: "count", New: &count}, {Property: "digest", New: &digest}},
	}
}

// digestOf is SHA-256 over the SHA-256 of each decision: of its transaction,
// configuration hash, packed record and packed trace, each as its length (uint32, big endian)
// and its bytes, and its time in microseconds (int64, big endian).
func digestOf(decisions []decisionText) string {
	all := sha256.New()
	for _, d := range decisions {
		one := sha256.New()
		for _, field := range []string{d.transaction, d.configuration, d.record, d.trace} {
			one.Write(binary.BigEndian.AppendUint32(nil, uint32(len(field))))
			one.Write([]byte(field))
		}
		one.Write(binary.BigEndian.AppendUint64(nil, uint64(clock.Micros(d.at))))
		all.Write(one.Sum(nil))
	}
	return hex.EncodeToString(all.Sum(nil))
}
