// Package openbanking answers as a Turkish bank's open banking answers about credit
// cards (contract/neighbours.md, chapter 1): every operation is a POST of an object
// in capitals, answered in an envelope of Header and Data. The customer is the one of
// the token; a card is named by a number that is good for nothing else.
//
// It translates; what is owed, cut and due is credit's.
package openbanking
