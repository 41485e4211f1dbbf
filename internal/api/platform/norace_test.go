//go:build !race

package platform

// isRace says that the race detector is on.
const isRace = false
