// Package control holds what a tenant controls authorizations with: how much and
// how often cards are used (velocity), rules, and the named lists of values that
// rules look into.
//
// # Nouns
//
// A rule is asked about the facts of a transaction or event; package rule is
// its calculus, and this package knows under which lists a rule of a tenant is
// compiled ([Service.Snapshot]). A [NamedList] is a set of texts or integers
// under a code: merchant categories, countries, merchants. An [Action] is what a
// control does when its rule applies.
//
// # Saving a rule, and asking it
//
// Whoever keeps rules saves one in [program.Service.Change]: it reads
// [Service.SnapshotIn], compiles, stores [rule.Program.Source], and notes the lists with
// [KeepListUses]. Whoever asks takes the [Service.Snapshot] of the configuration
// version that it decides under, compiles once for that version, fills
// [rule.Facts] once for a transaction, and lets each program match them with what
// its action says of missing values ([Action.Missing]).
//
// Controls and fees are defined alike: by a head (code, name, when they hold)
// and what is theirs, and hold only for what they are linked to. See
// [Definitions]. A [Subject] is a card as links know it.
//
//	VelocityCheck 1─* Link *─1 what it is for: everything, a BIN, …, a customer, a card
//	VelocityCheck 1─* Override *─1 Issuance
//	VelocityCheck *─1 limit group
//
// An authorization control says which transactions are let pass; in which order
// controls are asked is said by [Place], and what comes of it by package
// authorization.
//
// A velocity control counts under a [CounterKey]: for a subject at the control's
// level, in a [Window]. The checks of a limit group share their counters; of them
// only the one with the most specific link bounds a card.
//
// # Invariants
//
//   - What a control was is kept for ever, by version; codes are never used again.
//   - The checks of a limit group count alike. A limit is kept by what equals it.
//   - A velocity counter is the sum of what transactions have of it.
//   - Every change of a list raises the tenant's configuration version in the
//     same transaction. So what was compiled under the values before is compiled
//     anew before the next authorization is committed, on every node.
//   - The type of a list's values never changes: a rule that was saved compiles. Where
//     an update of the program checks more, what no longer compiles breaks its own control
//     and no other ([Definitions.IfBroken]).
//   - A list that a rule looks into is not deleted; its code is never used again.
//   - A list that is not active is there and holds nothing.
//   - A list of the code of a group of merchant categories that every tenant has
//     takes its place, also when it is not active, and leaves it when deleted.
package control
