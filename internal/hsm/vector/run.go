package vector

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
)

// FileResult is the outcome of one file.
type FileResult struct {
	File                        string // path as given or found
	Passed, Failed, Unsupported int
	Failures                    []string // one line for each failed vector, beginning with its id
}

// errUnsupported is the answer of a runner for an operation it does not know.
var errUnsupported = errors.New("operation not supported")

// vectorError is a mistake in the vector itself. It is never taken for a
// refusal by the algorithm.
type vectorError struct{ text string }

func (e vectorError) Error() string { return e.text }

// The files' shapes. encoding/json matches names without regard to case.
type file struct {
	Algorithm string
	Vectors   []entry
}

type entry struct {
	ID  string
	Op  string
	In  map[string]json.RawMessage
	Out map[string]json.RawMessage
}

// Run runs one file, or every *.json file of a directory in the order of their
// names. An error means that a file could not be read as vectors.
func Run(path string) ([]FileResult, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("find vectors: %w", err)
	}
	paths := []string{path}
	if info.IsDir() {
		if paths, err = filepath.Glob(filepath.Join(path, "*.json")); err != nil {
			return nil, fmt.Errorf("list vectors: %w", err)
		}
		if len(paths) == 0 {
			return nil, fmt.Errorf("list vectors: no *.json file in %s", path)
		}
		sort.Strings(paths)
	}
	results := make([]FileResult, 0, len(paths))
	for _, p := range paths {
		r, err := runFile(p)
		if err != nil {
			return results, err
		}
		results = append(results, r)
	}
	return results, nil
}

func runFile(path string) (FileResult, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return FileResult{}, fmt.Errorf("read vectors: %w", err)
	}
	var f file
	if err := json.Unmarshal(raw, &f); err != nil {
		return FileResult{}, fmt.Errorf("read vectors of %s: %w", path, err)
	}
	if f.Algorithm == "" || len(f.Vectors) == 0 {
		return FileResult{}, fmt.Errorf("read vectors of %s: no algorithm or no vectors", path)
	}
	r := FileResult{File: path}
	for _, v := range f.Vectors {
		switch failure, supported := check(f.Algorithm, v); {
		case !supported:
			r.Unsupported++
		case failure != "":
			r.Failed++
			r.Failures = append(r.Failures, v.ID+" "+v.Op+": "+failure)
		default:
			r.Passed++
		}
	}
	return r, nil
}

// check runs one vector. failure is empty when it passed.
func check(algorithm string, v entry) (failure string, supported bool) {
	in := &input{values: v.In}
	got, err := compute(algorithm, v.Op, in)
	if errors.Is(err, errUnsupported) {
		return "", false
	}
	if in.err != nil {
		return in.err.Error(), true
	}
	if ve, ok := errors.AsType[vectorError](err); ok {
		return ve.Error(), true
	}
	if _, refused := v.Out["error"]; refused {
		if err == nil {
			return "accepted what must be refused", true
		}
		return "", true
	}
	if err != nil {
		return fmt.Sprintf("refused: %v", err), true
	}
	if len(v.Out) == 0 {
		return "vector names no output", true
	}
	names := make([]string, 0, len(v.Out))
	for name := range v.Out {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		value, ok := got[name]
		if !ok {
			return "output " + name + " is not computed", true
		}
		text, err := json.Marshal(value)
		if err != nil {
			return "output " + name + " cannot be compared", true
		}
		if !sameJSON(text, v.Out[name]) {
			return fmt.Sprintf("%s is %s, want %s", name, text, v.Out[name]), true
		}
	}
	return "", true
}

// sameJSON compares two values in canonical form: sorted keys, no white space.
func sameJSON(a, b []byte) bool {
	canonical := func(raw []byte) []byte {
		var v any
		if json.Unmarshal(raw, &v) != nil {
			return nil
		}
		out, err := json.Marshal(v)
		if err != nil {
			return nil
		}
		return out
	}
	x, y := canonical(a), canonical(b)
	return x != nil && bytes.Equal(x, y)
}
