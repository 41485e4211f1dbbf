package db

import (
	"slices"
	"testing"
)

// Parameters lose their numbers where each stands once, and only those that are some.
func TestUnnumbered(t *testing.T) {
	for _, c := range []struct {
		query, text string
		order       []int
	}{
		{`SELECT 1`, `SELECT 1`, nil},
		{`SELECT a FROM t WHERE b = $1`, `SELECT a FROM t WHERE b = ?`, []int{0}},
		{`UPDATE t SET a = $2, b=$3 WHERE id = $1`, `UPDATE t SET a = ?, b=? WHERE id = ?`, []int{1, 2, 0}},
		{`VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)`, `VALUES (?,?,?,?,?,?,?,?,?,?)`, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
		{`SELECT a + $1 FROM t GROUP BY a + $1`, `SELECT a + $1 FROM t GROUP BY a + $1`, nil},
		{`SELECT $2`, `SELECT $2`, nil},
		{`SELECT $1, ?`, `SELECT $1, ?`, nil},
		{`SELECT '$1 it''s ?', "a$2", $1`, `SELECT '$1 it''s ?', "a$2", ?`, []int{0}},
		{"SELECT a - b / $1 -- of $2\n, $2 /*/ $3 */", "SELECT a - b / ? -- of $2\n, ? /*/ $3 */", []int{0, 1}},
		{`SELECT $a`, `SELECT $a`, nil},
		{`SELECT 'open $1`, `SELECT 'open $1`, nil},
	} {
		if text, order := unnumbered(c.query); text != c.text || !slices.Equal(order, c.order) {
			t.Errorf("%s:\n%s, %v", c.query, text, order)
		}
	}
}
