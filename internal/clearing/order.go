package clearing

import "github.com/sarraf-platform/sarraf/internal/id"

// ordered makes the nth identifier of an import: those of one import sort in
// the order of its records, though they are made within one millisecond. It is
// the counter of RFC 9562, 6.2, method 1: 26 bits after the time. What is
// listed by identifier, such as an account's statement, then reads as it was
// posted.
func ordered[E id.Entity](in Import, n int) id.ID[E] {
	b := id.New[E](in.At).Bytes()
	b[6] = 0x70 | byte(n>>22)&0x0F
	b[7] = byte(n >> 14)
	b[8] = 0x80 | byte(n>>8)&0x3F
	b[9] = byte(n)
	return id.FromBytes[E](b)
}
