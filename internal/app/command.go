package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"text/tabwriter"

	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/hsm/vector"
)

// ErrUsage says that a command was asked for something that cannot be.
var ErrUsage = errors.New("wrong usage")

// ErrNotWell says that a command did what it was asked and found what it was
// asked about not to be well. By itself it says that what is wrong has been printed;
// an error that has more to say wraps it.
var ErrNotWell = errors.New("not everything is well")

// Build is what is known about this binary.
type Build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// ReadBuild reads what the Go tool put into the binary.
func ReadBuild() Build {
	b := Build{Version: "(unknown)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	read, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Version = read.Main.Version
	for _, s := range read.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// PrintVersion tells which binary this is.
func PrintVersion(w io.Writer, asJSON bool) error {
	b := ReadBuild()
	if asJSON {
		return PrintJSON(w, b)
	}
	fmt.Fprintf(w, "sarraf %s %s %s\n", b.Version, b.Go, b.Platform)
	if b.Revision != "" {
		modified := ""
		if b.Modified {
			modified = " (modified)"
		}
		fmt.Fprintf(w, "revision %s of %s%s\n", b.Revision, b.Time, modified)
	}
	return nil
}

// PrintSettings shows the settings in force and where each comes from.
func PrintSettings(w io.Writer, l config.Loaded, asJSON bool) error {
	if asJSON {
		return PrintJSON(w, l.Effective)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, e := range l.Effective {
		value := e.Value
		if value == "" {
			value = "-"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", e.Key, value, e.Source)
	}
	return t.Flush()
}

// RunVectors runs files of cryptographic test vectors and prints how many
// passed, failed and are not supported, for each file and in all. It returns
// [ErrNotWell] unless every vector passed: one that is not supported has not.
func RunVectors(w io.Writer, paths []string, asJSON bool) error {
	type count struct {
		File        string   `json:"file"`
		Passed      int      `json:"passed"`
		Failed      int      `json:"failed"`
		Unsupported int      `json:"unsupported"`
		Failures    []string `json:"failures,omitempty"`
	}
	var files []count
	total := count{File: "total"}
	for _, path := range paths {
		results, err := vector.Run(path)
		if err != nil {
			return err
		}
		for _, r := range results {
			files = append(files, count(r))
			total.Passed += r.Passed
			total.Failed += r.Failed
			total.Unsupported += r.Unsupported
		}
	}
	if asJSON {
		if err := PrintJSON(w, map[string]any{"files": files, "total": total}); err != nil {
			return err
		}
	} else {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(t, "passed\tfailed\tunsupported\t  file")
		for _, f := range append(files, total) {
			fmt.Fprintf(t, "%d\t%d\t%d\t  %s\n", f.Passed, f.Failed, f.Unsupported, f.File)
		}
		if err := t.Flush(); err != nil {
			return err
		}
		for _, f := range files {
			for _, line := range f.Failures {
				fmt.Fprintf(w, "%s: %s\n", f.File, line)
			}
		}
	}
	if total.Failed+total.Unsupported > 0 {
		return ErrNotWell
	}
	return nil
}

// Page is a part of a list.
type Page struct{ Skip, Limit int }

// pageMax is how much of a list is shown at once.
const pageMax = 1_000

func (p Page) check() error {
	if p.Skip < 0 || p.Limit < 1 || p.Limit > pageMax {
		return fmt.Errorf("%w: --skip must not be negative, and --limit be between 1 and %d", ErrUsage, pageMax)
	}
	return nil
}

// printPage prints a part of a list: each element as a line says, or all of it as
// JSON, with how many there are.
func printPage[T any](w io.Writer, page []T, total int, asJSON bool, line func(T) string) error {
	if asJSON {
		return PrintJSON(w, struct {
			TotalCount int `json:"totalCount"`
			Items      []T `json:"items"`
		}{total, page})
	}
	for _, one := range page {
		if _, err := fmt.Fprintln(w, line(one)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%d of %d\n", len(page), total)
	return err
}

// PrintJSON prints v as one indented JSON document.
func PrintJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
