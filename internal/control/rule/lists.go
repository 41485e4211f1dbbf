package rule

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// List is a named list of values.
type List struct {
	Code string
	// IsNumeric says that the values are integers, for fields of that type;
	// else they are texts.
	IsNumeric bool
	Values    []string
	// IsActive is false for a list that is kept and holds nothing for now.
	IsActive bool
	// IsSame says that the list is what it was in the lists that are renewed:
	// only its code is looked at.
	IsSame bool
}

// Lists are the named lists that rules are compiled with: a tenant's own, and
// the groups of merchant categories that every tenant has. They are immutable;
// nil has the groups only.
type Lists struct {
	sets map[string]*set
	// categories holds the codes of the lists that hold a merchant category,
	// where that is not what the groups say.
	categories map[string][]string
}

// NewLists makes sets of lists. Values of a numeric list that are no integers
// are passed over.
func NewLists(all []List) *Lists {
	var none *Lists
	return none.Renewed(all)
}

// Renewed is NewLists with the sets of ls where they are the same.
func (ls *Lists) Renewed(all []List) *Lists {
	renewed := &Lists{sets: make(map[string]*set, len(all)), categories: map[string][]string{}}
	for _, l := range all {
		s := l.set()
		if l.IsSame {
			s = ls.sets[l.Code]
		}
		renewed.sets[l.Code] = s
		for _, mcc := range s.categories {
			renewed.categories[mcc] = append(renewed.categories[mcc], l.Code)
		}
	}
	renewed.addGroups()
	return renewed
}

func (l *List) set() *set {
	s := &set{code: l.Code, isNumeric: l.IsNumeric}
	if !l.IsActive || l.IsSame {
		return s
	}
	if l.IsNumeric {
		s.numbers = make(map[int64]struct{}, len(l.Values))
		for _, v := range l.Values {
			if n, err := strconv.ParseInt(v, 10, 64); err == nil {
				s.numbers[n] = struct{}{}
			}
		}
		return s
	}
	s.texts = make(map[string]struct{}, len(l.Values))
	for _, v := range l.Values {
		if _, twice := s.texts[v]; !twice && len(v) == 4 && allDigits(v) {
			s.categories = append(s.categories, v)
		}
		s.texts[v] = struct{}{}
	}
	s.foundInstitutions()
	return s
}

// addGroups adds to the categories of ls the groups that it does not replace.
func (ls *Lists) addGroups() {
	standard := standardLists()
	for code, s := range standard.sets {
		if ls.sets[code] == nil {
			continue
		}
		for mcc := range s.texts {
			ls.categories[mcc] = append([]string{}, ls.categories[mcc]...)
		}
	}
	for mcc := range ls.categories {
		for _, code := range standard.categories[mcc] {
			if ls.sets[code] == nil {
				ls.categories[mcc] = append(ls.categories[mcc], code)
			}
		}
		slices.Sort(ls.categories[mcc])
	}
}

// Groups returns the codes of the lists that hold a merchant category, in
// order, for the field transaction.mccGroup. It must not be changed.
func (ls *Lists) Groups(mcc string) []string {
	if ls != nil {
		if codes, differs := ls.categories[mcc]; differs {
			return codes
		}
	}
	return standardLists().categories[mcc]
}

// Has reports whether there is a list, or a group that every tenant has, of this
// code.
func (ls *Lists) Has(code string) bool { return ls.find(code) != nil }

func (ls *Lists) find(code string) *set {
	if ls != nil && ls.sets[code] != nil {
		return ls.sets[code]
	}
	return standardLists().sets[code]
}

// set is what the operators in, in_list, contains_any and contains_all look
// into. It is immutable.
type set struct {
	code      string // of a named list
	isNumeric bool
	texts     map[string]struct{}
	numbers   map[int64]struct{} // of integers, dates, times
	decimals  []Number           // in order
	// categories are the texts that may be merchant categories.
	categories []string
	// ofInstitutions is the set for fields that hold institutions, where it is
	// another one: these are numbers (n..11 of ISO 8583), filled up with zeros that
	// do not count, and facts have them without.
	ofInstitutions *set
}

// institutions is the set for fields that hold institutions.
func (s *set) institutions() *set {
	if s.ofInstitutions != nil {
		return s.ofInstitutions
	}
	return s
}

// foundInstitutions makes the set for fields that hold institutions, if it is
// another one.
func (s *set) foundInstitutions() {
	for text := range s.texts {
		if !strings.HasPrefix(text, "0") || !allDigits(text) {
			continue
		}
		if s.ofInstitutions == nil {
			s.ofInstitutions = &set{code: s.code, texts: maps.Clone(s.texts)}
		}
		delete(s.ofInstitutions.texts, text)
		if id := strings.TrimLeft(text, "0"); id != "" {
			s.ofInstitutions.texts[id] = struct{}{}
		}
	}
}

func (s *set) size() int { return len(s.texts) + len(s.numbers) + len(s.decimals) }

func newSet(t Type, values []value) *set {
	s := &set{}
	switch t {
	case String, Enum, StringList:
		s.texts = make(map[string]struct{}, len(values))
		for _, v := range values {
			s.texts[v.text] = struct{}{}
		}
	case Decimal:
		for _, v := range values {
			s.decimals = append(s.decimals, v.number)
		}
		slices.SortFunc(s.decimals, Number.Compare)
	default:
		s.numbers = make(map[int64]struct{}, len(values))
		for _, v := range values {
			s.numbers[v.number.Coefficient] = struct{}{}
		}
	}
	return s
}

// holds reports whether the value of a fact is in the set.
func (s *set) holds(v *slot) bool {
	if s.texts != nil {
		_, found := s.texts[v.text]
		return found
	}
	if s.numbers != nil {
		_, found := s.numbers[v.number.Coefficient]
		return found
	}
	_, found := slices.BinarySearchFunc(s.decimals, v.number, Number.Compare)
	return found
}

// holdsAny reports whether one of the texts is in the set.
func (s *set) holdsAny(list []string) bool {
	for _, text := range list {
		if _, found := s.texts[text]; found {
			return true
		}
	}
	return false
}

// isWithin reports whether all of the set is among the texts.
func (s *set) isWithin(list []string) bool {
	for text := range s.texts {
		if !slices.Contains(list, text) {
			return false
		}
	}
	return true
}
