package emv

// Answer is what an issuer says in field 55 of a response.
type Answer struct {
	// Authentication is the value of tag 91: the ARPC and the response code
	// or card status update it covers, 8 to 16 bytes; nil sends no tag 91.
	Authentication []byte
	// ScriptsBefore and ScriptsAfter are run before and after the final
	// cryptogram of the card (tags 71 and 72).
	ScriptsBefore, ScriptsAfter []Script
}

// Script is one issuer script template.
type Script struct {
	Identifier [4]byte  // zero sends none
	Commands   [][]byte // command APDUs, with their MAC where they need one
}

// scriptLenMax is the longest script template a terminal must take (EMV Book
// 3, 10.10).
const scriptLenMax = 128

// Append appends the value of a field 55. It refuses, and leaves dst as it
// was, when the authentication or a script has a length it cannot have, or
// all together do not fit the field.
func (a Answer) Append(dst []byte) ([]byte, error) {
	out := dst
	if a.Authentication != nil {
		if p := IssuerAuthentication.rule().allows(a.Authentication); p != "" {
			return dst, &TagError{IssuerAuthentication, p}
		}
		out = Append(out, IssuerAuthentication, a.Authentication)
	}
	for _, s := range a.ScriptsBefore {
		body, err := s.body(ScriptBefore)
		if err != nil {
			return dst, err
		}
		out = Append(out, ScriptBefore, body)
	}
	for _, s := range a.ScriptsAfter {
		body, err := s.body(ScriptAfter)
		if err != nil {
			return dst, err
		}
		out = Append(out, ScriptAfter, body)
	}
	if len(out)-len(dst) > iccLenMax {
		return dst, &TagError{0, TooLong}
	}
	return out, nil
}

// body is the value of a script template.
func (s Script) body(template Tag) ([]byte, error) {
	var b []byte
	if s.Identifier != [4]byte{} {
		b = Append(b, ScriptIdentifier, s.Identifier[:])
	}
	for _, c := range s.Commands {
		if p := ScriptCommand.rule().allows(c); p != "" {
			return nil, &TagError{ScriptCommand, p}
		}
		b = Append(b, ScriptCommand, c)
	}
	if len(s.Commands) == 0 || len(b) > scriptLenMax {
		return nil, &TagError{template, BadLength}
	}
	return b, nil
}

// ParseAnswer reads the value of a field 55 of a response, as a terminal
// does. Tags other than 91, 71 and 72 are passed over. The answer's slices
// are views of data.
func ParseAnswer(data []byte) (Answer, error) {
	var a Answer
	if len(data) > iccLenMax {
		return a, &TagError{0, TooLong}
	}
	r := Read(data)
	for r.Next() {
		if p := r.Tag().rule().allows(r.Value()); p != "" {
			return Answer{}, &TagError{r.Tag(), p}
		}
		switch r.Tag() {
		case IssuerAuthentication:
			if a.Authentication != nil {
				return Answer{}, &TagError{r.Tag(), Repeated}
			}
			a.Authentication = r.Value()
		case ScriptBefore, ScriptAfter:
			s, err := parseScript(r.Value())
			if err != nil {
				return Answer{}, err
			}
			if r.Tag() == ScriptBefore {
				a.ScriptsBefore = append(a.ScriptsBefore, s)
			} else {
				a.ScriptsAfter = append(a.ScriptsAfter, s)
			}
		}
	}
	if r.err != nil {
		return Answer{}, r.err
	}
	return a, nil
}

// parseScript reads the value of a script template.
func parseScript(data []byte) (Script, error) {
	var s Script
	r := Read(data)
	for r.Next() {
		if p := r.Tag().rule().allows(r.Value()); p != "" {
			return Script{}, &TagError{r.Tag(), p}
		}
		switch r.Tag() {
		case ScriptIdentifier:
			copy(s.Identifier[:], r.Value())
		case ScriptCommand:
			s.Commands = append(s.Commands, r.Value())
		}
	}
	if r.err != nil {
		return Script{}, r.err
	}
	return s, nil
}
