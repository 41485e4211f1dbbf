package network

import (
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// Codes are the response codes of every network, for the core.
type Codes struct {
	byNetwork map[string]iso8583.ResponseCodes
	fallback  iso8583.ResponseCodes
}

// LoadCodes reads the tables. It fails when one lacks an outcome that the core
// can give.
func LoadCodes() (*Codes, error) {
	c := &Codes{byNetwork: map[string]iso8583.ResponseCodes{}}
	for _, name := range []string{"generic", "visa-like", "mastercard-like", "troy-like"} {
		table, err := iso8583.LoadResponseCodes(name)
		if err != nil {
			return nil, fmt.Errorf("response codes of %s: %w", name, err)
		}
		for _, o := range authorization.Outcomes() {
			if !table.Knows(string(o)) {
				return nil, fmt.Errorf("response codes of %s: %s is missing", name, o)
			}
		}
		c.byNetwork[name] = table
	}
	c.fallback = c.byNetwork["generic"]
	return c, nil
}

// ResponseCode is DE39 for an outcome on a network; an unknown network is
// answered like the generic one.
func (c *Codes) ResponseCode(network string, o authorization.Outcome) string {
	if t, ok := c.byNetwork[network]; ok {
		return t.Code(string(o))
	}
	return c.fallback.Code(string(o))
}
