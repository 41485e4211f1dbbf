package paper_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/credit/paper"
)

func document(rows int) paper.Document {
	d := paper.Document{
		Title: "Title", Lang: "en", At: time.Date(2031, 3, 14, 0, 0, 0, 0, time.UTC), Facts: []paper.Fact{{Name: "Name", Value: "Value"}}, Foot: "Foot",
		Tables: []paper.Table{{Title: "Table", Columns: []paper.Column{{Name: "Text", Share: 3}, {Name: "Number", Share: 1, IsNumber: true}}}},
	}
	for i := range rows {
		d.Tables[0].Rows = append(d.Tables[0].Rows, []string{strings.Repeat("wide ", 99), fmt.Sprint(i)})
	}
	return d
}

func write(t *testing.T, d paper.Document) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := paper.Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWrite_isTheSameForTheSameDocument(t *testing.T) {
	one, again, other := write(t, document(3)), write(t, document(3)), write(t, document(4))
	if !bytes.HasPrefix(one, []byte("%PDF-1.")) || !bytes.Contains(one, []byte("%%EOF")) {
		t.Error("it is no PDF")
	}
	if !bytes.Equal(one, again) {
		t.Error("the same document was written otherwise")
	}
	if bytes.Equal(one, other) {
		t.Error("another document was written the same")
	}
}

func TestWrite_beginsPagesAsItNeedsThem(t *testing.T) {
	for rows, pages := range map[int]int{1: 1, 100: 3} {
		if got := bytes.Count(write(t, document(rows)), []byte("/Type /Page\n")); got != pages {
			t.Errorf("%d rows take %d pages, want %d", rows, got, pages)
		}
	}
}
