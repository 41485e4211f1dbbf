-- Generated from migrations/ by TestMigrate_resultIsSchemaSQL. Do not edit.

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

CREATE INDEX tenant_ahead ON tenant (id) WHERE ahead > 0;

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

CREATE TABLE access_role (
    tenant_id   TEXT   NOT NULL REFERENCES tenant (id),
    code        TEXT   NOT NULL,
    permissions TEXT   NOT NULL,
    updated_at  BIGINT NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    PRIMARY KEY (tenant_id, code)
);

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

CREATE TABLE signing_key (
    id          TEXT   NOT NULL PRIMARY KEY,
    private_key BYTEA  NOT NULL,
    public_key  BYTEA  NOT NULL,
    created_at  BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000)
);

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

CREATE TABLE account (
    id            TEXT    NOT NULL PRIMARY KEY,
    tenant_id     TEXT    NOT NULL REFERENCES tenant (id),
    code          TEXT    NOT NULL,
    currency      TEXT    NOT NULL,
    kind          TEXT    NOT NULL CHECK (kind IN ('A', 'L', 'I', 'E', 'X', 'S')),
    keeps_balance BOOLEAN NOT NULL,
    -- Set for customers' card accounts: the number the outside knows, and whose.
    account_no    TEXT,
    owner_key     TEXT,
    posted        BIGINT  NOT NULL CHECK (posted BETWEEN -1000000000000000 AND 1000000000000000),
    held          BIGINT  NOT NULL CHECK (held BETWEEN 0 AND 1000000000000000),
    posting_count BIGINT  NOT NULL CHECK (posting_count BETWEEN 0 AND 1000000000000),
    created_at    BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    UNIQUE (tenant_id, code, currency)
);

CREATE UNIQUE INDEX account_by_number ON account (tenant_id, account_no) WHERE account_no IS NOT NULL;

CREATE TABLE entry (
    id              TEXT   NOT NULL PRIMARY KEY,
    tenant_id       TEXT   NOT NULL REFERENCES tenant (id),
    event           TEXT   NOT NULL,
    idempotency_key TEXT   NOT NULL,
    transaction_id  TEXT,
    reverses_id     TEXT   REFERENCES entry (id),
    description     TEXT   NOT NULL,
    business_on     TEXT   NOT NULL,
    created_at      BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    UNIQUE (tenant_id, idempotency_key)
);

CREATE UNIQUE INDEX entry_reversed_once ON entry (reverses_id) WHERE reverses_id IS NOT NULL;

CREATE INDEX entry_by_transaction ON entry (transaction_id) WHERE transaction_id IS NOT NULL;

CREATE TABLE posting (
    entry_id     TEXT   NOT NULL REFERENCES entry (id),
    line         BIGINT NOT NULL CHECK (line BETWEEN 1 AND 100),
    tenant_id    TEXT   NOT NULL,
    account_id   TEXT   NOT NULL REFERENCES account (id),
    side         TEXT   NOT NULL CHECK (side IN ('D', 'C')),
    amount       BIGINT NOT NULL CHECK (amount BETWEEN 1 AND 1000000000000000),
    currency     TEXT   NOT NULL,
    position     BIGINT CHECK (position BETWEEN 1 AND 1000000000000),
    posted_after BIGINT CHECK (posted_after BETWEEN -1000000000000000 AND 1000000000000000),
    part         TEXT,
    purpose      TEXT,
    PRIMARY KEY (entry_id, line),
    CHECK ((position IS NULL) = (posted_after IS NULL))
);

CREATE UNIQUE INDEX posting_in_statement ON posting (account_id, position);

CREATE TABLE hold (
    id             TEXT   NOT NULL PRIMARY KEY,
    tenant_id      TEXT   NOT NULL, -- of the account
    account_id     TEXT   NOT NULL REFERENCES account (id),
    currency       TEXT   NOT NULL,
    authorized     BIGINT NOT NULL CHECK (authorized BETWEEN 0 AND 1000000000000000),
    reversed       BIGINT NOT NULL CHECK (reversed BETWEEN 0 AND 1000000000000000),
    cleared        BIGINT NOT NULL CHECK (cleared BETWEEN 0 AND 1000000000000000),
    released       BIGINT NOT NULL CHECK (released BETWEEN 0 AND 1000000000000000),
    fees           BIGINT NOT NULL CHECK (fees BETWEEN 0 AND 1000000000000000),
    expires_at     BIGINT NOT NULL CHECK (expires_at BETWEEN 0 AND 9000000000000000),
    is_open        BOOLEAN NOT NULL,
    is_cash        BOOLEAN NOT NULL DEFAULT FALSE,
    holder         TEXT   NOT NULL DEFAULT '',
    CHECK (reversed + cleared + released <= authorized),
    CHECK (is_open = (reversed + cleared + released < authorized)),
    CHECK (is_open OR fees = 0)
);

CREATE INDEX hold_by_expiry ON hold (expires_at) WHERE is_open;

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

CREATE TABLE client_key (
    tenant_id   TEXT   NOT NULL REFERENCES tenant (id),
    client_id   TEXT   NOT NULL,
    fingerprint TEXT   NOT NULL, -- SHA-256 of the SPKI in DER
    created_at  BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    PRIMARY KEY (tenant_id, client_id, fingerprint)
);

CREATE TABLE configuration (
    tenant_id TEXT   NOT NULL PRIMARY KEY REFERENCES tenant (id),
    version   BIGINT NOT NULL CHECK (version BETWEEN 1 AND 1000000000000)
);

CREATE TABLE issuing_attribute (
    tenant_id         TEXT   NOT NULL PRIMARY KEY REFERENCES tenant (id),
    document          TEXT   NOT NULL,
    concurrency_stamp TEXT   NOT NULL,
    created_at        BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    created_by        TEXT   NOT NULL,
    updated_at        BIGINT NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    updated_by        TEXT   NOT NULL
);

CREATE TABLE currency_conversion (
    tenant_id         TEXT   NOT NULL PRIMARY KEY REFERENCES tenant (id),
    document          TEXT   NOT NULL,
    concurrency_stamp TEXT   NOT NULL,
    created_at        BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    created_by        TEXT   NOT NULL,
    updated_at        BIGINT NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    updated_by        TEXT   NOT NULL
);

CREATE TABLE exchange_rate (
    id                TEXT   NOT NULL PRIMARY KEY,
    tenant_id         TEXT   NOT NULL REFERENCES tenant (id),
    base_currency     TEXT   NOT NULL,
    quote_currency    TEXT   NOT NULL,
    buy_rate          BIGINT NOT NULL CHECK (buy_rate BETWEEN 1 AND 999999999999999999),
    sell_rate         BIGINT NOT NULL CHECK (sell_rate BETWEEN 1 AND 999999999999999999),
    mid_rate          BIGINT NOT NULL CHECK (mid_rate BETWEEN 1 AND 999999999999999999),
    source            TEXT   NOT NULL CHECK (source IN ('Tcmb', 'Manual', 'Network')),
    effective_from    BIGINT NOT NULL CHECK (effective_from BETWEEN 0 AND 9000000000000000),
    concurrency_stamp TEXT   NOT NULL,
    created_at        BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    created_by        TEXT   NOT NULL,
    updated_at        BIGINT NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    updated_by        TEXT   NOT NULL,
    UNIQUE (tenant_id, base_currency, quote_currency, effective_from),
    CHECK (base_currency <> quote_currency),
    CHECK (buy_rate <= mid_rate AND mid_rate <= sell_rate)
);

CREATE TABLE bin (
    bin               TEXT    NOT NULL PRIMARY KEY,
    tenant_id         TEXT    NOT NULL REFERENCES tenant (id),
    brand             TEXT    NOT NULL,
    network           TEXT    NOT NULL,
    card_type         TEXT    NOT NULL,
    card_level        TEXT    NOT NULL,
    currency          TEXT    NOT NULL,
    country           TEXT    NOT NULL,
    pan_length        BIGINT  NOT NULL CHECK (pan_length BETWEEN 13 AND 19),
    sponsor_name      TEXT    NOT NULL,
    network_member_id TEXT    NOT NULL,
    key_set_code      TEXT    NOT NULL,
    is_3ds_enabled    BOOLEAN NOT NULL,
    is_tokenization_enabled BOOLEAN NOT NULL,
    status            TEXT    NOT NULL CHECK (status IN ('Active', 'Passive')),
    concurrency_stamp TEXT    NOT NULL,
    created_at        BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    created_by        TEXT    NOT NULL,
    updated_at        BIGINT  NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    updated_by        TEXT    NOT NULL
);

CREATE INDEX bin_by_tenant ON bin (tenant_id, bin);

CREATE TABLE bin_prefix (
    prefix    TEXT   NOT NULL PRIMARY KEY,
    bin_count BIGINT NOT NULL CHECK (bin_count BETWEEN 1 AND 1000000)
);

CREATE TABLE bin_range (
    tenant_id               TEXT   NOT NULL REFERENCES tenant (id),
    code                    TEXT   NOT NULL,
    name                    TEXT   NOT NULL,
    bin                     TEXT   NOT NULL REFERENCES bin (bin),
    range_start             TEXT   NOT NULL,
    range_end               TEXT   NOT NULL,
    pan_generation          TEXT   NOT NULL CHECK (pan_generation IN ('Random', 'Sequential')),
    alert_threshold_percent BIGINT NOT NULL CHECK (alert_threshold_percent BETWEEN 1 AND 99),
    used_count              BIGINT NOT NULL CHECK (used_count BETWEEN 0 AND 1000000000000000000),
    next_offset             BIGINT NOT NULL CHECK (next_offset BETWEEN 0 AND 1000000000000000000),
    status                  TEXT   NOT NULL CHECK (status IN ('Active', 'Passive')),
    concurrency_stamp       TEXT   NOT NULL,
    created_at              BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    created_by              TEXT   NOT NULL,
    updated_at              BIGINT NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    updated_by              TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, code),
    CHECK (range_start <= range_end)
);

CREATE INDEX bin_range_by_bin ON bin_range (bin, range_start);

