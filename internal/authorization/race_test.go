//go:build race

package authorization_test

// isRace says that the race detector is on, under which playing hundreds of histories
// one after the other takes minutes and finds nothing.
const isRace = true
