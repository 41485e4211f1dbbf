package authorization

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// Forced are results that a tester wants of the comparisons of one message,
// whatever its bytes say. What is empty is as usual.
type Forced struct {
	ARQC, CVV, CVV2 Result
	// HSMFails says that nothing can be compared, as when the HSM does not answer.
	HSMFails bool
}

// forcings are what testers have asked for, by the key of a message.
type forcings struct {
	wanted atomic.Int64 // how many there are: nearly always none
	byKey  sync.Map     // string → Forced
}

// Force makes the comparisons of one message end as f says, in a sandbox only: for
// a message of a production tenant it does nothing. Done ends that. What was
// forced is recorded in the decision, and no response cryptogram is made for it.
func (e *Engine) Force(key Key, f Forced) (done func()) {
	text := key.String()
	e.forced.byKey.Store(text, f)
	e.forced.wanted.Add(1)
	return func() {
		e.forced.byKey.Delete(text)
		e.forced.wanted.Add(-1)
	}
}

// errForced reaches no API: it answers messages only.
var errForced = fault.New(fault.Unavailable, "hsm_failure_forced", "a tester wants the security module to fail")

// force puts what a tester wants in the place of what was compared.
func (e *Engine) force(req *Request, f *Facts, of access.Environment) error {
	if e.forced.wanted.Load() == 0 || of != access.Sandbox {
		return nil
	}
	kept, found := e.forced.byKey.Load(req.Key().String())
	if !found {
		return nil
	}
	wanted, _ := kept.(Forced)
	if wanted.HSMFails {
		return errForced
	}
	var names []string
	for _, r := range []struct {
		name string
		to   *Result
		want Result
	}{{"arqc", &f.ARQC, wanted.ARQC}, {"cvv", &f.CVV, wanted.CVV}, {"cvv2", &f.CVV2, wanted.CVV2}} {
		if r.want != NotPresent && *r.to != NotPresent && *r.to != r.want {
			*r.to = r.want
			names = append(names, r.name)
		}
	}
	f.Forced = strings.Join(names, " ")
	return nil
}