CREATE TABLE product_group (
    tenant_id         TEXT    NOT NULL REFERENCES tenant (id),
    code              TEXT    NOT NULL,
    name              TEXT    NOT NULL,
    description       TEXT    NOT NULL,
    is_active         BOOLEAN NOT NULL,
    deleted_at        BIGINT  CHECK (deleted_at BETWEEN 0 AND 9000000000000000),
    concurrency_stamp TEXT    NOT NULL,
    created_at        BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    created_by        TEXT    NOT NULL,
    updated_at        BIGINT  NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    updated_by        TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, code)
);

CREATE TABLE product (
    tenant_id         TEXT   NOT NULL REFERENCES tenant (id),
    code              TEXT   NOT NULL,
    name              TEXT   NOT NULL,
    name_folded       TEXT   NOT NULL,
    group_code        TEXT,
    bin_range_code    TEXT   NOT NULL,
    card_type         TEXT   NOT NULL,
    currency          TEXT   NOT NULL,
    status            TEXT   NOT NULL CHECK (status IN ('Active', 'Passive')),
    document          TEXT   NOT NULL,
    deleted_at        BIGINT CHECK (deleted_at BETWEEN 0 AND 9000000000000000),
    concurrency_stamp TEXT   NOT NULL,
    created_at        BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    created_by        TEXT   NOT NULL,
    updated_at        BIGINT NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    updated_by        TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, code),
    FOREIGN KEY (tenant_id, group_code) REFERENCES product_group (tenant_id, code),
    FOREIGN KEY (tenant_id, bin_range_code) REFERENCES bin_range (tenant_id, code)
);

CREATE INDEX product_by_group ON product (tenant_id, group_code);

CREATE INDEX product_by_range ON product (tenant_id, bin_range_code);

CREATE TABLE customer (
    id                   TEXT   NOT NULL PRIMARY KEY,
    tenant_id            TEXT   NOT NULL REFERENCES tenant (id),
    customer_no          TEXT   NOT NULL,
    external_customer_id TEXT,
    customer_type        TEXT   NOT NULL CHECK (customer_type IN ('Individual', 'Company')),
    status               TEXT   NOT NULL CHECK (status IN ('Active', 'Passive', 'Deceased', 'Closed', 'Blocked')),
    kyc_level            BIGINT NOT NULL CHECK (kyc_level BETWEEN 0 AND 3),
    segment_code         TEXT,
    document             BYTEA  NOT NULL,
    concurrency_stamp    TEXT   NOT NULL,
    created_at           BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    created_by           TEXT   NOT NULL,
    updated_at           BIGINT NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    updated_by           TEXT   NOT NULL,
    UNIQUE (tenant_id, customer_no)
);

CREATE UNIQUE INDEX customer_by_external ON customer (tenant_id, external_customer_id) WHERE external_customer_id IS NOT NULL;

CREATE INDEX customer_by_time ON customer (tenant_id, created_at, id);

CREATE INDEX customer_by_status ON customer (tenant_id, status, created_at, id);

CREATE INDEX customer_by_type ON customer (tenant_id, customer_type, created_at, id);

CREATE TABLE customer_term (
    tenant_id   TEXT  NOT NULL,
    kind        TEXT  NOT NULL,
    term        BYTEA NOT NULL,
    customer_id TEXT  NOT NULL REFERENCES customer (id),
    PRIMARY KEY (tenant_id, kind, term, customer_id)
);

CREATE INDEX customer_term_by_customer ON customer_term (customer_id, tenant_id);

CREATE TABLE customer_identification (
    customer_id  TEXT NOT NULL REFERENCES customer (id),
    tenant_id    TEXT NOT NULL,
    kind         TEXT NOT NULL,
    number_index TEXT NOT NULL,
    PRIMARY KEY (customer_id, kind),
    UNIQUE (tenant_id, kind, number_index)
);

CREATE TABLE issuance (
    id                TEXT   NOT NULL PRIMARY KEY,
    tenant_id         TEXT   NOT NULL REFERENCES tenant (id),
    issuance_no       TEXT   NOT NULL,
    customer_id       TEXT   REFERENCES customer (id),
    product_code      TEXT   NOT NULL,
    parent_id         TEXT   REFERENCES issuance (id),
    account_id        TEXT   NOT NULL,
    account_no        TEXT   NOT NULL,
    external_card_id  TEXT,
    phone_number      BYTEA,
    digital_slip_type TEXT   NOT NULL,
    auto_renewal      TEXT   NOT NULL,
    policies          TEXT   NOT NULL,
    current_card_id   TEXT   NOT NULL, -- the plastic in force
    successor_card_id TEXT,            -- the one that waits to take its place: a renewal in progress
    concurrency_stamp TEXT   NOT NULL,
    created_at        BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    updated_at        BIGINT NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000), phone_changed_at BIGINT CHECK (phone_changed_at BETWEEN 0 AND 9000000000000000),
    UNIQUE (tenant_id, issuance_no),
    FOREIGN KEY (tenant_id, product_code) REFERENCES product (tenant_id, code)
);

CREATE UNIQUE INDEX issuance_by_external ON issuance (tenant_id, external_card_id) WHERE external_card_id IS NOT NULL;

CREATE INDEX issuance_by_customer ON issuance (tenant_id, customer_id);

CREATE INDEX issuance_by_product ON issuance (tenant_id, product_code, created_at, id);

CREATE INDEX issuance_by_parent ON issuance (parent_id, tenant_id, created_at, id) WHERE parent_id IS NOT NULL;

CREATE INDEX issuance_by_time ON issuance (tenant_id, created_at, id);

CREATE INDEX issuance_by_account ON issuance (account_id, tenant_id);

CREATE INDEX issuance_by_account_no ON issuance (tenant_id, account_no);

CREATE TABLE card (
    id                 TEXT    NOT NULL PRIMARY KEY,
    tenant_id          TEXT    NOT NULL REFERENCES tenant (id),
    issuance_id        TEXT    NOT NULL REFERENCES issuance (id),
    product_code       TEXT    NOT NULL, -- it was made of; its issuance takes it over when the card comes into force
    card_token         TEXT    NOT NULL,
    sequence_no        BIGINT  NOT NULL CHECK (sequence_no BETWEEN 1 AND 99),
    psn                TEXT    NOT NULL,
    pan_sealed         BYTEA   NOT NULL,
    pan_index          TEXT    NOT NULL,
    bin                TEXT    NOT NULL REFERENCES bin (bin),
    last_four          TEXT    NOT NULL,
    expires_on         TEXT    NOT NULL, -- YYYY-MM
    form_factor        TEXT    NOT NULL,
    emboss_line_1      TEXT    NOT NULL,
    emboss_line_2      TEXT    NOT NULL,
    service_code       TEXT    NOT NULL,
    chip_profile       TEXT    NOT NULL,
    key_version        TEXT    NOT NULL,
    physical           TEXT    NOT NULL, -- document of the plastic; where it goes is sealed in it
    perso_status       TEXT    NOT NULL,
    shipment_status    TEXT    NOT NULL,
    plastic_updated_at BIGINT  CHECK (plastic_updated_at BETWEEN 0 AND 9000000000000000), -- of the two statuses
    status             TEXT    NOT NULL CHECK (status IN ('Pending', 'Active', 'Inactive', 'Blocked', 'Lost', 'Stolen',
                                                        'Fraud', 'Cancelled', 'Damaged', 'Expired', 'Renewed')),
    status_reason      TEXT    NOT NULL,
    status_description TEXT    NOT NULL,
    status_changed_at  BIGINT  NOT NULL CHECK (status_changed_at BETWEEN 0 AND 9000000000000000),
    status_changed_by  TEXT    NOT NULL,
    status_channel     TEXT    NOT NULL,
    activated_at       BIGINT  CHECK (activated_at BETWEEN 0 AND 9000000000000000),
    previous_card_id   TEXT,
    renewal_reason     TEXT    NOT NULL, -- why it took the place of that one
    retires_at         BIGINT  CHECK (retires_at BETWEEN 0 AND 9000000000000000), -- it is Renewed from then on
    scheduled_status   TEXT    NOT NULL, -- it comes into from scheduled_at on; see card_schedule
    scheduled_at       BIGINT  CHECK (scheduled_at BETWEEN 0 AND 9000000000000000),
    scheduled_right    BIGINT  NOT NULL CHECK (scheduled_right BETWEEN 0 AND 2), -- of who asked for it
    expiry_told_at     BIGINT  CHECK (expiry_told_at BETWEEN 0 AND 9000000000000000),
    renewal_tried_on   TEXT    NOT NULL, -- the last night, YYYY-MM-DD
    renewal_skipped    TEXT    NOT NULL, -- why it was not renewed then
    pin_status         TEXT    NOT NULL CHECK (pin_status = 'NotSet' OR pin_status = 'Active' OR pin_status = 'Blocked' OR pin_status = 'PendingChipUpdate'),
    pin_method         TEXT    NOT NULL,
    pin_value          TEXT    NOT NULL, -- PVV or offset
    pvki               TEXT    NOT NULL,
    pin_block          BYTEA,            -- the PIN under a storage key, where it must be told or brought to the chip
    pin_changed_at     BIGINT  CHECK (pin_changed_at BETWEEN 0 AND 9000000000000000),
    pin_try_count      BIGINT  NOT NULL CHECK (pin_try_count BETWEEN 0 AND 1000),
    cvv2_try_count     BIGINT  NOT NULL CHECK (cvv2_try_count BETWEEN 0 AND 1000),
    atc                BIGINT  NOT NULL CHECK (atc BETWEEN -1 AND 65535),
    atc_window         BIGINT  NOT NULL CHECK (atc_window BETWEEN 0 AND 9223372036854775807),
    chip_script        TEXT    NOT NULL DEFAULT '' CHECK (chip_script = '' OR chip_script = 'PinChange' OR chip_script = 'PinUnblock'), -- waits for the chip
    chip_script_atc    BIGINT  NOT NULL DEFAULT -1 CHECK (chip_script_atc BETWEEN -1 AND 65535), -- of the answer that carried it last
    holder_changes     BIGINT  NOT NULL DEFAULT 0 CHECK (holder_changes BETWEEN 0 AND 1000000000), -- how often it got or lost a customer
    tap                TEXT    NOT NULL, -- the last contactless answer that asked for a PIN, for the second tap
    contactless_count  BIGINT  NOT NULL CHECK (contactless_count BETWEEN 0 AND 1000000),
    contactless_amount BIGINT  NOT NULL CHECK (contactless_amount BETWEEN 0 AND 1000000000000000),
    contactless_runs   BIGINT  NOT NULL DEFAULT 0 CHECK (contactless_runs BETWEEN 0 AND 1000000000), -- how often a PIN began both anew
    created_at         BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    updated_at         BIGINT  NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    UNIQUE (tenant_id, pan_index, sequence_no),
    UNIQUE (tenant_id, card_token, sequence_no)
);

