// Package credit keeps revolving credit accounts: who has one, under which terms,
// which cards share it, and what each term ended with.
//
// # Nouns
//
// An [Account] is a credit account of the ledger with its customer, its product
// and its branch. Its Terms are those of its product: rates with dates, the day of
// the cut, the minimum payment. Cards are issued on it by its number; a card may
// have a share of the limit.
//
// A [Statement] is what a term ended with: made once from the cut of the ledger and
// the entries of the term, with the hash of those, and never changed. A [Standing]
// says for how long a minimum payment has not been made.
//
// # How days pass
//
// The ledger ends the days of an account by itself before it posts to it, so that
// nothing depends on when a job runs. Each night [Service.RollDue] ends the days of
// all accounts, makes the statements of the terms that have ended, by whomever, and
// looks at the standings.
//
//	Current ── a minimum is missed ──▶ Days1To30 ──▶ Days31To60 ──▶ Days61To90 ──▶ NonPerforming
//	   ▲                                   │              │             │               │
//	   └──────────── all minimums are paid ┴──────────────┴─────────────┴───────────────┘
//
// # Invariants
//
//   - A statement is what the entries of its term make of the one before it, to the
//     cent and by region: verify computes each of them again.
//   - Terms that accounts go by take dated additions only.
package credit
