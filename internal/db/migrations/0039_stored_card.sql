-- +goose Up

-- Merchants whose clients keep cards, beside the tenant's own. A client that is
-- in no row is of the tenant's own merchant.
CREATE TABLE store_merchant_client (
    client_id   TEXT NOT NULL PRIMARY KEY,
    tenant_id   TEXT NOT NULL REFERENCES tenant (id),
    merchant_id TEXT NOT NULL
);

-- A partner is a pool of cards that several merchants share.
CREATE TABLE store_partner (
    id         TEXT   NOT NULL PRIMARY KEY,
    tenant_id  TEXT   NOT NULL REFERENCES tenant (id),
    identity   TEXT   NOT NULL, -- by which calls name it
    created_at BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    UNIQUE (tenant_id, identity)
);

CREATE TABLE store_partner_merchant (
    partner_id  TEXT NOT NULL REFERENCES store_partner (id),
    merchant_id TEXT NOT NULL,
    PRIMARY KEY (partner_id, merchant_id)
);

-- Cards of any issuer, kept for later payments. The pool is a merchant or a
-- partner; absent relational ids are empty.
CREATE TABLE stored_card (
    id              TEXT   NOT NULL PRIMARY KEY,
    tenant_id       TEXT   NOT NULL REFERENCES tenant (id),
    pool            TEXT   NOT NULL,
    scope           BIGINT NOT NULL CHECK (scope IN (1, 2)), -- e-commerce, insurance
    relational_1    TEXT   NOT NULL,
    relational_2    TEXT   NOT NULL,
    relational_3    TEXT   NOT NULL,
    nickname        TEXT   NOT NULL,
    holder_sealed   BYTEA  NOT NULL,
    bin             TEXT   NOT NULL,
    last_four       TEXT   NOT NULL,
    expire_month    BIGINT NOT NULL CHECK (expire_month BETWEEN 1 AND 12),
    expire_year     BIGINT NOT NULL CHECK (expire_year BETWEEN 2000 AND 2099),
    pan_sealed      BYTEA,            -- e-commerce only
    identity_sealed BYTEA,            -- insurance only
    identity_index  TEXT,             -- its keyed hash
    card_id         TEXT,             -- the card of ours that it is
    created_at      BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    updated_at      BIGINT NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    CHECK ((scope = 1) = (pan_sealed IS NOT NULL)),
    CHECK ((scope = 2) = (identity_sealed IS NOT NULL))
);

CREATE INDEX stored_card_by_owner ON stored_card (tenant_id, pool, scope, relational_1, created_at);
CREATE INDEX stored_card_by_card ON stored_card (card_id) WHERE card_id IS NOT NULL;

-- Cards that a pool wants no payments of, by the keyed hash of what they are.
CREATE TABLE stored_card_blacklist (
    id         TEXT   NOT NULL PRIMARY KEY,
    tenant_id  TEXT   NOT NULL REFERENCES tenant (id),
    pool       TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    created_at BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    UNIQUE (tenant_id, pool, subject)
);

-- What lets a browser hand over a card; its token is kept as a hash.
CREATE TABLE temporary_token (
    token_hash TEXT    NOT NULL PRIMARY KEY,
    tenant_id  TEXT    NOT NULL REFERENCES tenant (id),
    pool       TEXT    NOT NULL,
    client_id  TEXT    NOT NULL,
    expires_at BIGINT  NOT NULL CHECK (expires_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX temporary_token_by_expiry ON temporary_token (expires_at);

-- A card that a browser handed over, for minutes.
CREATE TABLE temporary_card (
    token_hash TEXT   NOT NULL PRIMARY KEY,
    tenant_id  TEXT   NOT NULL REFERENCES tenant (id),
    pool       TEXT   NOT NULL,
    scope      BIGINT NOT NULL CHECK (scope IN (1, 2)),
    sealed     BYTEA  NOT NULL,
    expires_at BIGINT NOT NULL CHECK (expires_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX temporary_card_by_expiry ON temporary_card (expires_at);

-- What issuers say of their ranges: whole tables, of which the newest holds.
CREATE TABLE bin_table (
    version   BIGINT NOT NULL PRIMARY KEY CHECK (version > 0),
    loaded_at BIGINT NOT NULL CHECK (loaded_at BETWEEN 0 AND 9000000000000000)
);

CREATE TABLE bin_table_entry (
    version   BIGINT NOT NULL REFERENCES bin_table (version),
    bin       TEXT   NOT NULL,
    bank_id   BIGINT NOT NULL,
    bank      TEXT   NOT NULL,
    brand_id  BIGINT NOT NULL,
    family_id BIGINT NOT NULL,
    kind_id   BIGINT NOT NULL,
    type_id   BIGINT NOT NULL,
    PRIMARY KEY (version, bin)
);

-- +goose Down
DROP TABLE bin_table_entry;
DROP TABLE bin_table;
DROP TABLE temporary_card;
DROP TABLE temporary_token;
DROP TABLE stored_card_blacklist;
DROP TABLE stored_card;
DROP TABLE store_partner_merchant;
DROP TABLE store_partner;
DROP TABLE store_merchant_client;