CREATE INDEX card_by_product ON card (tenant_id, product_code, issuance_id);

CREATE INDEX card_by_issuance ON card (issuance_id, tenant_id);

CREATE INDEX card_by_last_four ON card (tenant_id, last_four);

CREATE INDEX card_by_status ON card (tenant_id, status);

CREATE INDEX card_by_expiry ON card (tenant_id, expires_on);

CREATE INDEX card_by_expiry_open ON card (tenant_id, expires_on, id) WHERE status IN ('Pending', 'Active', 'Inactive', 'Blocked');

CREATE INDEX card_by_perso ON card (tenant_id, perso_status);

CREATE INDEX card_by_shipment ON card (tenant_id, shipment_status);

CREATE INDEX card_retiring ON card (retires_at) WHERE retires_at IS NOT NULL;

CREATE INDEX card_scheduled ON card (scheduled_at) WHERE scheduled_at IS NOT NULL;

CREATE TABLE card_schedule (
    card_id          TEXT    NOT NULL PRIMARY KEY REFERENCES card (id),
    tenant_id        TEXT    NOT NULL REFERENCES tenant (id),
    reason           TEXT    NOT NULL,
    description      TEXT    NOT NULL,
    include_children BOOLEAN NOT NULL,
    requested_at     BIGINT  NOT NULL CHECK (requested_at BETWEEN 0 AND 9000000000000000),
    requested_by     TEXT    NOT NULL,
    channel          TEXT    NOT NULL
);

CREATE TABLE card_status_history (
    card_id     TEXT   NOT NULL REFERENCES card (id),
    tenant_id   TEXT   NOT NULL,
    position    BIGINT NOT NULL CHECK (position BETWEEN 1 AND 1000000),
    status      TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    description TEXT   NOT NULL,
    changed_at  BIGINT NOT NULL CHECK (changed_at BETWEEN 0 AND 9000000000000000),
    changed_by  TEXT   NOT NULL,
    channel     TEXT   NOT NULL,
    PRIMARY KEY (card_id, position)
);

CREATE TABLE card_cvv2_view (
    card_id        TEXT    NOT NULL REFERENCES card (id),
    tenant_id      TEXT    NOT NULL REFERENCES tenant (id),
    position       BIGINT  NOT NULL CHECK (position BETWEEN 1 AND 1000000000),
    viewed_at      BIGINT  NOT NULL CHECK (viewed_at BETWEEN 0 AND 9000000000000000),
    client_id      TEXT    NOT NULL,
    user_reference TEXT    NOT NULL, -- of the person at the client, as the client names it
    channel        TEXT    NOT NULL,
    correlation_id TEXT    NOT NULL,
    reason         TEXT    NOT NULL,
    with_card_no   BOOLEAN NOT NULL,
    PRIMARY KEY (card_id, position)
);

CREATE INDEX card_cvv2_view_by_time ON card_cvv2_view (card_id, viewed_at);

CREATE TABLE noname_batch (
    id              TEXT   NOT NULL PRIMARY KEY,
    tenant_id       TEXT   NOT NULL REFERENCES tenant (id),
    reference       TEXT   NOT NULL,
    product_code    TEXT   NOT NULL,
    requested_count BIGINT NOT NULL CHECK (requested_count BETWEEN 1 AND 10000),
    created_count   BIGINT NOT NULL CHECK (created_count BETWEEN 0 AND 10000),
    failed_count    BIGINT NOT NULL CHECK (failed_count BETWEEN 0 AND 10000),
    failure         TEXT   NOT NULL, -- code of why cards are missing; empty for none
    status          TEXT   NOT NULL CHECK (status IN ('Processing', 'Completed')),
    document        TEXT   NOT NULL, -- what the cards are like; where they go is sealed in it
    digest          TEXT   NOT NULL, -- over the cards in their order, hexadecimal
    link_due_at     BIGINT CHECK (link_due_at BETWEEN 0 AND 9000000000000000),
    client_id       TEXT   NOT NULL,
    user_reference  TEXT   NOT NULL,
    channel         TEXT   NOT NULL,
    correlation_id  TEXT   NOT NULL,
    lease_owner     TEXT   NOT NULL,
    leased_until    BIGINT NOT NULL CHECK (leased_until BETWEEN 0 AND 9000000000000000),
    created_at      BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    updated_at      BIGINT NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    CHECK (created_count + failed_count <= requested_count),
    CHECK ((status = 'Completed') = (created_count + failed_count = requested_count))
);

CREATE INDEX noname_batch_waiting ON noname_batch (leased_until, updated_at) WHERE status = 'Processing';

CREATE INDEX noname_batch_by_reference ON noname_batch (tenant_id, reference) WHERE reference <> '';

CREATE TABLE noname_card (
    issuance_id TEXT   NOT NULL PRIMARY KEY REFERENCES issuance (id),
    tenant_id   TEXT   NOT NULL REFERENCES tenant (id),
    batch_id    TEXT   NOT NULL REFERENCES noname_batch (id),
    position    BIGINT NOT NULL CHECK (position BETWEEN 1 AND 10000),
    barcode     TEXT   NOT NULL,
    account_id  TEXT   NOT NULL REFERENCES account (id),
    link_due_at BIGINT CHECK (link_due_at BETWEEN 0 AND 9000000000000000), -- NULL once it was linked
    UNIQUE (batch_id, position),
    UNIQUE (tenant_id, barcode)
);

CREATE INDEX noname_card_by_due ON noname_card (link_due_at) WHERE link_due_at IS NOT NULL;

CREATE TABLE card_transaction (
    id                   TEXT    NOT NULL PRIMARY KEY,
    tenant_id            TEXT,
    root_id              TEXT    NOT NULL,
    original_id          TEXT,
    flow                 TEXT    NOT NULL,
    code                 TEXT    NOT NULL,
    status               TEXT    NOT NULL,
    reason               TEXT    NOT NULL,
    response_code        TEXT    NOT NULL,
    authorization_code   TEXT    NOT NULL,
    card_id              TEXT,
    issuance_id          TEXT,
    account_id           TEXT,
    hold_id              TEXT,
    transaction_amount   BIGINT  NOT NULL CHECK (transaction_amount BETWEEN 0 AND 1000000000000000),
    transaction_currency TEXT    NOT NULL,
    billing_amount       BIGINT  NOT NULL CHECK (billing_amount BETWEEN 0 AND 1000000000000000),
    billing_currency     TEXT    NOT NULL,
    reversed_amount      BIGINT  NOT NULL CHECK (reversed_amount BETWEEN 0 AND 1000000000000000),
    cleared_amount       BIGINT  NOT NULL CHECK (cleared_amount BETWEEN 0 AND 1000000000000000),
    refunded_amount      BIGINT  NOT NULL CHECK (refunded_amount BETWEEN 0 AND 1000000000000000),
    is_debit             BOOLEAN NOT NULL,
    is_advice            BOOLEAN NOT NULL,
    is_force_post        BOOLEAN NOT NULL,
    network              TEXT    NOT NULL,
    link                 TEXT    NOT NULL,
    mti                  TEXT    NOT NULL,
    processing_code      TEXT    NOT NULL,
    stan                 TEXT    NOT NULL,
    rrn                  TEXT    NOT NULL,
    network_transaction_id TEXT  NOT NULL,
    arn                  TEXT    NOT NULL,
    transmitted_at       BIGINT  NOT NULL CHECK (transmitted_at BETWEEN 0 AND 9000000000000000),
    local_time           TEXT    NOT NULL,
    acquirer_id          TEXT    NOT NULL,
    forwarder_id         TEXT    NOT NULL,
    terminal_id          TEXT    NOT NULL,
    card_acceptor_id     TEXT    NOT NULL,
    merchant_name        TEXT    NOT NULL,
    merchant_city        TEXT    NOT NULL,
    merchant_country     TEXT    NOT NULL,
    mcc                  TEXT    NOT NULL,
    pos_entry_mode       TEXT    NOT NULL,
    pos_condition_code   TEXT    NOT NULL,
    card_network         TEXT    NOT NULL,
    card_country         TEXT    NOT NULL,
    domain               TEXT    NOT NULL,
    terminal_type        TEXT    NOT NULL,
    cardholder_presence  TEXT    NOT NULL,
    cvm_method           TEXT    NOT NULL,
    pin_result           TEXT    NOT NULL,
    arqc_result          TEXT    NOT NULL,
    cvv_result           TEXT    NOT NULL,
    cvv2_result          TEXT    NOT NULL,
    declined_by          TEXT    NOT NULL,
    declined_subject     TEXT    NOT NULL,
    declined_text        TEXT    NOT NULL,
    network_response_code TEXT   NOT NULL,
    settlement_amount    BIGINT  CHECK (settlement_amount BETWEEN 0 AND 1000000000000000),
    settlement_currency  TEXT    NOT NULL,
    conversion_rate      TEXT    NOT NULL,
    settlement_date      TEXT    NOT NULL,
    conversion_date      TEXT    NOT NULL,
    posted_after         BIGINT  CHECK (posted_after BETWEEN -1000000000000000 AND 1000000000000000),
    available_after      BIGINT  CHECK (available_after BETWEEN -2000000000000000 AND 2000000000000000),
    business_on          TEXT    NOT NULL,
    created_at           BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    updated_at           BIGINT  NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    decided_by           TEXT    NOT NULL, -- Platform, Client, StandIn, Network
    client_reference     TEXT    NOT NULL, -- what a client that owns its balances calls it
    stored_card          TEXT    NOT NULL, -- Recurring, Unscheduled, Cardholder, FurtherInstalment; empty: nothing was said
    is_tokenised         BOOLEAN NOT NULL,
    wallet               TEXT    NOT NULL,
    installment_count    BIGINT  NOT NULL CHECK (installment_count BETWEEN 0 AND 99),
    installment_no       BIGINT  NOT NULL CHECK (installment_no BETWEEN 0 AND 99),
    eci                  TEXT    NOT NULL, -- two digits, or the three of a security level indicator
    has_cavv             BOOLEAN NOT NULL, -- that a value came; it is not kept
    matched_controls     TEXT    NOT NULL, -- codes of authorization controls in the order they were asked, blanks between
    additional_amounts   TEXT    NOT NULL  -- fees as they were then, with their taxes
);

