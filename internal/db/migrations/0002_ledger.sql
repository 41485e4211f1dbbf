-- +goose Up

-- An account of the double-entry ledger. posted is the balance of its postings
-- in the account's normal direction (credit for liabilities, debit for
-- assets), held the sum of its open holds; both in minor units. Only accounts
-- with keeps_balance carry them: the control accounts that every transaction
-- touches (settlement, safeguarded cash) would serialize all of them, so
-- their balance is the sum of their postings. posting_count numbers the
-- postings of an account that keeps a balance.
CREATE TABLE account (
    id            TEXT    NOT NULL PRIMARY KEY,
    tenant_id     TEXT    NOT NULL REFERENCES tenant (id),
    code          TEXT    NOT NULL,
    currency      TEXT    NOT NULL,
    kind          TEXT    NOT NULL CHECK (kind IN ('A', 'L', 'I', 'E', 'X', 'S')),
    keeps_balance BOOLEAN NOT NULL,
    -- Set for customers' card accounts: the number the outside knows, and whose.
    account_no    TEXT,
    owner_key     TEXT,
    posted        BIGINT  NOT NULL CHECK (posted BETWEEN -1000000000000000 AND 1000000000000000),
    held          BIGINT  NOT NULL CHECK (held BETWEEN 0 AND 1000000000000000),
    posting_count BIGINT  NOT NULL CHECK (posting_count BETWEEN 0 AND 1000000000000),
    created_at    BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    UNIQUE (tenant_id, code, currency)
);

CREATE UNIQUE INDEX account_by_number ON account (tenant_id, account_no) WHERE account_no IS NOT NULL;

-- An entry is one balanced movement; it is never changed. idempotency_key
-- makes a movement happen once however often it is asked for.
CREATE TABLE entry (
    id              TEXT   NOT NULL PRIMARY KEY,
    tenant_id       TEXT   NOT NULL REFERENCES tenant (id),
    event           TEXT   NOT NULL,
    idempotency_key TEXT   NOT NULL,
    transaction_id  TEXT,
    reverses_id     TEXT   REFERENCES entry (id),
    description     TEXT   NOT NULL,
    business_on     TEXT   NOT NULL,
    created_at      BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    UNIQUE (tenant_id, idempotency_key)
);

CREATE UNIQUE INDEX entry_reversed_once ON entry (reverses_id) WHERE reverses_id IS NOT NULL;
CREATE INDEX entry_by_transaction ON entry (transaction_id) WHERE transaction_id IS NOT NULL;

-- One leg of an entry. amount is above zero; side says where it stands.
-- For accounts that keep a balance, position is the posting's place in the
-- account's statement, from 1 without gaps, and posted_after the balance after
-- it. On a credit account, part is the part of the debt that it changes, and purpose
-- what the whole movement was for, at its first posting there.
CREATE TABLE posting (
    entry_id     TEXT   NOT NULL REFERENCES entry (id),
    line         BIGINT NOT NULL CHECK (line BETWEEN 1 AND 100),
    tenant_id    TEXT   NOT NULL,
    account_id   TEXT   NOT NULL REFERENCES account (id),
    side         TEXT   NOT NULL CHECK (side IN ('D', 'C')),
    amount       BIGINT NOT NULL CHECK (amount BETWEEN 1 AND 1000000000000000),
    currency     TEXT   NOT NULL,
    position     BIGINT CHECK (position BETWEEN 1 AND 1000000000000),
    posted_after BIGINT CHECK (posted_after BETWEEN -1000000000000000 AND 1000000000000000),
    part         TEXT,
    purpose      TEXT,
    PRIMARY KEY (entry_id, line),
    CHECK ((position IS NULL) = (posted_after IS NULL))
);

CREATE UNIQUE INDEX posting_in_statement ON posting (account_id, position);

-- Money set aside on an account for one life cycle (an authorization with its
-- increments). What is still held is authorized - reversed - cleared - released,
-- and fees: what is set aside besides, for as long as the rest is. is_cash says that
-- it is for cash, of which a credit account gives less; holder is whose it is, of
-- those who share one.
CREATE TABLE hold (
    id             TEXT   NOT NULL PRIMARY KEY,
    tenant_id      TEXT   NOT NULL, -- of the account
    account_id     TEXT   NOT NULL REFERENCES account (id),
    currency       TEXT   NOT NULL,
    authorized     BIGINT NOT NULL CHECK (authorized BETWEEN 0 AND 1000000000000000),
    reversed       BIGINT NOT NULL CHECK (reversed BETWEEN 0 AND 1000000000000000),
    cleared        BIGINT NOT NULL CHECK (cleared BETWEEN 0 AND 1000000000000000),
    released       BIGINT NOT NULL CHECK (released BETWEEN 0 AND 1000000000000000),
    fees           BIGINT NOT NULL CHECK (fees BETWEEN 0 AND 1000000000000000),
    expires_at     BIGINT NOT NULL CHECK (expires_at BETWEEN 0 AND 9000000000000000),
    is_open        BOOLEAN NOT NULL,
    is_cash        BOOLEAN NOT NULL DEFAULT FALSE,
    holder         TEXT   NOT NULL DEFAULT '',
    CHECK (reversed + cleared + released <= authorized),
    CHECK (is_open = (reversed + cleared + released < authorized)),
    CHECK (is_open OR fees = 0)
);

CREATE INDEX hold_by_expiry ON hold (expires_at) WHERE is_open;
CREATE INDEX hold_by_account ON hold (account_id) WHERE is_open;

-- +goose Down
