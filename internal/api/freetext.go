package api

import "github.com/danielgtaylor/huma/v2"

// FreeText is text that people type: notes, descriptions, reasons, names. A
// card number in it refuses the request, since such text is stored, shown and
// logged as it is.
type FreeText string

// freeTextMark marks the schema of free text.
const freeTextMark = "x-free-text"

// Schema is a string with the mark by which [Check] finds it.
func (FreeText) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Extensions: map[string]any{freeTextMark: true}}
}
