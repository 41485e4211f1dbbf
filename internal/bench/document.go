package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/app"
)

// machine is what something was measured on.
type machine struct {
	CPU    string `json:"cpu"`
	CPUs   int    `json:"cpus"`
	Memory string `json:"memory,omitempty"`
	System string `json:"system"`
	Go     string `json:"go"`
}

func (m machine) String() string {
	text := fmt.Sprintf("%d × %s", m.CPUs, m.CPU)
	if m.Memory != "" {
		text += ", " + m.Memory
	}
	return text + ", " + m.System + ", " + m.Go
}

func readMachine() machine {
	m := machine{CPU: runtime.GOARCH, CPUs: runtime.NumCPU(), System: runtime.GOOS, Go: runtime.Version()}
	if name := valueIn("/proc/cpuinfo", "model name"); name != "" {
		m.CPU = name
	}
	m.Memory = valueIn("/proc/meminfo", "MemTotal")
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.System += " " + strings.TrimSpace(string(release))
	}
	return m
}

// valueIn is the first value of a name in a file of lines "name: value"; empty
// when there is none.
func valueIn(file, name string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if key, value, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// The measured part of a document stands between these lines.
const (
	measuredBegin = "<!-- measured by sarraf bench compare: begin -->"
	measuredEnd   = "<!-- measured by sarraf bench compare: end -->"
)

// write puts the table into the measured part of a document, which is made or
// appended when it is not there, and the pictures beside it.
func (c *comparison) write(document string) error {
	old, err := os.ReadFile(document)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read document: %w", err)
	}
	for _, p := range c.pictures {
		if err := os.WriteFile(filepath.Join(filepath.Dir(document), p.file(document)), p.draw(), 0o644); err != nil {
			return fmt.Errorf("write picture: %w", err)
		}
	}
	text := string(old)
	before, rest, begins := strings.Cut(text, measuredBegin)
	was, after, ends := strings.Cut(rest, measuredEnd)
	part := measuredBegin + "\n" + c.document(document, was) + measuredEnd
	switch {
	case begins && ends:
		text = before + part + after
	case begins:
		return fmt.Errorf("%w: the measured part of %s has no end", app.ErrUsage, document)
	case text == "":
		text = "# How fast it is\n\n" + part + "\n"
	default:
		text = strings.TrimRight(text, "\n") + "\n\n" + part + "\n"
	}
	if err := os.WriteFile(document, []byte(text), 0o644); err != nil {
		return fmt.Errorf("write document: %w", err)
	}
	return nil
}

// document is the measured part of what is at a path. Of what it was, rows stay that
// were not measured now, with the command that measured them, and pictures.
func (c *comparison) document(at, was string) string {
	var rows, commands, pictures []string
	drawn := map[string]bool{}
	for _, m := range c.Measures {
		row := "| " + strings.Join(m.cells(), " | ") + " |"
		if before := lineOf(was, "| "+m.Name+" |"); before != "" && m.Value == nil && m.Ratio == nil {
			row = before
		}
		rows = append(rows, row)
	}
	for _, p := range c.pictures {
		drawn[p.file(at)] = true
		pictures = append(pictures, fmt.Sprintf("![%s](%s)", p.title, p.file(at)))
	}
	for line := range strings.Lines(was) {
		line = strings.TrimRight(line, "\n")
		_, file, isPicture := strings.Cut(line, "](")
		switch {
		case strings.HasPrefix(line, "sarraf bench compare") && strings.Contains(line, "# 20") && !strings.HasPrefix(line, c.Command+" #"):
			commands = append(commands, line)
		case strings.HasPrefix(line, "| ") && !slices.ContainsFunc(c.Measures, func(m measure) bool { return strings.HasPrefix(line, "| "+m.Name+" |") }) &&
			!strings.HasPrefix(line, tableHead):
			rows = append(rows, line)
		case strings.HasPrefix(line, "![") && isPicture && !drawn[strings.TrimSuffix(file, ")")]:
			pictures = append(pictures, line)
		}
	}
	commands = append(commands, c.Command+" # "+c.At.Format(time.DateOnly))
	var out bytes.Buffer
	fmt.Fprintf(&out, "## Measured %s\n\n%s. Client, server and database run on it together, so that the ratios count.\n", c.At.Format(time.DateOnly), c.Machine)
	fmt.Fprintf(&out, "What is compared takes turns in one run; the figures are medians of the rounds.\n\n```\n%s\n```\n\n", strings.Join(commands, "\n"))
	for _, engine := range []string{"postgres", "sqlite"} {
		line := lineOf(was, "- "+engine+": ")
		if c.Settings[engine] != "" {
			line = "- " + engine + ": " + c.Settings[engine]
		}
		if line != "" {
			fmt.Fprintln(&out, line)
		}
	}
	fmt.Fprintf(&out, "\n%s\n|---|---|---|---|---|---|---|---|\n%s\n\n", tableHead, strings.Join(rows, "\n"))
	for _, p := range pictures {
		fmt.Fprintf(&out, "%s\n\n", p)
	}
	return out.String()
}

// tableHead heads the table in a document.
const tableHead = "| measure | value | ratio | to | floor | aim | | |"

// lineOf is the line of a text that begins so; empty when there is none.
func lineOf(text, begin string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, begin) {
			return strings.TrimRight(line, "\n")
		}
	}
	return ""
}

// draw draws the histogram: the share of requests by how long they took, on a
// logarithmic scale with ten bars for each power of ten.
func (p picture) draw() []byte {
	const width, height, left, bottom, perDecade = 720, 260, 50, 40, 10
	bars := map[int]int64{}
	var most, all int64
	for _, b := range p.micros.Distribution() {
		if b.Count > 0 {
			at := int(math.Floor(math.Log10(float64(max(1, b.From))) * perDecade))
			bars[at] += b.Count
			most, all = max(most, bars[at]), all+b.Count
		}
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width, height)
	fmt.Fprintf(&out, `<rect width="%d" height="%d" fill="white"/><text x="%d" y="18" font-size="14">%s</text>`+"\n", width, height, left, html.EscapeString(p.title))
	if all > 0 {
		first, last := slices.Min(slices.Collect(maps.Keys(bars))), slices.Max(slices.Collect(maps.Keys(bars)))
		step := float64(width-left-20) / float64(last-first+1)
		floor, room := float64(height-bottom), float64(height-bottom-40)
		for at := first; at <= last; at++ {
			x, tall := left+step*float64(at-first), room*float64(bars[at])/float64(most)
			fmt.Fprintf(&out, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="#4472a8"/>`+"\n", x, floor-tall, max(1, step-1), tall)
			if at%perDecade == 0 || at == first {
				fmt.Fprintf(&out, `<text x="%.1f" y="%.1f">%.3g ms</text>`+"\n", x, floor+16, math.Pow(10, float64(at)/perDecade)/1000)
			}
		}
		fmt.Fprintf(&out, `<text x="4" y="52">%.0f %%</text><line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="black"/>`+"\n",
			100*float64(most)/float64(all), left, floor, width-20, floor)
		ms := func(q float64) float64 { return float64(p.micros.ValueAtQuantile(q)) / 1000 }
		fmt.Fprintf(&out, `<text x="%d" y="%d">%d requests: p50 %.2f ms, p95 %.2f ms, p99 %.2f ms, max %.2f ms</text>`+"\n",
			left, height-6, all, ms(50), ms(95), ms(99), float64(p.micros.Max())/1000)
	}
	fmt.Fprintln(&out, "</svg>")
	return out.Bytes()
}
