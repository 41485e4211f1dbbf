package personalization

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// Service is what this package does. Its fields are set once, before use; it is
// safe for concurrent use.
type Service struct {
	DB       *db.DB
	HSM      HSM
	Programs *program.Service
	Issuing  *issuing.Service
	Bureaus  Bureaus // nil: nothing is ordered
	Clock    clock.Clock
	Log      *slog.Logger
	// BatchMax is how many cards go into one file.
	BatchMax int
}

// New returns a service that takes events in and orders nothing until it has
// Bureaus.
func New(d *db.DB, h HSM, programs *program.Service, cards *issuing.Service, c clock.Clock, log *slog.Logger) *Service {
	return &Service{DB: d, HSM: h, Programs: programs, Issuing: cards, Clock: c, Log: log, BatchMax: 200}
}

// retryAfter is how long after a failure of ours a production is tried again.
const retryAfter = 15 * time.Minute

// Summary is what a run did.
type Summary struct {
	Requeued  int // plastics whose failed production was begun anew
	Queued    int // plastics that went into a batch
	Sent      int // that were ordered from their bureau
	Failed    int
	Files     int
	Cancelled int // cards that followed their destroyed plastic
}

// Total is how many things were done.
func (m Summary) Total() int { return m.Requeued + m.Queued + m.Sent + m.Failed + m.Cancelled }

// Run does what is to be done: begins failed productions anew, takes requested
// plastics into batches, writes the files, and cancels the cards of plastics
// that were destroyed long enough ago. It may run in several processes at once,
// and may be killed at any moment: the next run goes on.
func (s *Service) Run(ctx context.Context) (Summary, error) {
	var m Summary
	for _, step := range []struct {
		what string
		do   func(context.Context, *Summary) error
	}{
		{"begin failed productions anew", s.retry},
		{"queue requested plastics", s.claim},
		{"write batches", s.writeBatches},
		{"cancel undelivered cards", func(ctx context.Context, m *Summary) error { return s.cancelUndelivered(ctx, access.TenantID{}, m) }},
	} {
		if err := step.do(ctx, &m); err != nil {
			return m, fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return m, nil
}

// systemOf is the caller that jobs of a tenant act as.
func systemOf(ctx context.Context, tx db.Tx, tenant access.TenantID) (access.Caller, error) {
	t, found, err := access.ReadTenant(ctx, tx, tenant)
	if err == nil && !found {
		err = fmt.Errorf("tenant %s is gone", tenant)
	}
	return access.System(t), err
}

// HSM is what this package asks of the security module.
type HSM interface {
	hsm.Keys
	hsm.MACs
	hsm.Sealing
	hsm.Personalization
}
