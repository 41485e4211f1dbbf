package network

import (
	"context"
	"errors"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// Reasons that only the network edge gives, beside those of the core.
const (
	formatError          = "FormatError"
	functionNotSupported = "FunctionNotSupported"
)

// answer fills resp with the answer to m and reports whether there is one, and how
// long it took to fill it with what was decided. times is what m took so far.
func (c *connection) answer(ctx context.Context, m, resp *iso8583.Message, parseErr error, times authorization.Times) (filling time.Duration, _ bool) {
	if parseErr != nil {
		c.log.Warn("message not understood", "link", c.link, "mti", m.MTI.String(), "error", parseErr)
		return 0, c.refuse(m, resp, formatError)
	}
	switch {
	case m.MTI.IsResponse():
		c.log.Warn("late or unsolicited response", "link", c.link, "mti", m.MTI.String(), "stan", m.Text(iso8583.STAN))
		return 0, false
	case !c.dialect.Knows(m.MTI):
		return 0, c.refuse(m, resp, functionNotSupported)
	}
	if field, missing := c.dialect.Missing(m); missing {
		c.log.Warn("field missing", "link", c.link, "mti", m.MTI.String(), "stan", m.Text(iso8583.STAN), "field", field)
		return 0, c.refuse(m, resp, formatError)
	}
	if m.MTI.Class() == classNetworkManagement {
		return 0, c.manage(m, resp)
	}
	watch := clock.StartStopwatch()
	req, err := c.decodeRequest(m)
	if err != nil {
		c.log.Warn("message not understood", "link", c.link, "mti", m.MTI.String(), "stan", m.Text(iso8583.STAN), "error", err)
		return 0, c.refuse(m, resp, formatError)
	}
	times[authorization.StageParse] += watch.Elapsed()
	req.Times = times
	a, err := c.core.Authorize(ctx, req)
	if errors.Is(err, authorization.ErrOutcomeUnknown) {
		// Whatever we said could be wrong; silence makes the sender repeat or
		// reverse, and both find out.
		c.log.Error("no answer", "link", c.link, "mti", m.MTI.String(), "stan", req.STAN, "error", err)
		return 0, false
	}
	if errors.Is(err, authorization.ErrOverloaded) { // the core tells the log, not for each
		return 0, c.refuse(m, resp, overloaded)
	}
	if err != nil {
		c.log.Error("no decision", "link", c.link, "mti", m.MTI.String(), "stan", req.STAN, "error", err)
		return 0, c.refuse(m, resp, unavailable(err))
	}
	watch = clock.StartStopwatch()
	if err := c.encodeAnswer(req, a, m, resp); err != nil {
		c.log.Error("answer cannot be built", "transaction", a.Transaction.UUID(), "error", err)
		return 0, c.refuse(m, resp, string(authorization.SystemError))
	}
	return watch.Elapsed(), c.dialect.Answers(m.MTI)
}

// unavailable tells apart what will pass (91, try again) from what will not (96).
func unavailable(err error) string {
	var f *fault.Error
	if errors.As(err, &f) && f.Kind == fault.Unavailable || errors.Is(err, context.DeadlineExceeded) {
		return overloaded
	}
	return string(authorization.SystemError)
}

// refuse answers m with a reason, as far as m was understood. What is no
// request or advice gets no answer.
func (s *Server) refuse(m, resp *iso8583.Message, reason string) bool {
	if !m.MTI.IsRequest() && !m.MTI.IsAdvice() || !m.Has(iso8583.STAN) {
		return false
	}
	if s.dialect.Knows(m.MTI) {
		s.dialect.Echo(m, resp)
	} else {
		resp.MTI = m.MTI.Response()
		for _, n := range []int{iso8583.TransmissionDateTime, iso8583.STAN} {
			if m.Has(n) {
				resp.Set(n, m.Bytes(n))
			}
		}
	}
	resp.SetText(iso8583.ResponseCode, s.dialect.ResponseCode(reason))
	return true
}

const classNetworkManagement = 8

// manage answers sign-on, sign-off and echo. Sign-on is served and not
// demanded: a link may send from its first byte.
func (c *connection) manage(m, resp *iso8583.Message) bool {
	function := c.dialect.NetworkFunction(m.Bytes(iso8583.NetworkManagementCode))
	switch function {
	case iso8583.SignOn, iso8583.SignOff, iso8583.EchoTest:
	default:
		return c.refuse(m, resp, functionNotSupported)
	}
	if function != iso8583.EchoTest {
		c.log.Info("link "+function, "link", c.link)
	}
	c.dialect.Echo(m, resp)
	resp.SetText(iso8583.ResponseCode, c.dialect.ResponseCode(string(authorization.OutcomeApproved)))
	return c.dialect.Answers(m.MTI)
}
