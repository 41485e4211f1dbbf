//go:build race

package rule

// isRace says that the race detector is on: it empties pools at random, and so
// makes regular expressions allocate.
const isRace = true
