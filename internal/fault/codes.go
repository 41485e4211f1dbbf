package fault

// CodesOf lists the codes of faults.
func CodesOf(faults ...*Error) []Code {
	codes := make([]Code, len(faults))
	for i, f := range faults {
		codes[i] = f.Code
	}
	return codes
}
