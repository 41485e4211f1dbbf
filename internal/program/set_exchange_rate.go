package program

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// CreateExchangeRate takes in a rate. A pair has one rate from each moment on.
// Rates are no part of the [Configuration]: no decision is made under one.
func (s *Service) CreateExchangeRate(ctx context.Context, c access.Caller, in ExchangeRate) (ExchangeRate, error) {
	r := in.kept()
	if err := r.check(); err != nil {
		return ExchangeRate{}, err
	}
	now := c.Now(s.Clock)
	r.ID, r.Record = id.New[ExchangeRate](s.Clock.Now()), access.NewRecord(c, now)
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		inserted, err := insertExchangeRate(ctx, tx, c.Tenant, r)
		if err == nil && !inserted {
			return errRateExists.With("pair", r.pair())
		}
		if err != nil {
			return fmt.Errorf("write exchange rate: %w", err)
		}
		return s.recordDefinition(ctx, tx, c, rateEntity, r.ID.UUID(), nil, r)
	})
	if err != nil {
		return ExchangeRate{}, err
	}
	return r, nil
}

// UpdateExchangeRate replaces the rate with in's identifier. stamp must be the
// present one, or empty.
func (s *Service) UpdateExchangeRate(ctx context.Context, c access.Caller, in ExchangeRate, stamp string) (ExchangeRate, error) {
	r := in.kept()
	now := c.Now(s.Clock)
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		old, found, err := readExchangeRate(ctx, tx, c.Tenant, r.ID)
		if err != nil {
			return fmt.Errorf("read exchange rate: %w", err)
		}
		if !found {
			return errRateNotFound
		}
		if err := r.check(); err != nil {
			return err
		}
		r.Record = old.Record.Updated(c, now)
		changed, err := updateExchangeRate(ctx, tx, c.Tenant, r, stamp)
		if db.IsUnique(err) {
			return errRateExists.With("pair", r.pair())
		}
		if err := written(changed, err); err != nil {
			return err
		}
		return s.recordDefinition(ctx, tx, c, rateEntity, r.ID.UUID(), old, r)
	})
	if err != nil {
		return ExchangeRate{}, err
	}
	return r, nil
}

// ExchangeRates returns a page of the rates that f selects, and how many those
// are.
func (s *Service) ExchangeRates(ctx context.Context, c access.Caller, f ExchangeRateFilter) (rates []ExchangeRate, total int, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		if rates, total, err = listExchangeRates(ctx, tx, c.Tenant, f); err != nil {
			return fmt.Errorf("list exchange rates: %w", err)
		}
		return nil
	})
	return rates, total, err
}
