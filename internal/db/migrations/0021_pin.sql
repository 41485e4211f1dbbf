-- +goose Up

-- On which day the wrong tries of a tenant's PINs were last forgotten, where the
-- tenant wants that every night.
CREATE TABLE pin_reset (
    tenant_id TEXT NOT NULL PRIMARY KEY REFERENCES tenant (id),
    done_on   TEXT NOT NULL -- YYYY-MM-DD in the tenant's zone
);

CREATE INDEX card_with_tries ON card (tenant_id, id) WHERE pin_try_count > 0;

-- +goose Down
