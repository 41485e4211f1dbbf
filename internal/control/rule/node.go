package rule

import "regexp"

// What a rule may have at most.
const (
	BytesMax  = 64 << 10 // of the source
	DepthMax  = 6        // groups in one another
	LeavesMax = 200
	ValuesMax = 1000 // of one array
	// CostMax bounds the sum of what its leaves cost: see [leaf.cost].
	CostMax = 2000

	patternMax = 256 // characters of a regular expression
	textMax    = 256 // of any other text
)

// node is a group or a leaf as the source has it, whatever the notation.
type node struct {
	path string // see [Problem]
	// of a group
	any      bool // or instead of and
	not      bool
	children []*node
	id       string // kept for user interfaces, as JSON
	// of a leaf
	leaf *leaf
}

// leaf compares a field. The first members are what the source says, the others
// what the checks have made of it.
type leaf struct {
	path                                          string
	fieldPath, operatorPath, valuePath, otherPath string
	fieldName, operator                           string
	raw                                           *raw // nil: absent
	otherName                                     string
	hasOther                                      bool
	id, label, kind                               string // kept for user interfaces, as JSON
	index                                         int

	field    FieldID
	does     operation
	other    FieldID
	operands []value
	in       *set
	pattern  *regexp.Regexp
	weight   int
}

// raw is a value as it is written: a scalar or an array of them.
type raw struct {
	path  string
	kind  rawKind
	text  string // of a string, and of a number its digits
	items []raw
}

type rawKind uint8

const (
	rawNull rawKind = iota
	rawString
	rawNumber
	rawFlag // "true" or "false"
	rawArray
	rawOther // an object, or what lies too deep
)

// leaves calls visit with every leaf, left to right.
func (n *node) leaves(visit func(*leaf)) {
	if n.leaf != nil {
		visit(n.leaf)
	}
	for _, c := range n.children {
		c.leaves(visit)
	}
}
