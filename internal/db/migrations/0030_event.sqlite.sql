-- +goose Up

-- This file has a twin for the other engine: they differ in how position counts.

-- What happened and has not been given to those who want to hear of it. A row
-- is written by the transaction that makes the fact. Positions are given under
-- the locks that made the fact, so those of one key rise in the order in which
-- it happened.
CREATE TABLE outbox_event (
    position       INTEGER NOT NULL PRIMARY KEY, -- the row number: one more than the highest there is
    tenant_id      TEXT    NOT NULL REFERENCES tenant (id),
    event_id       TEXT    NOT NULL,
    name           TEXT    NOT NULL, -- e.g. customer.created
    ordering_key   TEXT    NOT NULL,
    correlation_id TEXT    NOT NULL,
    payload        BYTEA   NOT NULL,
    occurred_at    BIGINT  NOT NULL CHECK (occurred_at BETWEEN 0 AND 9000000000000000),
    attempts       BIGINT  NOT NULL CHECK (attempts >= 0), -- to give it on that failed
    due_at         BIGINT  NOT NULL CHECK (due_at BETWEEN 0 AND 9000000000000000) -- of the next
);

CREATE INDEX outbox_event_of_tenant ON outbox_event (tenant_id, position);
CREATE INDEX outbox_event_failing ON outbox_event (tenant_id, ordering_key, position) WHERE attempts > 0;

-- Whose events are given on, one row at a time: whoever does it holds the row.
-- wanted are the events that somebody hears of, names or like card.*, separated
-- by spaces.
CREATE TABLE outbox_feed (
    tenant_id TEXT   NOT NULL PRIMARY KEY REFERENCES tenant (id),
    wanted    TEXT   NOT NULL,
    turn      BIGINT NOT NULL
);

-- +goose Down
