-- +goose Up

-- Controls and fees are defined alike: a head and a document of their kind.
CREATE TABLE control_definition (
    tenant_id         TEXT    NOT NULL REFERENCES tenant (id),
    kind              TEXT    NOT NULL CHECK (kind IN ('Velocity', 'Authorization', 'TransactionFee', 'IssuanceFee', 'AnnualFee')),
    code              TEXT    NOT NULL,
    name              TEXT    NOT NULL,
    description       TEXT    NOT NULL,
    starts_at         BIGINT  CHECK (starts_at BETWEEN 0 AND 9000000000000000),
    ends_at           BIGINT  CHECK (ends_at BETWEEN 0 AND 9000000000000000),
    is_active         BOOLEAN NOT NULL,
    version           BIGINT  NOT NULL CHECK (version > 0),
    document          TEXT    NOT NULL, -- of its kind, as JSON
    concurrency_stamp TEXT    NOT NULL,
    created_at        BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    created_by        TEXT    NOT NULL,
    updated_at        BIGINT  NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    updated_by        TEXT    NOT NULL,
    deleted_at        BIGINT  CHECK (deleted_at BETWEEN 0 AND 9000000000000000), -- a code is never used again
    PRIMARY KEY (tenant_id, kind, code)
);

-- What a definition was from each change on; decisions name code and version.
CREATE TABLE control_version (
    tenant_id TEXT   NOT NULL,
    kind      TEXT   NOT NULL,
    code      TEXT   NOT NULL,
    version   BIGINT NOT NULL CHECK (version > 0),
    name      TEXT   NOT NULL,
    document  TEXT   NOT NULL,
    at        BIGINT NOT NULL CHECK (at BETWEEN 0 AND 9000000000000000),
    PRIMARY KEY (tenant_id, kind, code, version),
    FOREIGN KEY (tenant_id, kind, code) REFERENCES control_definition (tenant_id, kind, code)
);

CREATE TABLE control_link (
    id                TEXT    NOT NULL PRIMARY KEY,
    tenant_id         TEXT    NOT NULL,
    kind              TEXT    NOT NULL,
    parent_code       TEXT    NOT NULL,
    link_type         TEXT    NOT NULL CHECK (link_type IN ('Global', 'Bin', 'BinRange', 'ProductGroup', 'Product', 'Segment', 'Customer', 'Card')),
    link_code         TEXT    NOT NULL, -- as callers name the target; empty for Global
    target            TEXT    NOT NULL, -- as cards are found by it: of a card and a customer its identifier
    priority          BIGINT  NOT NULL CHECK (priority BETWEEN 0 AND 9999),
    starts_at         BIGINT  CHECK (starts_at BETWEEN 0 AND 9000000000000000),
    ends_at           BIGINT  CHECK (ends_at BETWEEN 0 AND 9000000000000000),
    is_active         BOOLEAN NOT NULL,
    description       TEXT    NOT NULL,
    concurrency_stamp TEXT    NOT NULL,
    created_at        BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    created_by        TEXT    NOT NULL,
    updated_at        BIGINT  NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    updated_by        TEXT    NOT NULL,
    UNIQUE (tenant_id, kind, parent_code, link_type, target),
    FOREIGN KEY (tenant_id, kind, parent_code) REFERENCES control_definition (tenant_id, kind, code)
);

-- Limits of one card in place of a velocity control's.
CREATE TABLE velocity_override (
    tenant_id   TEXT   NOT NULL REFERENCES tenant (id),
    issuance_id TEXT   NOT NULL REFERENCES issuance (id),
    check_code  TEXT   NOT NULL,
    max_amount  BIGINT CHECK (max_amount > 0), -- in minor units
    currency    TEXT   NOT NULL, -- of max_amount; empty without one
    max_count   BIGINT CHECK (max_count > 0),
    starts_at   BIGINT CHECK (starts_at BETWEEN 0 AND 9000000000000000),
    ends_at     BIGINT CHECK (ends_at BETWEEN 0 AND 9000000000000000),
    reason      TEXT   NOT NULL,
    channel     TEXT   NOT NULL,
    created_at  BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    created_by  TEXT   NOT NULL,
    updated_at  BIGINT NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    updated_by  TEXT   NOT NULL,
    PRIMARY KEY (issuance_id, check_code),
    CHECK ((max_amount IS NULL) = (currency = '')),
    CHECK (max_amount IS NOT NULL OR max_count IS NOT NULL)
);

CREATE INDEX velocity_override_ending ON velocity_override (ends_at) WHERE ends_at IS NOT NULL;

CREATE INDEX velocity_override_tenant ON velocity_override (tenant_id);

-- The velocity controls that limits of cards were ever set for: of the others
-- none are looked for. A row stays, and the first one of a control raises the
-- configuration version.
CREATE TABLE velocity_overridden (
    tenant_id  TEXT NOT NULL REFERENCES tenant (id),
    check_code TEXT NOT NULL,
    PRIMARY KEY (tenant_id, check_code)
);

-- What was used for a subject: all its counters' windows, a line each, which is
-- what payments lock. A rolling window is the sum of its rows; its line says only
-- what was alerted.
CREATE TABLE velocity_counter (
    id        TEXT   NOT NULL PRIMARY KEY, -- tenant and subject, "/" between
    tenant_id TEXT   NOT NULL REFERENCES tenant (id),
    subject   TEXT   NOT NULL, -- for what they count: an issuance, a customer, …
    counters  TEXT   NOT NULL, -- of each: name, start and end of its window, amount in minor units, count, alerts
    since     BIGINT NOT NULL CHECK (since BETWEEN 0 AND 9000000000000000) -- windows that ended by then have fallen out
);

-- What each transaction has of a subject's counters, which are the sum of it.
CREATE TABLE velocity_usage (
    subject_id     TEXT   NOT NULL, -- of a velocity_counter
    at             BIGINT NOT NULL CHECK (at BETWEEN 0 AND 9000000000000000), -- when it was decided
    transaction_id TEXT   NOT NULL, -- of a card_transaction
    cycle_id       TEXT   NOT NULL, -- the first transaction of its life cycle; what was presented without one is its own
    uses           TEXT   NOT NULL, -- of each counter: what counts now, what was counted at first, of what, what of it stands
    PRIMARY KEY (cycle_id, transaction_id, subject_id)
);

CREATE INDEX velocity_usage_by_subject ON velocity_usage (subject_id, at);

-- What each transaction has of rolling windows, to be added up.
CREATE TABLE velocity_span (
    subject_id     TEXT   NOT NULL, -- of a velocity_counter
    counter        TEXT   NOT NULL,
    at             BIGINT NOT NULL CHECK (at BETWEEN 0 AND 9000000000000000),
    transaction_id TEXT   NOT NULL,
    amount         BIGINT NOT NULL,
    count          BIGINT NOT NULL CHECK (count >= 0),
    PRIMARY KEY (subject_id, counter, at, transaction_id)
) /* WITHOUT ROWID */;
