-- +goose Up

-- A class of customers that rules and prices treat alike. A customer names its
-- segment by code; who names one locks its row, and so does who deletes it.
CREATE TABLE customer_segment (
    tenant_id         TEXT    NOT NULL REFERENCES tenant (id),
    code              TEXT    NOT NULL,
    name              TEXT    NOT NULL,
    name_folded       TEXT    NOT NULL,
    description       TEXT    NOT NULL,
    priority          BIGINT  NOT NULL CHECK (priority BETWEEN 0 AND 1000000),
    is_active         BOOLEAN NOT NULL,
    deleted_at        BIGINT  CHECK (deleted_at BETWEEN 0 AND 9000000000000000),
    concurrency_stamp TEXT    NOT NULL,
    created_at        BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    created_by        TEXT    NOT NULL,
    updated_at        BIGINT  NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    updated_by        TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, code)
);

CREATE INDEX customer_by_segment ON customer (tenant_id, segment_code, created_at, id) WHERE segment_code IS NOT NULL;

-- What people wrote down about a customer or a card. Rows are never changed or
-- deleted. The text speaks of people, so it lies sealed.
CREATE TABLE user_note (
    id          TEXT    NOT NULL PRIMARY KEY,
    tenant_id   TEXT    NOT NULL REFERENCES tenant (id),
    entity_type TEXT    NOT NULL CHECK (entity_type IN ('Customer', 'Card')),
    entity_key  TEXT    NOT NULL, -- customer number or card token
    note        BYTEA   NOT NULL,
    category    TEXT    NOT NULL,
    is_pinned   BOOLEAN NOT NULL,
    created_at  BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    created_by  TEXT    NOT NULL,
    author      TEXT    NOT NULL -- the person at the client, or the client, by name
);

CREATE INDEX user_note_by_entity ON user_note (tenant_id, entity_type, entity_key, created_at, id);

-- The design of a plastic. Another design is another row: only the name
-- changes.
CREATE TABLE card_art (
    tenant_id         TEXT    NOT NULL REFERENCES tenant (id),
    code              TEXT    NOT NULL,
    name              TEXT    NOT NULL,
    description       TEXT    NOT NULL,
    perso_design_code TEXT    NOT NULL,
    form_factor       TEXT    NOT NULL,
    front_image       TEXT    NOT NULL, -- base64, or where it lies
    back_image        TEXT    NOT NULL,
    text_color        TEXT    NOT NULL,
    is_active         BOOLEAN NOT NULL,
    deleted_at        BIGINT  CHECK (deleted_at BETWEEN 0 AND 9000000000000000),
    concurrency_stamp TEXT    NOT NULL,
    created_at        BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    created_by        TEXT    NOT NULL,
    updated_at        BIGINT  NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    updated_by        TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, code)
);

-- +goose Down
