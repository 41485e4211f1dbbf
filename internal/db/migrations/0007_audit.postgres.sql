-- +goose Up

-- This file has a twin for the other engine: they differ in their triggers only.

-- The end of a tenant's chain. Whoever appends holds this row.
CREATE TABLE audit_chain (
    tenant_id TEXT   NOT NULL PRIMARY KEY REFERENCES tenant (id),
    position  BIGINT NOT NULL CHECK (position BETWEEN 0 AND 9000000000000000),
    hash      TEXT   NOT NULL -- of the row at position, hexadecimal; empty before the first
);

-- One act. No row is ever changed or deleted; triggers refuse it. What the hash
-- covers and in which order stands in docs/adr/0008-audit-encoding.md.
CREATE TABLE audit_act (
    tenant_id          TEXT   NOT NULL REFERENCES tenant (id),
    position           BIGINT NOT NULL CHECK (position BETWEEN 1 AND 9000000000000000),
    occurred_at        BIGINT NOT NULL CHECK (occurred_at BETWEEN 0 AND 9000000000000000),
    stream             TEXT   NOT NULL,
    action             TEXT   NOT NULL,
    entity_type        TEXT   NOT NULL,
    entity_key         TEXT   NOT NULL,
    card_id            TEXT   NOT NULL,
    issuance_id        TEXT   NOT NULL,
    product_code       TEXT   NOT NULL,
    client_id          TEXT   NOT NULL,
    user_id            TEXT   NOT NULL,
    channel            TEXT   NOT NULL,
    correlation_id     TEXT   NOT NULL,
    result             TEXT   NOT NULL,
    error_code         TEXT   NOT NULL,
    user_digest        TEXT   NOT NULL,
    ip_digest          TEXT   NOT NULL,
    description_digest TEXT   NOT NULL,
    changes            TEXT   NOT NULL,
    hash               TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, position)
);

CREATE INDEX audit_act_by_time ON audit_act (tenant_id, stream, occurred_at, position);

CREATE INDEX audit_act_by_card ON audit_act (tenant_id, card_id, occurred_at, position) WHERE card_id <> '';

CREATE INDEX audit_act_by_issuance ON audit_act (tenant_id, issuance_id, occurred_at, position) WHERE issuance_id <> '';

CREATE INDEX audit_act_by_product ON audit_act (tenant_id, stream, product_code, occurred_at, position) WHERE product_code <> '';

-- The personal values of an act, of which the chain holds salted digests only:
-- erasing them leaves the chain whole.
CREATE TABLE audit_personal (
    tenant_id      TEXT   NOT NULL,
    position       BIGINT NOT NULL CHECK (position BETWEEN 1 AND 9000000000000000),
    salt           TEXT   NOT NULL,
    user_reference TEXT   NOT NULL,
    ip_address     TEXT   NOT NULL,
    description    TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, position),
    FOREIGN KEY (tenant_id, position) REFERENCES audit_act (tenant_id, position)
);

-- The key that signs checkpoints; its private half is sealed.
CREATE TABLE audit_key (
    tenant_id   TEXT   NOT NULL PRIMARY KEY REFERENCES tenant (id),
    public_key  TEXT   NOT NULL,
    private_key BYTEA  NOT NULL,
    created_at  BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000)
);

-- +goose StatementBegin
CREATE FUNCTION audit_act_refuse() RETURNS trigger AS $$
BEGIN
    RAISE EXCEPTION 'audit_act is append-only';
END;
$$ LANGUAGE plpgsql;
-- +goose StatementEnd

CREATE TRIGGER audit_act_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_act
    FOR EACH STATEMENT EXECUTE FUNCTION audit_act_refuse();
