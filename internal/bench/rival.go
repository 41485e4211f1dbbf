package bench

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// compareRival runs the test that lets our codec and moov-io/iso8583 take turns. The
// product does not depend on that, so it takes the source and the Go tool.
func (r *comparing) compareRival(ctx context.Context) error {
	if r.options.Checkout == "" {
		return nil
	}
	r.progress.step("the codec against moov-io/iso8583", 0)
	command := exec.CommandContext(ctx, "go", "-C", filepath.Join(r.options.Checkout, "test"), "test", "-run", "xxx", "-bench", "Contest",
		"-benchtime", strconv.Itoa(max(15, r.options.Rounds))+"x", "./iso8583")
	output, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("run the contest of codecs: %w: %s", err, output)
	}
	for _, name := range []string{"pack", "unpack"} {
		units, err := contestOf(string(output), name)
		if err != nil {
			return err
		}
		m := r.row(name + " against moov-io/iso8583")
		m.Value, m.Ratio = some(units["ns/sarraf"]), some(units["ratio"])
		m.Note = fmt.Sprintf("theirs takes %.0f ns; %.0f allocations beside %.0f", units["ns/moov"], units["allocs/sarraf"], units["allocs/moov"])
	}
	return nil
}

var errContest = errors.New("the contest of codecs did not tell its figures")

// contestOf reads what a line of a benchmark says, by unit.
func contestOf(output, name string) (map[string]float64, error) {
	for line := range strings.Lines(output) {
		fields := strings.Fields(line)
		if len(fields) < 2 || !strings.HasPrefix(fields[0]+"-", "BenchmarkContest/"+name+"-") {
			continue
		}
		units := map[string]float64{}
		for i := 2; i+1 < len(fields); i += 2 {
			v, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, errContest
			}
			units[fields[i+1]] = v
		}
		for _, unit := range []string{"ns/sarraf", "ns/moov", "ratio", "allocs/sarraf", "allocs/moov"} {
			if _, told := units[unit]; !told {
				return nil, errContest
			}
		}
		return units, nil
	}
	return nil, errContest
}
