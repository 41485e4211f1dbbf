package authorization

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/money"
)

// CheckOutcome is how one check ended.
type CheckOutcome string

// The outcomes.
const (
	Pass CheckOutcome = "Pass"
	Fail CheckOutcome = "Fail"
	// Skip means that the check had nothing to look at.
	Skip CheckOutcome = "Skip"
)

// Check is one step of a decision: what was looked at and what came of it. None
// of it ever holds card data, and none tells what a secret was compared with.
type Check struct {
	Name    string
	Outcome CheckOutcome
	Reason  Reason // of a Fail
	// Subject is what of the tenant's it was about: the code of a control, of a
	// policy, of a fee, or the limit of a product that decided. Empty is the card
	// or the request alone.
	Subject string
	Detail  string // the sentence for people
	// Inputs are the values that were compared, in the order in which one reads
	// them.
	Inputs []Input
	// Parts are what a check looked at that stands for several of the tenant's
	// controls, one for each in the order in which they were looked at. A part has
	// a Subject and no Name; one that does not concern the request is a Skip. A check that a part failed has that part's reason,
	// subject and detail.
	Parts []Check
}

// Input is a value that a check compared, under a name that stays. Amounts are
// told with their currency, moments in UTC.
type Input struct{ Name, Value string }

func passed(format string, args ...any) Check {
	return Check{Outcome: Pass, Detail: fmt.Sprintf(format, args...)}
}

func skipped() Check { return Check{Outcome: Skip} }

func failed(r Reason, format string, args ...any) Check {
	return Check{Outcome: Fail, Reason: r, Detail: fmt.Sprintf(format, args...)}
}

// of says what of the tenant's a check was about.
func (c Check) of(subject string) Check {
	c.Subject = subject
	return c
}

// with says what a check compared.
func (c Check) with(inputs ...Input) Check {
	c.Inputs = inputs
	return c
}

// inParts is the check that stands for parts: the first of them that failed
// decides.
func inParts(parts []Check) Check {
	c := Check{Outcome: Pass, Parts: parts}
	for _, p := range parts {
		if p.Outcome == Fail {
			c.Outcome, c.Reason, c.Subject, c.Detail = Fail, p.Reason, p.Subject, p.Detail
			break
		}
	}
	return c
}

// Decisive is the part that failed the check, or the check itself.
func (c *Check) Decisive() *Check {
	if i := slices.IndexFunc(c.Parts, func(p Check) bool { return p.Outcome == Fail }); i >= 0 {
		return &c.Parts[i]
	}
	return c
}

// inputReasonText is what a control tells the tenant of its refusals.
const inputReasonText = "reasonText"

// decisive is the check that refused for a reason; nil when none did.
func (t Trace) decisive(r Reason) *Check {
	for i := range t {
		if t[i].Outcome == Fail && t[i].Reason == r {
			return &t[i]
		}
	}
	return nil
}

// Input returns the value of an input; empty when there is none.
func (c *Check) Input(name string) string {
	for _, in := range c.Inputs {
		if in.Name == name {
			return in.Value
		}
	}
	return ""
}

// The kinds of inputs.
func textInput[T ~string](name string, v T) Input { return Input{name, string(v)} }

func countInput[T ~int | ~int64](name string, n T) Input {
	return Input{name, strconv.FormatInt(int64(n), 10)}
}

func momentInput(name string, at time.Time) Input {
	return Input{name, at.UTC().Format(time.RFC3339Nano)}
}

func amountInput(name string, a money.Amount) Input { return Input{name, a.String()} }

// minorInput is an amount in minor units, which may be more than an amount can
// be.
func minorInput(name string, minor int64, like money.Currency) Input {
	a, err := money.New(minor, like)
	if err != nil {
		return Input{name, strconv.FormatInt(minor, 10) + " minor units"}
	}
	return amountInput(name, a)
}

// Trace is every check of a decision, in the order in which they ran. A request
// stops at the first Fail; an advice, being a fact, goes on.
type Trace []Check

// String is the stored form: a line for each check, its members separated by
// "|", then its inputs as "name=value"; a part is such a line that begins with
// "+", after the line of its check. Of a part that passed only the subject is
// stored: there may be many, and what they compared follows from the record, see
// [recompute].
func (t Trace) String() string {
	size := 0
	for i := range t {
		size += 64 + 32*len(t[i].Inputs) + 32*len(t[i].Parts)
	}
	out := make([]byte, 0, size)
	for i := range t {
		out = t[i].append(out, t[i].Name)
		for j := range t[i].Parts {
			out = t[i].Parts[j].stored().append(out, partMark)
		}
	}
	return string(out)
}

const partMark = "+"

// stored is what is kept of a part.
func (c *Check) stored() *Check {
	if c.Outcome == Pass {
		return &Check{Outcome: Pass, Subject: c.Subject}
	}
	return c
}

func (c *Check) append(out []byte, name string) []byte {
	out = append(out, name...)
	for _, member := range [...]string{string(c.Outcome), string(c.Reason), c.Subject, c.Detail} {
		out = append(out, '|')
		out = appendMember(out, member)
	}
	for _, in := range c.Inputs {
		out = append(out, '|')
		out = appendMember(out, in.Name)
		out = append(out, '=')
		out = appendMember(out, in.Value)
	}
	return append(out, '\n')
}

var memberUnescapes = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\p`, "|", `\e`, "=")

// appendMember appends text with what separates members escaped. Nearly all of it
// has none.
func appendMember(out []byte, text string) []byte {
	from := 0
	for i := range len(text) {
		escape := ""
		switch text[i] {
		case '\\':
			escape = `\\`
		case '\n':
			escape = `\n`
		case '|':
			escape = `\p`
		case '=':
			escape = `\e`
		default:
			continue
		}
		out = append(append(out, text[from:i]...), escape...)
		from = i + 1
	}
	return append(out, text[from:]...)
}

// ParseTrace reads the stored form.
func ParseTrace(text string) (Trace, error) {
	var t Trace
	for line := range strings.Lines(text) {
		c, err := parseCheck(strings.TrimSuffix(line, "\n"))
		switch {
		case err != nil:
			return nil, err
		case c.Name != partMark:
			t = append(t, c)
		case len(t) == 0:
			return nil, errors.New("trace: a part stands before its check")
		default:
			c.Name = ""
			t[len(t)-1].Parts = append(t[len(t)-1].Parts, c)
		}
	}
	return t, nil
}

func parseCheck(line string) (Check, error) {
	members := strings.Split(line, "|")
	if len(members) < 5 {
		return Check{}, fmt.Errorf("trace: a line has %d members", len(members))
	}
	told := func(i int) string { return memberUnescapes.Replace(members[i]) }
	c := Check{Name: members[0], Outcome: CheckOutcome(told(1)), Reason: Reason(told(2)), Subject: told(3), Detail: told(4)}
	for _, m := range members[5:] {
		name, value, ok := strings.Cut(m, "=")
		if !ok {
			return Check{}, errors.New("trace: an input has no value")
		}
		c.Inputs = append(c.Inputs, Input{memberUnescapes.Replace(name), memberUnescapes.Replace(value)})
	}
	return c, nil
}

// short is the trace for a log line: "Card=Pass Pin=Fail(PinInvalid)".
func (t Trace) short() string {
	var s strings.Builder
	for i, c := range t {
		if i > 0 {
			s.WriteByte(' ')
		}
		s.WriteString(c.Name + "=" + string(c.Outcome))
		if c.Reason != "" {
			s.WriteString("(" + string(c.Reason) + ")")
		}
	}
	return s.String()
}
