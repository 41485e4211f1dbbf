package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What README.md tells a newcomer to type works as it stands there, and what
// docs/controls.md and docs/testing.md tell after it.
func TestREADME_firstCardByCurl(t *testing.T) {
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("CI needs %s: %v", tool, err)
			}
			t.Skipf("no %s", tool)
		}
	}
	dir := t.TempDir()
	if err := os.Symlink(binary, filepath.Join(dir, "sarraf")); err != nil {
		t.Fatal(err)
	}
	s := serve(t, filepath.Join(dir, "sarraf-data"))
	var commands strings.Builder
	for _, page := range []string{"../README.md", "../docs/controls.md", "../docs/testing.md"} { // which go on where the first ends
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range regexp.MustCompile("(?s)```bash\n(.*?)```").FindAllSubmatch(text, -1) {
			commands.Write(block[1])
			commands.WriteString("\necho\n")
		}
	}
	addresses := strings.NewReplacer("127.0.0.1:8080", s.api, "127.0.0.1/8583", strings.Replace(s.network, ":", "/", 1))
	c := exec.Command("bash", "-u", "-c", addresses.Replace(commands.String()))
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		t.Errorf("bash: %v", err)
	}
	for _, want := range []string{`"posted":500.00,"held":0.00`, "\n00\n", `"posted":500.00,"held":125.50,"available":374.50`,
		"JEWELS: declines, only monitored", "instead      100.00 TRY would have been approved", "JEWELS: The control has no link",
		`"responseCode":"00"`, `"pinResult":"Valid"`, `"cvv2Result":"M"`, `"arqcResult":"Invalid"`, `"step":"Arpc"`, `"originalStatus":"Voided"`,
		`"status":"Reversed"`, `"matchStatus":"MatchedWithDifference"`, `"matchStatus":"RefundMatched"`, `{"pin":"7392"}`, `"isValid":true`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the commands of the documents do not print %q; they print\n%s", want, out)
		}
	}
	if strings.Contains(string(out), "atcBefore -1") {
		t.Error("a card that was not used before has a counter before the first")
	}
	if out, err := exec.Command(binary, "verify", "--data", filepath.Join(dir, "sarraf-data")).CombinedOutput(); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
}
