package test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestDemo_goesAsToldOnBothEngines runs the story twice on one database each:
// a kept database must not be in the way.
func TestDemo_goesAsToldOnBothEngines(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		for range 2 {
			steps := 0
			output := run(t, append([]string{"demo", "--once", "--json", "--http-addr", "127.0.0.1:0", "--network-addr", "127.0.0.1:0"}, flags...)...)
			for line := range bytes.Lines(output) {
				var step struct {
					Step     int      `json:"step"`
					OK       bool     `json:"ok"`
					Problems []string `json:"problems"`
				}
				if err := json.Unmarshal(line, &step); err != nil {
					t.Fatalf("%v: %s", err, line)
				}
				if steps++; step.Step != steps || !step.OK {
					t.Errorf("step %d of %d: %v", step.Step, steps, step.Problems)
				}
			}
			if steps != 33 {
				t.Errorf("got %d steps, want 33", steps)
			}
		}
		run(t, append([]string{"verify"}, flags...)...)
	})
}

// TestDemo_saysHowToGoOn does what the demo says one could do next, to the
// letter.
func TestDemo_saysHowToGoOn(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl")
	}
	command := exec.Command(binary, "demo", "--http-addr", freeAddr(t), "--network-addr", freeAddr(t))
	var log bytes.Buffer
	command.Stderr = &log
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { command.Process.Kill() })
	var script strings.Builder
	telling := false
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "The next request, by curl:") {
			telling = true
			continue
		}
		if telling {
			script.WriteString(line + "\n")
		}
		if strings.Contains(line, "/sandbox/card-info") {
			lines.Scan()
			script.WriteString(lines.Text() + "\n")
			break
		}
	}
	shell := exec.Command("sh", "-c", "set -e\n"+script.String())
	answers, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, script.String(), answers)
	}
	for _, want := range []string{`"isRepeated":false`, `"available":58.8`, `"totalCount":`, `InsufficientFunds`, `"iccMasterKey"`} {
		if !strings.Contains(string(answers), want) {
			t.Errorf("the answers lack %s:\n%s", want, answers)
		}
	}
	if strings.Contains(string(answers), `"error"`) {
		t.Errorf("something was refused:\n%s", answers)
	}
	if err := command.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
	}
	if err := command.Wait(); err != nil {
		t.Errorf("the demo ended with %v\n%s", err, log.String())
	}
}
