//go:build race

package rule

// underRace says that the race detector is on: it empties pools at random, and
// so makes regular expressions allocate.
const underRace = true
