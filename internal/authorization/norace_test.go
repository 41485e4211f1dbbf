//go:build !race

package authorization_test

// isRace says that the race detector is on.
const isRace = false
