package persofile

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sarraf-platform/sarraf/internal/wire/jsonline"
)

// A line that is read is written and read again as the same. The readers see
// whole files, whose digest no change of a byte survives; this sees what stands
// behind it.
func FuzzLine(f *testing.F) {
	files, err := filepath.Glob("testdata/*.jsonl")
	if err != nil || len(files) == 0 {
		f.Fatalf("there are no samples: %v", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			f.Add(bytes.TrimSpace(line))
		}
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		readsBack(t, line, readCard, func(c *Card) any { return c.text() })
		readsBack(t, line, readEvent, func(e *Event) any { return e.text() })
		for _, format := range []string{orderFormat, statusFormat} {
			readsBack(t, line, func(line []byte) (Header, *jsonline.Fault) { return readHeader(line, format) }, func(h *Header) any { return h.text(format) })
		}
	})
}

func readsBack[T any](t *testing.T, line []byte, read func([]byte) (T, *jsonline.Fault), text func(*T) any) {
	t.Helper()
	first, refused := read(line)
	if refused != nil {
		return
	}
	again, err := json.Marshal(text(&first))
	if err != nil {
		t.Fatal(err)
	}
	second, refused := read(again)
	if refused != nil {
		t.Fatalf("%T is written as %s, which is refused: %+v", first, again, refused)
	}
	if diff := cmp.Diff(second, first); diff != "" {
		t.Fatal(diff)
	}
}
