package vector

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const dir = "../testdata/vectors"

// supported are the files of which every vector must pass.
var supported = strings.Fields(`luhn bin_ranges cvv pvv ibm3624 pin_block pin_translate kcv mac key_components
	emv_icc_mk emv_session_key emv_ac emv_arpc emv_profiles emv_iad emv_script tr31 aes_gcm aes_keywrap`)

func TestRun_everySupportedVectorPasses(t *testing.T) {
	results, err := Run(dir)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]FileResult{}
	for _, r := range results {
		byName[strings.TrimSuffix(filepath.Base(r.File), ".json")] = r
		for _, f := range r.Failures {
			t.Errorf("%s: %s", r.File, f)
		}
	}
	for _, name := range supported {
		r, ok := byName[name]
		if !ok || r.Passed == 0 || r.Failed != 0 || r.Unsupported != 0 {
			t.Errorf("%s: found %t, %d passed, %d failed, %d unsupported; want all passed", name, ok, r.Passed, r.Failed, r.Unsupported)
		}
		delete(byName, name)
	}
	for name, r := range byName {
		if r.Passed != 0 || r.Unsupported == 0 {
			t.Errorf("%s: %d passed, %d unsupported; want it on the list of supported files", name, r.Passed, r.Unsupported)
		}
	}
}

func TestRun_reportsWrongOutputsAndBrokenVectors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.json")
	text := `{"algorithm": "luhn", "vectors": [
		{"id": "a", "op": "check", "in": {"number": "79927398710"}, "out": {"valid": true}},
		{"id": "b", "op": "check", "in": {}, "out": {"error": "any"}},
		{"id": "c", "op": "check", "in": {"number": "79927398710"}, "out": {"error": "any"}},
		{"id": "d", "op": "check", "in": {"number": "79927398710"}, "out": {"other": 1}},
		{"id": "e", "op": "unknown", "in": {}, "out": {}},
		{"id": "f", "op": "check", "in": {"number": "79927398713"}, "out": {"valid": true}}]}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	results, err := Run(path)
	if err != nil {
		t.Fatal(err)
	}
	r := results[0]
	if r.Passed != 1 || r.Failed != 4 || r.Unsupported != 1 || len(r.Failures) != 4 {
		t.Errorf("got %+v, want 1 passed, 4 failed, 1 unsupported", r)
	}
}

func TestRun_refusesWhatIsNoVectorFile(t *testing.T) {
	d := t.TempDir()
	if _, err := Run(d); err == nil {
		t.Error("an empty directory was accepted")
	}
	path := filepath.Join(d, "x.json")
	if err := os.WriteFile(path, []byte(`{"vectors": []}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(path); err == nil {
		t.Error("a file without vectors was accepted")
	}
}
