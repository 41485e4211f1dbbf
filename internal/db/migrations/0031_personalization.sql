-- +goose Up

-- What waits for its bureau.
CREATE INDEX card_by_perso_requested ON card (tenant_id, id) WHERE perso_status = 'Requested';

-- A card bureau as a tenant works with it: one row to lock, so that two files
-- cannot take one number.
CREATE TABLE perso_vendor (
    tenant_id   TEXT   NOT NULL REFERENCES tenant (id),
    vendor_code TEXT   NOT NULL,
    batch_count BIGINT NOT NULL CHECK (batch_count BETWEEN 0 AND 1000000000),
    PRIMARY KEY (tenant_id, vendor_code)
);

-- One file of orders. It is Queued until its content is on the disk, Written
-- until it lies where the bureau takes it, then Sent; a batch of which nothing
-- was left is Empty.
CREATE TABLE perso_batch (
    id          TEXT   NOT NULL PRIMARY KEY,
    tenant_id   TEXT   NOT NULL REFERENCES tenant (id),
    vendor_code TEXT   NOT NULL,
    batch_no    BIGINT NOT NULL CHECK (batch_no BETWEEN 1 AND 1000000000),
    file_name   TEXT   NOT NULL,
    status      TEXT   NOT NULL CHECK (status IN ('Queued', 'Written', 'Sent', 'Empty')),
    place       TEXT   NOT NULL, -- of the prepared content, while it is Written
    digest      TEXT   NOT NULL,
    card_count  BIGINT NOT NULL CHECK (card_count BETWEEN 0 AND 1000000),
    created_at  BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    sent_at     BIGINT CHECK (sent_at BETWEEN 0 AND 9000000000000000),
    UNIQUE (tenant_id, vendor_code, batch_no)
);

CREATE INDEX perso_batch_open ON perso_batch (id) WHERE status IN ('Queued', 'Written');
CREATE INDEX perso_batch_by_time ON perso_batch (created_at, id);

-- The order for one plastic in one file. A plastic whose production failed is
-- ordered anew, in another file.
CREATE TABLE perso_order (
    id         TEXT    NOT NULL PRIMARY KEY,
    tenant_id  TEXT    NOT NULL REFERENCES tenant (id),
    batch_id   TEXT    NOT NULL REFERENCES perso_batch (id),
    card_id    TEXT    NOT NULL REFERENCES card (id),
    is_dropped BOOLEAN NOT NULL, -- it was cancelled or failed before the file was written
    UNIQUE (batch_id, card_id)
);

CREATE INDEX perso_order_by_card ON perso_order (card_id);

-- How a plastic is being made; its status is the card's.
CREATE TABLE production (
    card_id       TEXT   NOT NULL PRIMARY KEY REFERENCES card (id),
    tenant_id     TEXT   NOT NULL REFERENCES tenant (id),
    vendor_code   TEXT   NOT NULL,
    file_name     TEXT   NOT NULL,
    batch_no      BIGINT NOT NULL CHECK (batch_no BETWEEN 0 AND 1000000000),
    file_at       BIGINT CHECK (file_at BETWEEN 0 AND 9000000000000000),
    produced_at   BIGINT CHECK (produced_at BETWEEN 0 AND 9000000000000000),
    failure       TEXT   NOT NULL CHECK (failure IN ('', 'NoKey', 'Error', 'Bureau')),
    error_text    TEXT   NOT NULL,
    retry_at      BIGINT CHECK (retry_at BETWEEN 0 AND 9000000000000000),
    last_event_at BIGINT CHECK (last_event_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX production_failed ON production (tenant_id, vendor_code) WHERE failure IN ('NoKey', 'Error');

-- How a plastic is on its way; its status is the card's. Who took it is sealed.
CREATE TABLE shipment (
    card_id            TEXT   NOT NULL PRIMARY KEY REFERENCES card (id),
    tenant_id          TEXT   NOT NULL REFERENCES tenant (id),
    courier_code       TEXT   NOT NULL,
    courier_name       TEXT   NOT NULL,
    tracking_no        TEXT   NOT NULL,
    tracking_url       TEXT   NOT NULL,
    estimated_delivery TEXT   NOT NULL, -- YYYY-MM-DD
    delivered_at       BIGINT CHECK (delivered_at BETWEEN 0 AND 9000000000000000),
    recipient_name     BYTEA  NOT NULL,
    recipient_relation TEXT   NOT NULL,
    attempt_count      BIGINT NOT NULL CHECK (attempt_count BETWEEN 0 AND 100000),
    return_reason      TEXT   NOT NULL,
    destroyed_at       BIGINT CHECK (destroyed_at BETWEEN 0 AND 9000000000000000),
    is_settled         BOOLEAN NOT NULL, -- the card has followed its destroyed plastic
    last_event_at      BIGINT CHECK (last_event_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX shipment_destroyed ON shipment (destroyed_at) WHERE destroyed_at IS NOT NULL AND NOT is_settled;

-- What bureaus and couriers told, each event once.
CREATE TABLE plastic_event (
    tenant_id   TEXT    NOT NULL REFERENCES tenant (id),
    about       TEXT    NOT NULL CHECK (about IN ('Production', 'Shipment')),
    vendor_code TEXT    NOT NULL,
    event_id    TEXT    NOT NULL,
    card_id     TEXT    NOT NULL REFERENCES card (id),
    status_code TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    is_applied  BOOLEAN NOT NULL, -- it moved the plastic
    description TEXT    NOT NULL,
    location    TEXT    NOT NULL,
    event_at    BIGINT  NOT NULL CHECK (event_at BETWEEN 0 AND 9000000000000000),
    received_at BIGINT  NOT NULL CHECK (received_at BETWEEN 0 AND 9000000000000000),
    PRIMARY KEY (tenant_id, about, vendor_code, event_id)
);

CREATE INDEX plastic_event_by_card ON plastic_event (card_id, about, event_at);

-- +goose Down
