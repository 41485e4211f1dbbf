-- +goose Up

-- A named list of values that rules look into. Its values are one text, each on
-- a line of its own, in order: they are read whole and never searched here.
CREATE TABLE named_list (
    tenant_id         TEXT    NOT NULL REFERENCES tenant (id),
    code              TEXT    NOT NULL,
    name              TEXT    NOT NULL,
    name_folded       TEXT    NOT NULL,
    value_type        TEXT    NOT NULL CHECK (value_type IN ('String', 'Integer')),
    value_lines       TEXT    NOT NULL,
    value_count       BIGINT  NOT NULL CHECK (value_count BETWEEN 0 AND 50000),
    is_active         BOOLEAN NOT NULL,
    concurrency_stamp TEXT    NOT NULL,
    created_at        BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    created_by        TEXT    NOT NULL,
    updated_at        BIGINT  NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    updated_by        TEXT    NOT NULL,
    deleted_at        BIGINT CHECK (deleted_at BETWEEN 0 AND 9000000000000000),
    PRIMARY KEY (tenant_id, code)
);

-- Which rules look into a list: of what kind, and the code of what has the rule.
CREATE TABLE named_list_use (
    tenant_id TEXT NOT NULL,
    list_code TEXT NOT NULL,
    kind      TEXT NOT NULL,
    code      TEXT NOT NULL,
    PRIMARY KEY (tenant_id, list_code, kind, code)
);

CREATE INDEX named_list_use_by_rule ON named_list_use (tenant_id, kind, code);

-- +goose Down
