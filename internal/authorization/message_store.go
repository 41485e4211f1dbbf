package authorization

import (
	"context"
	"errors"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// message is what is kept of a message under its key: enough to know a repeat
// and to answer it.
type message struct {
	key         string
	fingerprint string
	tombstone   bool
	tenant      access.TenantID
	transaction TransactionID
	answer      Answer
	at          time.Time
}

var messageLookup = &db.Lookup{
	Head: "SELECT key, fingerprint, is_tombstone, tenant_id, transaction_id, answer, created_at FROM message WHERE key IN ", Together: true,
}

func readMessages(ctx context.Context, tx db.Tx, keys []string) (map[string]*message, error) {
	found := map[string]*message{}
	err := messageLookup.Query(ctx, tx, nil, keys, func(s db.Scanner) error {
		m := &message{}
		var answer string
		var at int64
		err := s.Scan(&m.key, &m.fingerprint, &m.tombstone, &m.tenant, &m.transaction, &answer, &at)
		if err != nil {
			return err
		}
		m.at = clock.FromMicros(at)
		if !m.tombstone {
			if m.answer, err = parseAnswer(answer); err != nil {
				return err
			}
		}
		found[m.key] = m
		return nil
	})
	return found, err
}

var (
	messageInsert = &db.Bulk{
		Head:    "INSERT INTO message (key, fingerprint, is_tombstone, tenant_id, transaction_id, answer, created_at) VALUES ",
		Columns: 7,
	}
	messageUpdate = &db.Bulk{
		Head:    "WITH v (key, fingerprint, tenant_id, transaction_id, answer) AS (VALUES ",
		Columns: 5, Types: []string{"TEXT", "TEXT", "TEXT", "TEXT", "TEXT"},
		Tail: `) UPDATE message SET fingerprint = v.fingerprint, is_tombstone = FALSE, tenant_id = v.tenant_id,
			transaction_id = v.transaction_id, answer = v.answer FROM v
			WHERE message.key = v.key AND message.is_tombstone RETURNING message.key`,
	}
)

func insertMessages(ctx context.Context, tx db.Tx, all []*message) error {
	args := make([]any, 0, len(all)*messageInsert.Columns)
	for _, m := range all {
		args = append(args, m.key, m.fingerprint, m.tombstone, m.tenant, m.transaction, m.answer.String(), clock.Micros(m.at))
	}
	return messageInsert.Exec(ctx, tx, args)
}

// errClaimed says that another node answered a message at the same moment: the
// group must run again and will find its answer.
var errClaimed = errors.New("the message was answered by another node")

// answerTombstones turns tombstones into answered messages: the original came.
func answerTombstones(ctx context.Context, tx db.Tx, all []*message) error {
	args := make([]any, 0, len(all)*messageUpdate.Columns)
	for _, m := range all {
		args = append(args, m.key, m.fingerprint, m.tenant, m.transaction, m.answer.String())
	}
	answered := 0
	err := messageUpdate.Query(ctx, tx, args, func(db.Scanner) error { answered++; return nil })
	if err == nil && answered < len(all) {
		err = errClaimed
	}
	return err
}
