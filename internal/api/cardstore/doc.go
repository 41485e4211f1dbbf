// Package cardstore serves stored cards in the words of a card wall: two static
// key headers a call, PascalCase JSON, and HTTP 200 with Result false for whatever
// a caller did wrong, because its clients read the body of no other answer.
//
// It translates and decides nothing: what a stored card is stands in
// [github.com/sarraf-platform/sarraf/internal/vault].
package cardstore
