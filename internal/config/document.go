package config

import (
	"errors"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
)

// errDocuments refuses a file of which the parser would read the beginning only.
var errDocuments = errors.New("it holds more than one YAML document; settings stand in one")

// oneDocument parses a file that is a single YAML document.
type oneDocument struct{ *yaml.YAML }

// Unmarshal reads the document, and refuses text behind it.
func (p oneDocument) Unmarshal(text []byte) (map[string]any, error) {
	if hasSecondDocument(string(text)) {
		return nil, errDocuments
	}
	return p.YAML.Unmarshal(text)
}

// ParseDocument reads a text that is a single YAML document with members, as
// settings are read.
func ParseDocument(text []byte) (map[string]any, error) {
	return oneDocument{yaml.Parser()}.Unmarshal(text)
}

// hasSecondDocument looks for a line that begins or ends a document, at the
// beginning of a line where nothing else may stand (YAML 1.2, §9.1), when there
// was one before.
func hasSecondDocument(text string) bool {
	begun, ended := false, false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \t\r\n")
		first, _, _ := strings.Cut(strings.ReplaceAll(line, "\t", " "), " ")
		switch {
		case line == "" || strings.HasPrefix(strings.TrimLeft(line, " \t"), "#") || !begun && line[0] == '%':
		case first == "...":
			ended = true
		case ended || first == "---" && begun:
			return true
		default:
			begun = true
		}
	}
	return false
}
