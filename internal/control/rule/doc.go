// Package rule is the calculus of rules: boolean expressions over the facts of
// a transaction or event, written as a tree of JSON or in CEL, made into a
// program, run, explained and criticised (contract/platform.md §10). It knows no
// database, no domain and not the time.
//
// # Nouns
//
// A [Source] is the stored text of a rule. [Compile] makes it a [Program] for a
// [Context], or says what is wrong, each [Problem] with its place. [Fields] are
// what rules may ask about, as data; [Facts] hold their values. [Lists] are the
// named lists of values, which become part of the program.
//
// # One program
//
// A tree is read by our own parser. CEL is parsed and type-checked by cel-go,
// with our fields and operators and nothing of its library. Both become the
// same groups and leaves, are checked by the same code, and are laid out as the
// same steps: each asks one field one thing and names the step after a yes and
// the step after a no. There are no loops, so what a run may cost is known when
// the rule is saved ([CostMax]), and a run allocates nothing. Numbers are exact
// decimals; nothing here is a float.
//
// CEL names operators as the tree does, as functions of the field:
//
//	transaction.domain == "International" && !(customer.segmentCode in ["VIP", "STAFF"])
//	  && (transaction.mcc.in_list("GAMBLING") || transaction.billingAmount > decimal("5000.50"))
//
// Decimals, dates and times are written decimal("5000.50"), date("2026-03-31")
// and time("22:00"); a part of a name that begins with a digit stands between
// backquotes. begins_with, ends_with and contains do not look at letter case,
// and matches looks for the expression anywhere in the text.
//
// # What is missing
//
// Any field may be missing. is_null and is_empty are true of it. What any other
// comparison with it counts as is the caller's to say ([Missing]):
//
//   - TwoValued: false for a positive operator, true for a negative one.
//   - Matched, for rules that refuse: true.
//   - Unmatched, for rules that let pass: false.
//
// A rule that asks a field for null or emptiness has thought of its absence:
// comparisons with that field are TwoValued whatever the caller says. Where two
// fields are compared, one that is missing and not asked for null decides.
//
// Negated groups do not turn this round. A negation is worked into the leaves
// before the program is laid out – not(a or b) becomes not a and not b – and what
// counts as true or false is the leaf with its negation. So from a leaf to the
// result there are only "and" and "or", which never answer less when a leaf
// answers more: for a rule that refuses, taking a known value away never makes a
// match a no. The same holds of "!" in CEL, for it is the same program.
//
// Running a program cannot fail, so there is no error to decide about.
//
// # What it criticises
//
// [Ruled.Lint] and [Ruled.CoveredBy] look for rules that never or always apply,
// parts that change nothing, and rules behind others that take all they are
// about. They tell only what is proven, by trying for each field all values that
// the comparisons tell apart, and give examples that were tried.
package rule
