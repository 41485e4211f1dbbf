package soft

import (
	"context"
	"crypto/subtle"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/hsm/algo"
)

// macMin is the shortest truncation of a MAC, in bytes.
const macMin = 4

// GenerateMAC computes a MAC; see [hsm.MACs].
func (b *Backend) GenerateMAC(_ context.Context, key hsm.KeyRef, alg hsm.MACAlgorithm, data []byte, n int) ([]byte, error) {
	m, err := b.mac(&key, hsm.ModeGenerate, alg, data, n)
	if err != nil {
		return nil, fmt.Errorf("generate MAC: %w", err)
	}
	return m, nil
}

// VerifyMAC compares a MAC in constant time; see [hsm.MACs].
func (b *Backend) VerifyMAC(_ context.Context, key hsm.KeyRef, alg hsm.MACAlgorithm, data, mac []byte, n int) (bool, error) {
	want, err := b.mac(&key, hsm.ModeVerify, alg, data, n)
	if err != nil {
		return false, fmt.Errorf("verify MAC: %w", err)
	}
	return subtle.ConstantTimeCompare(want, mac) == 1, nil
}

func (b *Backend) mac(ref *hsm.KeyRef, mode hsm.Mode, alg hsm.MACAlgorithm, data []byte, n int) ([]byte, error) {
	var usage hsm.Usage
	padding := algo.Zeros
	switch alg {
	case hsm.ISO9797Alg1Pad1, hsm.ISO9797Alg1Pad2, hsm.ISO9797Alg1Pad3:
		usage, padding = hsm.UsageMAC1, algo.Padding(alg-hsm.ISO9797Alg1Pad1)+algo.Zeros
	case hsm.ISO9797Alg3Pad1, hsm.ISO9797Alg3Pad2, hsm.ISO9797Alg3Pad3:
		usage, padding = hsm.UsageMAC3, algo.Padding(alg-hsm.ISO9797Alg3Pad1)+algo.Zeros
	case hsm.CMAC:
		usage = hsm.UsageCMAC
	case hsm.HMACSHA256:
		usage = hsm.UsageHMAC
	default:
		return nil, hsm.ErrNotSupported
	}
	k, err := b.use(ref, mode, usage)
	if err != nil {
		return nil, err
	}
	var m []byte
	switch usage {
	case hsm.UsageMAC1:
		m, err = algo.MAC1(k.block, data, padding)
	case hsm.UsageMAC3:
		m, err = algo.MAC3(k.pair, data, padding)
	case hsm.UsageCMAC:
		m = algo.CMAC(k.block, data)
	case hsm.UsageHMAC:
		m = algo.HMAC256(k.key, data)
	}
	if err != nil || n < macMin || n > len(m) {
		return nil, hsm.ErrFormat
	}
	return m[:n:n], nil
}
