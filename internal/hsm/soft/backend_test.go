package soft

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/hsm/hsmtest"
)

func fresh(t testing.TB) *Backend {
	t.Helper()
	root := make([]byte, rootLen)
	if _, err := rand.Read(root); err != nil {
		t.Fatal(err)
	}
	b, err := New(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func TestBackend_conforms(t *testing.T) { hsmtest.Exercise(t, fresh(t)) }

func TestOpen_readsTheSameRootAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "root.key")
	if _, err := Open(Config{RootKeyFile: path}); !errors.Is(err, ErrRootKeyMissing) {
		t.Errorf("missing file: got %v, want %v", err, ErrRootKeyMissing)
	}
	first, err := Open(Config{RootKeyFile: path, Create: true})
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v, want 0600", info.Mode(), err)
	}
	sealed, err := first.Seal(t.Context(), "t", "p", []byte("x"), nil)
	if err != nil {
		t.Fatal(err)
	}
	key, err := first.GenerateKey(t.Context(), "t", hsmtest.Spec("k", hsm.UsageCVK, true))
	if err != nil {
		t.Fatal(err)
	}
	second, err := Open(Config{RootKeyFile: path, Create: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.Open(t.Context(), "t", "p", sealed, nil); err != nil {
		t.Errorf("a value sealed before: %v", err)
	}
	if _, err := second.RevealKey(t.Context(), key); err != nil {
		t.Errorf("a key made before: %v", err)
	}
	if _, err := fresh(t).RevealKey(t.Context(), key); !errors.Is(err, hsm.ErrIntegrity) {
		t.Errorf("a key of another root: got %v, want %v", err, hsm.ErrIntegrity)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files left in the directory, want 1", len(entries))
	}
}

func TestOpen_refusesFilesOpenToOthersAndMalformedOnes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "root.key")
	good := strings.Repeat("A5", 32)
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
	}{
		"group":     {good, 0o640},
		"world":     {good, 0o604},
		"short":     {good[2:], 0o600},
		"long":      {good + "00", 0o600},
		"letters":   {strings.Repeat("zz", 32), 0o600},
		"empty":     {"", 0o600},
		"huge file": {strings.Repeat("A", 8192), 0o600},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		_, err := Open(Config{RootKeyFile: path, Create: true})
		if !errors.Is(err, ErrRootKeyFile) {
			t.Errorf("%s: got %v, want %v", name, err, ErrRootKeyFile)
		} else if c.text != "" && strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: the error quotes the file", name)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(Config{RootKeyFile: filepath.Dir(path)}); !errors.Is(err, ErrRootKeyFile) {
		t.Errorf("directory: got %v, want %v", err, ErrRootKeyFile)
	}
}

func TestOpen_derivesTheRootFromAPassphrase(t *testing.T) {
	if testing.Short() {
		t.Skip("Argon2id takes a while")
	}
	dir := t.TempDir()
	c := Config{PassphraseFile: filepath.Join(dir, "passphrase"), ParametersFile: filepath.Join(dir, "root.params"), Create: true}
	write := func(text string) {
		if err := os.WriteFile(c.PassphraseFile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("short\n")
	if _, err := Open(c); !errors.Is(err, ErrPassphrase) {
		t.Errorf("short passphrase: got %v, want %v", err, ErrPassphrase)
	}
	write("correct horse battery staple\n")
	first, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	c.Create = false
	second, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.prk, second.prk) {
		t.Error("the same passphrase gives another root")
	}
	write("correct horse battery stable\n")
	if _, err := Open(c); !errors.Is(err, ErrPassphrase) {
		t.Errorf("wrong passphrase: got %v, want %v", err, ErrPassphrase)
	}
	write("correct horse battery staple\n")
	params, err := os.ReadFile(c.ParametersFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{{"m=131072", "m=8"}, {"t=3", "t=1"}, {"m=131072", "m=999999999"}, {"argon2id", "argon2i"}, {"salt=", "salt=zz"}} {
		weaker := strings.Replace(string(params), change[0], change[1], 1)
		if err := os.Chmod(c.ParametersFile, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(c.ParametersFile, []byte(weaker), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(c); !errors.Is(err, ErrRootKeyFile) {
			t.Errorf("%s: got %v, want %v", change[1], err, ErrRootKeyFile)
		}
	}
	if err := os.Remove(c.ParametersFile); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(c); !errors.Is(err, ErrRootKeyMissing) {
		t.Errorf("no parameters: got %v, want %v", err, ErrRootKeyMissing)
	}
	if err := os.Chmod(c.PassphraseFile, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(c); !errors.Is(err, ErrRootKeyFile) {
		t.Errorf("readable passphrase: got %v, want %v", err, ErrRootKeyFile)
	}
}

func TestClose_makesEverythingUnavailable(t *testing.T) {
	b := fresh(t)
	ctx := t.Context()
	key, err := b.GenerateKey(ctx, "t", hsmtest.Spec("k", hsm.UsageCVK, true))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Health(ctx); err != nil {
		t.Errorf("health: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
	calls := map[string]func() error{
		"health":   func() error { return b.Health(ctx) },
		"random":   func() error { _, err := b.Random(ctx, 8); return err },
		"reveal":   func() error { _, err := b.RevealKey(ctx, key); return err },
		"generate": func() error { _, err := b.GenerateKey(ctx, "t", hsmtest.Spec("k", hsm.UsageCVK, true)); return err },
		"seal":     func() error { _, err := b.Seal(ctx, "t", "p", nil, nil); return err },
		"open":     func() error { _, err := b.Open(ctx, "t", "p", nil, nil); return err },
		"index":    func() error { _, err := b.Index(ctx, "t", "p", nil); return err },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, hsm.ErrUnavailable) {
			t.Errorf("%s: got %v, want %v", name, err, hsm.ErrUnavailable)
		}
	}
}

// TestDerivation_isWhatTheDocumentSays pins the derivation: values stored today
// must open after any change of this package.
func TestDerivation_isWhatTheDocumentSays(t *testing.T) {
	got := derivationLabel("seal", "pan", "t1")
	want := "\x01\x00\x04seal\x00\x03pan\x00\x02t1"
	if got != want {
		t.Errorf("info %q, want %q", got, want)
	}
	b, err := New(bytes.Repeat([]byte{0x42}, 32))
	if err != nil {
		t.Fatal(err)
	}
	index, err := b.Index(t.Context(), "t1", "pan", []byte("9792060000000017"))
	if err != nil {
		t.Fatal(err)
	}
	if got := upperHex(index); got != goldenIndex {
		t.Errorf("index %s, want %s", got, goldenIndex)
	}
}

// goldenIndex was computed by another implementation of the derivation.
const goldenIndex = "69A0A35E3C8805A9E084732D75C1BE9204371D5A1359701B4A9DC7DEBAF37433"

func TestWeak_knowsRunsAndRepeats(t *testing.T) {
	for pin, want := range map[string]bool{
		"0000": true, "1111": true, "0123": true, "3210": true, "1112": true, "2111": true, "123456": true, "987654": true, "112233": false,
		"1357": false, "2580": false, "1123": false, "7890": false, "121212": false,
	} {
		if got := weak(pin, nil); got != want {
			t.Errorf("%s: got %t, want %t", pin, got, want)
		}
	}
}
