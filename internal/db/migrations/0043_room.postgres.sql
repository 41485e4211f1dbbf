-- +goose Up

-- Payments change these rows again and again, and none of what their indexes hold.
-- With room on the page a new version stays there, and no index is touched (HOT);
-- without, each change of a card is an entry in each of its indexes.
ALTER TABLE card SET (fillfactor = 75);
ALTER TABLE account SET (fillfactor = 75);
ALTER TABLE velocity_counter SET (fillfactor = 60);
ALTER TABLE outbox_sequence SET (fillfactor = 75);
