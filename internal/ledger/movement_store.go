package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/ledger/line"
)

// Movements returns what entries did to a credit account between two positions of
// its statement, both included, in order.
func Movements(ctx context.Context, tx db.Tx, account AccountID, first, last int64) (all []Movement, err error) {
	err = eachMovement(ctx, tx, account, first, last, func(m Movement) error {
		all = append(all, m)
		return nil
	})
	return all, err
}

// errPurpose says that a posting does not tell what it is for.
var errPurpose = errors.New("a movement has no purpose")

// eachMovement hands over what entries did to a credit account between two
// positions of its statement.
func eachMovement(ctx context.Context, tx db.Tx, account AccountID, first, last int64, each func(Movement) error) error {
	var m Movement
	err := db.Each(ctx, tx, func(row db.Scanner) error {
		var side Side
		var minor, position int64
		var part, purpose string
		var starts *string
		e, err := scanEntry(withMore{row, []any{&side, &minor, &position, &part, &starts}})
		if err != nil {
			return err
		}
		if starts != nil {
			purpose = *starts
			if m.First != 0 { // this is the first posting of the next movement
				if err := each(m); err != nil {
					return err
				}
			}
			m = Movement{Entry: e, Side: side, Parts: map[line.Bucket]int64{}, First: position}
			if m.Entry.Purpose, err = parsePurpose(purpose); err != nil {
				return fmt.Errorf("%w: entry %s: %w", errPurpose, e.ID, err)
			}
		}
		bucket, err := line.ParseBucket(part)
		if err != nil || m.First == 0 {
			return fmt.Errorf("%w: entry %s", errPurpose, e.ID)
		}
		m.Minor, m.Last = m.Minor+minor, position
		if (side == Credit) != bucket.IsCredit {
			minor = -minor
		}
		m.Parts[bucket] += minor
		return nil
	}, `SELECT `+entryColumns+`, p.side, p.amount, p.position, COALESCE(p.part, ''), p.purpose FROM posting p JOIN entry e ON e.id = p.entry_id
		WHERE p.account_id = $1 AND p.position BETWEEN $2 AND $3 ORDER BY p.position`, account, first, last)
	if err == nil && m.First != 0 {
		err = each(m)
	}
	return err
}
