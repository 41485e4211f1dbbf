-- +goose Up

-- The fees on a life cycle of a card payment, or of one outside any: a line for
-- each with its terms as they were when it began, what it is on, and what was
-- posted of it. Amounts are minor units of the account's currency. What it is on is
-- what was posted of the life cycle and not taken back, what was reversed and is
-- paid for all the same, and what was given back with its fee. pending_total is
-- what the terms give on these, taxes included, beyond what was charged: the
-- balance did not cover it.
CREATE TABLE fee_due (
    root_id       TEXT    NOT NULL PRIMARY KEY, -- the first transaction of the life cycle
    tenant_id     TEXT    NOT NULL, -- of the account
    account_id    TEXT    NOT NULL REFERENCES account (id),
    lines         TEXT    NOT NULL,
    pending_total BIGINT  NOT NULL CHECK (pending_total >= 0),
    waits         BOOLEAN NOT NULL, -- some of it, for a balance that covers it
    created_at    BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX fee_due_pending ON fee_due (account_id) WHERE pending_total > 0;

-- +goose Down
