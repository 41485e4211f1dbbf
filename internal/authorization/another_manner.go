package authorization

import "context"

// byPIN looks whether the request would be approved with the right PIN, where one
// can be asked for: the card is at the terminal.
func (q *inquiry) byPIN(ctx context.Context) (*Counterfactual, error) {
	if present, known := q.record.Request.CardPresent(); q.record.Facts.PIN != NotPresent || !present || !known {
		return nil, nil
	}
	f := q.record.Facts
	f.PIN = Match
	ok, err := q.approves(ctx, &q.record.Request, f)
	if !ok || err != nil {
		return nil, err
	}
	return &Counterfactual{Change: WithPIN}, nil
}

// by3DSecure looks whether the request would be approved with a cardholder whom
// 3-D Secure has authenticated, where that can be: an order over a network.
func (q *inquiry) by3DSecure(ctx context.Context) (*Counterfactual, error) {
	req := q.record.Request
	if !req.isRemote() || req.Is3DSAuthenticated() && req.HasCAVV {
		return nil, nil
	}
	req.HasCAVV = true
	if len(req.ECI) == 3 {
		req.ECI = req.ECI[:2] + string(sliAuthenticated)
	} else {
		req.ECI = eciAuthenticated
	}
	ok, err := q.approves(ctx, &req, q.record.Facts)
	if !ok || err != nil {
		return nil, err
	}
	return &Counterfactual{Change: With3DSecure}, nil
}
