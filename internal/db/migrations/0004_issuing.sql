-- +goose Up

-- Each change of a tenant's issuing configuration (BINs, products, attributes)
-- raises its version in the same transaction; whoever decided under an older
-- version decides again.
CREATE TABLE configuration (
    tenant_id TEXT   NOT NULL PRIMARY KEY REFERENCES tenant (id),
    version   BIGINT NOT NULL CHECK (version BETWEEN 1 AND 1000000000000)
);

-- One document of issuing switches per tenant.
CREATE TABLE issuing_attribute (
    tenant_id         TEXT   NOT NULL PRIMARY KEY REFERENCES tenant (id),
    document          TEXT   NOT NULL,
    concurrency_stamp TEXT   NOT NULL,
    created_at        BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    created_by        TEXT   NOT NULL,
    updated_at        BIGINT NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    updated_by        TEXT   NOT NULL
);

-- How a tenant's transactions in other currencies are billed, and in which
-- currencies its products may be.
CREATE TABLE currency_conversion (
    tenant_id         TEXT   NOT NULL PRIMARY KEY REFERENCES tenant (id),
    document          TEXT   NOT NULL,
    concurrency_stamp TEXT   NOT NULL,
    created_at        BIGINT NOT NULL CHECK (created_at BETWEEN 0 AND 9000000000000000),
    created_by        TEXT   NOT NULL,
    updated_at        BIGINT NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    updated_by        TEXT   NOT NULL
);

-- What one unit of a currency costs in another from a moment on, until the next
-- rate of the pair. Rates are whole numbers of 10^-10.
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

-- A BIN belongs to one tenant platform-wide: it routes a card number to its
-- tenant before anything else is known.
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

-- The first six digits of BINs: one row to lock, so that two tenants cannot
-- create overlapping BINs at the same moment.
CREATE TABLE bin_prefix (
    prefix    TEXT   NOT NULL PRIMARY KEY,
    bin_count BIGINT NOT NULL CHECK (bin_count BETWEEN 1 AND 1000000)
);

-- range_start and range_end are account parts without check digit, of equal
-- length, so that text order is number order.
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

-- document holds the product's many attributes; the columns are those that
-- lists filter and sort by.
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

-- A person or company. Personal values lie sealed in document; what lists find
-- customers by lies in folded or keyed-hash form beside it.
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

-- Words by which a customer is found: the folded words of names (a word
-- prefix matches), and keyed hashes of exact values (phone, e-mail, tax
-- number). A term is UTF-8 kept as bytes, so that both engines order it alike
-- and find a prefix as a range.
CREATE TABLE customer_term (
    tenant_id   TEXT  NOT NULL,
    kind        TEXT  NOT NULL,
    term        BYTEA NOT NULL,
    customer_id TEXT  NOT NULL REFERENCES customer (id),
    PRIMARY KEY (tenant_id, kind, term, customer_id)
);

CREATE INDEX customer_term_by_customer ON customer_term (customer_id, tenant_id);

-- One identification per customer and type; number_index is the keyed hash of
-- the number (with the issuing country for passports), unique in the tenant.
CREATE TABLE customer_identification (
    customer_id  TEXT NOT NULL REFERENCES customer (id),
    tenant_id    TEXT NOT NULL,
    kind         TEXT NOT NULL,
    number_index TEXT NOT NULL,
    PRIMARY KEY (customer_id, kind),
    UNIQUE (tenant_id, kind, number_index)
);

-- The logical card that survives renewals and replacements.
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
    updated_at        BIGINT NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
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

-- One PAN with its expiry and sequence. pan_sealed opens only for this row;
-- pan_index is the keyed hash by which an incoming number is found. The
-- columns from pin_status on change with authorizations.
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
    pin_status         TEXT    NOT NULL CHECK (pin_status IN ('NotSet', 'Active', 'Blocked', 'PendingChipUpdate')),
    pin_method         TEXT    NOT NULL,
    pin_value          TEXT    NOT NULL, -- PVV or offset
    pvki               TEXT    NOT NULL,
    pin_block          BYTEA,            -- the PIN under a storage key, where it must be told or brought to the chip
    pin_changed_at     BIGINT  CHECK (pin_changed_at BETWEEN 0 AND 9000000000000000),
    pin_try_count      BIGINT  NOT NULL CHECK (pin_try_count BETWEEN 0 AND 1000),
    cvv2_try_count     BIGINT  NOT NULL CHECK (cvv2_try_count BETWEEN 0 AND 1000),
    atc                BIGINT  NOT NULL CHECK (atc BETWEEN -1 AND 65535),
    atc_window         BIGINT  NOT NULL CHECK (atc_window BETWEEN 0 AND 9223372036854775807),
    chip_script        TEXT    NOT NULL DEFAULT '' CHECK (chip_script IN ('', 'PinChange', 'PinUnblock')), -- waits for the chip
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

-- The change of status that a card waits for: at most one.
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

-- Who was shown the CVV2 of a card, when and why. Rows are never changed or
-- deleted; those of the last hour also bound how often it is shown.
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

-- An order of cards without a customer. Its cards are made a few at a time, each
-- time with the counts, so the row tells at any moment what is left to do. Who
-- works on it holds the lease.
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

-- What an issuance has that was made without a customer, for as long as it
-- lives. account_id is its own account; a linked card may spend from another.
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

-- +goose Down
