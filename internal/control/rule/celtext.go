package rule

import "strings"

// Text is the rule in CEL, whatever its source is written in. A rule that is
// always true is "true".
func (p *Program) Text() string {
	if p.root == nil {
		return "true"
	}
	var b strings.Builder
	p.root.writeCEL(&b, false)
	return b.String()
}

// writeCEL writes n; inside says that it stands beside others.
func (n *node) writeCEL(b *strings.Builder, inside bool) {
	if n.leaf != nil {
		n.leaf.writeCEL(b)
		return
	}
	if n.not {
		b.WriteByte('!')
	}
	parentheses := n.not || inside && len(n.children) > 1
	if parentheses {
		b.WriteByte('(')
	}
	for i, c := range n.children {
		if i > 0 && n.any {
			b.WriteString(" || ")
		} else if i > 0 {
			b.WriteString(" && ")
		}
		c.writeCEL(b, len(n.children) > 1 || inside && !parentheses)
	}
	if parentheses {
		b.WriteByte(')')
	}
}

// signs are the operators that stand between their sides.
var signs = map[Operator]string{
	Equal: "==", NotEqual: "!=", Less: "<", LessOrEqual: "<=", Greater: ">", GreaterOrEqual: ">=",
}

func (l *leaf) writeCEL(b *strings.Builder) {
	f := &fields[l.field]
	name := celName(f.Name)
	if sign, found := signs[Operator(l.operator)]; found {
		b.WriteString(name + " " + sign + " ")
		if l.hasOther {
			b.WriteString(celName(l.otherName))
		} else {
			b.WriteString(l.operands[0].cel(f.Type))
		}
		return
	}
	if l.does.negated {
		b.WriteByte('!')
	}
	operands := make([]string, len(l.operands))
	for i := range l.operands {
		t := f.Type
		if l.does.operand == oneText || l.does.operand == listCode {
			t = String
		}
		operands[i] = l.operands[i].cel(t)
	}
	arguments := strings.Join(operands, ", ")
	switch {
	case l.does.does == In:
		arguments = name + " in [" + arguments + "]"
		if l.does.negated {
			arguments = "(" + arguments + ")"
		}
		b.WriteString(arguments)
		return
	case l.does.operand == manyValue:
		arguments = "[" + arguments + "]"
	}
	b.WriteString(name + "." + string(l.does.does) + "(" + arguments + ")")
}

// cel is the value as an expression of CEL.
func (v *value) cel(t Type) string {
	switch t {
	case Decimal, Date, Time:
		return string(t) + "(" + quote(v.plain(t)) + ")"
	}
	return v.json(t)
}

// celName is the name of a field with the parts quoted that CEL would take for
// numbers.
func celName(name string) string {
	parts := strings.Split(name, ".")
	for i, p := range parts {
		if p[0] >= '0' && p[0] <= '9' {
			parts[i] = "`" + p + "`"
		}
	}
	return strings.Join(parts, ".")
}
