-- +goose Up

-- A fee for a card, not for what it pays: for having it made, or a part of a
-- year's. occasion is what it is charged for, once: an event with its card, or
-- the year. Amounts are in minor units of the currency of its terms, without the
-- taxes on top. check_at and the dates are business time.
CREATE TABLE card_fee (
    id            TEXT    NOT NULL PRIMARY KEY,
    tenant_id     TEXT    NOT NULL REFERENCES tenant (id),
    issuance_id   TEXT    NOT NULL REFERENCES issuance (id),
    card_id       TEXT    NOT NULL REFERENCES card (id),
    occasion      TEXT    NOT NULL,
    part          BIGINT  NOT NULL CHECK (part BETWEEN 1 AND 12),
    fee_code      TEXT    NOT NULL,
    event         TEXT    NOT NULL, -- empty for a year's
    fee_year      BIGINT  NOT NULL CHECK (fee_year BETWEEN 0 AND 1000),
    applied       TEXT    NOT NULL, -- terms with their taxes, as they were when it was ordered
    price         BIGINT  NOT NULL CHECK (price BETWEEN 0 AND 1000000000000000),
    to_give_back  BIGINT  NOT NULL CHECK (to_give_back BETWEEN 0 AND 1000000000000000),
    given_back    BIGINT  NOT NULL CHECK (given_back BETWEEN 0 AND 1000000000000000),
    timing        TEXT    NOT NULL,
    status        TEXT    NOT NULL CHECK (status IN ('Waiting', 'Due', 'Pending', 'Charged', 'Free', 'Cancelled', 'Failed', 'Refunded')),
    is_refundable BOOLEAN NOT NULL, -- while the card is not produced
    is_pro_rata   BOOLEAN NOT NULL, -- what is left of its year is given back
    is_asked      BOOLEAN NOT NULL, -- of the owner of the balance, who has not answered and may have debited it
    check_at      BIGINT  NOT NULL CHECK (check_at BETWEEN 0 AND 9000000000000000),
    due_on        TEXT,
    retry_days    BIGINT  NOT NULL CHECK (retry_days BETWEEN 0 AND 365),
    created_at    BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    updated_at    BIGINT  NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    UNIQUE (issuance_id, occasion, part)
);

CREATE INDEX card_fee_open ON card_fee (tenant_id, check_at, id) WHERE status IN ('Waiting', 'Due', 'Pending') OR is_refundable OR to_give_back > given_back;
CREATE INDEX card_fee_by_card ON card_fee (card_id);

-- How far the yearly fee of an issuance is: fee years begin on anniversaries of
-- first_on, year of them began so far, the next begins on next_on. check_on is the
-- day on which it is looked at next. Of an issuance that is closed no year begins.
CREATE TABLE fee_year (
    issuance_id TEXT    NOT NULL PRIMARY KEY REFERENCES issuance (id),
    tenant_id   TEXT    NOT NULL REFERENCES tenant (id),
    year        BIGINT  NOT NULL CHECK (year BETWEEN 0 AND 1000),
    first_on    TEXT,
    next_on     TEXT,
    told_year   BIGINT  NOT NULL CHECK (told_year BETWEEN 0 AND 1001),
    check_on    TEXT    NOT NULL,
    is_closed   BOOLEAN NOT NULL
);

CREATE INDEX fee_year_begun ON fee_year (tenant_id, check_on, issuance_id) WHERE NOT is_closed AND year > 0;
CREATE INDEX fee_year_waits ON fee_year (tenant_id, check_on, issuance_id) WHERE NOT is_closed AND year = 0;

-- +goose Down
