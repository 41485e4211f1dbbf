-- +goose Up

-- One financial message or clearing record about a card, as the cardholder and
-- the API see it: an authorization, advice, reversal, presentment, refund.
-- Amounts are minor units; those after transaction_amount are in
-- billing_currency. root_id is the first transaction of the life cycle. A number
-- whose BIN nobody has belongs to no tenant. card_country to cvm_method are
-- derived from the message and the card when it is written, so that lists can
-- filter by them; the results are what the decision made of the secrets that
-- came, declined_by the check that refused, declined_subject the code of the
-- control, policy or limit by which it did, and declined_text what that tells the
-- tenant. What is not known is empty.
CREATE TABLE card_transaction (
    id                   TEXT    NOT NULL PRIMARY KEY,
    tenant_id            TEXT,
    root_id              TEXT    NOT NULL,
    original_id          TEXT,
    flow                 TEXT    NOT NULL,
    code                 TEXT    NOT NULL,
    status               TEXT    NOT NULL,
    reason               TEXT    NOT NULL,
    response_code        TEXT    NOT NULL,
    authorization_code   TEXT    NOT NULL,
    card_id              TEXT,
    issuance_id          TEXT,
    account_id           TEXT,
    hold_id              TEXT,
    transaction_amount   BIGINT  NOT NULL CHECK (transaction_amount BETWEEN 0 AND 1000000000000000),
    transaction_currency TEXT    NOT NULL,
    billing_amount       BIGINT  NOT NULL CHECK (billing_amount BETWEEN 0 AND 1000000000000000),
    billing_currency     TEXT    NOT NULL,
    reversed_amount      BIGINT  NOT NULL CHECK (reversed_amount BETWEEN 0 AND 1000000000000000),
    cleared_amount       BIGINT  NOT NULL CHECK (cleared_amount BETWEEN 0 AND 1000000000000000),
    refunded_amount      BIGINT  NOT NULL CHECK (refunded_amount BETWEEN 0 AND 1000000000000000),
    is_debit             BOOLEAN NOT NULL,
    is_advice            BOOLEAN NOT NULL,
    is_force_post        BOOLEAN NOT NULL,
    network              TEXT    NOT NULL,
    link                 TEXT    NOT NULL,
    mti                  TEXT    NOT NULL,
    processing_code      TEXT    NOT NULL,
    stan                 TEXT    NOT NULL,
    rrn                  TEXT    NOT NULL,
    network_transaction_id TEXT  NOT NULL,
    arn                  TEXT    NOT NULL,
    transmitted_at       BIGINT  NOT NULL CHECK (transmitted_at BETWEEN 0 AND 9000000000000000),
    local_time           TEXT    NOT NULL,
    acquirer_id          TEXT    NOT NULL,
    forwarder_id         TEXT    NOT NULL,
    terminal_id          TEXT    NOT NULL,
    card_acceptor_id     TEXT    NOT NULL,
    merchant_name        TEXT    NOT NULL,
    merchant_city        TEXT    NOT NULL,
    merchant_country     TEXT    NOT NULL,
    mcc                  TEXT    NOT NULL,
    pos_entry_mode       TEXT    NOT NULL,
    pos_condition_code   TEXT    NOT NULL,
    card_network         TEXT    NOT NULL,
    card_country         TEXT    NOT NULL,
    domain               TEXT    NOT NULL,
    terminal_type        TEXT    NOT NULL,
    cardholder_presence  TEXT    NOT NULL,
    cvm_method           TEXT    NOT NULL,
    pin_result           TEXT    NOT NULL,
    arqc_result          TEXT    NOT NULL,
    cvv_result           TEXT    NOT NULL,
    cvv2_result          TEXT    NOT NULL,
    declined_by          TEXT    NOT NULL,
    declined_subject     TEXT    NOT NULL,
    declined_text        TEXT    NOT NULL,
    network_response_code TEXT   NOT NULL,
    settlement_amount    BIGINT  CHECK (settlement_amount BETWEEN 0 AND 1000000000000000),
    settlement_currency  TEXT    NOT NULL,
    conversion_rate      TEXT    NOT NULL,
    settlement_date      TEXT    NOT NULL,
    conversion_date      TEXT    NOT NULL,
    posted_after         BIGINT  CHECK (posted_after BETWEEN -1000000000000000 AND 1000000000000000),
    available_after      BIGINT  CHECK (available_after BETWEEN -2000000000000000 AND 2000000000000000),
    business_on          TEXT    NOT NULL,
    created_at           BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    updated_at           BIGINT  NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    decided_by           TEXT    NOT NULL, -- Platform, Client, StandIn, Network
    client_reference     TEXT    NOT NULL, -- what a client that owns its balances calls it
    stored_card          TEXT    NOT NULL, -- Recurring, Unscheduled, Cardholder, FurtherInstalment; empty: nothing was said
    is_tokenised         BOOLEAN NOT NULL,
    wallet               TEXT    NOT NULL,
    installment_count    BIGINT  NOT NULL CHECK (installment_count BETWEEN 0 AND 99),
    installment_no       BIGINT  NOT NULL CHECK (installment_no BETWEEN 0 AND 99),
    eci                  TEXT    NOT NULL, -- two digits, or the three of a security level indicator
    has_cavv             BOOLEAN NOT NULL, -- that a value came; it is not kept
    matched_controls     TEXT    NOT NULL, -- codes of authorization controls in the order they were asked, blanks between
    additional_amounts   TEXT    NOT NULL  -- fees as they were then, with their taxes
);

