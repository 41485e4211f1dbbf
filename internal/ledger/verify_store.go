package ledger

import "github.com/sarraf-platform/sarraf/internal/db"

func scanInt64(s db.Scanner) (n int64, err error)    { return n, s.Scan(&n) }
func scanText(s db.Scanner) (text string, err error) { return text, s.Scan(&text) }

var rules = []Rule{
	{
		Name:  "debits equal credits in every entry and currency",
		Count: "SELECT COUNT(*) FROM entry",
		Broken: `SELECT entry_id FROM posting GROUP BY entry_id, currency
			HAVING SUM(CASE WHEN side = 'D' THEN amount ELSE -amount END) <> 0`,
	},
	{
		Name:  "an entry has at least two postings",
		Count: "SELECT COUNT(*) FROM entry",
		Broken: `SELECT e.id FROM entry e LEFT JOIN posting p ON p.entry_id = e.id
			GROUP BY e.id HAVING COUNT(p.line) < 2`,
	},
	{
		Name:  "debits equal credits per tenant and currency",
		Count: "SELECT COUNT(*) FROM (SELECT 1 FROM posting GROUP BY tenant_id, currency) t",
		Broken: `SELECT tenant_id || ' ' || currency FROM posting GROUP BY tenant_id, currency
			HAVING SUM(CASE WHEN side = 'D' THEN amount ELSE -amount END) <> 0`,
	},
	{
		Name:  "an account's balance is the fold of its postings",
		Count: "SELECT COUNT(*) FROM account WHERE keeps_balance",
		Broken: `SELECT a.id FROM account a LEFT JOIN posting p ON p.account_id = a.id WHERE a.keeps_balance
			GROUP BY a.id, a.posted, a.kind
			HAVING a.posted <> COALESCE(SUM(CASE WHEN (p.side = 'D') = (a.kind IN ('A', 'E', 'S')) THEN p.amount ELSE -p.amount END), 0)`,
	},
	{
		Name:  "each line of a statement follows from the one before",
		Count: "SELECT COUNT(*) FROM posting WHERE position IS NOT NULL",
		Broken: `SELECT t.entry_id FROM (SELECT p.entry_id, p.position, p.posted_after,
				CASE WHEN (p.side = 'D') = (a.kind IN ('A', 'E', 'S')) THEN p.amount ELSE -p.amount END AS change,
				LAG(p.posted_after) OVER (PARTITION BY p.account_id ORDER BY p.position) AS before,
				LAG(p.position) OVER (PARTITION BY p.account_id ORDER BY p.position) AS place_before
			FROM posting p JOIN account a ON a.id = p.account_id WHERE p.position IS NOT NULL) t
			WHERE t.posted_after <> COALESCE(t.before, 0) + t.change OR t.position <> COALESCE(t.place_before, 0) + 1`,
	},
	{
		Name:  "an account's statement ends in its balance",
		Count: "SELECT COUNT(*) FROM account WHERE keeps_balance",
		Broken: `SELECT a.id FROM account a LEFT JOIN posting p ON p.account_id = a.id AND p.position = a.posting_count
			WHERE a.keeps_balance AND a.posted <> COALESCE(p.posted_after, 0)`,
	},
	{
		Name:  "what an account has held is what its open holds have remaining",
		Count: "SELECT COUNT(*) FROM account WHERE keeps_balance",
		Broken: `SELECT a.id FROM account a LEFT JOIN hold h ON h.account_id = a.id WHERE a.keeps_balance
			GROUP BY a.id, a.held
			HAVING a.held <> COALESCE(SUM(h.authorized - h.reversed - h.cleared - h.released + h.fees), 0)`,
	},
	{
		Name:   "fees are held with what they are on",
		Count:  "SELECT COUNT(*) FROM hold",
		Broken: "SELECT id FROM hold WHERE fees <> 0 AND reversed + cleared + released >= authorized",
	},
	{
		Name:  "what a share of a credit line has held is what its holder's open holds have remaining",
		Count: "SELECT COUNT(*) FROM credit_share",
		Broken: `SELECT s.account_id FROM credit_share s LEFT JOIN hold h ON h.account_id = s.account_id AND h.holder = s.holder
			GROUP BY s.account_id, s.holder, s.held
			HAVING s.held <> COALESCE(SUM(h.authorized - h.reversed - h.cleared - h.released + h.fees), 0)`,
	},
	{
		Name:   "the parts of a debt are posted on credit accounts only",
		Count:  "SELECT COUNT(*) FROM posting WHERE position IS NOT NULL",
		Broken: `SELECT p.entry_id FROM posting p JOIN account a ON a.id = p.account_id WHERE (p.part IS NOT NULL) <> (a.keeps_balance AND a.kind = 'A')`,
	},
	{
		Name:   "control accounts keep no balance of their own",
		Count:  "SELECT COUNT(*) FROM account WHERE NOT keeps_balance",
		Broken: `SELECT id FROM account WHERE NOT keeps_balance AND (posted <> 0 OR held <> 0)`,
	},
	{
		Name:   "no hold is used beyond what was authorized",
		Count:  "SELECT COUNT(*) FROM hold",
		Broken: "SELECT id FROM hold WHERE reversed + cleared + released > authorized",
	},
	{
		Name:   "a hold is in its account's currency and tenant",
		Count:  "SELECT COUNT(*) FROM hold",
		Broken: "SELECT h.id FROM hold h JOIN account a ON a.id = h.account_id WHERE a.currency <> h.currency OR a.tenant_id <> h.tenant_id",
	},
	{
		Name:  "a posting is in its account's currency and tenant",
		Count: "SELECT COUNT(*) FROM posting",
		Broken: `SELECT p.entry_id FROM posting p JOIN account a ON a.id = p.account_id
			WHERE a.currency <> p.currency OR a.tenant_id <> p.tenant_id`,
	},
	{
		Name:   "money never moves between tenants",
		Count:  "SELECT COUNT(*) FROM entry",
		Broken: `SELECT DISTINCT e.id FROM entry e JOIN posting p ON p.entry_id = e.id WHERE p.tenant_id <> e.tenant_id`,
	},
	{
		Name:  "an entry that reverses another is its mirror",
		Count: "SELECT COUNT(*) FROM entry WHERE reverses_id IS NOT NULL",
		Broken: `SELECT DISTINCT r.id FROM entry r JOIN posting p ON p.entry_id = r.id
			LEFT JOIN posting o ON o.entry_id = r.reverses_id AND o.line = p.line
			WHERE r.reverses_id IS NOT NULL AND p.part IS NULL AND (o.line IS NULL OR o.account_id <> p.account_id OR o.amount <> p.amount OR o.side = p.side)
				AND NOT EXISTS (SELECT 1 FROM posting c WHERE c.entry_id = r.id AND c.part IS NOT NULL)
			UNION SELECT r.id FROM entry r JOIN posting p ON p.entry_id IN (r.id, r.reverses_id) WHERE r.reverses_id IS NOT NULL
				GROUP BY r.id, p.account_id HAVING SUM(CASE WHEN p.side = 'D' THEN p.amount ELSE -p.amount END) <> 0`,
	},
}

// OfAnotherTenant is the condition in SQL that a row with tenant_id and account_id,
// under this alias, names no account of its tenant.
func OfAnotherTenant(alias string) string {
	return "NOT EXISTS (SELECT 1 FROM account a WHERE a.id = " + alias + ".account_id AND a.tenant_id = " + alias + ".tenant_id)"
}
