-- +goose Up

-- What a tenant has of wallets at all. shown_id is the decimal number that its
-- clients know it by; pos_account is what a top-up debits that names no POS type.
CREATE TABLE wallet_tenant (
    tenant_id   TEXT   NOT NULL PRIMARY KEY REFERENCES tenant (id),
    shown_id    BIGINT NOT NULL UNIQUE CHECK (shown_id >= 1),
    pos_account TEXT   NOT NULL
);

-- A kind of POS that collects money for top-ups, and the control account that is
-- debited for what it collected.
CREATE TABLE wallet_pos (
    tenant_id    TEXT NOT NULL REFERENCES wallet_tenant (tenant_id),
    code         TEXT NOT NULL,
    account_code TEXT NOT NULL,
    PRIMARY KEY (tenant_id, code)
);

-- What wallets of a level may hold, and move in a calendar month, in minor units
-- of the tenant's currency. What has no row is not defined and refused.
CREATE TABLE wallet_limit (
    tenant_id TEXT   NOT NULL REFERENCES wallet_tenant (tenant_id),
    kyc_level BIGINT NOT NULL CHECK (kyc_level IN (10, 20, 30, 40)),
    kind      TEXT   NOT NULL CHECK (kind IN ('Balance', 'Topup', 'Payment', 'Withdrawal', 'Transfer')),
    amount    BIGINT NOT NULL CHECK (amount BETWEEN 0 AND 1000000000000000),
    PRIMARY KEY (tenant_id, kyc_level, kind)
);

-- Who wallets belong to. person is sealed; identity is the keyed hash of the
-- national identity or tax number, phone that of the phone.
CREATE TABLE wallet_account (
    id         BIGINT NOT NULL PRIMARY KEY CHECK (id >= 1),
    tenant_id  TEXT   NOT NULL REFERENCES wallet_tenant (tenant_id),
    account_no TEXT   NOT NULL,
    kind       TEXT   NOT NULL CHECK (kind IN ('Personal', 'Business')),
    kyc_level  BIGINT NOT NULL CHECK (kyc_level IN (10, 20, 30, 40)),
    person     BYTEA  NOT NULL,
    identity   TEXT,
    tax        TEXT,
    phone      TEXT,
    created_at BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    updated_at BIGINT NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    UNIQUE (tenant_id, account_no)
);

CREATE INDEX wallet_account_by_identity ON wallet_account (tenant_id, identity) WHERE identity IS NOT NULL;
CREATE INDEX wallet_account_by_tax ON wallet_account (tenant_id, tax) WHERE tax IS NOT NULL;
CREATE INDEX wallet_account_by_phone ON wallet_account (tenant_id, phone) WHERE phone IS NOT NULL;

-- A wallet: four accounts of the ledger under one number. Whoever moves its money
-- or changes its months holds its row.
CREATE TABLE wallet (
    id           BIGINT  NOT NULL PRIMARY KEY CHECK (id >= 1),
    tenant_id    TEXT    NOT NULL REFERENCES wallet_tenant (tenant_id),
    account_id   BIGINT  NOT NULL REFERENCES wallet_account (id),
    number       TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    currency     TEXT    NOT NULL,
    payment      TEXT    NOT NULL REFERENCES account (id),
    payment_held TEXT    NOT NULL REFERENCES account (id),
    cash         TEXT    NOT NULL REFERENCES account (id),
    cash_held    TEXT    NOT NULL REFERENCES account (id),
    created_at   BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    UNIQUE (tenant_id, number)
);

CREATE INDEX wallet_by_account ON wallet (account_id);
CREATE INDEX wallet_by_time ON wallet (tenant_id, created_at);

-- What moved in a calendar month, in minor units.
CREATE TABLE wallet_month (
    wallet_id   BIGINT NOT NULL REFERENCES wallet (id),
    month       TEXT   NOT NULL, -- 2026-03
    incoming    BIGINT NOT NULL CHECK (incoming BETWEEN 0 AND 1000000000000000),
    payments    BIGINT NOT NULL CHECK (payments BETWEEN 0 AND 1000000000000000),
    transfers   BIGINT NOT NULL CHECK (transfers BETWEEN 0 AND 1000000000000000),
    withdrawals BIGINT NOT NULL CHECK (withdrawals BETWEEN 0 AND 1000000000000000),
    PRIMARY KEY (wallet_id, month)
);

-- A key that a movement of the tenant used up: the caller's own, the receipt of a
-- bank, or one of those whose money was found an owner later.
CREATE TABLE wallet_key (
    tenant_id      TEXT   NOT NULL REFERENCES wallet_tenant (tenant_id),
    kind           TEXT   NOT NULL CHECK (kind IN ('External', 'Receipt', 'Assigned')),
    value          TEXT   NOT NULL,
    transaction_id BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, kind, value)
);

