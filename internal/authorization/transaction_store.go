package authorization

import (
	"context"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

const transactionColumns = `id, tenant_id, root_id, original_id, flow, code, status, reason, response_code, authorization_code,
	card_id, issuance_id, account_id, hold_id, transaction_amount, transaction_currency, billing_amount, billing_currency,
	reversed_amount, cleared_amount, refunded_amount, is_debit, is_advice, is_force_post, network, link, mti,
	processing_code, stan, rrn, network_transaction_id, arn, transmitted_at, local_time, acquirer_id, forwarder_id,
	terminal_id, card_acceptor_id, merchant_name, merchant_city, merchant_country, mcc, pos_entry_mode,
	pos_condition_code, card_network, card_country, domain, terminal_type, cardholder_presence, cvm_method, pin_result, arqc_result,
	cvv_result, cvv2_result, declined_by, declined_subject, declined_text, network_response_code, settlement_amount, settlement_currency, conversion_rate,
	settlement_date, conversion_date, posted_after, available_after, business_on, created_at, updated_at, decided_by, client_reference,
	stored_card, is_tokenised, wallet, installment_count, installment_no, eci, has_cavv, matched_controls, additional_amounts`

var transactionInsert = &db.Bulk{Head: "INSERT INTO card_transaction (" + transactionColumns + ") VALUES ", Columns: 79}

// InsertTransactions writes new transactions. The caller holds the locks of
// their accounts.
func InsertTransactions(ctx context.Context, tx db.Tx, all []*Transaction) error {
	args := make([]any, 0, len(all)*transactionInsert.Columns)
	for _, t := range all {
		var posted, available, settlement any
		if t.HasBalance {
			posted, available = t.PostedAfter.Minor(), t.AvailableAfter.Minor()
		}
		m := &t.Message
		if !m.Settlement.Currency().IsZero() {
			settlement = m.Settlement.Minor()
		}
		args = append(args, t.ID, t.Tenant, t.Root, t.Original, t.Flow, t.Code, t.Status, t.Reason, t.ResponseCode, t.AuthorizationCode,
			t.Card, t.Issuance, t.Account, t.Hold, t.Amount.Minor(), t.Amount.Currency().Code(), t.Billing.Minor(), t.Billing.Currency().Code(),
			t.Reversed.Minor(), t.Cleared.Minor(), t.Refunded.Minor(), t.IsDebit, t.IsAdvice, t.IsForcePost, m.Network, m.Link, m.MTI,
			m.ProcessingCode, m.STAN, m.RRN, t.NetworkTransactionID, t.ARN, clock.Micros(m.TransmittedAt), m.LocalTime, m.AcquirerID, m.ForwarderID,
			m.TerminalID, m.CardAcceptorID, m.MerchantName, m.MerchantCity, m.MerchantCountry, m.MCC, m.EntryMode,
			m.ConditionCode, t.CardNetwork, t.CardCountry, t.Domain, t.Terminal, t.Presence, t.CVM, t.PIN, t.ARQC,
			t.CVV, t.CVV2, t.DeclinedBy, t.DeclinedSubject, t.DeclinedText, m.ResponseCode, settlement, m.Settlement.Currency().Code(), m.ConversionRate,
			m.SettlementDate, m.ConversionDate, posted, available, t.BusinessOn.String(), clock.Micros(t.CreatedAt), clock.Micros(t.UpdatedAt), t.DecidedBy, t.ClientReference,
			m.StoredCard, m.IsTokenised, m.Wallet, m.InstalmentCount, m.InstalmentNo, m.ECI, m.HasCAVV, strings.Join(t.MatchedControls, " "), fee.AdditionalDocument(t.Additional))
	}
	return transactionInsert.Exec(ctx, tx, args)
}

func scanTransaction(s db.Scanner) (*Transaction, error) {
	t := &Transaction{}
	m := &t.Message
	var amount, billing, reversed, cleared, refunded, transmitted, created, updated int64
	var amountCurrency, billingCurrency, settlementCurrency, business, controls string
	var posted, available, settlement *int64
	var additional string
	err := s.Scan(&t.ID, &t.Tenant, &t.Root, &t.Original, &t.Flow, &t.Code, &t.Status, &t.Reason, &t.ResponseCode, &t.AuthorizationCode,
		&t.Card, &t.Issuance, &t.Account, &t.Hold, &amount, &amountCurrency, &billing, &billingCurrency,
		&reversed, &cleared, &refunded, &t.IsDebit, &t.IsAdvice, &t.IsForcePost, &m.Network, &m.Link, &m.MTI,
		&m.ProcessingCode, &m.STAN, &m.RRN, &t.NetworkTransactionID, &t.ARN, &transmitted, &m.LocalTime, &m.AcquirerID, &m.ForwarderID,
		&m.TerminalID, &m.CardAcceptorID, &m.MerchantName, &m.MerchantCity, &m.MerchantCountry, &m.MCC, &m.EntryMode,
		&m.ConditionCode, &t.CardNetwork, &t.CardCountry, &t.Domain, &t.Terminal, &t.Presence, &t.CVM, &t.PIN, &t.ARQC,
		&t.CVV, &t.CVV2, &t.DeclinedBy, &t.DeclinedSubject, &t.DeclinedText, &m.ResponseCode, &settlement, &settlementCurrency, &m.ConversionRate,
		&m.SettlementDate, &m.ConversionDate, &posted, &available, &business, &created, &updated, &t.DecidedBy, &t.ClientReference,
		&m.StoredCard, &m.IsTokenised, &m.Wallet, &m.InstalmentCount, &m.InstalmentNo, &m.ECI, &m.HasCAVV, &controls, &additional)
	if err != nil {
		return nil, err
	}
	currency, err := money.ParseCurrency(amountCurrency)
	if err != nil {
		return nil, err
	}
	if t.Amount, err = money.New(amount, currency); err != nil {
		return nil, err
	}
	if settlement != nil {
		if currency, err = money.ParseCurrency(settlementCurrency); err != nil {
			return nil, err
		}
		if m.Settlement, err = money.New(*settlement, currency); err != nil {
			return nil, err
		}
	}
	if currency, err = money.ParseCurrency(billingCurrency); err != nil {
		return nil, err
	}
	for _, p := range []struct {
		to    *money.Amount
		minor int64
	}{{&t.Billing, billing}, {&t.Reversed, reversed}, {&t.Cleared, cleared}, {&t.Refunded, refunded}} {
		if *p.to, err = money.New(p.minor, currency); err != nil {
			return nil, err
		}
	}
	if posted != nil && available != nil {
		t.HasBalance = true
		if t.PostedAfter, err = money.New(*posted, currency); err != nil {
			return nil, err
		}
		if t.AvailableAfter, err = money.New(*available, currency); err != nil {
			return nil, err
		}
	}
	t.MatchedControls = strings.Fields(controls)
	if t.Additional, err = fee.ParseAdditional(additional); err != nil {
		return nil, err
	}
	m.TransmittedAt = clock.FromMicros(transmitted)
	t.CreatedAt, t.UpdatedAt = clock.FromMicros(created), clock.FromMicros(updated)
	t.BusinessOn, err = clock.ParseDate(business)
	return t, err
}

var transactionLookup = &db.Lookup{Head: "SELECT " + transactionColumns + " FROM card_transaction WHERE id IN "}

// ReadTransactions returns the transactions with these identifiers. What it
// returns stays true only while the locks of their accounts are held.
func ReadTransactions(ctx context.Context, tx db.Tx, ids []TransactionID) (map[TransactionID]*Transaction, error) {
	found := make(map[TransactionID]*Transaction, len(ids))
	err := transactionLookup.Query(ctx, tx, nil, id.Texts(ids), func(s db.Scanner) error {
		t, err := scanTransaction(s)
		if err == nil {
			found[t.ID] = t
		}
		return err
	})
	return found, err
}

var transactionUpdate = &db.Bulk{
	Head:    "WITH v (id, status, reversed, cleared, refunded, updated_at) AS (VALUES ",
	Columns: 6, Types: []string{"TEXT", "TEXT", "BIGINT", "BIGINT", "BIGINT", "BIGINT"},
	Tail: `) UPDATE card_transaction SET status = v.status, reversed_amount = v.reversed, cleared_amount = v.cleared,
		refunded_amount = v.refunded, updated_at = v.updated_at FROM v WHERE card_transaction.id = v.id`,
	Alone: `UPDATE card_transaction SET status = $2, reversed_amount = $3, cleared_amount = $4, refunded_amount = $5, updated_at = $6 WHERE id = $1`,
}

// UpdateTransactions writes the status and amounts of transactions that were
// read in the same transaction, under the locks of their accounts. at tells what
// the business of a tenant calls now.
func UpdateTransactions(ctx context.Context, tx db.Tx, all []*Transaction, at func(access.TenantID) time.Time) error {
	args := make([]any, 0, len(all)*transactionUpdate.Columns)
	for _, t := range all {
		args = append(args, t.ID, t.Status, t.Reversed.Minor(), t.Cleared.Minor(), t.Refunded.Minor(), clock.Micros(at(t.Tenant)))
	}
	return transactionUpdate.Exec(ctx, tx, args)
}

// findOpenByRRN finds the open authorization of a card, made with any plastic of
// it, that a later message names by RRN and terminal, and by its code when it gives
// one; also one whose client is being asked. An advice for the same amount is the
// network's own answer to a request that we answered too late: it has the network's
// code. One that comes after the presentment finds what was cleared.
func findOpenByRRN(ctx context.Context, tx db.Tx, f *Facts, req *Request) (TransactionID, bool, error) {
	return db.One(ctx, tx, func(s db.Scanner) (d TransactionID, err error) { return d, s.Scan(&d) },
		`SELECT id FROM card_transaction WHERE tenant_id = $1 AND rrn = $2 AND rrn <> '' AND issuance_id = $3
			AND terminal_id = $4 AND card_acceptor_id = $5 AND id = root_id AND hold_id IS NOT NULL
			AND (authorization_code = $6 OR $6 = '' OR ($7 AND transaction_amount = $8 AND transaction_currency = $9))
			AND (status IN ('Approved', 'PartiallyReversed', 'PartiallyCleared', 'Pending')
				OR ($10 AND $6 <> '' AND authorization_code = $6 OR $7) AND status IN ('Cleared', 'PartiallyRefunded', 'Refunded') AND cleared_amount > 0
				AND NOT EXISTS (SELECT 1 FROM card_transaction p WHERE p.root_id = card_transaction.id AND p.id <> p.root_id AND p.flow = 'FinancialAdvice'))
		ORDER BY CASE WHEN status IN ('Approved', 'PartiallyReversed', 'PartiallyCleared', 'Pending') THEN 0 ELSE 1 END, id DESC LIMIT 1`,
		f.Tenant, req.RRN, f.Card.Issuance, req.TerminalID, req.CardAcceptorID, req.AuthorizationCode,
		req.Flow == AuthorizationAdvice, req.Amount.Minor(), req.Amount.Currency().Code(), req.Flow == FinancialAdvice)
}

// closeChain settles what still stands open of a life cycle whose hold has come
// to an end: to Cleared what a presentment or completion posted part of, or all
// when cleared says so; to Reversed the rest. The first of a life cycle may show
// more cleared than itself: what its increments added. It does to rows what
// Transaction.settle does in memory.
func closeChain(ctx context.Context, tx db.Tx, root TransactionID, cleared bool, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE card_transaction SET
			status = CASE WHEN $3 OR status = 'PartiallyCleared' THEN 'Cleared' ELSE 'Reversed' END,
			reversed_amount = CASE WHEN $3 OR cleared_amount > billing_amount THEN reversed_amount ELSE billing_amount - cleared_amount END, updated_at = $2
		WHERE root_id = $1 AND hold_id IS NOT NULL AND status IN ('Approved', 'PartiallyReversed', 'PartiallyCleared')`,
		root, clock.Micros(now), cleared)
	return err
}

var expiredLookup = &db.Lookup{
	Head: "SELECT id, status FROM card_transaction WHERE status IN ('Approved', 'PartiallyReversed', 'PartiallyCleared') AND hold_id IN ",
}

// expireTransactions moves the transactions of released holds on: Expired, or
// Cleared when a part of them had been presented, and returns them. The caller
// holds the locks of their accounts.
func expireTransactions(ctx context.Context, tx db.Tx, holds []ledger.HoldID, now time.Time) (ended []TransactionID, err error) {
	type row struct {
		id     TransactionID
		status Status
	}
	var rows []row
	err = expiredLookup.Query(ctx, tx, nil, id.Texts(holds), func(s db.Scanner) error {
		var r row
		err := s.Scan(&r.id, &r.status)
		rows = append(rows, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		to := StatusExpired
		if r.status == StatusPartiallyCleared {
			to = StatusCleared
		}
		_, err := tx.Exec(ctx, "UPDATE card_transaction SET status = $2, updated_at = $3 WHERE id = $1", r.id, to, clock.Micros(now))
		if err != nil {
			return nil, err
		}
		ended = append(ended, r.id)
	}
	return ended, nil
}

// standing are the statuses in which a transaction may have an open hold; see
// Status.HoldsMoney.
const standing = "('Approved', 'PartiallyReversed', 'PartiallyCleared')"

// heldTransaction is a transaction with its hold.
type heldTransaction struct {
	id   TransactionID
	hold ledger.HoldID
}

func standingAfter(ctx context.Context, tx db.Tx, after string, n int) ([]heldTransaction, error) {
	return db.Collect(ctx, tx, func(s db.Scanner) (t heldTransaction, err error) { return t, s.Scan(&t.id, &t.hold) },
		"SELECT id, hold_id FROM card_transaction WHERE id > $1 AND hold_id IS NOT NULL AND status IN "+standing+
			" ORDER BY id LIMIT $2", after, n)
}

var standingLookup = &db.Lookup{Head: "SELECT DISTINCT hold_id FROM card_transaction WHERE (status = 'Pending' OR status IN " + standing + ") AND hold_id IN "}

func holdsOfStanding(ctx context.Context, tx db.Tx, ids []ledger.HoldID) (map[ledger.HoldID]bool, error) {
	found := make(map[ledger.HoldID]bool, len(ids))
	err := standingLookup.Query(ctx, tx, nil, id.Texts(ids), func(s db.Scanner) error {
		var h ledger.HoldID
		err := s.Scan(&h)
		found[h] = true
		return err
	})
	return found, err
}
