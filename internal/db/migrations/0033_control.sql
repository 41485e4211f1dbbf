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

-- What was used in a window. That of a rolling one is the sum of its usage; its
-- row, with window 0, is what is locked.
CREATE TABLE velocity_counter (
    id           TEXT   NOT NULL PRIMARY KEY, -- tenant, subject, counter and window, "/" between
    tenant_id    TEXT   NOT NULL REFERENCES tenant (id),
    counter      TEXT   NOT NULL, -- limit group or control, with its generation
    subject      TEXT   NOT NULL, -- for what it counts: an issuance, a customer, …
    window_start BIGINT NOT NULL CHECK (window_start BETWEEN 0 AND 9000000000000000),
    amount       BIGINT NOT NULL CHECK (amount >= 0), -- in minor units of the control's currency
    count        BIGINT NOT NULL CHECK (count >= 0),
    alerts       TEXT   NOT NULL -- when which control was last alerted: "CODE=microseconds", blanks between
);

CREATE INDEX velocity_counter_of_subject ON velocity_counter (subject);

-- What each transaction has of a counter, which is the sum of its rows.
CREATE TABLE velocity_usage (
    cycle_id       TEXT    NOT NULL, -- the first transaction of its life cycle; what was presented without one is its own
    transaction_id TEXT    NOT NULL, -- of a card_transaction
    counter_id     TEXT    NOT NULL REFERENCES velocity_counter (id),
    amount         BIGINT  NOT NULL CHECK (amount >= 0), -- what counts now
    count          BIGINT  NOT NULL CHECK (count >= 0),
    whole_amount   BIGINT  NOT NULL CHECK (whole_amount >= 0), -- what was counted at first
    whole_count    BIGINT  NOT NULL CHECK (whole_count >= 0),
    whole          BIGINT  NOT NULL CHECK (whole >= 0), -- what that was, in minor units of its account
    standing       BIGINT  NOT NULL CHECK (standing >= 0), -- what of it stands
    at             BIGINT  NOT NULL CHECK (at BETWEEN 0 AND 9000000000000000), -- when it was decided
    ends_at        BIGINT  CHECK (ends_at BETWEEN 0 AND 9000000000000000), -- its window, for it; what lies in one that ended never changes
    adjusts        BOOLEAN NOT NULL, -- to what is presented
    lowers         BOOLEAN NOT NULL, -- with refunds
    PRIMARY KEY (cycle_id, transaction_id, counter_id)
);

CREATE INDEX velocity_usage_in_time ON velocity_usage (counter_id, at);
