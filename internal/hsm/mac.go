package hsm

import "context"

// MACAlgorithm is how a message authentication code is computed. It must fit
// the usage of the key: M1, M3, M6 or M7.
type MACAlgorithm int

// The algorithms. Pad1 fills with zeros and is only for messages of a fixed
// length, Pad2 appends 80 and zeros, Pad3 prefixes the length (ISO 9797-1 §6.3).
const (
	ISO9797Alg1Pad1 MACAlgorithm = 1
	ISO9797Alg1Pad2 MACAlgorithm = 2
	ISO9797Alg1Pad3 MACAlgorithm = 3
	ISO9797Alg3Pad1 MACAlgorithm = 4
	ISO9797Alg3Pad2 MACAlgorithm = 5
	ISO9797Alg3Pad3 MACAlgorithm = 6
	CMAC            MACAlgorithm = 7 // SP 800-38B, AES or TDES by the key
	HMACSHA256      MACAlgorithm = 8
)

// MACs generates and verifies message authentication codes.
type MACs interface {
	// GenerateMAC returns the n leftmost bytes of the MAC; n is at least 4 and
	// at most the algorithm's length.
	GenerateMAC(ctx context.Context, key KeyRef, alg MACAlgorithm, data []byte, n int) ([]byte, error)
	// VerifyMAC compares in constant time. n is the configured length: a mac of
	// another length does not match.
	VerifyMAC(ctx context.Context, key KeyRef, alg MACAlgorithm, data, mac []byte, n int) (bool, error)
}
