-- +goose Up

-- Each payment wrote to these at a place of its own. The transactions of a card are
-- found among those of its issuance; open holds are looked for by whose they are only,
-- on the credit accounts that are shared.
DROP INDEX card_transaction_by_card;
DROP INDEX hold_by_account;
CREATE INDEX hold_by_holder ON hold (account_id, holder) WHERE is_open AND holder <> '';

-- +goose Down
