package iso8583

// Names of the network management functions that every dialect gives a code.
// A dialect may name more.
const (
	SignOn   = "sign_on"
	SignOff  = "sign_off"
	EchoTest = "echo"
)

// NetworkCode is the network management code of a function, such as "301" for
// [EchoTest]; empty when the dialect does not know the function.
func (d *Dialect) NetworkCode(function string) string { return d.network[function] }

// NetworkFunction is the function that a network management code stands for,
// empty when the dialect does not know the code.
func (d *Dialect) NetworkFunction(code []byte) string {
	for name, c := range d.network {
		if c == string(code) {
			return name
		}
	}
	return ""
}
