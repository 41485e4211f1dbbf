-- +goose Up

-- Payment keys as TR-31 version D key blocks. The block's header is
-- authoritative; the columns mirror it for finding.
CREATE TABLE key_block (
    id            TEXT    NOT NULL PRIMARY KEY,
    tenant_id     TEXT    NOT NULL REFERENCES tenant (id),
    label         TEXT    NOT NULL,
    usage         TEXT    NOT NULL,
    algorithm     TEXT    NOT NULL,
    mode          TEXT    NOT NULL,
    exportability TEXT    NOT NULL,
    version       TEXT    NOT NULL,
    kcv           TEXT    NOT NULL,
    is_test       BOOLEAN NOT NULL,
    block         TEXT    NOT NULL,
    client_id     TEXT,
    created_at    BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    expires_at    BIGINT  CHECK (expires_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX key_block_by_label ON key_block (tenant_id, label, version);
CREATE INDEX key_block_by_client ON key_block (tenant_id, client_id) WHERE client_id IS NOT NULL;

-- RSA public keys of API clients that an administrator has registered: in
-- production only these may wrap transport keys.
CREATE TABLE client_key (
    tenant_id   TEXT   NOT NULL REFERENCES tenant (id),
    client_id   TEXT   NOT NULL,
    fingerprint TEXT   NOT NULL, -- SHA-256 of the SPKI in DER
    created_at  BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    PRIMARY KEY (tenant_id, client_id, fingerprint)
);

-- +goose Down
