package iso8583

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

//go:embed responsecodes.yaml
var responseCodeFile []byte

// systemError is the reason whose code answers when nothing better is known.
const systemError = "SystemError"

// ResponseCodes maps the reasons of decisions to the response codes (field
// 39) of one network. The zero value knows no reason. It is immutable and
// safe for concurrent use.
type ResponseCodes struct {
	codes    map[string]string
	approved []string
}

// responseCodesText is the file of response codes as it is written: for every
// reason one code for each network, in the order of Networks.
type responseCodesText struct {
	Networks []string            `yaml:"networks"`
	Approved []string            `yaml:"approved"`
	Reasons  map[string][]string `yaml:"reasons"`
}

// LoadResponseCodes reads the built-in table for a network: "generic",
// "visa-like", "mastercard-like" or "troy-like".
func LoadResponseCodes(network string) (ResponseCodes, error) {
	var w responseCodesText
	if err := decodeStrict(responseCodeFile, &w); err != nil {
		return ResponseCodes{}, fmt.Errorf("response codes: %w", err)
	}
	column := slices.Index(w.Networks, network)
	if column < 0 {
		return ResponseCodes{}, fmt.Errorf("response codes: network %q is none of %s", network, strings.Join(w.Networks, ", "))
	}
	codes := make(map[string]string, len(w.Reasons))
	for reason, row := range w.Reasons {
		if len(row) != len(w.Networks) {
			return ResponseCodes{}, fmt.Errorf("response codes: %s has not one code for each network", reason)
		}
		codes[reason] = row[column]
	}
	return ResponseCodes{approved: w.Approved}.With(codes)
}

// With returns the table with the codes of override in place of its own, or
// added to it. It refuses codes that are not two letters or digits, and a
// table without a code for SystemError.
func (r ResponseCodes) With(override map[string]string) (ResponseCodes, error) {
	codes := maps.Clone(r.codes)
	if codes == nil {
		codes = map[string]string{}
	}
	var faults []error
	for reason, code := range override {
		if len(code) != 2 || strings.Contains(code, " ") || !kinds["an"].allows([]byte(code)) {
			faults = append(faults, fmt.Errorf("response codes: the code of %s is not two letters or digits", reason))
		}
		codes[reason] = code
	}
	if codes[systemError] == "" {
		faults = append(faults, errors.New("response codes: "+systemError+" has no code"))
	}
	return ResponseCodes{codes: codes, approved: r.approved}, errors.Join(faults...)
}

// Code is the response code for a reason. A reason the table does not know
// gets the code of SystemError, because a request is always answered;
// [ResponseCodes.Knows] tells the difference, and a test of totality needs it.
func (r ResponseCodes) Code(reason string) string {
	if c, ok := r.codes[reason]; ok {
		return c
	}
	return r.codes[systemError]
}

// Knows reports whether the table has a code of its own for a reason.
func (r ResponseCodes) Knows(reason string) bool { return r.codes[reason] != "" }

// Reasons lists the reasons the table knows, sorted.
func (r ResponseCodes) Reasons() []string { return sortedKeys(r.codes) }

// Approves reports whether a response code that another party sent, such as
// the one inside an advice, means that the transaction was approved.
func (r ResponseCodes) Approves(code []byte) bool {
	return slices.Contains(r.approved, string(code))
}

// ResponseCode is [ResponseCodes.Code] of the dialect's own table.
func (d *Dialect) ResponseCode(reason string) string { return d.codes.Code(reason) }

// ResponseCodes is the dialect's own table.
func (d *Dialect) ResponseCodes() ResponseCodes { return d.codes }
