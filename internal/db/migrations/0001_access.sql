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
    -- whether clients get a refresh token with their own credentials, and how
    -- many requests a second each may send (0: what the server's settings say)
    client_refresh    BOOLEAN NOT NULL DEFAULT TRUE,
    rate_per_second   BIGINT  NOT NULL DEFAULT 0 CHECK (rate_per_second BETWEEN 0 AND 1000000),
    rate_burst        BIGINT  NOT NULL DEFAULT 0 CHECK (rate_burst BETWEEN 0 AND 1000000),
    -- how many microseconds the business time of a sandbox is ahead of the clock,
    -- until when, by the clock, somebody is moving it on, and where it was to go when
    -- it was moved last
    ahead             BIGINT  NOT NULL DEFAULT 0 CHECK (ahead BETWEEN 0 AND 400000000000000),
    advancing_until   BIGINT  NOT NULL DEFAULT 0 CHECK (advancing_until BETWEEN 0 AND 9000000000000000),
    advancing_to      BIGINT  NOT NULL DEFAULT 0 CHECK (advancing_to BETWEEN 0 AND 9000000000000000),
    concurrency_stamp TEXT    NOT NULL,
    created_at        BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    updated_at        BIGINT  NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    CHECK (ahead = 0 OR environment = 'Sandbox')
);

-- Those that are ahead are looked through on their own.
CREATE INDEX tenant_ahead ON tenant (id) WHERE ahead > 0;

-- An API client: the credentials of a program that calls us. The secret is
-- 256 random bits, so its SHA-256 is as good as a slow hash; the one before is
-- good until old_secret_until. Tokens carry the generation under which they
-- were issued and die with it. While a client is locked its failures are only
-- counted, in unrecorded_count. A client speaks one family of APIs.
CREATE TABLE api_client (
    id                TEXT    NOT NULL PRIMARY KEY,
    tenant_id         TEXT    NOT NULL REFERENCES tenant (id),
    family            TEXT    NOT NULL CHECK (family IN ('platform', 'openbanking', 'payers', 'ewallet', 'cardstore')),
    name              TEXT    NOT NULL,
    secret_hash       TEXT    NOT NULL,
    old_secret_hash   TEXT    NOT NULL,
    old_secret_until  BIGINT  NOT NULL CHECK (old_secret_until BETWEEN 0 AND 9000000000000000),
    permissions       TEXT    NOT NULL,
    allowed_addresses TEXT    NOT NULL, -- networks separated by spaces; empty: all
    rate_per_second   BIGINT  NOT NULL CHECK (rate_per_second BETWEEN 0 AND 1000000), -- 0: the tenant's
    rate_burst        BIGINT  NOT NULL CHECK (rate_burst BETWEEN 0 AND 1000000),
    is_active         BOOLEAN NOT NULL,
    generation        BIGINT  NOT NULL CHECK (generation BETWEEN 1 AND 1000000000),
    failure_count     BIGINT  NOT NULL CHECK (failure_count BETWEEN 0 AND 1000000),
    failed_at         BIGINT  NOT NULL CHECK (failed_at BETWEEN 0 AND 9000000000000000),
    unrecorded_count  BIGINT  NOT NULL CHECK (unrecorded_count BETWEEN 0 AND 1000000000),
    concurrency_stamp TEXT    NOT NULL,
    created_at        BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    updated_at        BIGINT  NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX api_client_by_tenant ON api_client (tenant_id);

-- A set of permissions that users can have.
CREATE TABLE access_role (
    tenant_id   TEXT   NOT NULL REFERENCES tenant (id),
    code        TEXT   NOT NULL,
    permissions TEXT   NOT NULL,
    updated_at  BIGINT NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    PRIMARY KEY (tenant_id, code)
);

-- A person that signs in through a client with a password, of which an
-- Argon2id hash is kept.
CREATE TABLE api_user (
    id            TEXT    NOT NULL PRIMARY KEY,
    tenant_id     TEXT    NOT NULL REFERENCES tenant (id),
    name          TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    roles         TEXT    NOT NULL,
    is_active     BOOLEAN NOT NULL,
    generation    BIGINT  NOT NULL CHECK (generation BETWEEN 1 AND 1000000000),
    failure_count BIGINT  NOT NULL CHECK (failure_count BETWEEN 0 AND 1000000),
    failed_at     BIGINT  NOT NULL CHECK (failed_at BETWEEN 0 AND 9000000000000000),
    created_at    BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    updated_at    BIGINT  NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    UNIQUE (tenant_id, name)
);

-- Refresh tokens, by hash. All tokens that came from one sign-in share a
-- family; presenting a used one revokes the family.
CREATE TABLE refresh_token (
    token_hash TEXT   NOT NULL PRIMARY KEY,
    family_id  TEXT   NOT NULL,
    client_id  TEXT   NOT NULL REFERENCES api_client (id),
    user_id    TEXT   REFERENCES api_user (id),
    scope      TEXT   NOT NULL,
    issued_at  BIGINT NOT NULL CHECK (issued_at BETWEEN 0 AND 9000000000000000),
    expires_at BIGINT NOT NULL CHECK (expires_at BETWEEN 0 AND 9000000000000000),
    used_at    BIGINT CHECK (used_at BETWEEN 0 AND 9000000000000000),
    revoked_at BIGINT CHECK (revoked_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX refresh_token_by_family ON refresh_token (family_id);

CREATE INDEX refresh_token_by_client ON refresh_token (client_id) WHERE revoked_at IS NULL;

CREATE INDEX refresh_token_by_user ON refresh_token (user_id) WHERE user_id IS NOT NULL;

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
