-- +goose Up

-- A tenant is one institution or programme; every other row belongs to one.
CREATE TABLE tenant (
    id                TEXT    NOT NULL PRIMARY KEY,
    code              TEXT    NOT NULL UNIQUE,
    name              TEXT    NOT NULL,
    institution_type  TEXT    NOT NULL,
    tax_number        TEXT    NOT NULL,
    address           TEXT    NOT NULL,
    contact           TEXT    NOT NULL,
    time_zone         TEXT    NOT NULL,
    language          TEXT    NOT NULL,
    environment       TEXT    NOT NULL CHECK (environment IN ('Production', 'Sandbox')),
    default_currency  TEXT    NOT NULL,
    is_active         BOOLEAN NOT NULL,
    concurrency_stamp TEXT    NOT NULL,
    created_at        BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    updated_at        BIGINT  NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000)
);

-- An API client: the credentials of a program that calls us. The secret is
-- 256 random bits, so its SHA-256 is as good as a slow hash.
CREATE TABLE api_client (
    id            TEXT    NOT NULL PRIMARY KEY,
    tenant_id     TEXT    NOT NULL REFERENCES tenant (id),
    name          TEXT    NOT NULL,
    secret_hash   TEXT    NOT NULL,
    permissions   TEXT    NOT NULL,
    is_active     BOOLEAN NOT NULL,
    issues_refresh BOOLEAN NOT NULL,
    failure_count BIGINT  NOT NULL CHECK (failure_count BETWEEN 0 AND 1000000),
    failed_at     BIGINT  NOT NULL CHECK (failed_at BETWEEN 0 AND 9000000000000000),
    created_at    BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX api_client_by_tenant ON api_client (tenant_id);

-- Refresh tokens, by hash. All tokens that came from one sign-in share a
-- family; presenting a used one revokes the family.
CREATE TABLE refresh_token (
    token_hash TEXT   NOT NULL PRIMARY KEY,
    family_id  TEXT   NOT NULL,
    client_id  TEXT   NOT NULL REFERENCES api_client (id),
    scope      TEXT   NOT NULL,
    issued_at  BIGINT NOT NULL CHECK (issued_at BETWEEN 0 AND 9000000000000000),
    expires_at BIGINT NOT NULL CHECK (expires_at BETWEEN 0 AND 9000000000000000),
    used_at    BIGINT CHECK (used_at BETWEEN 0 AND 9000000000000000),
    revoked_at BIGINT CHECK (revoked_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX refresh_token_by_family ON refresh_token (family_id);

-- Keys that sign access tokens; the private half is sealed by the HSM.
CREATE TABLE signing_key (
    id          TEXT   NOT NULL PRIMARY KEY,
    private_key BYTEA  NOT NULL,
    public_key  BYTEA  NOT NULL,
    created_at  BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000)
);

-- Answers kept for X-Idempotency-Key (24 hours). A row without an answer is a
-- request in progress until its lease ends. key and body_hash are keyed hashes,
-- and body is sealed: only scope, the method and path, can be read here.
CREATE TABLE idempotency (
    tenant_id    TEXT   NOT NULL REFERENCES tenant (id),
    scope        TEXT   NOT NULL,
    key          TEXT   NOT NULL,
    body_hash    TEXT   NOT NULL,
    holder       TEXT   NOT NULL,
    leased_until BIGINT NOT NULL CHECK (leased_until BETWEEN 0 AND 9000000000000000),
    status       BIGINT NOT NULL CHECK (status BETWEEN 0 AND 599),
    body         BYTEA,
    expires_at   BIGINT NOT NULL CHECK (expires_at BETWEEN 0 AND 9000000000000000),
    PRIMARY KEY (tenant_id, scope, key)
);

CREATE INDEX idempotency_by_expiry ON idempotency (expires_at);

-- +goose Down