CREATE INDEX card_transaction_by_issuance ON card_transaction (issuance_id, created_at) WHERE issuance_id IS NOT NULL;

CREATE INDEX card_transaction_by_original ON card_transaction (original_id) WHERE original_id IS NOT NULL;

CREATE INDEX card_transaction_by_rrn ON card_transaction (tenant_id, rrn) WHERE rrn <> '';

CREATE INDEX card_transaction_by_network_id ON card_transaction (tenant_id, network_transaction_id) WHERE network_transaction_id <> '';

CREATE INDEX card_transaction_by_root ON card_transaction (root_id);

CREATE INDEX card_transaction_pending ON card_transaction (id) WHERE status = 'Pending';

CREATE INDEX card_transaction_stood_in ON card_transaction (account_id, business_on) WHERE decided_by = 'StandIn';

CREATE INDEX card_transaction_by_hold ON card_transaction (hold_id) WHERE hold_id IS NOT NULL;

CREATE TABLE message (
    key            TEXT    NOT NULL PRIMARY KEY,
    fingerprint    TEXT    NOT NULL,
    is_tombstone   BOOLEAN NOT NULL,
    tenant_id      TEXT,
    transaction_id TEXT,
    answer         TEXT    NOT NULL,
    created_at     BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX message_by_time ON message (created_at);

CREATE TABLE decision (
    transaction_id     TEXT   NOT NULL PRIMARY KEY,
    tenant_id          TEXT,
    configuration_hash TEXT   NOT NULL,
    record             BYTEA  NOT NULL,
    trace              BYTEA  NOT NULL,
    micros             TEXT   NOT NULL,
    created_at         BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000)
);

CREATE TABLE counterfactual (
    transaction_id TEXT NOT NULL PRIMARY KEY,
    told           TEXT NOT NULL
);

CREATE TABLE decision_seal (
    id        BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    sealed_to TEXT   NOT NULL
);

CREATE TABLE digital_slip (
    transaction_id TEXT   NOT NULL PRIMARY KEY,
    tenant_id      TEXT   NOT NULL REFERENCES tenant (id),
    content        TEXT   NOT NULL,
    expires_at     BIGINT NOT NULL CHECK (expires_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX digital_slip_expired ON digital_slip (expires_at);

CREATE TABLE transaction_turn (
    tenant_id      TEXT   NOT NULL REFERENCES tenant (id),
    transaction_id TEXT   NOT NULL,
    holder         TEXT   NOT NULL,
    ends_at        BIGINT NOT NULL CHECK (ends_at BETWEEN 0 AND 9000000000000000),
    PRIMARY KEY (tenant_id, transaction_id)
);

CREATE TABLE clearing_file (
    id           TEXT   NOT NULL PRIMARY KEY,
    content_hash TEXT   NOT NULL UNIQUE,
    network      TEXT   NOT NULL,
    file_id      TEXT   NOT NULL,
    business_on  TEXT   NOT NULL,
    record_count BIGINT NOT NULL CHECK (record_count BETWEEN 0 AND 1000000000),
    imported_at  BIGINT NOT NULL CHECK (imported_at BETWEEN 0 AND 9000000000000000)
);

CREATE TABLE clearing_total (
    file_id  TEXT   NOT NULL REFERENCES clearing_file (id),
    currency TEXT   NOT NULL,
    debit    BIGINT NOT NULL CHECK (debit BETWEEN 0 AND 9000000000000000000),
    credit   BIGINT NOT NULL CHECK (credit BETWEEN 0 AND 9000000000000000000),
    PRIMARY KEY (file_id, currency)
);

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

CREATE TABLE audit_chain (
    tenant_id TEXT   NOT NULL PRIMARY KEY REFERENCES tenant (id),
    position  BIGINT NOT NULL CHECK (position BETWEEN 0 AND 9000000000000000),
    hash      TEXT   NOT NULL -- of the row at position, hexadecimal; empty before the first
);

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

CREATE TABLE audit_key (
    tenant_id   TEXT   NOT NULL PRIMARY KEY REFERENCES tenant (id),
    public_key  TEXT   NOT NULL,
    private_key BYTEA  NOT NULL,
    created_at  BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000)
);

CREATE TRIGGER audit_act_stays BEFORE UPDATE ON audit_act
BEGIN
    SELECT RAISE(ABORT, 'audit_act is append-only');
END;

CREATE TRIGGER audit_act_remains BEFORE DELETE ON audit_act
BEGIN
    SELECT RAISE(ABORT, 'audit_act is append-only');
END;

CREATE TABLE customer_segment (
    tenant_id         TEXT    NOT NULL REFERENCES tenant (id),
    code              TEXT    NOT NULL,
    name              TEXT    NOT NULL,
    name_folded       TEXT    NOT NULL,
    description       TEXT    NOT NULL,
    priority          BIGINT  NOT NULL CHECK (priority BETWEEN 0 AND 1000000),
    is_active         BOOLEAN NOT NULL,
    deleted_at        BIGINT  CHECK (deleted_at BETWEEN 0 AND 9000000000000000),
    concurrency_stamp TEXT    NOT NULL,
    created_at        BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    created_by        TEXT    NOT NULL,
    updated_at        BIGINT  NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    updated_by        TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, code)
);

CREATE INDEX customer_by_segment ON customer (tenant_id, segment_code, created_at, id) WHERE segment_code IS NOT NULL;

CREATE TABLE user_note (
    id          TEXT    NOT NULL PRIMARY KEY,
    tenant_id   TEXT    NOT NULL REFERENCES tenant (id),
    entity_type TEXT    NOT NULL CHECK (entity_type IN ('Customer', 'Card')),
    entity_key  TEXT    NOT NULL, -- customer number or card token
    note        BYTEA   NOT NULL,
    category    TEXT    NOT NULL,
    is_pinned   BOOLEAN NOT NULL,
    created_at  BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    created_by  TEXT    NOT NULL,
    author      TEXT    NOT NULL -- the person at the client, or the client, by name
);

CREATE INDEX user_note_by_entity ON user_note (tenant_id, entity_type, entity_key, created_at, id);

CREATE TABLE card_art (
    tenant_id         TEXT    NOT NULL REFERENCES tenant (id),
    code              TEXT    NOT NULL,
    name              TEXT    NOT NULL,
    description       TEXT    NOT NULL,
    perso_design_code TEXT    NOT NULL,
    form_factor       TEXT    NOT NULL,
    front_image       TEXT    NOT NULL, -- base64, or where it lies
    back_image        TEXT    NOT NULL,
    text_color        TEXT    NOT NULL,
    is_active         BOOLEAN NOT NULL,
    deleted_at        BIGINT  CHECK (deleted_at BETWEEN 0 AND 9000000000000000),
    concurrency_stamp TEXT    NOT NULL,
    created_at        BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    created_by        TEXT    NOT NULL,
    updated_at        BIGINT  NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    updated_by        TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, code)
);

CREATE TABLE detokenize_count (
    tenant_id  TEXT   NOT NULL REFERENCES tenant (id),
    client_id  TEXT   NOT NULL,
    day        TEXT   NOT NULL, -- YYYY-MM-DD
    used_count BIGINT NOT NULL CHECK (used_count BETWEEN 0 AND 1000000000),
    PRIMARY KEY (tenant_id, client_id, day)
);

CREATE TABLE number_miss_count (
    tenant_id    TEXT   NOT NULL REFERENCES tenant (id),
    client_id    TEXT   NOT NULL,
    day          TEXT   NOT NULL, -- YYYY-MM-DD
    missed_count BIGINT NOT NULL CHECK (missed_count BETWEEN 0 AND 1000000000),
    PRIMARY KEY (tenant_id, client_id, day)
);

CREATE TABLE card_detokenization (
    tenant_id      TEXT   NOT NULL REFERENCES tenant (id),
    client_id      TEXT   NOT NULL,
    day            TEXT   NOT NULL,
    position       BIGINT NOT NULL CHECK (position BETWEEN 1 AND 1000000000),
    card_id        TEXT   NOT NULL REFERENCES card (id),
    shown_at       BIGINT NOT NULL CHECK (shown_at BETWEEN 0 AND 9000000000000000),
    user_reference TEXT   NOT NULL, -- of the person at the client, as the client names it
    channel        TEXT   NOT NULL,
    correlation_id TEXT   NOT NULL,
    purpose        TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, client_id, day, position)
);

CREATE INDEX card_detokenization_by_card ON card_detokenization (card_id, shown_at);

CREATE TABLE outbox_message (
    id             TEXT    NOT NULL PRIMARY KEY,
    tenant_id      TEXT    NOT NULL REFERENCES tenant (id),
    topic          TEXT    NOT NULL,
    lane           TEXT    NOT NULL, -- messages of one lane go to one place, one at a time
    event_id       TEXT    NOT NULL,
    name           TEXT    NOT NULL, -- of the event, e.g. customer.created
    ordering_key   TEXT    NOT NULL,
    sequence       BIGINT  NOT NULL, -- of the event among those of its key
    correlation_id TEXT    NOT NULL,
    payload        BYTEA   NOT NULL,
    occurred_at    BIGINT  NOT NULL CHECK (occurred_at BETWEEN 0 AND 9000000000000000),
    status         TEXT    NOT NULL CHECK (status IN ('Waiting', 'Delivered', 'Dead')),
    attempts       BIGINT  NOT NULL CHECK (attempts >= 0),
    retries_max    BIGINT  NOT NULL CHECK (retries_max >= 0),
    due_at         BIGINT  NOT NULL CHECK (due_at BETWEEN 0 AND 9000000000000000),
    started_at     BIGINT  NOT NULL CHECK (started_at BETWEEN 0 AND 9000000000000000), -- retries end 72 h after it
    failing_since  BIGINT  CHECK (failing_since BETWEEN 0 AND 9000000000000000),
    lease_owner    TEXT,
    leased_until   BIGINT  NOT NULL CHECK (leased_until BETWEEN 0 AND 9000000000000000),
    ended_at       BIGINT  CHECK (ended_at BETWEEN 0 AND 9000000000000000),
    result_code    BIGINT  NOT NULL, -- of the last attempt; 0: no answer
    result_text    TEXT    NOT NULL
);

