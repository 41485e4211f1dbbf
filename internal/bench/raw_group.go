package bench

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// rawGroup is what one group commit wrote, in a form in which it can be written
// again with other keys.
type rawGroup struct {
	requests   int // that it answered
	made       int // identifiers that it made
	at         time.Time
	statements []rawStatement
}

// rawStatement is a statement that changed rows.
type rawStatement struct {
	db.Statement
	args []rawArg
	// grows says that nothing in it tells a time: an update of whole numbers that
	// would change nothing if the same were written again.
	grows bool
}

// rawArg is one value, or a list of which each element is one.
type rawArg struct {
	cells []rawCell
	list  func(cells []any) any
}

// rawCell is a value with the places at which it is written anew.
type rawCell struct {
	value   any
	isTime  bool
	patches []rawPatch
}

// rawPatch is a place in a text.
type rawPatch struct {
	at   int
	kind rawKind
	// which identifier of the group, card of the world, or message of the group.
	which int
}

// rawKind is what stands at a place.
type rawKind int

const (
	rawMade     rawKind = iota // an identifier that the group made
	rawMadeUUID                // the same in its outward form
	rawCard                    // one of a card
	rawIssuance                // of its issuance
	rawAccount                 // of its account
	rawMoment                  // when a message was sent, to the second
	rawTrace                   // its number
)

// rawID stands for any entity.
type rawID struct{}

// IDPrefix implements [id.Entity].
func (rawID) IDPrefix() string { return "x" }

// textOf is an identifier without its prefix.
func textOf(d id.ID[rawID]) string { return strings.TrimPrefix(d.String(), "x_") }

// cardIDs are the identifiers of a card that authorizations write, without prefix.
type cardIDs struct{ card, issuance, account string }

// rawPlace is where an identifier belongs that was there before.
type rawPlace struct {
	kind rawKind
	card int
}

// rawReader reads what was recorded.
type rawReader struct {
	since  time.Time // identifiers made from here on are those of the groups
	places map[string]rawPlace
}

