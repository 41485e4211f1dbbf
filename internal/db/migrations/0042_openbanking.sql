-- +goose Up

-- That a customer lets a client look after credit cards. Its number is what the
-- client shows to get a token for the customer.
CREATE TABLE consent (
    id          TEXT   NOT NULL PRIMARY KEY,
    tenant_id   TEXT   NOT NULL REFERENCES tenant (id),
    client_id   TEXT   NOT NULL REFERENCES api_client (id),
    customer_no TEXT   NOT NULL,
    scope       TEXT   NOT NULL,
    created_at  BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    revoked_at  BIGINT CHECK (revoked_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX consent_by_customer ON consent (tenant_id, customer_no, created_at, id);

-- +goose Down
