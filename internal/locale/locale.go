// Package locale holds the messages that people read, in Turkish and English.
// It is the only place in the tree with Turkish text.
//
// A catalogue is a flat JSON object from key to message, sorted by key, one
// line each. A message may have places written {name}. Both catalogues have
// the same keys and each message the same places; a test holds them to it.
//
// What is wrong with a member of a request is written in English where it is
// found, and that English is the key of its Turkish in phrases_tr.json. A test of
// internal/arch finds every such text in the source and fails on one without.
package locale

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
)

//go:embed tr.json
var trJSON []byte

//go:embed en.json
var enJSON []byte

var catalogues = map[string]map[string]string{
	"tr": read("tr.json", trJSON),
	"en": read("en.json", enJSON),
}

func read(name string, text []byte) map[string]string {
	var messages map[string]string
	if err := json.Unmarshal(text, &messages); err != nil {
		panic("locale: " + name + ": " + err.Error())
	}
	return messages
}

// Text returns the message of key in lang ("tr" or "en") with its {name}
// places filled from params, which are printed as by fmt.Sprint. A place with
// no parameter stays as it is written. It returns false for an unknown
// language or key. It is safe for concurrent use.
func Text(lang, key string, params map[string]any) (string, bool) {
	message, ok := catalogues[lang][key]
	if !ok {
		return "", false
	}
	return Fill(message, params), true
}

// Fill is a message with its {name} places filled as [Text] fills them.
func Fill(message string, params map[string]any) string {
	if len(params) == 0 || !strings.Contains(message, "{") {
		return message
	}
	var b strings.Builder
	for {
		before, rest, open := strings.Cut(message, "{")
		b.WriteString(before)
		if !open {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			b.WriteString("{" + rest)
			return b.String()
		}
		if v, ok := params[name]; ok {
			_, _ = fmt.Fprint(&b, v)
		} else {
			b.WriteString("{" + name + "}")
		}
		message = after
	}
}
