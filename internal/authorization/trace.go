package authorization

import (
	"fmt"
	"strings"
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

// Check is one step of a decision: what was looked at and what came of it.
// Detail never holds card data.
type Check struct {
	Name    string
	Outcome CheckOutcome
	Reason  Reason // of a Fail
	Detail  string
}

// Trace is every check of a decision, in the order in which they ran. A request
// stops at the first Fail; an advice, being a fact, goes on.
type Trace []Check

// String is the stored form: a line for each check, its parts separated by "|".
func (t Trace) String() string {
	var s strings.Builder
	for _, c := range t {
		s.WriteString(c.Name + "|" + string(c.Outcome) + "|" + string(c.Reason) + "|" + c.Detail + "\n")
	}
	return s.String()
}

// ParseTrace reads the stored form.
func ParseTrace(text string) (Trace, error) {
	var t Trace
	for line := range strings.Lines(text) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), "|", 4)
		if len(parts) != 4 {
			return nil, fmt.Errorf("trace: a line has %d parts", len(parts))
		}
		t = append(t, Check{Name: parts[0], Outcome: CheckOutcome(parts[1]), Reason: Reason(parts[2]), Detail: parts[3]})
	}
	return t, nil
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
