package personalization

import (
	_ "embed"
	"strings"
)

//go:embed codes.csv
var codesText string

// codes is what the codes of bureaus and couriers mean, by kind and code.
var codes = parseCodes(codesText)

type codeKey struct {
	about About
	code  string
}

func parseCodes(text string) map[codeKey]string {
	m := map[codeKey]string{}
	for _, line := range strings.Split(strings.TrimSpace(text), "\n")[1:] {
		row := strings.Split(strings.TrimSpace(line), ",")
		if len(row) != 3 {
			panic("personalization: a row of codes.csv has not three members")
		}
		m[codeKey{About(row[0]), row[1]}] = row[2]
	}
	return m
}
