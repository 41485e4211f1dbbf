-- +goose Up

-- What credit accounts go by, as text: rates, shares, dates.
CREATE TABLE credit_terms (
    tenant_id  TEXT   NOT NULL REFERENCES tenant (id),
    code       TEXT   NOT NULL,
    terms      TEXT   NOT NULL,
    updated_at BIGINT NOT NULL CHECK (updated_at BETWEEN 0 AND 9000000000000000),
    PRIMARY KEY (tenant_id, code)
);

-- The credit line of an account of kind A that keeps a balance: what is posted
-- there is owed. state is what the debt is made of on its day: all days before it
-- have ended.
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

-- What a term of a credit line ended with; it is never changed. The postings of
-- the account up to and with last_position belong to this term and those before.
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

-- What a holder may take of a credit line, and has taken: spent is what it spent
-- since the last cut less what came back, held what its open holds have remaining.
-- next_limit takes the place of credit_limit with the next cut.
CREATE TABLE credit_share (
    account_id   TEXT   NOT NULL REFERENCES account (id),
    holder       TEXT   NOT NULL,
    credit_limit BIGINT NOT NULL CHECK (credit_limit BETWEEN 0 AND 1000000000000000),
    next_limit   BIGINT CHECK (next_limit BETWEEN 0 AND 1000000000000000),
    spent        BIGINT NOT NULL CHECK (spent BETWEEN -1000000000000000 AND 1000000000000000),
    held         BIGINT NOT NULL CHECK (held BETWEEN 0 AND 1000000000000000),
    PRIMARY KEY (account_id, holder)
);

-- Who a credit line is, besides the ledger. checked_on is the day before which
-- all is done: days ended, statements made, standing looked at.
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

-- A statement: what the entries of a term make of the one before, and their hash.
-- It is never changed. Debts and minimum payments are those of the cut.
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

-- The number by which clients of a customer know a card.
CREATE TABLE credit_card_alias (
    issuance_id TEXT   NOT NULL PRIMARY KEY REFERENCES issuance (id),
    tenant_id   TEXT   NOT NULL,
    alias       BIGINT NOT NULL CHECK (alias BETWEEN 1 AND 2000000000),
    UNIQUE (tenant_id, alias)
);

-- +goose Down
