package authorization

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/control"
)

// ControlFacts are an authorization control that selects the request.
type ControlFacts struct {
	Code, Name string
	Version    int
	Link       string // its type and code, "Product/CLASSIC"
	// The priorities of the link and of the control itself; the lower comes first.
	LinkPriority, Priority   int
	Action                   control.Action
	IsMandatory, IsMonitored bool
	ResponseCode             string // DE39 of a refusal; empty is the network's
	ReasonText               string
	AlertChannels            string // blanks between
	// From and Until are the span of its schedule around Facts.Now, or the next one;
	// zero is without end.
	From, Until time.Time
	IsBroken    bool // it selects because its rule cannot be evaluated
}

func controlFacts(m control.Match) ControlFacts {
	channels := make([]string, len(m.Check.AlertChannels))
	for i, c := range m.Check.AlertChannels {
		channels[i] = string(c)
	}
	return ControlFacts{
		Code: m.Check.Code, Name: m.Check.Name, Version: m.Check.Version, Link: string(m.Link.Type) + "/" + m.Link.Code,
		LinkPriority: m.Link.Priority, Priority: m.Check.Priority, Action: m.Check.Action, IsMandatory: m.Check.IsMandatory,
		IsMonitored: m.Check.Mode == control.Monitor, ResponseCode: m.Check.ResponseCode, ReasonText: m.Check.ReasonText,
		AlertChannels: strings.Join(channels, " "), From: m.From, Until: m.Until,
		IsBroken: m.IsBroken,
	}
}

// place is where the control stands among those of the card.
func (c *ControlFacts) place() control.Place {
	kind, _, _ := strings.Cut(c.Link, "/")
	return control.Place{
		Code: c.Code, IsMandatory: c.IsMandatory, Specificity: control.LinkType(kind).Specificity(), LinkPriority: c.LinkPriority, Priority: c.Priority,
	}
}

// holdsAt reports whether the schedule holds.
func (c *ControlFacts) holdsAt(now time.Time) bool {
	return !now.Before(c.From) && (c.Until.IsZero() || now.Before(c.Until))
}

// compareControls puts controls in the order in which they are asked.
func compareControls(a, b ControlFacts) int { return a.place().Compare(b.place()) }

// judge asks the control; a Fail refuses. One that is only monitored says what it
// would have done.
func (c *ControlFacts) judge(req *Request, f *Facts) Check {
	k := c.demand(req, f).of(c.Code).with(c.inputs()...)
	k.Detail = c.Code + ": " + k.Detail
	if c.IsMonitored {
		k.Outcome, k.Reason, k.Detail = Pass, "", k.Detail+", only monitored"
	}
	return k
}

// demand is what the control wants of a request that it selects.
func (c *ControlFacts) demand(req *Request, f *Facts) Check {
	switch c.Action {
	case control.Approve:
		return passed("approves")
	case control.Alert:
		return passed("alerts")
	case control.RequirePIN:
		if f.PIN == Match || req.Chip != nil && req.Chip.verifiedPIN(f.ARQC) {
			return passed("the PIN it needs is verified")
		}
		return failed(PINRequired, "needs a PIN")
	case control.Require3DS:
		if req.Is3DSAuthenticated() {
			return passed("authenticated by 3-D Secure, as it needs")
		}
		return failed(ThreeDSRequired, "needs 3-D Secure")
	case control.Refer:
		return failed(Referred, "refers")
	}
	return failed(ControlDeclined, "declines")
}

// inputs are which version and link of the control were asked, and with what
// standing among the others.
func (c *ControlFacts) inputs() []Input {
	in := make([]Input, 0, 10)
	in = append(in, countInput("version", c.Version), textInput("link", c.Link), textInput("action", c.Action))
	mode := control.Enforce
	if c.IsMonitored {
		mode = control.Monitor
	}
	in = append(in, textInput("mode", mode), countInput("priority", c.Priority))
	if c.IsMandatory {
		in = append(in, textInput("mandatory", "yes"))
	}
	if !c.From.IsZero() {
		in = append(in, momentInput("holdsFrom", c.From))
	}
	if !c.Until.IsZero() {
		in = append(in, momentInput("holdsUntil", c.Until))
	}
	if c.IsBroken {
		in = append(in, brokenInput)
	}
	if c.ReasonText != "" {
		in = append(in, Input{inputReasonText, c.ReasonText})
	}
	return in
}

// brokenInput says that a control or limit concerns the request because its rule
// cannot be evaluated.
var brokenInput = Input{"rule", "broken"}

// checkControls asks the tenant's authorization controls (contract §3.4, step 8,
// and §12.3). The first that refuses decides; one that approves ends the asking of
// those that are not mandatory.
func checkControls(d *Decision, req *Request, f *Facts, _ State, _ codeRow) Check {
	if len(f.Controls) == 0 {
		return skipped()
	}
	parts := make([]Check, 0, len(f.Controls))
	matched := 0
	for _, c := range slices.SortedFunc(slices.Values(f.Controls), compareControls) {
		if !c.holdsAt(f.Now) {
			k := skipped().of(c.Code).with(c.inputs()...)
			k.Detail = c.Code + ": not at this time"
			parts = append(parts, k)
			continue
		}
		k := c.judge(req, f)
		parts = append(parts, k)
		matched++
		d.Matched = append(d.Matched, c.Code)
		switch {
		case c.IsMonitored:
			continue
		case k.Outcome == Fail && !req.Flow.IsAdvice():
			d.ResponseCode = c.ResponseCode
			d.alert(c)
		case c.Action == control.Alert:
			d.alert(c)
		}
		if k.Outcome == Fail || c.Action == control.Approve {
			break
		}
	}
	all := inParts(parts)
	if matched == 0 {
		all.Outcome = Skip
	}
	return all
}

// visitControls writes or reads the authorization controls of a decision.
func visitControls(c *codec, f *[]ControlFacts) {
	n := len(*f)
	c.count("controls", &n)
	if c.reading {
		*f = make([]ControlFacts, n)
	}
	for i := range n {
		c.visitRow("controls."+strconv.Itoa(i), func() { (*f)[i].visit(c, "") })
	}
}

func (f *ControlFacts) visit(c *codec, at string) {
	visitText(c, at+"code", &f.Code)
	visitText(c, at+"name", &f.Name)
	c.count(at+"version", &f.Version)
	visitText(c, at+"link", &f.Link)
	c.count(at+"link_priority", &f.LinkPriority)
	c.count(at+"priority", &f.Priority)
	visitText(c, at+"action", &f.Action)
	c.bool(at+"mandatory", &f.IsMandatory)
	c.bool(at+"monitored", &f.IsMonitored)
	visitText(c, at+"response_code", &f.ResponseCode)
	visitText(c, at+"reason_text", &f.ReasonText)
	visitText(c, at+"alert_channels", &f.AlertChannels)
	c.time(at+"from", &f.From)
	c.time(at+"until", &f.Until)
	c.bool(at+"broken", &f.IsBroken)
}
