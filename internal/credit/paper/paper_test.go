package paper_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
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

// texts are the contents of the pages, in order.
func texts(t *testing.T, pdf []byte) (pages []string) {
	t.Helper()
	for part := range bytes.SplitSeq(pdf, []byte("\nstream\n")) {
		r, err := zlib.NewReader(bytes.NewReader(part))
		if err != nil {
			continue
		}
		plain, err := io.ReadAll(r)
		if err != nil || !bytes.Contains(plain, []byte("BT ")) {
			continue // a font
		}
		pages = append(pages, strings.ReplaceAll(string(plain), "\x00", ""))
	}
	return pages
}

func TestWrite_namesTheColumnsOnEveryPage(t *testing.T) {
	pages := texts(t, write(t, document(100)))
	for i, page := range pages {
		if strings.Count(page, "(Number)") != 1 {
			t.Errorf("page %d does not name its columns once", i+1)
		}
		if want := fmt.Sprintf(" %d/%d)", i+1, len(pages)); !strings.Contains(page, want) {
			t.Errorf("page %d does not say%s", i+1, want)
		}
	}
	if len(pages) != 3 {
		t.Errorf("%d pages are read", len(pages))
	}
}

// Wherever a page ends, the heading of a table is on that of its first row.
func TestWrite_leavesNoHeadingAlone(t *testing.T) {
	for rows := 30; rows < 60; rows++ {
		d := document(rows)
		d.Tables = append(d.Tables, paper.Table{Title: "Last", Columns: d.Tables[0].Columns, Rows: [][]string{{"first row", "1"}}})
		for i, page := range texts(t, write(t, d)) {
			if strings.Contains(page, "(Last)") != strings.Contains(page, "(first row)") {
				t.Errorf("after %d rows, page %d has a heading or a row alone", rows, i+1)
			}
		}
	}
}

func TestWrite_hasASignForLira(t *testing.T) {
	d := document(1)
	d.Tables[0].Rows[0][0] = "100₺"
	if page := texts(t, write(t, d))[0]; !strings.Contains(page, "(100TL)") {
		t.Error("the font has no such sign")
	}
}
