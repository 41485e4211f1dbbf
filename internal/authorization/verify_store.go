package authorization

import "github.com/sarraf-platform/sarraf/internal/ledger"

var rules = []ledger.Rule{
	{
		Name:  "no amount of a transaction is used beyond what was approved",
		Count: "SELECT COUNT(*) FROM card_transaction",
		Broken: `SELECT id FROM card_transaction WHERE reversed_amount > billing_amount
			AND status NOT IN ('Declined', 'Failed')`,
	},
	{
		Name:  "what was declined holds and moves nothing",
		Count: "SELECT COUNT(*) FROM card_transaction WHERE status IN ('Declined', 'Failed')",
		Broken: `SELECT id FROM card_transaction WHERE status IN ('Declined', 'Failed')
			AND (hold_id IS NOT NULL OR reversed_amount <> 0 OR cleared_amount <> 0 OR refunded_amount <> 0)`,
	},
	{
		Name:   "what is approved has a reason of none, what is declined has one",
		Count:  "SELECT COUNT(*) FROM card_transaction",
		Broken: `SELECT id FROM card_transaction WHERE (status IN ('Declined', 'Failed')) = (reason = '')`,
	},
	{
		Name:  "every answered message has its transaction",
		Count: "SELECT COUNT(*) FROM message WHERE NOT is_tombstone",
		Broken: `SELECT m.key FROM message m LEFT JOIN card_transaction t ON t.id = m.transaction_id
			WHERE NOT m.is_tombstone AND t.id IS NULL`,
	},
	{
		Name:  "every message that was decided has its decision",
		Count: "SELECT COUNT(*) FROM message WHERE NOT is_tombstone",
		Broken: `SELECT m.key FROM message m LEFT JOIN decision d ON d.transaction_id = m.transaction_id
			WHERE NOT m.is_tombstone AND d.transaction_id IS NULL`,
	},
	{
		Name:  "a transaction is answered under one message key only",
		Count: "SELECT COUNT(*) FROM message WHERE NOT is_tombstone",
		Broken: `SELECT transaction_id FROM message WHERE NOT is_tombstone
			GROUP BY transaction_id HAVING COUNT(*) > 1`,
	},
	{
		Name:  "a transaction is of its decision's tenant",
		Count: "SELECT COUNT(*) FROM decision",
		Broken: `SELECT t.id FROM decision d JOIN card_transaction t ON t.id = d.transaction_id
			WHERE (t.tenant_id IS NULL) <> (d.tenant_id IS NULL) OR t.tenant_id <> d.tenant_id`,
	},
	{
		Name:   "a transaction is of its account's tenant",
		Count:  "SELECT COUNT(*) FROM card_transaction WHERE account_id IS NOT NULL",
		Broken: "SELECT t.id FROM card_transaction t WHERE t.account_id IS NOT NULL AND " + ledger.OfAnotherTenant("t"),
	},
	{
		Name:  "a life cycle begins with a transaction of the same tenant",
		Count: "SELECT COUNT(*) FROM card_transaction WHERE id <> root_id",
		Broken: `SELECT t.id FROM card_transaction t LEFT JOIN card_transaction r ON r.id = t.root_id
			WHERE t.id <> t.root_id AND (r.id IS NULL OR r.tenant_id <> t.tenant_id)`,
	},
}
