-- +goose Up

-- A replay that was asked for, and how far it is. It is run under a lease; who
-- loses that begins it anew.
CREATE TABLE replay (
    id           TEXT   NOT NULL PRIMARY KEY,
    tenant_id    TEXT   NOT NULL REFERENCES tenant (id),
    from_at      BIGINT NOT NULL CHECK (from_at BETWEEN 0 AND 9000000000000000),
    to_at        BIGINT NOT NULL CHECK (to_at BETWEEN 0 AND 9000000000000000),
    draft        TEXT   NOT NULL, -- as its author wrote it; empty: as recorded
    status       TEXT   NOT NULL CHECK (status IN ('Queued', 'Running', 'Completed', 'Failed')),
    done_count   BIGINT NOT NULL CHECK (done_count >= 0),
    all_count    BIGINT NOT NULL CHECK (all_count >= 0),
    totals       TEXT   NOT NULL, -- of a completed one
    attempts     BIGINT NOT NULL CHECK (attempts >= 0),
    lease        TEXT   NOT NULL,
    leased_until BIGINT NOT NULL CHECK (leased_until BETWEEN 0 AND 9000000000000000),
    created_at   BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    created_by   TEXT   NOT NULL,
    finished_at  BIGINT CHECK (finished_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX replay_waiting ON replay (leased_until, created_at) WHERE status IN ('Queued', 'Running');
CREATE INDEX replay_by_tenant ON replay (tenant_id, created_at);

-- What a replay would have decided otherwise, in its order.
CREATE TABLE replay_difference (
    replay_id TEXT   NOT NULL REFERENCES replay (id),
    position  BIGINT NOT NULL CHECK (position > 0),
    content   TEXT   NOT NULL,
    PRIMARY KEY (replay_id, position)
);

-- +goose Down
