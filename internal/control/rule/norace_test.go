//go:build !race

package rule

// isRace says that the race detector is on.
const isRace = false
