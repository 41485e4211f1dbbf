-- +goose Up

-- A fee on a life cycle of a card payment, or one outside any: which it is, with
-- its terms as they were when it began, what it is on, and what was posted of it.
-- Amounts are minor units of the account's currency. moved is what was posted of
-- the life cycle and not taken back, kept what was reversed and is paid for all
-- the same, refunded what was given back with its fee. due_total is what the
-- terms give on these, taxes included, and posted_total what was charged; they
-- differ where the balance did not cover it.
CREATE TABLE fee_due (
    root_id      TEXT    NOT NULL, -- the first transaction of the life cycle
    line         BIGINT  NOT NULL CHECK (line BETWEEN 1 AND 1000),
    tenant_id    TEXT    NOT NULL REFERENCES tenant (id),
    account_id   TEXT    NOT NULL REFERENCES account (id),
    applied      TEXT    NOT NULL, -- which fee it is, its terms and the rest of it
    is_free      BOOLEAN NOT NULL,
    waits        BOOLEAN NOT NULL, -- for a balance that covers it
    moved        BIGINT  NOT NULL CHECK (moved BETWEEN 0 AND 1000000000000000),
    kept         BIGINT  NOT NULL CHECK (kept BETWEEN 0 AND 1000000000000000),
    refunded     BIGINT  NOT NULL CHECK (refunded BETWEEN 0 AND 1000000000000000),
    due_total    BIGINT  NOT NULL CHECK (due_total BETWEEN 0 AND 1000000000000000),
    posted_total BIGINT  NOT NULL CHECK (posted_total BETWEEN 0 AND 1000000000000000),
    posted       TEXT    NOT NULL, -- fee and taxes, minor units with blanks between
    entry_count  BIGINT  NOT NULL CHECK (entry_count BETWEEN 0 AND 1000000),
    entry_id     TEXT    REFERENCES entry (id), -- the only one so far
    created_at   BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    PRIMARY KEY (root_id, line)
) /* WITHOUT ROWID */;

CREATE INDEX fee_due_pending ON fee_due (account_id) WHERE due_total > posted_total;

-- +goose Down
