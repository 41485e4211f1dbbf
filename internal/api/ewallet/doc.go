// Package ewallet is the API family of wallets: the paths /v1/<Group>/<Action> of a
// system whose clients work unchanged against ours (contract/neighbours.md,
// chapter 3).
//
// Its manners: nearly everything is POST, paths match in any letter case, a
// business error is HTTP 200 with status 2 and a code, a validation error is 400
// with code 999, and JSON of the wrong type is 400 with the problem details of
// another framework. Amounts are numbers, read as numeric strings too.
//
// The package translates and decides nothing: an action reads its members, calls
// one method of [wallet.Service] and writes what came of it.
package ewallet
