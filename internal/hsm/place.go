package hsm

import "fmt"

// PlaceOf is the additional data of a sealed value: a value moved to another
// row, column or tenant does not open.
func PlaceOf(tenant fmt.Stringer, table, column, row string) []byte {
	return []byte("1|" + tenant.String() + "|" + table + "|" + column + "|" + row)
}
