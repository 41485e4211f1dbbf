-- +goose Up

-- What has to be told to somebody and is not told yet, or was told lately.
CREATE TABLE outbox_message (
    id             TEXT    NOT NULL PRIMARY KEY,
    tenant_id      TEXT    NOT NULL REFERENCES tenant (id),
    topic          TEXT    NOT NULL,
    lane           TEXT    NOT NULL, -- messages of one lane go to one place, one at a time
    event_id       TEXT    NOT NULL,
    name           TEXT    NOT NULL, -- of the event, e.g. customer.created
    ordering_key   TEXT    NOT NULL,
    sequence       BIGINT  NOT NULL, -- of the event among those of its key
    correlation_id TEXT    NOT NULL,
    payload        BYTEA   NOT NULL,
    occurred_at    BIGINT  NOT NULL CHECK (occurred_at BETWEEN 0 AND 9000000000000000),
    status         TEXT    NOT NULL CHECK (status IN ('Waiting', 'Delivered', 'Dead')),
    attempts       BIGINT  NOT NULL CHECK (attempts >= 0),
    retries_max    BIGINT  NOT NULL CHECK (retries_max >= 0),
    due_at         BIGINT  NOT NULL CHECK (due_at BETWEEN 0 AND 9000000000000000),
    started_at     BIGINT  NOT NULL CHECK (started_at BETWEEN 0 AND 9000000000000000), -- retries end 72 h after it
    failing_since  BIGINT  CHECK (failing_since BETWEEN 0 AND 9000000000000000),
    lease_owner    TEXT,
    leased_until   BIGINT  NOT NULL CHECK (leased_until BETWEEN 0 AND 9000000000000000),
    ended_at       BIGINT  CHECK (ended_at BETWEEN 0 AND 9000000000000000),
    result_code    BIGINT  NOT NULL, -- of the last attempt; 0: no answer
    result_text    TEXT    NOT NULL
);

CREATE INDEX outbox_message_waiting ON outbox_message (topic, lane, due_at, sequence, id) WHERE status = 'Waiting';
CREATE INDEX outbox_message_in_order ON outbox_message (topic, lane, ordering_key, sequence) WHERE status = 'Waiting';
CREATE INDEX outbox_message_of_lane ON outbox_message (tenant_id, topic, lane, id);
CREATE INDEX outbox_message_dead ON outbox_message (tenant_id, topic, lane, id) WHERE status = 'Dead';
CREATE INDEX outbox_message_ended ON outbox_message (ended_at) WHERE ended_at IS NOT NULL;

-- The number of the last event of each ordering key that was given on.
CREATE TABLE outbox_sequence (
    tenant_id    TEXT   NOT NULL REFERENCES tenant (id),
    ordering_key TEXT   NOT NULL,
    last         BIGINT NOT NULL CHECK (last > 0),
    PRIMARY KEY (tenant_id, ordering_key)
);

CREATE TABLE webhook (
    id                   TEXT    NOT NULL PRIMARY KEY,
    tenant_id            TEXT    NOT NULL REFERENCES tenant (id),
    kind                 TEXT    NOT NULL, -- Event, Authorization, …
    name                 TEXT    NOT NULL,
    url                  TEXT    NOT NULL,
    event_types          TEXT    NOT NULL, -- separated by spaces, like the next three
    product_codes        TEXT    NOT NULL, -- what the hook is told of or asked about; empty: all
    networks             TEXT    NOT NULL,
    transaction_codes    TEXT    NOT NULL,
    timeout_ms           BIGINT  NOT NULL CHECK (timeout_ms > 0),
    retries_max          BIGINT  NOT NULL CHECK (retries_max BETWEEN 0 AND 15),
    is_active            BOOLEAN NOT NULL,
    is_disabled          BOOLEAN NOT NULL, -- after too many failures
    sealed               BYTEA   NOT NULL, -- secrets, authentication, headers
    last_success_at      BIGINT  CHECK (last_success_at BETWEEN 0 AND 9000000000000000),
    last_error_at        BIGINT  CHECK (last_error_at BETWEEN 0 AND 9000000000000000),
    consecutive_failures BIGINT  NOT NULL CHECK (consecutive_failures >= 0),
    failing_since        BIGINT  CHECK (failing_since BETWEEN 0 AND 9000000000000000),
    concurrency_stamp    TEXT    NOT NULL,
    created_at           BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    created_by           TEXT    NOT NULL,
    updated_at           BIGINT  NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    updated_by           TEXT    NOT NULL
);

CREATE INDEX webhook_of_tenant ON webhook (tenant_id, created_at, id);

-- +goose Down
