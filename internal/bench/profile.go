package bench

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// cpuShares are the parts of a CPU profile, of all that is not the load.
type cpuShares struct {
	Crypto float64 `json:"crypto"`
	// Load is the part of the whole that the load took, which runs in the same
	// process.
	Load float64 `json:"load"`
	// Seconds is the CPU time that the profile saw of the others.
	Seconds float64 `json:"seconds"`
}

// sharesOf takes a CPU profile apart. A sample is the load's when something of the
// simulated world is on its stack, and cryptography when the HSM is.
func sharesOf(profile []byte) (*cpuShares, error) {
	samples, err := readProfile(profile)
	if err != nil {
		return nil, fmt.Errorf("read CPU profile: %w", err)
	}
	var load, crypto, all float64
	for _, s := range samples {
		has := func(part string) bool {
			for _, f := range s.functions {
				if strings.Contains(f, part) {
					return true
				}
			}
			return false
		}
		all += float64(s.nanoseconds)
		switch {
		case has("/internal/sim.") || has("/internal/app.(*bench)"):
			load += float64(s.nanoseconds)
		case has("/internal/hsm"):
			crypto += float64(s.nanoseconds)
		}
	}
	if all == load {
		return nil, nil // it was too short to be sampled
	}
	return &cpuShares{Crypto: crypto / (all - load), Load: load / all, Seconds: (all - load) / 1e9}, nil
}

// sample is one stack of a profile.
type sample struct {
	functions   []string
	nanoseconds uint64
}

// readProfile reads what runtime/pprof writes: a gzipped protocol buffer, of which
// it takes samples, locations, functions and strings.
func readProfile(profile []byte) ([]sample, error) {
	z, err := gzip.NewReader(bytes.NewReader(profile))
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	type raw struct{ locations, values []uint64 }
	var raws []raw
	var texts []string
	names, lines := map[uint64]uint64{}, map[uint64][]uint64{} // of functions; functions of locations
	err = eachField(data, func(field int, _ uint64, body []byte) error {
		switch field {
		case 2: // a sample: its locations, its values
			all, err := numbersOf(body)
			raws = append(raws, raw{all[1], all[2]})
			return err
		case 4: // a location: its id, its lines with their functions
			var id uint64
			var functions []uint64
			err := eachField(body, func(field int, n uint64, line []byte) error {
				if field == 1 {
					id = n
				}
				if field != 4 {
					return nil
				}
				all, err := numbersOf(line)
				functions = append(functions, all[1]...)
				return err
			})
			lines[id] = functions
			return err
		case 5: // a function: its id, its name
			all, err := numbersOf(body)
			if err == nil && (len(all[1]) != 1 || len(all[2]) != 1) {
				err = errProfile
			}
			if err == nil {
				names[all[1][0]] = all[2][0]
			}
			return err
		case 6:
			texts = append(texts, string(body))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out []sample
	for _, r := range raws {
		if len(r.values) < 2 {
			return nil, errProfile
		}
		s := sample{nanoseconds: r.values[1]}
		for _, l := range r.locations {
			for _, f := range lines[l] {
				if n := names[f]; n < uint64(len(texts)) {
					s.functions = append(s.functions, texts[n])
				}
			}
		}
		out = append(out, s)
	}
	return out, nil
}

var errProfile = errors.New("it is not what runtime/pprof writes")

// eachField calls do for each field of a message: a number, or bytes.
func eachField(data []byte, do func(field int, number uint64, body []byte) error) error {
	for len(data) > 0 {
		key, n := binary.Uvarint(data)
		if n <= 0 {
			return errProfile
		}
		data = data[n:]
		value, n := binary.Uvarint(data)
		if n <= 0 {
			return errProfile
		}
		data = data[n:]
		var body []byte
		switch key & 7 {
		case 0:
		case 2:
			if value > uint64(len(data)) {
				return errProfile
			}
			body, data = data[:value], data[value:]
		default:
			return errProfile
		}
		if err := do(int(key>>3), value, body); err != nil {
			return err
		}
	}
	return nil
}

// numbersOf are the numbers in a message that has no other, by field.
func numbersOf(message []byte) (all [8][]uint64, err error) {
	err = eachField(message, func(field int, n uint64, body []byte) error {
		if field < len(all) {
			all[field] = appendNumbers(all[field], n, body)
		}
		return nil
	})
	return all, err
}

// appendNumbers appends a repeated number: one of them, or packed ones.
func appendNumbers(all []uint64, number uint64, body []byte) []uint64 {
	if body == nil {
		return append(all, number)
	}
	for len(body) > 0 {
		v, n := binary.Uvarint(body)
		if n <= 0 {
			return all
		}
		all, body = append(all, v), body[n:]
	}
	return all
}