-- A movement between wallets, or between a wallet and the outside. month is the
-- one in whose totals it counts, empty when it counts in none. of_payment is what
-- it took from, or gave back to, the payment balance; refunded and
-- refunded_payment are what refunds gave back of it.
CREATE TABLE wallet_transaction (
    id               BIGINT NOT NULL PRIMARY KEY CHECK (id >= 1),
    tenant_id        TEXT   NOT NULL REFERENCES wallet_tenant (tenant_id),
    kind             TEXT   NOT NULL CHECK (kind IN ('CardTopup', 'BankTopup', 'Transfer', 'Payment', 'Refund', 'CashBack', 'Withdrawal')),
    status           TEXT   NOT NULL CHECK (status IN ('Completed', 'Requested', 'Sent', 'Failed', 'Refunded')),
    external_id      TEXT   NOT NULL,
    from_wallet_id   BIGINT REFERENCES wallet (id),
    to_wallet_id     BIGINT REFERENCES wallet (id),
    original_id      BIGINT REFERENCES wallet_transaction (id),
    amount           BIGINT NOT NULL CHECK (amount BETWEEN 1 AND 1000000000000000),
    currency         TEXT   NOT NULL,
    of_payment       BIGINT NOT NULL CHECK (of_payment BETWEEN 0 AND amount),
    refunded         BIGINT NOT NULL CHECK (refunded BETWEEN 0 AND amount),
    refunded_payment BIGINT NOT NULL CHECK (refunded_payment BETWEEN 0 AND of_payment),
    kyc_level        BIGINT NOT NULL,
    month            TEXT   NOT NULL,
    settle_on        TEXT, -- of a payment whose merchant waits for it
    request_id       BIGINT UNIQUE, -- of a withdrawal
    destination      BYTEA, -- sealed, of a withdrawal
    description      TEXT   NOT NULL,
    source_type      TEXT   NOT NULL,
    channel_type     TEXT   NOT NULL,
    created_at       BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    completed_at     BIGINT CHECK (completed_at BETWEEN 0 AND 9000000000000000),
    CHECK (from_wallet_id IS NOT NULL OR to_wallet_id IS NOT NULL)
);

CREATE INDEX wallet_transaction_by_from ON wallet_transaction (from_wallet_id, created_at);
CREATE INDEX wallet_transaction_by_to ON wallet_transaction (to_wallet_id, created_at);
CREATE INDEX wallet_transaction_by_time ON wallet_transaction (tenant_id, created_at);
CREATE INDEX wallet_transaction_by_key ON wallet_transaction (tenant_id, external_id);
CREATE INDEX wallet_transaction_to_settle ON wallet_transaction (tenant_id, settle_on) WHERE settle_on IS NOT NULL;

-- Money that came to the bank for nobody we know, until it is found an owner:
-- then wallet_key has its receipt as Assigned.
CREATE TABLE wallet_unmatched (
    tenant_id   TEXT   NOT NULL REFERENCES wallet_tenant (tenant_id),
    receipt     TEXT   NOT NULL,
    amount      BIGINT NOT NULL CHECK (amount BETWEEN 1 AND 1000000000000000),
    currency    TEXT   NOT NULL,
    description TEXT   NOT NULL,
    created_at  BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    PRIMARY KEY (tenant_id, receipt)
);

-- A code by which a wallet asks for a payment or a transfer. Its key is used up when
-- it is made, and transaction_id exists once it was approved.
CREATE TABLE wallet_qr (
    tenant_id      TEXT   NOT NULL REFERENCES wallet_tenant (tenant_id),
    code           TEXT   NOT NULL,
    kind           TEXT   NOT NULL CHECK (kind IN ('Payment', 'Transfer')),
    transaction_id BIGINT NOT NULL UNIQUE,
    external_id    TEXT   NOT NULL,
    wallet_id      BIGINT NOT NULL REFERENCES wallet (id), -- of the receiver
    amount         BIGINT NOT NULL CHECK (amount BETWEEN 1 AND 1000000000000000),
    currency       TEXT   NOT NULL,
    description    TEXT   NOT NULL,
    created_at     BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    expires_at     BIGINT NOT NULL CHECK (expires_at BETWEEN 0 AND 9000000000000000),
    approved_at    BIGINT CHECK (approved_at BETWEEN 0 AND 9000000000000000),
    PRIMARY KEY (tenant_id, code)
);

-- +goose Down
