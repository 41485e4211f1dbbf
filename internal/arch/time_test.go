package arch

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// businesses are the domains whose tenants have a business time (ADR 0020).
var businesses = []string{
	"authorization", "clearing", "control", "customer", "fee", "issuing", "ledger", "personalization", "program",
}

// kindOfTime finds where a domain with business time reads the clock without
// saying which of the two times it means. Business time is asked of the caller,
// the tenant or the configuration; real time is a clock.Real. Identifiers are
// real: they are made of the clock as it is, or of a clock.Real.
func kindOfTime(s source) []string {
	if s.test || !slices.ContainsFunc(businesses, func(d string) bool { return within(s.name(), d) }) {
		return nil
	}
	var complaints []string
	identified := map[ast.Node]bool{} // readings of the clock that make identifiers
	ast.Inspect(s.file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		switch {
		case makesID(call):
			if len(call.Args) == 1 && (readsClock(call.Args[0]) || methodOf(call.Args[0]) == "Time") {
				identified[call.Args[0]] = true
				return true
			}
			complaints = append(complaints, s.at(n)+": an identifier is made of the clock or of a clock.Real")
		case readsClock(call) && !identified[call]:
			complaints = append(complaints, s.at(n)+": say which time: Now of the caller or the tenant, or clock.RealNow")
		}
		return true
	})
	return complaints
}

// makesID reports whether a call is id.New.
func makesID(call *ast.CallExpr) bool {
	generic, ok := call.Fun.(*ast.IndexExpr)
	if !ok {
		return false
	}
	sel, ok := generic.X.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "New" {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name == "id"
}

// readsClock reports whether an expression is the time of something called
// clock.
func readsClock(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok || len(call.Args) > 0 || methodOf(e) != "Now" {
		return false
	}
	switch x := call.Fun.(*ast.SelectorExpr).X.(type) {
	case *ast.Ident:
		return strings.EqualFold(x.Name, "clock")
	case *ast.SelectorExpr:
		return strings.EqualFold(x.Sel.Name, "clock")
	}
	return false
}

// methodOf is the name of what an expression calls of something; empty for any
// other.
func methodOf(e ast.Expr) string {
	if call, ok := e.(*ast.CallExpr); ok {
		if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
			return sel.Sel.Name
		}
	}
	return ""
}

func TestTime_isOfBusinessOrReal(t *testing.T) {
	each(t, kindOfTime)
	prove(
		t, kindOfTime,
		snippet{"internal/issuing/a.go", `func a() { _ = s.Clock.Now() }`, true},
		snippet{"internal/authorization/a.go", `func a() { _ = e.clock.Now() }`, true},
		snippet{"internal/control/a.go", `func a() { clock := b(); f(clock.Now()) }`, true},
		snippet{"internal/issuing/a.go", `func a() { _ = id.New[Card](c.Now(s.Clock)) }`, true},
		snippet{"internal/issuing/a.go", `func a() { _ = id.New[Card](now) }`, true},
		snippet{"internal/issuing/a.go", `func a() { _ = id.New[Card](s.Clock.Now()) }`, false},
		snippet{"internal/issuing/a.go", `func a() { _ = id.New[Card](moment.Time()) }`, false},
		snippet{"internal/issuing/a.go", `func a() { _ = c.Now(s.Clock) }`, false},
		snippet{"internal/issuing/a.go", `func a() { _ = clock.RealNow(s.Clock) }`, false},
		snippet{"internal/webhook/a.go", `func a() { _ = s.Clock.Now() }`, false},
		snippet{"internal/issuing/a_test.go", `func a() { _ = s.Clock.Now() }`, false},
	)
}
