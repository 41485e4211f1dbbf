package locale

import (
	"cmp"
	_ "embed"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

//go:embed phrases_tr.json
var phrasesJSON []byte

var (
	placeSyntax  = regexp.MustCompile(`\{[A-Za-z0-9]+\}`)
	numberSyntax = regexp.MustCompile(`\{[0-9]\}`)
)

// phrases is what can be wrong with a member of a request, in Turkish by the
// English. Places are written {0}, {1} in the order of the English. What the
// catalogues say of rules is among them.
var phrases = withRules(read("phrases_tr.json", phrasesJSON))

// withRules adds the messages of the catalogues whose key is "rule." and one
// more word, with numbers for the names of their places. Where both know an
// English text, the phrase stays.
func withRules(phrases map[string]string) map[string]string {
	for _, key := range slices.Sorted(maps.Keys(catalogues["en"])) {
		code, ok := strings.CutPrefix(key, "rule.")
		if !ok || strings.Contains(code, ".") {
			continue
		}
		english, turkish := catalogues["en"][key], catalogues["tr"][key]
		for i, name := range placeSyntax.FindAllString(english, -1) {
			number := "{" + strconv.Itoa(i) + "}"
			english, turkish = strings.Replace(english, name, number, 1), strings.ReplaceAll(turkish, name, number)
		}
		if phrases[english] == "" {
			phrases[english] = turkish
		}
	}
	return phrases
}

// phrasing is a phrase with places.
type phrasing struct {
	english *regexp.Regexp // matches the English, with a group for each place
	fixed   int            // how many characters are not of places
	turkish string
}

var phrasings = compile(phrases)

// compile returns the phrases that have places, those that say most first: of two
// that match, it is the one that leaves less to its places.
func compile(phrases map[string]string) []phrasing {
	var all []phrasing
	for english, turkish := range phrases {
		if !numberSyntax.MatchString(english) {
			continue
		}
		syntax, fixed, from := `(?s)\A`, 0, 0
		for _, at := range numberSyntax.FindAllStringIndex(english, -1) {
			syntax += regexp.QuoteMeta(english[from:at[0]]) + `(.+?)`
			fixed += at[0] - from
			from = at[1]
		}
		syntax += regexp.QuoteMeta(english[from:]) + `\z`
		fixed += len(english) - from
		all = append(all, phrasing{english: regexp.MustCompile(syntax), fixed: fixed, turkish: turkish})
	}
	slices.SortFunc(all, func(a, b phrasing) int {
		return cmp.Or(b.fixed-a.fixed, cmp.Compare(a.english.String(), b.english.String()))
	})
	return all
}

// Phrase says in lang what is wrong with a member of a request. Its English is
// the key: whoever finds the fault writes it in English, with values in it, and
// the catalogue has a template that matches. It returns false for an unknown
// language and for a text without a template. It is safe for concurrent use.
func Phrase(lang, english string) (string, bool) {
	switch lang {
	case "en":
		return english, true
	case "tr":
	default:
		return "", false
	}
	if turkish, ok := phrases[english]; ok {
		return turkish, true
	}
	for _, p := range phrasings {
		if values := p.english.FindStringSubmatch(english); values != nil {
			params := make(map[string]any, len(values)-1)
			for i, v := range values[1:] {
				params[strconv.Itoa(i)] = v
			}
			return Fill(p.turkish, params), true
		}
	}
	return "", false
}
