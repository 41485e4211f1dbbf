-- +goose Up

-- A clearing file that was imported, whole. content_hash refuses the same
-- content a second time, whatever its name.
CREATE TABLE clearing_file (
    id           TEXT   NOT NULL PRIMARY KEY,
    content_hash TEXT   NOT NULL UNIQUE,
    network      TEXT   NOT NULL,
    file_id      TEXT   NOT NULL,
    business_on  TEXT   NOT NULL,
    record_count BIGINT NOT NULL CHECK (record_count BETWEEN 0 AND 1000000000),
    imported_at  BIGINT NOT NULL CHECK (imported_at BETWEEN 0 AND 9000000000000000)
);

-- What a file says of itself: the sums of its transaction amounts, not set off.
CREATE TABLE clearing_total (
    file_id  TEXT   NOT NULL REFERENCES clearing_file (id),
    currency TEXT   NOT NULL,
    debit    BIGINT NOT NULL CHECK (debit BETWEEN 0 AND 9000000000000000000),
    credit   BIGINT NOT NULL CHECK (credit BETWEEN 0 AND 9000000000000000000),
    PRIMARY KEY (file_id, currency)
);

-- One record of a file and what became of it. duplicate_key is network, ARN,
-- function, reversal flag and sequence; the ledger entry of a posted record has
-- it in its key. amount is the transaction amount; what was posted, in the
-- account's currency, stands with the transaction.
CREATE TABLE clearing_record (
    file_id        TEXT   NOT NULL REFERENCES clearing_file (id),
    line           BIGINT NOT NULL CHECK (line BETWEEN 1 AND 1000000000),
    tenant_id      TEXT,
    duplicate_key  TEXT   NOT NULL,
    match_status   TEXT   NOT NULL,
    matched_rule   TEXT   NOT NULL,
    is_posted      BOOLEAN NOT NULL,
    transaction_id TEXT,
    original_id    TEXT,
    amount         BIGINT NOT NULL CHECK (amount BETWEEN 0 AND 1000000000000000),
    currency       TEXT   NOT NULL,
    is_debit       BOOLEAN NOT NULL,
    PRIMARY KEY (file_id, line)
);

CREATE UNIQUE INDEX clearing_record_once ON clearing_record (duplicate_key) WHERE match_status <> 'Duplicate';

-- What a person must look at: clearing that did not fit its authorization.
CREATE TABLE clearing_exception (
    id             TEXT   NOT NULL PRIMARY KEY,
    tenant_id      TEXT,
    file_id        TEXT   NOT NULL REFERENCES clearing_file (id),
    line           BIGINT NOT NULL CHECK (line BETWEEN 1 AND 1000000000),
    kind           TEXT   NOT NULL,
    transaction_id TEXT,
    account_id     TEXT, -- of the record's card
    status         TEXT   NOT NULL CHECK (status IN ('Open', 'Assigned', 'Resolved', 'Closed')),
    created_at     BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX clearing_exception_open ON clearing_exception (tenant_id, created_at) WHERE status <> 'Closed';

-- +goose Down