CREATE INDEX outbox_message_waiting ON outbox_message (topic, lane, due_at, sequence, id) WHERE status = 'Waiting';

CREATE INDEX outbox_message_in_order ON outbox_message (topic, lane, ordering_key, sequence) WHERE status = 'Waiting';

CREATE INDEX outbox_message_of_lane ON outbox_message (tenant_id, topic, lane, id);

CREATE INDEX outbox_message_dead ON outbox_message (tenant_id, topic, lane, id) WHERE status = 'Dead';

CREATE INDEX outbox_message_ended ON outbox_message (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE outbox_sequence (
    tenant_id    TEXT   NOT NULL REFERENCES tenant (id),
    ordering_key TEXT   NOT NULL,
    last         BIGINT NOT NULL CHECK (last > 0),
    PRIMARY KEY (tenant_id, ordering_key)
);

CREATE TABLE webhook (
    id                   TEXT    NOT NULL PRIMARY KEY,
    tenant_id            TEXT    NOT NULL REFERENCES tenant (id),
    kind                 TEXT    NOT NULL, -- Event, Authorization, …
    name                 TEXT    NOT NULL,
    url                  TEXT    NOT NULL,
    event_types          TEXT    NOT NULL, -- separated by spaces, like the next three
    product_codes        TEXT    NOT NULL, -- what the hook is told of or asked about; empty: all
    networks             TEXT    NOT NULL,
    transaction_codes    TEXT    NOT NULL,
    timeout_ms           BIGINT  NOT NULL CHECK (timeout_ms > 0),
    retries_max          BIGINT  NOT NULL CHECK (retries_max BETWEEN 0 AND 15),
    is_active            BOOLEAN NOT NULL,
    is_disabled          BOOLEAN NOT NULL, -- after too many failures
    sealed               BYTEA   NOT NULL, -- secrets, authentication, headers
    last_success_at      BIGINT  CHECK (last_success_at BETWEEN 0 AND 9000000000000000),
    last_error_at        BIGINT  CHECK (last_error_at BETWEEN 0 AND 9000000000000000),
    consecutive_failures BIGINT  NOT NULL CHECK (consecutive_failures >= 0),
    failing_since        BIGINT  CHECK (failing_since BETWEEN 0 AND 9000000000000000),
    concurrency_stamp    TEXT    NOT NULL,
    created_at           BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    created_by           TEXT    NOT NULL,
    updated_at           BIGINT  NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    updated_by           TEXT    NOT NULL
);

CREATE INDEX webhook_of_tenant ON webhook (tenant_id, created_at, id);

CREATE TABLE notification (
    id           TEXT    NOT NULL PRIMARY KEY,
    tenant_id    TEXT    NOT NULL REFERENCES tenant (id),
    customer_no  TEXT    NOT NULL,
    card_token   TEXT    NOT NULL,
    product_code TEXT    NOT NULL,
    event        TEXT    NOT NULL,
    channel      TEXT    NOT NULL CHECK (channel IN ('Sms', 'Email')),
    recipient    TEXT    NOT NULL, -- masked
    is_pin       BOOLEAN NOT NULL,
    pin_on       TEXT,             -- the tenant's day on which a PIN was sent
    status       TEXT    NOT NULL CHECK (status IN ('Waiting', 'Sent', 'Dead', 'Inbox')),
    sealed       BYTEA   NOT NULL,
    created_at   BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    ended_at     BIGINT  CHECK (ended_at BETWEEN 0 AND 9000000000000000),
    result_code  BIGINT  NOT NULL CHECK (result_code BETWEEN 0 AND 999),
    result_text  TEXT    NOT NULL
);

CREATE INDEX notification_of_tenant ON notification (tenant_id, status, created_at, id);

CREATE INDEX notification_of_card ON notification (tenant_id, card_token, pin_on) WHERE is_pin;

CREATE INDEX notification_ended ON notification (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE pin_reset (
    tenant_id TEXT NOT NULL PRIMARY KEY REFERENCES tenant (id),
    done_on   TEXT NOT NULL -- YYYY-MM-DD in the tenant's zone
);

CREATE INDEX card_with_tries ON card (tenant_id, id) WHERE pin_try_count > 0;

CREATE TABLE outbox_event (
    position       INTEGER NOT NULL PRIMARY KEY, -- the row number: one more than the highest there is
    tenant_id      TEXT    NOT NULL REFERENCES tenant (id),
    event_id       TEXT    NOT NULL,
    name           TEXT    NOT NULL, -- e.g. customer.created
    ordering_key   TEXT    NOT NULL,
    correlation_id TEXT    NOT NULL,
    payload        BYTEA   NOT NULL,
    occurred_at    BIGINT  NOT NULL CHECK (occurred_at BETWEEN 0 AND 9000000000000000),
    attempts       BIGINT  NOT NULL CHECK (attempts >= 0), -- to give it on that failed
    due_at         BIGINT  NOT NULL CHECK (due_at BETWEEN 0 AND 9000000000000000) -- of the next
);

CREATE INDEX outbox_event_of_tenant ON outbox_event (tenant_id, position);

CREATE INDEX outbox_event_failing ON outbox_event (tenant_id, ordering_key, position) WHERE attempts > 0;

CREATE TABLE outbox_feed (
    tenant_id TEXT   NOT NULL PRIMARY KEY REFERENCES tenant (id),
    wanted    TEXT   NOT NULL,
    turn      BIGINT NOT NULL
);

CREATE INDEX card_by_perso_requested ON card (tenant_id, id) WHERE perso_status = 'Requested';

CREATE TABLE perso_vendor (
    tenant_id   TEXT   NOT NULL REFERENCES tenant (id),
    vendor_code TEXT   NOT NULL,
    batch_count BIGINT NOT NULL CHECK (batch_count BETWEEN 0 AND 1000000000),
    PRIMARY KEY (tenant_id, vendor_code)
);

CREATE TABLE perso_batch (
    id          TEXT   NOT NULL PRIMARY KEY,
    tenant_id   TEXT   NOT NULL REFERENCES tenant (id),
    vendor_code TEXT   NOT NULL,
    batch_no    BIGINT NOT NULL CHECK (batch_no BETWEEN 1 AND 1000000000),
    file_name   TEXT   NOT NULL,
    status      TEXT   NOT NULL CHECK (status IN ('Queued', 'Written', 'Sent', 'Empty')),
    place       TEXT   NOT NULL, -- of the prepared content, while it is Written
    digest      TEXT   NOT NULL,
    card_count  BIGINT NOT NULL CHECK (card_count BETWEEN 0 AND 1000000),
    created_at  BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    sent_at     BIGINT CHECK (sent_at BETWEEN 0 AND 9000000000000000),
    UNIQUE (tenant_id, vendor_code, batch_no)
);

CREATE INDEX perso_batch_open ON perso_batch (id) WHERE status IN ('Queued', 'Written');

CREATE INDEX perso_batch_by_time ON perso_batch (created_at, id);

CREATE TABLE perso_order (
    id         TEXT    NOT NULL PRIMARY KEY,
    tenant_id  TEXT    NOT NULL REFERENCES tenant (id),
    batch_id   TEXT    NOT NULL REFERENCES perso_batch (id),
    card_id    TEXT    NOT NULL REFERENCES card (id),
    is_dropped BOOLEAN NOT NULL, -- it was cancelled or failed before the file was written
    UNIQUE (batch_id, card_id)
);

CREATE INDEX perso_order_by_card ON perso_order (card_id);

CREATE TABLE production (
    card_id       TEXT   NOT NULL PRIMARY KEY REFERENCES card (id),
    tenant_id     TEXT   NOT NULL REFERENCES tenant (id),
    vendor_code   TEXT   NOT NULL,
    file_name     TEXT   NOT NULL,
    batch_no      BIGINT NOT NULL CHECK (batch_no BETWEEN 0 AND 1000000000),
    file_at       BIGINT CHECK (file_at BETWEEN 0 AND 9000000000000000),
    produced_at   BIGINT CHECK (produced_at BETWEEN 0 AND 9000000000000000),
    failure       TEXT   NOT NULL CHECK (failure IN ('', 'NoKey', 'Error', 'Bureau')),
    error_text    TEXT   NOT NULL,
    retry_at      BIGINT CHECK (retry_at BETWEEN 0 AND 9000000000000000),
    last_event_at BIGINT CHECK (last_event_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX production_failed ON production (tenant_id, vendor_code) WHERE failure IN ('NoKey', 'Error');

CREATE TABLE shipment (
    card_id            TEXT   NOT NULL PRIMARY KEY REFERENCES card (id),
    tenant_id          TEXT   NOT NULL REFERENCES tenant (id),
    courier_code       TEXT   NOT NULL,
    courier_name       TEXT   NOT NULL,
    tracking_no        TEXT   NOT NULL,
    tracking_url       TEXT   NOT NULL,
    estimated_delivery TEXT   NOT NULL, -- YYYY-MM-DD
    delivered_at       BIGINT CHECK (delivered_at BETWEEN 0 AND 9000000000000000),
    recipient_name     BYTEA  NOT NULL,
    recipient_relation TEXT   NOT NULL,
    attempt_count      BIGINT NOT NULL CHECK (attempt_count BETWEEN 0 AND 100000),
    return_reason      TEXT   NOT NULL,
    destroyed_at       BIGINT CHECK (destroyed_at BETWEEN 0 AND 9000000000000000),
    is_settled         BOOLEAN NOT NULL, -- the card has followed its destroyed plastic
    last_event_at      BIGINT CHECK (last_event_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX shipment_destroyed ON shipment (destroyed_at) WHERE destroyed_at IS NOT NULL AND NOT is_settled;

CREATE TABLE plastic_event (
    tenant_id   TEXT    NOT NULL REFERENCES tenant (id),
    about       TEXT    NOT NULL CHECK (about IN ('Production', 'Shipment')),
    vendor_code TEXT    NOT NULL,
    event_id    TEXT    NOT NULL,
    card_id     TEXT    NOT NULL REFERENCES card (id),
    status_code TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    is_applied  BOOLEAN NOT NULL, -- it moved the plastic
    description TEXT    NOT NULL,
    location    TEXT    NOT NULL,
    event_at    BIGINT  NOT NULL CHECK (event_at BETWEEN 0 AND 9000000000000000),
    received_at BIGINT  NOT NULL CHECK (received_at BETWEEN 0 AND 9000000000000000),
    PRIMARY KEY (tenant_id, about, vendor_code, event_id)
);

CREATE INDEX plastic_event_by_card ON plastic_event (card_id, about, event_at);

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

CREATE TABLE named_list_use (
    tenant_id TEXT NOT NULL,
    list_code TEXT NOT NULL,
    kind      TEXT NOT NULL,
    code      TEXT NOT NULL,
    PRIMARY KEY (tenant_id, list_code, kind, code)
);

CREATE INDEX named_list_use_by_rule ON named_list_use (tenant_id, kind, code);

CREATE TABLE control_definition (
    tenant_id         TEXT    NOT NULL REFERENCES tenant (id),
    kind              TEXT    NOT NULL CHECK (kind IN ('Velocity', 'Authorization', 'TransactionFee', 'IssuanceFee', 'AnnualFee')),
    code              TEXT    NOT NULL,
    name              TEXT    NOT NULL,
    description       TEXT    NOT NULL,
    starts_at         BIGINT  CHECK (starts_at BETWEEN 0 AND 9000000000000000),
    ends_at           BIGINT  CHECK (ends_at BETWEEN 0 AND 9000000000000000),
    is_active         BOOLEAN NOT NULL,
    version           BIGINT  NOT NULL CHECK (version > 0),
    document          TEXT    NOT NULL, -- of its kind, as JSON
    concurrency_stamp TEXT    NOT NULL,
    created_at        BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    created_by        TEXT    NOT NULL,
    updated_at        BIGINT  NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    updated_by        TEXT    NOT NULL,
    deleted_at        BIGINT  CHECK (deleted_at BETWEEN 0 AND 9000000000000000), -- a code is never used again
    PRIMARY KEY (tenant_id, kind, code)
);

CREATE TABLE control_version (
    tenant_id TEXT   NOT NULL,
    kind      TEXT   NOT NULL,
    code      TEXT   NOT NULL,
    version   BIGINT NOT NULL CHECK (version > 0),
    name      TEXT   NOT NULL,
    document  TEXT   NOT NULL,
    at        BIGINT NOT NULL CHECK (at BETWEEN 0 AND 9000000000000000),
    PRIMARY KEY (tenant_id, kind, code, version),
    FOREIGN KEY (tenant_id, kind, code) REFERENCES control_definition (tenant_id, kind, code)
);

CREATE TABLE control_link (
    id                TEXT    NOT NULL PRIMARY KEY,
    tenant_id         TEXT    NOT NULL,
    kind              TEXT    NOT NULL,
    parent_code       TEXT    NOT NULL,
    link_type         TEXT    NOT NULL CHECK (link_type IN ('Global', 'Bin', 'BinRange', 'ProductGroup', 'Product', 'Segment', 'Customer', 'Card')),
    link_code         TEXT    NOT NULL, -- as callers name the target; empty for Global
    target            TEXT    NOT NULL, -- as cards are found by it: of a card and a customer its identifier
    priority          BIGINT  NOT NULL CHECK (priority BETWEEN 0 AND 9999),
    starts_at         BIGINT  CHECK (starts_at BETWEEN 0 AND 9000000000000000),
    ends_at           BIGINT  CHECK (ends_at BETWEEN 0 AND 9000000000000000),
    is_active         BOOLEAN NOT NULL,
    description       TEXT    NOT NULL,
    concurrency_stamp TEXT    NOT NULL,
    created_at        BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    created_by        TEXT    NOT NULL,
    updated_at        BIGINT  NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    updated_by        TEXT    NOT NULL,
    UNIQUE (tenant_id, kind, parent_code, link_type, target),
    FOREIGN KEY (tenant_id, kind, parent_code) REFERENCES control_definition (tenant_id, kind, code)
);

CREATE TABLE velocity_override (
    tenant_id   TEXT   NOT NULL REFERENCES tenant (id),
    issuance_id TEXT   NOT NULL REFERENCES issuance (id),
    check_code  TEXT   NOT NULL,
    max_amount  BIGINT CHECK (max_amount > 0), -- in minor units
    currency    TEXT   NOT NULL, -- of max_amount; empty without one
    max_count   BIGINT CHECK (max_count > 0),
    starts_at   BIGINT CHECK (starts_at BETWEEN 0 AND 9000000000000000),
    ends_at     BIGINT CHECK (ends_at BETWEEN 0 AND 9000000000000000),
    reason      TEXT   NOT NULL,
    channel     TEXT   NOT NULL,
    created_at  BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    created_by  TEXT   NOT NULL,
    updated_at  BIGINT NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    updated_by  TEXT   NOT NULL,
    PRIMARY KEY (issuance_id, check_code),
    CHECK ((max_amount IS NULL) = (currency = '')),
    CHECK (max_amount IS NOT NULL OR max_count IS NOT NULL)
);

CREATE INDEX velocity_override_ending ON velocity_override (ends_at) WHERE ends_at IS NOT NULL;

CREATE INDEX velocity_override_tenant ON velocity_override (tenant_id);

CREATE TABLE velocity_overridden (
    tenant_id  TEXT NOT NULL REFERENCES tenant (id),
    check_code TEXT NOT NULL,
    PRIMARY KEY (tenant_id, check_code)
);

CREATE TABLE velocity_counter (
    id        TEXT   NOT NULL PRIMARY KEY, -- tenant and subject, "/" between
    tenant_id TEXT   NOT NULL REFERENCES tenant (id),
    subject   TEXT   NOT NULL, -- for what they count: an issuance, a customer, …
    counters  TEXT   NOT NULL, -- of each: name, start and end of its window, amount in minor units, count, alerts
    since     BIGINT NOT NULL CHECK (since BETWEEN 0 AND 9000000000000000) -- windows that ended by then have fallen out
);

CREATE TABLE velocity_usage (
    subject_id     TEXT   NOT NULL, -- of a velocity_counter
    at             BIGINT NOT NULL CHECK (at BETWEEN 0 AND 9000000000000000), -- when it was decided
    transaction_id TEXT   NOT NULL, -- of a card_transaction
    cycle_id       TEXT   NOT NULL, -- the first transaction of its life cycle; what was presented without one is its own
    uses           TEXT   NOT NULL, -- of each counter: what counts now, what was counted at first, of what, what of it stands
    PRIMARY KEY (cycle_id, transaction_id, subject_id)
);

CREATE INDEX velocity_usage_by_subject ON velocity_usage (subject_id, at);

CREATE TABLE velocity_span (
    subject_id     TEXT   NOT NULL, -- of a velocity_counter
    counter        TEXT   NOT NULL,
    at             BIGINT NOT NULL CHECK (at BETWEEN 0 AND 9000000000000000),
    transaction_id TEXT   NOT NULL,
    amount         BIGINT NOT NULL,
    count          BIGINT NOT NULL CHECK (count >= 0),
    PRIMARY KEY (subject_id, counter, at, transaction_id)
) WITHOUT ROWID;

CREATE TABLE fee_due (
    root_id       TEXT    NOT NULL PRIMARY KEY, -- the first transaction of the life cycle
    tenant_id     TEXT    NOT NULL, -- of the account
    account_id    TEXT    NOT NULL REFERENCES account (id),
    lines         TEXT    NOT NULL,
    pending_total BIGINT  NOT NULL CHECK (pending_total >= 0),
    waits         BOOLEAN NOT NULL, -- some of it, for a balance that covers it
    created_at    BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX fee_due_pending ON fee_due (account_id) WHERE pending_total > 0;

CREATE TABLE card_fee (
    id            TEXT    NOT NULL PRIMARY KEY,
    tenant_id     TEXT    NOT NULL REFERENCES tenant (id),
    issuance_id   TEXT    NOT NULL REFERENCES issuance (id),
    card_id       TEXT    NOT NULL REFERENCES card (id),
    occasion      TEXT    NOT NULL,
    part          BIGINT  NOT NULL CHECK (part BETWEEN 1 AND 12),
    fee_code      TEXT    NOT NULL,
    event         TEXT    NOT NULL, -- empty for a year's
    fee_year      BIGINT  NOT NULL CHECK (fee_year BETWEEN 0 AND 1000),
    applied       TEXT    NOT NULL, -- terms with their taxes, as they were when it was ordered
    price         BIGINT  NOT NULL CHECK (price BETWEEN 0 AND 1000000000000000),
    to_give_back  BIGINT  NOT NULL CHECK (to_give_back BETWEEN 0 AND 1000000000000000),
    given_back    BIGINT  NOT NULL CHECK (given_back BETWEEN 0 AND 1000000000000000),
    timing        TEXT    NOT NULL,
    status        TEXT    NOT NULL CHECK (status IN ('Waiting', 'Due', 'Pending', 'Charged', 'Free', 'Cancelled', 'Failed', 'Refunded')),
    is_refundable BOOLEAN NOT NULL, -- while the card is not produced
    is_pro_rata   BOOLEAN NOT NULL, -- what is left of its year is given back
    is_asked      BOOLEAN NOT NULL, -- of the owner of the balance, who has not answered and may have debited it
    check_at      BIGINT  NOT NULL CHECK (check_at BETWEEN 0 AND 9000000000000000),
    due_on        TEXT,
    retry_days    BIGINT  NOT NULL CHECK (retry_days BETWEEN 0 AND 365),
    created_at    BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    updated_at    BIGINT  NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    UNIQUE (issuance_id, occasion, part)
);

CREATE INDEX card_fee_open ON card_fee (tenant_id, check_at, id) WHERE status IN ('Waiting', 'Due', 'Pending') OR is_refundable OR to_give_back > given_back;

CREATE INDEX card_fee_by_card ON card_fee (card_id);

CREATE TABLE fee_year (
    issuance_id TEXT    NOT NULL PRIMARY KEY REFERENCES issuance (id),
    tenant_id   TEXT    NOT NULL REFERENCES tenant (id),
    year        BIGINT  NOT NULL CHECK (year BETWEEN 0 AND 1000),
    first_on    TEXT,
    next_on     TEXT,
    told_year   BIGINT  NOT NULL CHECK (told_year BETWEEN 0 AND 1001),
    check_on    TEXT    NOT NULL,
    is_closed   BOOLEAN NOT NULL
);

CREATE INDEX fee_year_begun ON fee_year (tenant_id, check_on, issuance_id) WHERE NOT is_closed AND year > 0;

CREATE INDEX fee_year_waits ON fee_year (tenant_id, check_on, issuance_id) WHERE NOT is_closed AND year = 0;

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

CREATE TABLE replay_difference (
    replay_id TEXT   NOT NULL REFERENCES replay (id),
    position  BIGINT NOT NULL CHECK (position > 0),
    content   TEXT   NOT NULL,
    PRIMARY KEY (replay_id, position)
);

CREATE TABLE opaque_token (
    token_hash  TEXT   NOT NULL PRIMARY KEY,
    chain_id    TEXT   NOT NULL,
    kind        TEXT   NOT NULL CHECK (kind IN ('access', 'refresh')),
    family      TEXT   NOT NULL,
    client_id   TEXT   NOT NULL REFERENCES api_client (id),
    generation  BIGINT NOT NULL, -- of the client, under which it was issued
    scope       TEXT   NOT NULL,
    customer_id TEXT, -- who signed in; NULL: the client speaks for itself
    consent_id  TEXT, -- to what the customer agreed
    issued_at   BIGINT NOT NULL CHECK (issued_at BETWEEN 0 AND 9000000000000000),
    expires_at  BIGINT NOT NULL CHECK (expires_at BETWEEN 0 AND 9000000000000000),
    used_at     BIGINT CHECK (used_at BETWEEN 0 AND 9000000000000000),
    revoked_at  BIGINT CHECK (revoked_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX opaque_token_by_chain ON opaque_token (chain_id);

CREATE INDEX opaque_token_by_expiry ON opaque_token (expires_at);

CREATE TABLE payer (
    id         TEXT   NOT NULL PRIMARY KEY,
    tenant_id  TEXT   NOT NULL REFERENCES tenant (id),
    client_id  TEXT   NOT NULL REFERENCES api_client (id), -- whose payer it is
    reference  TEXT   NOT NULL, -- what the client calls it by
    document   BYTEA  NOT NULL,
    created_at BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    updated_at BIGINT CHECK (updated_at BETWEEN 0 AND 9000000000000000), -- NULL: never
    deleted_at BIGINT CHECK (deleted_at BETWEEN 0 AND 9000000000000000),
    UNIQUE (tenant_id, reference)
);

CREATE INDEX payer_by_client ON payer (tenant_id, client_id, id) WHERE deleted_at IS NULL;

CREATE TABLE payer_term (
    tenant_id TEXT  NOT NULL,
    client_id TEXT  NOT NULL,
    field     TEXT  NOT NULL,
    term      BYTEA NOT NULL,
    payer_id  TEXT  NOT NULL REFERENCES payer (id),
    PRIMARY KEY (tenant_id, client_id, field, term, payer_id)
);

CREATE INDEX payer_term_by_payer ON payer_term (payer_id);

CREATE TABLE payer_copy (
    tenant_id  TEXT   NOT NULL REFERENCES tenant (id),
    payment    TEXT   NOT NULL, -- which
    payer_id   TEXT   NOT NULL REFERENCES payer (id),
    document   BYTEA  NOT NULL,
    copied_at  BIGINT NOT NULL CHECK (copied_at BETWEEN 0 AND 9000000000000000),
    keep_until BIGINT NOT NULL CHECK (keep_until BETWEEN 0 AND 9000000000000000),
    PRIMARY KEY (tenant_id, payment)
);

CREATE TABLE store_merchant_client (
    client_id   TEXT NOT NULL PRIMARY KEY,
    tenant_id   TEXT NOT NULL REFERENCES tenant (id),
    merchant_id TEXT NOT NULL
);

CREATE TABLE store_partner (
    id         TEXT   NOT NULL PRIMARY KEY,
    tenant_id  TEXT   NOT NULL REFERENCES tenant (id),
    identity   TEXT   NOT NULL, -- by which calls name it
    created_at BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    UNIQUE (tenant_id, identity)
);

CREATE TABLE store_partner_merchant (
    partner_id  TEXT NOT NULL REFERENCES store_partner (id),
    merchant_id TEXT NOT NULL,
    PRIMARY KEY (partner_id, merchant_id)
);

CREATE TABLE stored_card (
    id              TEXT   NOT NULL PRIMARY KEY,
    tenant_id       TEXT   NOT NULL REFERENCES tenant (id),
    pool            TEXT   NOT NULL,
    scope           BIGINT NOT NULL CHECK (scope IN (1, 2)), -- e-commerce, insurance
    relational_1    TEXT   NOT NULL,
    relational_2    TEXT   NOT NULL,
    relational_3    TEXT   NOT NULL,
    nickname        TEXT   NOT NULL,
    holder_sealed   BYTEA  NOT NULL,
    bin             TEXT   NOT NULL,
    last_four       TEXT   NOT NULL,
    expire_month    BIGINT NOT NULL CHECK (expire_month BETWEEN 1 AND 12),
    expire_year     BIGINT NOT NULL CHECK (expire_year BETWEEN 2000 AND 2099),
    pan_sealed      BYTEA,            -- e-commerce only
    identity_sealed BYTEA,            -- insurance only
    identity_index  TEXT,             -- its keyed hash
    card_id         TEXT,             -- the card of ours that it is
    created_at      BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    updated_at      BIGINT NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    CHECK ((scope = 1) = (pan_sealed IS NOT NULL)),
    CHECK ((scope = 2) = (identity_sealed IS NOT NULL))
);

CREATE INDEX stored_card_by_owner ON stored_card (tenant_id, pool, scope, relational_1, created_at);

CREATE INDEX stored_card_by_card ON stored_card (card_id) WHERE card_id IS NOT NULL;

CREATE TABLE stored_card_blacklist (
    id         TEXT   NOT NULL PRIMARY KEY,
    tenant_id  TEXT   NOT NULL REFERENCES tenant (id),
    pool       TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    created_at BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    UNIQUE (tenant_id, pool, subject)
);

CREATE TABLE temporary_token (
    token_hash TEXT    NOT NULL PRIMARY KEY,
    tenant_id  TEXT    NOT NULL REFERENCES tenant (id),
    pool       TEXT    NOT NULL,
    client_id  TEXT    NOT NULL,
    expires_at BIGINT  NOT NULL CHECK (expires_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX temporary_token_by_expiry ON temporary_token (expires_at);

CREATE TABLE temporary_card (
    token_hash TEXT   NOT NULL PRIMARY KEY,
    tenant_id  TEXT   NOT NULL REFERENCES tenant (id),
    pool       TEXT   NOT NULL,
    scope      BIGINT NOT NULL CHECK (scope IN (1, 2)),
    sealed     BYTEA  NOT NULL,
    expires_at BIGINT NOT NULL CHECK (expires_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX temporary_card_by_expiry ON temporary_card (expires_at);

CREATE TABLE bin_table (
    version   BIGINT NOT NULL PRIMARY KEY CHECK (version > 0),
    loaded_at BIGINT NOT NULL CHECK (loaded_at BETWEEN 0 AND 9000000000000000)
);

CREATE TABLE bin_table_entry (
    version   BIGINT NOT NULL REFERENCES bin_table (version),
    bin       TEXT   NOT NULL,
    bank_id   BIGINT NOT NULL,
    bank      TEXT   NOT NULL,
    brand_id  BIGINT NOT NULL,
    family_id BIGINT NOT NULL,
    kind_id   BIGINT NOT NULL,
    type_id   BIGINT NOT NULL,
    PRIMARY KEY (version, bin)
);

CREATE TABLE wallet_tenant (
    tenant_id   TEXT   NOT NULL PRIMARY KEY REFERENCES tenant (id),
    shown_id    BIGINT NOT NULL UNIQUE CHECK (shown_id >= 1),
    pos_account TEXT   NOT NULL
);

CREATE TABLE wallet_pos (
    tenant_id    TEXT NOT NULL REFERENCES wallet_tenant (tenant_id),
    code         TEXT NOT NULL,
    account_code TEXT NOT NULL,
    PRIMARY KEY (tenant_id, code)
);

CREATE TABLE wallet_limit (
    tenant_id TEXT   NOT NULL REFERENCES wallet_tenant (tenant_id),
    kyc_level BIGINT NOT NULL CHECK (kyc_level IN (10, 20, 30, 40)),
    kind      TEXT   NOT NULL CHECK (kind IN ('Balance', 'Topup', 'Payment', 'Withdrawal', 'Transfer')),
    amount    BIGINT NOT NULL CHECK (amount BETWEEN 0 AND 1000000000000000),
    PRIMARY KEY (tenant_id, kyc_level, kind)
);

CREATE TABLE wallet_account (
    id         BIGINT NOT NULL PRIMARY KEY CHECK (id >= 1),
    tenant_id  TEXT   NOT NULL REFERENCES wallet_tenant (tenant_id),
    account_no TEXT   NOT NULL,
    kind       TEXT   NOT NULL CHECK (kind IN ('Personal', 'Business')),
    kyc_level  BIGINT NOT NULL CHECK (kyc_level IN (10, 20, 30, 40)),
    person     BYTEA  NOT NULL,
    identity   TEXT,
    tax        TEXT,
    phone      TEXT,
    created_at BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    updated_at BIGINT NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    UNIQUE (tenant_id, account_no)
);

CREATE INDEX wallet_account_by_identity ON wallet_account (tenant_id, identity) WHERE identity IS NOT NULL;

CREATE INDEX wallet_account_by_tax ON wallet_account (tenant_id, tax) WHERE tax IS NOT NULL;

CREATE INDEX wallet_account_by_phone ON wallet_account (tenant_id, phone) WHERE phone IS NOT NULL;

CREATE TABLE wallet (
    id           BIGINT  NOT NULL PRIMARY KEY CHECK (id >= 1),
    tenant_id    TEXT    NOT NULL REFERENCES wallet_tenant (tenant_id),
    account_id   BIGINT  NOT NULL REFERENCES wallet_account (id),
    number       TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    currency     TEXT    NOT NULL,
    payment      TEXT    NOT NULL REFERENCES account (id),
    payment_held TEXT    NOT NULL REFERENCES account (id),
    cash         TEXT    NOT NULL REFERENCES account (id),
    cash_held    TEXT    NOT NULL REFERENCES account (id),
    created_at   BIGINT  NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    UNIQUE (tenant_id, number)
);

CREATE INDEX wallet_by_account ON wallet (account_id);

CREATE INDEX wallet_by_time ON wallet (tenant_id, created_at);

CREATE TABLE wallet_month (
    wallet_id   BIGINT NOT NULL REFERENCES wallet (id),
    month       TEXT   NOT NULL, -- 2026-03
    incoming    BIGINT NOT NULL CHECK (incoming BETWEEN 0 AND 1000000000000000),
    payments    BIGINT NOT NULL CHECK (payments BETWEEN 0 AND 1000000000000000),
    transfers   BIGINT NOT NULL CHECK (transfers BETWEEN 0 AND 1000000000000000),
    withdrawals BIGINT NOT NULL CHECK (withdrawals BETWEEN 0 AND 1000000000000000),
    PRIMARY KEY (wallet_id, month)
);

CREATE TABLE wallet_key (
    tenant_id      TEXT   NOT NULL REFERENCES wallet_tenant (tenant_id),
    kind           TEXT   NOT NULL CHECK (kind IN ('External', 'Receipt', 'Assigned')),
    value          TEXT   NOT NULL,
    transaction_id BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, kind, value)
);

CREATE TABLE wallet_transaction (
    id               BIGINT NOT NULL PRIMARY KEY CHECK (id >= 1),
    tenant_id        TEXT   NOT NULL REFERENCES wallet_tenant (tenant_id),
    kind             TEXT   NOT NULL CHECK (kind IN ('CardTopup', 'BankTopup', 'Transfer', 'Payment', 'Refund', 'CashBack', 'Withdrawal')),
    status           TEXT   NOT NULL CHECK (status IN ('Completed', 'Requested', 'Sent', 'Failed', 'Refunded')),
    external_id      TEXT   NOT NULL,
    from_wallet_id   BIGINT REFERENCES wallet (id),
    to_wallet_id     BIGINT REFERENCES wallet (id),
    original_id      BIGINT REFERENCES wallet_transaction (id),
    amount           BIGINT NOT NULL CHECK (amount BETWEEN 1 AND 1000000000000000),
    currency         TEXT   NOT NULL,
    of_payment       BIGINT NOT NULL CHECK (of_payment BETWEEN 0 AND amount),
    refunded         BIGINT NOT NULL CHECK (refunded BETWEEN 0 AND amount),
    refunded_payment BIGINT NOT NULL CHECK (refunded_payment BETWEEN 0 AND of_payment),
    kyc_level        BIGINT NOT NULL,
    month            TEXT   NOT NULL,
    settle_on        TEXT, -- of a payment whose merchant waits for it
    request_id       BIGINT UNIQUE, -- of a withdrawal
    destination      BYTEA, -- sealed, of a withdrawal
    description      TEXT   NOT NULL,
    source_type      TEXT   NOT NULL,
    channel_type     TEXT   NOT NULL,
    created_at       BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    completed_at     BIGINT CHECK (completed_at BETWEEN 0 AND 9000000000000000),
    CHECK (from_wallet_id IS NOT NULL OR to_wallet_id IS NOT NULL)
);

CREATE INDEX wallet_transaction_by_from ON wallet_transaction (from_wallet_id, created_at);

CREATE INDEX wallet_transaction_by_to ON wallet_transaction (to_wallet_id, created_at);

CREATE INDEX wallet_transaction_by_time ON wallet_transaction (tenant_id, created_at);

CREATE INDEX wallet_transaction_by_key ON wallet_transaction (tenant_id, external_id);

CREATE INDEX wallet_transaction_to_settle ON wallet_transaction (tenant_id, settle_on) WHERE settle_on IS NOT NULL;

CREATE TABLE wallet_unmatched (
    tenant_id   TEXT   NOT NULL REFERENCES wallet_tenant (tenant_id),
    receipt     TEXT   NOT NULL,
    amount      BIGINT NOT NULL CHECK (amount BETWEEN 1 AND 1000000000000000),
    currency    TEXT   NOT NULL,
    description TEXT   NOT NULL,
    created_at  BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    PRIMARY KEY (tenant_id, receipt)
);

CREATE TABLE wallet_qr (
    tenant_id      TEXT   NOT NULL REFERENCES wallet_tenant (tenant_id),
    code           TEXT   NOT NULL,
    kind           TEXT   NOT NULL CHECK (kind IN ('Payment', 'Transfer')),
    transaction_id BIGINT NOT NULL UNIQUE,
    external_id    TEXT   NOT NULL,
    wallet_id      BIGINT NOT NULL REFERENCES wallet (id), -- of the receiver
    amount         BIGINT NOT NULL CHECK (amount BETWEEN 1 AND 1000000000000000),
    currency       TEXT   NOT NULL,
    description    TEXT   NOT NULL,
    created_at     BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    expires_at     BIGINT NOT NULL CHECK (expires_at BETWEEN 0 AND 9000000000000000),
    approved_at    BIGINT CHECK (approved_at BETWEEN 0 AND 9000000000000000),
    PRIMARY KEY (tenant_id, code)
);

CREATE TABLE credit_terms (
    tenant_id  TEXT   NOT NULL REFERENCES tenant (id),
    code       TEXT   NOT NULL,
    terms      TEXT   NOT NULL,
    updated_at BIGINT NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    PRIMARY KEY (tenant_id, code)
);

CREATE TABLE credit_line (
    account_id   TEXT   NOT NULL PRIMARY KEY REFERENCES account (id),
    tenant_id    TEXT   NOT NULL,
    terms_code   TEXT   NOT NULL,
    credit_limit BIGINT NOT NULL CHECK (credit_limit BETWEEN 0 AND 1000000000000000),
    cash_held    BIGINT NOT NULL CHECK (cash_held BETWEEN 0 AND 1000000000000000),
    opened_on    TEXT   NOT NULL,
    state        TEXT   NOT NULL,
    FOREIGN KEY (tenant_id, terms_code) REFERENCES credit_terms (tenant_id, code)
);

CREATE TABLE credit_cut (
    account_id    TEXT   NOT NULL REFERENCES account (id),
    cut_on        TEXT   NOT NULL,
    due_on        TEXT   NOT NULL,
    credit_limit  BIGINT NOT NULL,
    late_rate     BIGINT NOT NULL,
    last_position BIGINT NOT NULL,
    domestic      TEXT   NOT NULL, -- debt, minimum, outstanding, interest, KKDF, BSMV in minor units
    abroad        TEXT   NOT NULL,
    state         TEXT   NOT NULL, -- the line's, after the cut
    PRIMARY KEY (account_id, cut_on)
);

CREATE TABLE credit_share (
    account_id   TEXT   NOT NULL REFERENCES account (id),
    holder       TEXT   NOT NULL,
    credit_limit BIGINT NOT NULL CHECK (credit_limit BETWEEN 0 AND 1000000000000000),
    next_limit   BIGINT CHECK (next_limit BETWEEN 0 AND 1000000000000000),
    spent        BIGINT NOT NULL CHECK (spent BETWEEN -1000000000000000 AND 1000000000000000),
    held         BIGINT NOT NULL CHECK (held BETWEEN 0 AND 1000000000000000),
    PRIMARY KEY (account_id, holder)
);

CREATE TABLE credit_account (
    account_id   TEXT   NOT NULL PRIMARY KEY REFERENCES credit_line (account_id),
    tenant_id    TEXT   NOT NULL,
    customer_no  TEXT   NOT NULL,
    product_code TEXT   NOT NULL,
    branch_code  TEXT   NOT NULL,
    branch_name  TEXT   NOT NULL,
    standing     TEXT   NOT NULL CHECK (standing IN ('Current', 'Days1To30', 'Days31To60', 'Days61To90', 'NonPerforming')),
    checked_on   TEXT   NOT NULL,
    created_at   BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000)
);

CREATE INDEX credit_account_by_day ON credit_account (tenant_id, checked_on, account_id);

CREATE INDEX credit_account_by_customer ON credit_account (tenant_id, customer_no);

CREATE TABLE credit_statement (
    account_id TEXT   NOT NULL REFERENCES credit_account (account_id),
    cut_on     TEXT   NOT NULL,
    number     BIGINT NOT NULL CHECK (number BETWEEN 1 AND 1000000),
    begins_on  TEXT   NOT NULL,
    totals     TEXT   NOT NULL, -- of the whole account, in minor units
    entry_hash TEXT   NOT NULL,
    made_at    BIGINT NOT NULL CHECK (made_at BETWEEN 0 AND 9000000000000000),
    PRIMARY KEY (account_id, cut_on),
    UNIQUE (account_id, number),
    FOREIGN KEY (account_id, cut_on) REFERENCES credit_cut (account_id, cut_on)
);

CREATE TABLE credit_card_alias (
    issuance_id TEXT   NOT NULL PRIMARY KEY REFERENCES issuance (id),
    tenant_id   TEXT   NOT NULL,
    alias       BIGINT NOT NULL CHECK (alias BETWEEN 1 AND 2000000000),
    UNIQUE (tenant_id, alias)
);

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

CREATE TABLE client_redirect (
    client_id TEXT NOT NULL REFERENCES api_client (id),
    uri       TEXT NOT NULL,
    PRIMARY KEY (client_id, uri)
);

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

CREATE INDEX hold_by_holder ON hold (account_id, holder) WHERE is_open AND holder <> '';
