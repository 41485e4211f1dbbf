package authorization

import (
	"encoding/hex"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/issuing"
)

// visaIAD is tag 9F10 of a Visa chip with the last byte of its CVR: the script
// counter, and 08 for a script that failed.
func visaIAD(last byte) []byte { return []byte{0x06, 0x01, 0x12, 0x03, 0xA0, 0x00, last} }

func TestFollowScript_believesOnlyConfirmations(t *testing.T) {
	results := func(text string) []byte {
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	const sent = 0x0102
	for _, tt := range []struct {
		name    string
		flow    Flow
		entry   string
		atc     int
		fresh   bool
		iad     []byte
		results []byte
		done    bool // confirmed
		again   bool // sent again, with this counter
	}{
		{"the chip counts a script", AuthorizationRequest, "051", sent + 1, true, visaIAD(0x10), nil, true, false},
		{"the chip counts none", AuthorizationRequest, "051", sent + 1, true, visaIAD(0x00), nil, false, true},
		{"the chip says it failed", FinancialRequest, "051", sent + 1, true, visaIAD(0x18), nil, false, true},
		{"through the air", AuthorizationRequest, "071", sent + 1, true, visaIAD(0x10), nil, false, false},
		{"an older transaction comes late", AuthorizationRequest, "051", sent - 1, true, visaIAD(0x10), nil, false, true},
		{"the same transaction's advice with a result", FinancialAdvice, "051", sent, false, visaIAD(0), results("20504E0102"), true, false},
		{"an advice without one", FinancialAdvice, "051", sent, false, visaIAD(0x10), nil, false, false},
		{"a result that is a failure", FinancialAdvice, "051", sent, false, visaIAD(0), results("11504E0102"), false, false},
		{"a result of another script", FinancialAdvice, "051", sent, false, visaIAD(0), results("20504E0101"), false, false},
		{"a result among others", FinancialAdvice, "051", sent, false, visaIAD(0), results("100000000020504E0102"), true, false},
		{"a layout whose results are not known", AuthorizationRequest, "051", sent + 1, true, make([]byte, 32), nil, false, true},
	} {
		d := Decision{isFreshATC: tt.fresh, Card: issuing.CardState{
			Status: issuing.Active, PINStatus: issuing.PINPendingChipUpdate, Script: issuing.ScriptPINChange, ScriptATC: sent,
		}}
		req := &Request{Flow: tt.flow, Chip: &Chip{ATC: [2]byte{byte(tt.atc >> 8), byte(tt.atc)}, IAD: tt.iad, ScriptResults: tt.results}}
		req.EntryMode = tt.entry
		d.followScript(req)
		if got := d.Card.Script == issuing.NoScript; got != tt.done || got != (d.Card.PINStatus == issuing.PINActive) {
			t.Errorf("%s: confirmed is %t, the PIN %s", tt.name, got, d.Card.PINStatus)
		}
		if got := !tt.done && d.Card.ScriptATC == tt.atc && tt.fresh; got != tt.again {
			t.Errorf("%s: sent again is %t", tt.name, got)
		}
		if due := dueScript(req, d.Card) != issuing.NoScript; due != tt.again {
			t.Errorf("%s: the answer carries a script: %t", tt.name, due)
		}
	}
}

// A card that was reported stolen is told nothing, and a PIN that is blocked
// stays so whatever its chip confirms.
func TestFollowScript_leavesStatusesAlone(t *testing.T) {
	d := Decision{isFreshATC: true, Card: issuing.CardState{Status: issuing.Stolen, Script: issuing.ScriptUnblock, ScriptATC: -1}}
	req := &Request{Flow: AuthorizationRequest, Chip: &Chip{ATC: [2]byte{0, 9}, IAD: visaIAD(0)}}
	req.EntryMode = "051"
	if d.followScript(req); d.Card.ScriptATC != -1 {
		t.Error("a stolen card is sent a script")
	}
	d.Card = issuing.CardState{Status: issuing.Active, PINStatus: issuing.PINBlocked, Script: issuing.ScriptPINChange, ScriptATC: 8}
	req.Chip.IAD = visaIAD(0x10)
	if d.followScript(req); d.Card.Script != issuing.NoScript || d.Card.PINStatus != issuing.PINBlocked {
		t.Errorf("script %q, PIN %s", d.Card.Script, d.Card.PINStatus)
	}
}
