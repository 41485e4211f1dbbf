package bench

import (
	"fmt"
	"io"
	"time"
)

// progress tells what is being measured, and how much there is left to measure.
type progress struct {
	w    io.Writer // nil tells nobody
	left time.Duration
}

func newProgress(w io.Writer, all time.Duration) *progress { return &progress{w, all} }

// step says what is measured now, and how long that takes.
func (p *progress) step(name string, takes time.Duration) {
	p.tell("%s (at least %s left)", name, p.left.Round(time.Second))
	p.left = max(0, p.left-takes)
}

// round is step in one of several rounds, counted from zero.
func (p *progress) round(round, rounds int, name string, takes time.Duration) {
	p.step(fmt.Sprintf("round %d of %d: %s", round+1, rounds, name), takes)
}

// prepare says what is got ready; how long that takes nobody knows.
func (p *progress) prepare(name string) {
	p.tell("preparing %s (at least %s left to measure)", name, p.left.Round(time.Second))
}

// end says that everything is measured.
func (p *progress) end() { p.tell("measured") }

func (p *progress) tell(format string, args ...any) {
	if p.w != nil {
		fmt.Fprintf(p.w, format+"\n", args...)
	}
}
