-- +goose Up

-- When another phone took the place of the first: for some hours after that no
-- PIN is sent to it.
ALTER TABLE issuance ADD COLUMN phone_changed_at BIGINT CHECK (phone_changed_at BETWEEN 0 AND 9000000000000000);

-- How many card numbers a client was given on a day of its tenant's zone. One
-- row counts them, so that calls at the same moment share the quota.
CREATE TABLE detokenize_count (
    tenant_id  TEXT   NOT NULL REFERENCES tenant (id),
    client_id  TEXT   NOT NULL,
    day        TEXT   NOT NULL, -- YYYY-MM-DD
    used_count BIGINT NOT NULL CHECK (used_count BETWEEN 0 AND 1000000000),
    PRIMARY KEY (tenant_id, client_id, day)
);

-- How many numbers a client sent on a day to find a card by, of its tenant's BINs,
-- that no card has.
CREATE TABLE number_miss_count (
    tenant_id    TEXT   NOT NULL REFERENCES tenant (id),
    client_id    TEXT   NOT NULL,
    day          TEXT   NOT NULL, -- YYYY-MM-DD
    missed_count BIGINT NOT NULL CHECK (missed_count BETWEEN 0 AND 1000000000),
    PRIMARY KEY (tenant_id, client_id, day)
);

-- Who was given the number of a card, when and what for. Rows are never changed
-- or deleted. The position counts within the client's day.
CREATE TABLE card_detokenization (
    tenant_id      TEXT   NOT NULL REFERENCES tenant (id),
    client_id      TEXT   NOT NULL,
    day            TEXT   NOT NULL,
    position       BIGINT NOT NULL CHECK (position BETWEEN 1 AND 1000000000),
    card_id        TEXT   NOT NULL REFERENCES card (id),
    shown_at       BIGINT NOT NULL CHECK (shown_at BETWEEN 0 AND 9000000000000000),
    user_reference TEXT   NOT NULL, -- of the person at the client, as the client names it
    channel        TEXT   NOT NULL,
    correlation_id TEXT   NOT NULL,
    purpose        TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, client_id, day, position)
);

CREATE INDEX card_detokenization_by_card ON card_detokenization (card_id, shown_at);

-- +goose Down
