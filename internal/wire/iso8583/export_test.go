package iso8583

import "pgregory.net/rapid"

// alphabets of the field types, for drawing values.
var alphabets = map[class]string{
	digits:                             "0123456789",
	letters | space:                    "abcXYZ ",
	digits | letters | space:           "0123456789abcXYZ ",
	digits | letters | space | special: "0123456789abcXYZ *=/\\-.",
	digits | space | special:           "0123456789 *=/-.",
	track:                              "0123456789=D",
	signed | digits:                    "0123456789",
}

// Allows reports whether text[from:to] is of a field type, such as "ans".
func Allows(fieldType string, text []byte, from, to int) bool {
	return kinds[fieldType].class.allows(text, from, to)
}

// DrawValue draws a value that fills field n of d: of full length when the
// field is fixed, of any length when it is not.
func DrawValue(t *rapid.T, d *Dialect, n int) []byte {
	f := &d.fields[n]
	size := rapid.IntRange(int(f.min), int(f.max)).Draw(t, "size")
	if f.kind.binary {
		return rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "bytes")
	}
	alphabet := []byte(alphabets[f.kind.class])
	v := rapid.SliceOfN(rapid.SampledFrom(alphabet), size, size).Draw(t, "text")
	if f.kind.class&signed != 0 {
		v[0] = rapid.SampledFrom([]byte("CD")).Draw(t, "sign")
	}
	return v
}
