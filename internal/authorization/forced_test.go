package authorization

import (
	"testing"

	"github.com/sarraf-platform/sarraf/internal/access"
)

// A tester's wish counts for one message of a sandbox, and no longer than it is
// wanted; what did not come with the message is not made up.
func TestForce_isForOneMessageOfASandbox(t *testing.T) {
	e := &Engine{}
	req := &Request{Details: Details{Link: "generic", MTI: "0100", STAN: "000001"}}
	other := &Request{Details: Details{Link: "generic", MTI: "0100", STAN: "000002"}}
	done := e.Force(req.Key(), Forced{ARQC: Match, CVV2: Match})
	for _, c := range []struct {
		what  string
		req   *Request
		of    access.Environment
		names string
	}{
		{"in production", req, access.Production, ""},
		{"another message", other, access.Sandbox, ""},
		{"the message", req, access.Sandbox, "arqc"},
	} {
		f := &Facts{ARQC: NoMatch}
		if err := e.force(c.req, f, c.of); err != nil {
			t.Fatal(err)
		}
		if f.Forced != c.names || (f.ARQC == Match) != (c.names != "") || f.CVV2 != NotPresent {
			t.Errorf("%s: forced %q, ARQC %q, CVV2 %q", c.what, f.Forced, f.ARQC, f.CVV2)
		}
	}
	done()
	f := &Facts{ARQC: NoMatch}
	if err := e.force(req, f, access.Sandbox); err != nil || f.Forced != "" {
		t.Errorf("after the end: forced %q, %v", f.Forced, err)
	}
}
