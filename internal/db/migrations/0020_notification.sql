-- +goose Up

-- What customers are told, one row for each message of a channel. Address and
-- text lie in sealed, until nobody needs them.
CREATE TABLE notification (
    id           TEXT    NOT NULL PRIMARY KEY,
    tenant_id    TEXT    NOT NULL REFERENCES tenant (id),
    customer_no  TEXT    NOT NULL,
    card_token   TEXT    NOT NULL,
    product_code TEXT    NOT NULL,
    event        TEXT    NOT NULL,
    channel      TEXT    NOT NULL CHECK (channel IN ('Sms', 'Email')),
    recipient    TEXT    NOT NULL, -- masked
    is_pin       BOOLEAN NOT NULL,
    pin_on       TEXT,             -- the tenant's day on which a PIN was sent
    status       TEXT    NOT NULL CHECK (status IN ('Waiting', 'Sent', 'Dead', 'Inbox')),
    sealed       BYTEA   NOT NULL,
    created_at   BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    ended_at     BIGINT  CHECK (ended_at BETWEEN 0 AND 9000000000000000),
    result_code  BIGINT  NOT NULL CHECK (result_code BETWEEN 0 AND 999),
    result_text  TEXT    NOT NULL
);

CREATE INDEX notification_of_tenant ON notification (tenant_id, status, created_at, id);
CREATE INDEX notification_of_card ON notification (tenant_id, card_token, pin_on) WHERE is_pin;
CREATE INDEX notification_ended ON notification (ended_at) WHERE ended_at IS NOT NULL;

-- +goose Down
