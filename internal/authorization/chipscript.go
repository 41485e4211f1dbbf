package authorization

import (
	"bytes"
	"context"

	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

// A chip that verifies PINs itself is told of another PIN, or that its tries
// begin anew, by an issuer script: the answer to the card's next transaction at a
// contact terminal carries it, approved or declined (crypto.md §6). Nobody knows
// then whether it arrived. It counts as delivered when one of two things says so
// in a message whose cryptogram is right:
//
//   - the counter of scripts that the chip itself signs in its next cryptogram
//     (CVR), without its mark that a script failed; or
//   - the terminal's result of just this script (tag 9F5B), which the chip does
//     not sign: a lying terminal could only make us stop repeating the script.
//
// Until then every further answer at a contact terminal carries it again, made
// for that transaction. A profile whose CVR is not known is confirmed by the
// terminal only.

// scriptFacts are what a script is made of. They are not recorded.
type scriptFacts struct {
	kind     issuing.ChipScript
	sentWith int // the counter of the transaction whose answer carried it last
	pin      []byte
	store    hsm.KeyRef
	keys     hsm.ScriptKeys
}

// followScript looks for the confirmation of a script that waits, or puts it
// into this answer.
func (d *Decision) followScript(req *Request) {
	c := &d.Card
	if c.Script == issuing.NoScript || !req.atContact() {
		return
	}
	switch {
	case c.ScriptATC >= 0 && req.Chip.confirms(c.ScriptATC, d.isFreshATC):
		c.Script, c.ScriptATC = issuing.NoScript, -1
		if c.PINStatus == issuing.PINPendingChipUpdate {
			c.PINStatus = issuing.PINActive
		}
		d.note("ChipScript", passed("the chip has taken it"))
	case d.isFreshATC && req.isAsked() && (c.Status == issuing.Active || c.Status == issuing.Pending || c.Status == issuing.Inactive):
		c.ScriptATC = req.Chip.counter()
		d.note("ChipScript", passed("sent with the answer"))
	}
}

// atContact reports whether the chip was in the terminal: through the air, a
// script may not reach it.
func (r *Request) atContact() bool { return r.entry() == "05" }

// isAsked reports whether somebody waits for the answer at the terminal.
func (r *Request) isAsked() bool { return r.Flow == AuthorizationRequest || r.Flow == FinancialRequest }

// dueScript is the script that the answer to req carries.
func dueScript(req *Request, c issuing.CardState) issuing.ChipScript {
	if req.Chip == nil || !req.atContact() || !req.isAsked() || c.ScriptATC != req.Chip.counter() {
		return issuing.NoScript
	}
	return c.Script
}

// scriptID names the script that was sent with this counter (tag 9F18).
func scriptID(atc int) [4]byte { return [4]byte{'P', 'N', byte(atc >> 8), byte(atc)} }

// confirms reports whether the chip, or its terminal, says that the script which
// was sent with this counter was carried out. fresh says that the message
// brings a new counter.
func (h *Chip) confirms(sentWith int, fresh bool) bool {
	const succeeded = 2
	name := scriptID(sentWith)
	for rest := h.ScriptResults; len(rest) >= 5; rest = rest[5:] {
		if bytes.Equal(rest[1:5], name[:]) && rest[0]>>4 == succeeded {
			return true
		}
	}
	if !fresh || h.counter() <= sentWith {
		return false
	}
	iad, err := hsm.ParseIAD(h.IAD)
	if err != nil {
		return false
	}
	cvr, known := iad.Results()
	return known && cvr.ScriptCounter > 0 && !cvr.ScriptFailed
}

// PIN CHANGE/UNBLOCK (EMV Book 3, §6.5.10): P2 says what.
var (
	headerUnblock = [4]byte{0x84, 0x24, 0x00, 0x00}
	headerChange  = [4]byte{0x84, 0x24, 0x00, 0x02} // without the current PIN
)

// scriptCommand makes the command for the chip, inside the HSM.
func (e *Engine) scriptCommand(ctx context.Context, req *Request, f *Facts, kind issuing.ChipScript) ([]byte, error) {
	in := hsm.ScriptInput{
		Profile: f.profile, PAN: req.Card.PAN, PSN: f.Card.PSN, ATC: req.Chip.ATC, ARQC: req.Chip.ARQC, Header: headerUnblock,
	}
	if kind == issuing.ScriptUnblock {
		return e.hsm.ScriptMAC(ctx, f.script.keys.SMI, in)
	}
	in.Header = headerChange
	fresh := hsm.PINBlock{Block: f.script.pin, Format: hsm.ISO4, PAN: req.Card.PAN, Key: f.script.store}
	return e.hsm.ScriptPINChange(ctx, f.script.keys, in, fresh, nil)
}
