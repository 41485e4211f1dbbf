package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/locale"
)

// lintReport is what there is to say about a tenant's controls, as it is shown.
type lintReport struct {
	Checked  int           `json:"checkedControls"`
	Findings []lintFinding `json:"findings"`
}

type lintFinding struct {
	Kind    string            `json:"kind"`
	Code    string            `json:"code"`
	Link    string            `json:"link,omitempty"`
	Finding string            `json:"finding"`
	Path    string            `json:"path,omitempty"`
	By      []string          `json:"by,omitempty"`
	Message string            `json:"message"`
	Example map[string]string `json:"example,omitempty"` // values as JSON, by field
}

// LintControls prints what the controls of a tenant (a UUID) can hardly be meant to
// do. It returns [ErrNotWell] when there is something.
func LintControls(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant string, asJSON bool) error {
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		found, err := k.Controls.Lint(ctx, caller)
		if err != nil {
			return err
		}
		report := lintReport{Checked: found.Checked, Findings: []lintFinding{}}
		for _, f := range found.All {
			report.Findings = append(report.Findings, showFinding(f))
		}
		if asJSON {
			err = PrintJSON(w, report)
		} else {
			err = report.print(w)
		}
		if err == nil && len(report.Findings) > 0 {
			err = ErrNotWell
		}
		return err
	})
}

func showFinding(f control.Finding) lintFinding {
	message, _ := locale.Text("en", f.Key(), map[string]any{"by": strings.Join(f.By, ", ")})
	out := lintFinding{Kind: string(f.Kind), Code: f.Code, Finding: string(f.What), Path: f.Path, By: f.By, Message: message}
	if f.Link.Type != "" {
		out.Link = strings.TrimSuffix(string(f.Link.Type)+"/"+f.Link.Code, "/")
	}
	for _, g := range f.Example {
		if out.Example == nil {
			out.Example = map[string]string{}
		}
		out.Example[g.Field.String()] = g.Value
	}
	return out
}

func (r lintReport) print(w io.Writer) error {
	for _, f := range r.Findings {
		where := f.Kind + " " + f.Code
		if f.Link != "" {
			where += " for " + f.Link
		}
		if f.Path != "" {
			where += ", " + f.Path
		}
		fmt.Fprintf(w, "%s: %s\n", where, f.Message)
		for _, field := range slices.Sorted(maps.Keys(f.Example)) {
			fmt.Fprintf(w, "    such as %s = %s\n", field, f.Example[field])
		}
	}
	_, err := fmt.Fprintf(w, "%d checked, %d found\n", r.Checked, len(r.Findings))
	return err
}
