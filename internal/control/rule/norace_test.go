//go:build !race

package rule

const underRace = false
