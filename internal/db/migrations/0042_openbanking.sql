-- +goose Up

-- That a customer lets a client look after credit cards. Its number is what the
-- client shows to get a token for the customer, where the bank has noted the
-- consent; those that customers gave at our own page come with a code.
CREATE TABLE consent (
    id          TEXT    NOT NULL PRIMARY KEY,
    tenant_id   TEXT    NOT NULL REFERENCES tenant (id),
    client_id   TEXT    NOT NULL REFERENCES api_client (id),
    customer_no TEXT    NOT NULL,
    scope       TEXT    NOT NULL,
    by_customer BOOLEAN NOT NULL, -- given at our page
    created_at  BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    revoked_at  BIGINT  CHECK (revoked_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX consent_by_customer ON consent (tenant_id, customer_no, created_at, id);

-- To where a client may have cardholders sent back.
CREATE TABLE client_redirect (
    client_id TEXT NOT NULL REFERENCES api_client (id),
    uri       TEXT NOT NULL,
    PRIMARY KEY (client_id, uri)
);

-- What a cardholder signs in with at our page, of which an Argon2id hash is kept.
-- A new password begins the next generation of its sessions.
CREATE TABLE cardholder_credential (
    tenant_id     TEXT   NOT NULL REFERENCES tenant (id),
    customer_no   TEXT   NOT NULL,
    password_hash TEXT   NOT NULL,
    generation    BIGINT NOT NULL CHECK (generation BETWEEN 1 AND 1000000000),
    failure_count BIGINT NOT NULL CHECK (failure_count BETWEEN 0 AND 1000000),
    failed_at     BIGINT NOT NULL CHECK (failed_at BETWEEN 0 AND 9000000000000000),
    created_at    BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    updated_at    BIGINT NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    PRIMARY KEY (tenant_id, customer_no)
);

-- A browser at our pages: of nobody yet, of one who has shown a password and is
-- asked for a one-time password, or of one who is signed in. Its secret is
-- replaced whenever that changes.
CREATE TABLE cardholder_session (
    id           TEXT   NOT NULL PRIMARY KEY,
    secret_hash  TEXT   NOT NULL UNIQUE,
    tenant_id    TEXT   NOT NULL REFERENCES tenant (id),
    customer_no  TEXT   NOT NULL, -- empty: nobody yet
    generation   BIGINT NOT NULL, -- of the credential
    code         BYTEA, -- keyed hash of the one-time password; NULL: none is asked for
    code_until   BIGINT NOT NULL CHECK (code_until BETWEEN 0 AND 9000000000000000),
    code_tries   BIGINT NOT NULL CHECK (code_tries BETWEEN 0 AND 1000000),
    is_signed_in BOOLEAN NOT NULL,
    seen_at      BIGINT NOT NULL CHECK (seen_at BETWEEN 0 AND 9000000000000000),
    expires_at   BIGINT NOT NULL CHECK (expires_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX cardholder_session_by_seen ON cardholder_session (seen_at);

-- What a client has asked a cardholder for, until the answer.
CREATE TABLE consent_request (
    id           TEXT   NOT NULL PRIMARY KEY,
    session_id   TEXT   NOT NULL REFERENCES cardholder_session (id) ON DELETE CASCADE,
    client_id    TEXT   NOT NULL REFERENCES api_client (id),
    redirect_uri TEXT   NOT NULL,
    scope        TEXT   NOT NULL,
    state        TEXT   NOT NULL,
    challenge    TEXT   NOT NULL, -- of PKCE, S256; empty: none
    expires_at   BIGINT NOT NULL CHECK (expires_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX consent_request_by_session ON consent_request (session_id);
CREATE INDEX consent_request_by_expiry ON consent_request (expires_at);

-- The code that a client exchanges once for tokens. A used one is kept as long as
-- the tokens of its chain: should it come again, they end.
CREATE TABLE consent_code (
    code_hash    TEXT   NOT NULL PRIMARY KEY,
    chain_id     TEXT   NOT NULL,
    client_id    TEXT   NOT NULL REFERENCES api_client (id),
    redirect_uri TEXT   NOT NULL,
    challenge    TEXT   NOT NULL,
    consent_id   TEXT   NOT NULL REFERENCES consent (id),
    expires_at   BIGINT NOT NULL CHECK (expires_at BETWEEN 0 AND 9000000000000000),
    used_at      BIGINT CHECK (used_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX consent_code_by_expiry ON consent_code (expires_at);

-- +goose Down
