package audit

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/db"
)

// Finding names a row that does not fit its chain.
type Finding struct {
	Tenant   string
	Position int64
	Fault    string
}

// String names the row and what is wrong with it.
func (f Finding) String() string { return fmt.Sprintf("%s row %d: %s", f.Tenant, f.Position, f.Fault) }

// Report is what became of a verification.
type Report struct {
	Checked  int64 // rows looked at
	Findings []Finding
}

// verifyBatch is how many rows are read at a time.
const verifyBatch = 500

// Verify recomputes every chain on one state of the database and names each row
// that was altered, is missing or stands elsewhere than where it was written. It
// cannot tell a chain that was written anew from its start: a [Checkpoint] can.
func (s *Service) Verify(ctx context.Context) (r Report, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		r = Report{}
		chains, err := heads(ctx, tx)
		if err != nil {
			return fmt.Errorf("read ends of audit chains: %w", err)
		}
		for _, h := range chains {
			if err := r.chain(ctx, tx, h); err != nil {
				return fmt.Errorf("verify audit chain of %s: %w", h.tenant, err)
			}
		}
		headless, err := rowsWithoutHead(ctx, tx)
		for _, tenant := range headless {
			r.find(tenant, 0, "the end of the chain is missing")
		}
		return err
	})
	return r, err
}

func (r *Report) find(tenant string, position int64, fault string) {
	r.Findings = append(r.Findings, Finding{tenant, position, fault})
}

// chain walks one chain from its first row to its end.
func (r *Report) chain(ctx context.Context, tx db.Tx, end head) error {
	var previous []byte
	var position int64
	last := ""
	for {
		page, err := entriesAfter(ctx, tx, end.tenant, position, verifyBatch)
		if err != nil {
			return err
		}
		for _, e := range page {
			r.Checked++
			linked := e.Position == position+1
			r.missing(end.tenant, position+1, e.Position)
			if fault := e.fault(previous, linked); fault != "" {
				r.find(end.tenant, e.Position, fault)
			}
			// Each row is held against what the one before it says, so that one
			// broken row does not hide the rest.
			position, last = e.Position, e.Hash
			previous, _ = hex.DecodeString(e.Hash)
		}
		if len(page) < verifyBatch {
			break
		}
	}
	r.missing(end.tenant, position+1, end.position+1)
	switch {
	case position > end.position:
		r.find(end.tenant, position, "it stands after the end of the chain")
	case position == end.position && last != end.hash:
		r.find(end.tenant, position, "its hash is not that of the end of the chain")
	}
	return nil
}

// missing names the rows that should stand in [from, to).
func (r *Report) missing(tenant string, from, to int64) {
	switch {
	case to == from+1:
		r.find(tenant, from, "it is missing")
	case to > from:
		r.find(tenant, from, fmt.Sprintf("it and all up to row %d are missing", to-1))
	}
}

// fault says what is wrong with an entry, or nothing. After a gap there is no
// hash to hold it against.
func (e Entry) fault(previous []byte, linked bool) string {
	if sum := e.sum(previous); linked && hex.EncodeToString(sum[:]) != e.Hash {
		return "it was altered, or does not follow the row before it"
	}
	if stored, err := storeChanges(e.Changes); err != nil || stored != e.storedChanges {
		return "its changes were altered"
	}
	if e.Erased {
		return ""
	}
	if user, ip, description := e.digests(); user != e.userDigest || ip != e.ipDigest || description != e.descriptionDigest {
		return "its personal values were altered"
	}
	return ""
}
