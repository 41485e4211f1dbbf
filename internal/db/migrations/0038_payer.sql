-- +goose Up

-- A token that says nothing by itself. Those that came of one grant are a chain:
-- a refresh token works once, and one that comes again ends its chain.
CREATE TABLE opaque_token (
    token_hash  TEXT   NOT NULL PRIMARY KEY,
    chain_id    TEXT   NOT NULL,
    kind        TEXT   NOT NULL CHECK (kind IN ('access', 'refresh')),
    family      TEXT   NOT NULL,
    client_id   TEXT   NOT NULL REFERENCES api_client (id),
    generation  BIGINT NOT NULL, -- of the client, under which it was issued
    scope       TEXT   NOT NULL,
    customer_id TEXT, -- who signed in; NULL: the client speaks for itself
    consent_id  TEXT, -- to what the customer agreed
    issued_at   BIGINT NOT NULL CHECK (issued_at BETWEEN 0 AND 9000000000000000),
    expires_at  BIGINT NOT NULL CHECK (expires_at BETWEEN 0 AND 9000000000000000),
    used_at     BIGINT CHECK (used_at BETWEEN 0 AND 9000000000000000),
    revoked_at  BIGINT CHECK (revoked_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX opaque_token_by_chain ON opaque_token (chain_id);
CREATE INDEX opaque_token_by_expiry ON opaque_token (expires_at);

-- Who pays a client of the tenant: how to reach somebody, as the client told.
-- The same person may be here any number of times. What is personal lies sealed.
CREATE TABLE payer (
    id         TEXT   NOT NULL PRIMARY KEY,
    tenant_id  TEXT   NOT NULL REFERENCES tenant (id),
    client_id  TEXT   NOT NULL REFERENCES api_client (id), -- whose payer it is
    reference  TEXT   NOT NULL, -- what the client calls it by
    document   BYTEA  NOT NULL,
    created_at BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    updated_at BIGINT CHECK (updated_at BETWEEN 0 AND 9000000000000000), -- NULL: never
    deleted_at BIGINT CHECK (deleted_at BETWEEN 0 AND 9000000000000000),
    UNIQUE (tenant_id, reference)
);

CREATE INDEX payer_by_client ON payer (tenant_id, client_id, id) WHERE deleted_at IS NULL;

-- By what a payer is found: names folded, all else as keyed hashes.
CREATE TABLE payer_term (
    tenant_id TEXT  NOT NULL,
    client_id TEXT  NOT NULL,
    field     TEXT  NOT NULL,
    term      BYTEA NOT NULL,
    payer_id  TEXT  NOT NULL REFERENCES payer (id),
    PRIMARY KEY (tenant_id, client_id, field, term, payer_id)
);

CREATE INDEX payer_term_by_payer ON payer_term (payer_id);

-- What a payment copied of its payer, kept whatever becomes of that.
CREATE TABLE payer_copy (
    tenant_id  TEXT   NOT NULL REFERENCES tenant (id),
    payment    TEXT   NOT NULL, -- which
    payer_id   TEXT   NOT NULL REFERENCES payer (id),
    document   BYTEA  NOT NULL,
    copied_at  BIGINT NOT NULL CHECK (copied_at BETWEEN 0 AND 9000000000000000),
    keep_until BIGINT NOT NULL CHECK (keep_until BETWEEN 0 AND 9000000000000000),
    PRIMARY KEY (tenant_id, payment)
);

-- +goose Down
DROP TABLE payer_copy;
DROP TABLE payer_term;
DROP TABLE payer;
DROP TABLE opaque_token;