CREATE INDEX card_transaction_by_card ON card_transaction (card_id, created_at) WHERE card_id IS NOT NULL;
CREATE INDEX card_transaction_by_issuance ON card_transaction (issuance_id, created_at) WHERE issuance_id IS NOT NULL;
CREATE INDEX card_transaction_by_original ON card_transaction (original_id) WHERE original_id IS NOT NULL;
CREATE INDEX card_transaction_by_rrn ON card_transaction (tenant_id, rrn) WHERE rrn <> '';
CREATE INDEX card_transaction_by_network_id ON card_transaction (tenant_id, network_transaction_id) WHERE network_transaction_id <> '';
CREATE INDEX card_transaction_by_root ON card_transaction (root_id);
CREATE INDEX card_transaction_pending ON card_transaction (id) WHERE status = 'Pending';
CREATE INDEX card_transaction_stood_in ON card_transaction (account_id, business_on) WHERE decided_by = 'StandIn';
CREATE INDEX card_transaction_by_hold ON card_transaction (hold_id) WHERE hold_id IS NOT NULL;

-- The key of a message that was accepted, once and for all: link, MTI class and
-- function, DE7, DE11, DE32, DE33 (settled: absent = empty). A repeat finds its
-- first answer here. A tombstone is the key of an original that a reversal
-- named before it arrived.
CREATE TABLE message (
    key            TEXT    NOT NULL PRIMARY KEY,
    fingerprint    TEXT    NOT NULL,
    is_tombstone   BOOLEAN NOT NULL,
    tenant_id      TEXT,
    transaction_id TEXT,
    answer         TEXT    NOT NULL,
    created_at     BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX message_by_time ON message (created_at);

-- Everything a decision was made of, so that it can be explained and made
-- again: the request (card data as results and fingerprints only), the facts
-- gathered, the state read under locks, the trace, and the hash of the
-- configuration it ran under. Record and trace are packed. micros is how long it was in each stage until this
-- was written; nothing is made again from it, and nothing is sealed.
CREATE TABLE decision (
    transaction_id     TEXT   NOT NULL PRIMARY KEY,
    tenant_id          TEXT,
    configuration_hash TEXT   NOT NULL,
    record             BYTEA  NOT NULL,
    trace              BYTEA  NOT NULL,
    micros             TEXT   NOT NULL,
    created_at         BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000)
);

-- What would have approved a decline, as it was found when it was first asked
-- for: the configuration may have changed since.
CREATE TABLE counterfactual (
    transaction_id TEXT NOT NULL PRIMARY KEY,
    told           TEXT NOT NULL
);

-- How far decisions are sealed into the audit chains: one row, the last
-- transaction whose decision is.
CREATE TABLE decision_seal (
    id        BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    sealed_to TEXT   NOT NULL
);

-- What stands on the slip of a purchase whose paper was left out, until the
-- tenant's time for keeping it is over.
CREATE TABLE digital_slip (
    transaction_id TEXT   NOT NULL PRIMARY KEY,
    tenant_id      TEXT   NOT NULL REFERENCES tenant (id),
    content        TEXT   NOT NULL,
    expires_at     BIGINT NOT NULL CHECK (expires_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX digital_slip_expired ON digital_slip (expires_at);

-- Who does something about a transaction that others must wait for, at most until
-- ends_at by the clock.
CREATE TABLE transaction_turn (
    tenant_id      TEXT   NOT NULL REFERENCES tenant (id),
    transaction_id TEXT   NOT NULL,
    holder         TEXT   NOT NULL,
    ends_at        BIGINT NOT NULL CHECK (ends_at BETWEEN 0 AND 9000000000000000),
    PRIMARY KEY (tenant_id, transaction_id)
);

-- +goose Down
