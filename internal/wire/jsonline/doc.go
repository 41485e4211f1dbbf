// Package jsonline reads and writes lines that each hold one JSON object,
// strictly: what the project's own file formats have in common. What a line
// means is for the format that uses it.
package jsonline
