// Package paper puts a document of facts and tables on pages, as PDF. It knows
// nothing of what they say. The same document is the same bytes.
package paper

import (
	"fmt"
	"io"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
)

// Document is what is put on pages.
type Document struct {
	From  string // who gives it out
	Title string
	Lang  string    // BCP 47
	At    time.Time // said to be when it was made
	Facts []Fact
	// Tables follow one another.
	Tables []Table
	Foot   string // on every page, before its number and how many there are
}

// Fact is a name and a value.
type Fact struct{ Name, Value string }

// Table is a heading and rows under columns.
type Table struct {
	Title   string
	Columns []Column
	Rows    [][]string // of each a text for each column
}

// Column is a column of a table.
type Column struct {
	Name string
	// Share is how wide it is, of the shares of all.
	Share float64
	// IsNumber puts its texts to the right.
	IsNumber bool
}

const (
	margin, lineHeight   = 15.0, 5.0 // millimetres
	bottom               = margin + lineHeight
	pageWidth            = 210.0
	titleSize, textSize  = 14.0, 8.0        // points
	headHeight           = 4*lineHeight + 1 // of the heading of a table, with its first row
	factWidth, cutMark   = 55.0, "…"
	family, heavy, plain = "Go", "B", ""
	pages                = "{pages}" // stands for how many there are until that is known
)

// Write writes a document as PDF.
func Write(w io.Writer, d Document) error {
	p := fpdf.New("P", "mm", "A4", "")
	p.AddUTF8FontFromBytes(family, plain, goregular.TTF)
	p.AddUTF8FontFromBytes(family, heavy, gobold.TTF)
	p.SetTitle(d.Title, true)
	p.SetLang(d.Lang)
	p.SetProducer("sarraf", true)
	p.SetCreationDate(d.At)
	p.SetModificationDate(d.At)
	p.SetCatalogSort(true) // else the order of its parts is that of a map
	p.SetMargins(margin, margin, margin)
	p.SetAutoPageBreak(true, bottom)
	p.AliasNbPages(pages)
	p.SetFooterFunc(func() {
		p.SetY(-margin)
		p.SetFont(family, plain, textSize)
		p.CellFormat(0, lineHeight, fmt.Sprintf("%s – %d/%s", d.Foot, p.PageNo(), pages), "", 0, "L", false, 0, "")
	})
	p.AddPage()
	p.SetFont(family, plain, textSize+2)
	p.CellFormat(0, lineHeight, d.From, "", 1, "L", false, 0, "")
	p.SetFont(family, heavy, titleSize)
	p.CellFormat(0, 2*lineHeight, d.Title, "", 1, "L", false, 0, "")
	for _, f := range d.Facts {
		p.SetFont(family, plain, textSize)
		p.CellFormat(factWidth, lineHeight, f.Name, "", 0, "L", false, 0, "")
		p.SetFont(family, heavy, textSize)
		p.CellFormat(0, lineHeight, f.Value, "", 1, "L", false, 0, "")
	}
	for _, t := range d.Tables {
		t.write(p)
	}
	if err := p.Output(w); err != nil {
		return fmt.Errorf("write PDF: %w", err)
	}
	return nil
}

func (t Table) write(p *fpdf.Fpdf) {
	shares := 0.0
	for _, c := range t.Columns {
		shares += c.Share
	}
	row := func(texts []string, style, border string) {
		p.SetFont(family, style, textSize)
		for i, c := range t.Columns {
			align, next := "L", 0
			if c.IsNumber {
				align = "R"
			}
			if i == len(t.Columns)-1 {
				next = 1
			}
			width := (pageWidth - 2*margin) * c.Share / shares
			p.CellFormat(width, lineHeight, fit(p, texts[i], width), border, next, align, false, 0, "")
		}
	}
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	_, pageHeight := p.GetPageSize()
	hasRoom := func(height float64) bool { return p.GetY()+height <= pageHeight-bottom }
	if !hasRoom(headHeight) { // no heading stands alone
		p.AddPage()
	} else {
		p.Ln(lineHeight)
	}
	p.SetFont(family, heavy, textSize+2)
	p.CellFormat(0, lineHeight+1, t.Title, "", 1, "L", false, 0, "")
	row(names, heavy, "B")
	for _, texts := range t.Rows {
		if !hasRoom(lineHeight) {
			p.AddPage()
			row(names, heavy, "B")
		}
		row(texts, plain, "")
	}
}

// fit cuts a text that is wider than its column.
func fit(p *fpdf.Fpdf, text string, width float64) string {
	text = strings.ReplaceAll(text, "₺", "TL") // the font has no such sign
	const gap = 2.5                            // what a cell keeps free
	if p.GetStringWidth(text) <= width-gap {
		return text
	}
	runes := []rune(text)
	for len(runes) > 0 && p.GetStringWidth(string(runes)+cutMark) > width-gap {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + cutMark
}