// What is written anew, by what it looks like: identifiers are typed and
// time-ordered; the key by which a message is known again has the moment of its
// sending and its number.
var (
	rawIDs   = regexp.MustCompile(`_([0-7][0-9a-hjkmnp-tv-z]{25})\b`)
	rawUUIDs = regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b`)
	rawKeys  = regexp.MustCompile(`\|([0-9]{14})\|([0-9]{6})\|`)
	rawRuns  = regexp.MustCompile(`\b[0-9]+\b`)
)

// rawMomentForm is the moment in such a key.
const rawMomentForm = "20060102150405"

// rawReading is one group that is being read.
type rawReading struct {
	*rawReader
	group  *rawGroup
	made   map[string]int
	traces map[string]int // of the messages, by number
}

// read makes a group of what a transaction did; nil when it answered no message.
func (r *rawReader) read(statements []db.Statement, at time.Time) *rawGroup {
	g := &rawReading{rawReader: r, group: &rawGroup{at: at}, made: map[string]int{}, traces: map[string]int{}}
	var all []rawStatement
	for _, s := range statements {
		if !s.Writes() {
			continue
		}
		w := rawStatement{Statement: s}
		for _, v := range s.Args {
			arg := newRawArg(v)
			for _, c := range arg.cells {
				for _, key := range rawKeys.FindAllStringSubmatch(c.text(), -1) {
					if _, known := g.traces[key[2]]; !known {
						g.traces[key[2]] = len(g.traces)
					}
				}
			}
			w.args = append(w.args, arg)
		}
		all = append(all, w)
	}
	for i := range all {
		g.mark(&all[i])
	}
	if len(g.traces) == 0 {
		return nil
	}
	g.group.statements, g.group.requests, g.group.made = all, len(g.traces), len(g.made)
	return g.group
}

// mark finds the places in a statement.
func (g *rawReading) mark(s *rawStatement) {
	verb := strings.ToUpper(strings.TrimLeft(s.Text, " \t\n"))
	s.grows = !strings.HasPrefix(verb, "INSERT")
	for a := range s.args {
		for c := range s.args[a].cells {
			cell := &s.args[a].cells[c]
			if n, ok := cell.value.(int64); ok {
				cell.isTime = isMicros(n)
				s.grows = s.grows && !cell.isTime
			}
			cell.patches = g.places(cell.text())
		}
	}
}

// isMicros says whether a number can only be a time of our days: an amount is never
// as large.
func isMicros(n int64) bool {
	const year2020, year2100 = 1_577_836_800_000_000, 4_102_444_800_000_000
	return n >= year2020 && n < year2100
}

// places finds what is written anew in a text.
func (g *rawReading) places(text string) (all []rawPatch) {
	if text == "" {
		return nil
	}
	for _, at := range rawIDs.FindAllStringSubmatchIndex(text, -1) {
		all = g.identifier(all, at[2], text[at[2]:at[3]], rawMade)
	}
	for _, at := range rawUUIDs.FindAllStringIndex(text, -1) {
		if d, err := id.ParseUUID[rawID](text[at[0]:at[1]]); err == nil {
			all = g.identifier(all, at[0], textOf(d), rawMadeUUID)
		}
	}
	for _, at := range rawKeys.FindAllStringSubmatchIndex(text, -1) {
		all = append(all, rawPatch{at[2], rawMoment, 0})
	}
	for _, at := range rawRuns.FindAllStringIndex(text, -1) {
		// A number stands alone, or ends the reference of a retrieval.
		if n := at[1] - at[0]; n == 6 || n == 12 {
			if which, ok := g.traces[text[at[1]-6:at[1]]]; ok {
				all = append(all, rawPatch{at[1] - 6, rawTrace, which})
			}
		}
	}
	return all
}

// identifier is one that was found at a place; made says in which form.
func (g *rawReading) identifier(all []rawPatch, at int, text string, made rawKind) []rawPatch {
	if p, ok := g.rawReader.places[text]; ok {
		if made == rawMadeUUID {
			return all // a reference of the outside to what was there
		}
		return append(all, rawPatch{at, p.kind, p.card})
	}
	d, err := id.Parse[rawID]("x_" + text)
	if floor := id.Floor[rawID](g.since); err != nil || d.String() < floor.String() {
		return all
	}
	which, known := g.made[text]
	if !known {
		which = len(g.made)
		g.made[text] = which
	}
	return append(all, rawPatch{at, made, which})
}

// text is the text of a cell, if it is one.
func (c rawCell) text() string {
	switch v := c.value.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}

// newRawArg takes an argument apart.
func newRawArg(v any) rawArg {
	switch v := v.(type) {
	case []string:
		return rawList(v, func(s string) any { return s }, func(v any) string { return v.(string) })
	case []*string:
		return rawPointers(v)
	case []*int64:
		return rawPointers(v)
	case []*bool:
		return rawPointers(v)
	case []*[]byte:
		return rawPointers(v)
	}
	return rawArg{cells: []rawCell{{value: v}}}
}

// rawList is a list of values that out takes out and in puts back.
func rawList[T any](all []T, out func(T) any, in func(any) T) rawArg {
	a := rawArg{cells: make([]rawCell, len(all))}
	for i, v := range all {
		a.cells[i].value = out(v)
	}
	a.list = func(cells []any) any {
		again := make([]T, len(cells))
		for i, v := range cells {
			again[i] = in(v)
		}
		return again
	}
	return a
}

// rawPointers is a list of values of which some are none.
func rawPointers[T any](all []*T) rawArg {
	return rawList(all, func(v *T) any {
		if v == nil {
			return nil
		}
		return *v
	}, func(v any) *T {
		if v == nil {
			return nil
		}
		t := v.(T)
		return &t
	})
}

// rawTurn is one time that a group is written again.
type rawTurn struct {
	moment string
	made   []id.ID[rawID]
	texts  []string // of those
	first  int      // the number of its first message
	shift  int      // how many cards further
	pass   int64    // how often all groups were written before
	later  int64    // microseconds since it was recorded
	cards  []cardIDs
}

// turn draws what is new when g is written again at now.
func (g *rawGroup) turn(now time.Time, cards []cardIDs, first, shift int, pass int64) *rawTurn {
	t := &rawTurn{
		moment: now.Format(rawMomentForm), made: make([]id.ID[rawID], g.made), texts: make([]string, g.made),
		first: first, shift: shift, pass: pass, later: clock.Micros(now) - clock.Micros(g.at), cards: cards,
	}
	for i := range t.made {
		t.made[i] = id.New[rawID](now)
		t.texts[i] = textOf(t.made[i])
	}
	return t
}

// args are those of a statement, written anew.
func (t *rawTurn) args(s *rawStatement) []any {
	all := make([]any, len(s.args))
	for i, a := range s.args {
		if a.list == nil {
			all[i] = t.cell(&a.cells[0], s.grows)
			continue
		}
		cells := make([]any, len(a.cells))
		for k := range a.cells {
			cells[k] = t.cell(&a.cells[k], s.grows)
		}
		all[i] = a.list(cells)
	}
	return all
}

func (t *rawTurn) cell(c *rawCell, grows bool) any {
	switch v := c.value.(type) {
	case int64:
		switch {
		case c.isTime:
			return v + t.later
		case grows:
			return v + t.pass
		}
	case string:
		if len(c.patches) > 0 {
			return string(t.patched([]byte(v), c.patches))
		}
	case []byte:
		if len(c.patches) > 0 {
			return t.patched([]byte(string(v)), c.patches)
		}
	}
	return c.value
}

func (t *rawTurn) patched(text []byte, patches []rawPatch) []byte {
	for _, p := range patches {
		switch p.kind {
		case rawMade:
			copy(text[p.at:], t.texts[p.which])
		case rawMadeUUID:
			copy(text[p.at:], t.made[p.which].UUID())
		case rawCard, rawIssuance, rawAccount:
			copy(text[p.at:], t.cards[(p.which+t.shift)%len(t.cards)].of(p.kind))
		case rawMoment:
			copy(text[p.at:], t.moment)
		case rawTrace:
			copy(text[p.at:], fmt.Sprintf("%06d", (t.first+p.which)%1_000_000))
		}
	}
	return text
}

func (c cardIDs) of(k rawKind) string {
	switch k {
	case rawIssuance:
		return c.issuance
	case rawAccount:
		return c.account
	}
	return c.card
}
