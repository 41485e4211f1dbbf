//go:build race

package platform

// isRace says that the race detector is on, under which filling databases takes
// minutes and finds nothing.
const isRace = true
