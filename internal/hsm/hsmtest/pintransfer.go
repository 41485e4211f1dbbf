package hsmtest

import (
	"errors"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/hsm"
)

// offsetTransfer: the cardholder types the same PIN, and the new number's
// offset verifies it.
func (s suite) offsetTransfer(t *testing.T) {
	ctx := t.Context()
	old, fresh := mustPAN(t, number), mustPAN(t, other)
	from, to := s.key(t, Spec("old", hsm.UsagePVKIBM3624, true)), s.key(t, Spec("new", hsm.UsagePVKIBM3624, true))
	visa := s.key(t, Spec("pvk", hsm.UsagePVKVisa, true))
	for _, p := range s.settings(t) {
		v, err := s.b.NewVerifier(ctx, from, s.block(t, p, number, "258037"), hsm.PINRules{Length: 6})
		if err != nil {
			t.Fatalf("%s: %v", p.format, err)
		}
		moved, err := s.b.TransferOffset(ctx, hsm.OffsetTransfer{From: from, Old: old, Offset: v, To: to, New: fresh})
		if err != nil {
			t.Fatalf("%s: transfer: %v", p.format, err)
		}
		for digits, want := range map[string]bool{"258037": true, "258038": false} {
			if ok, err := s.b.VerifyPIN(ctx, to, s.block(t, p, other, digits), moved); err != nil || ok != want {
				t.Errorf("%s: got %v, %v, want %v", p.format, ok, err, want)
			}
		}
		for name, bad := range map[string]hsm.OffsetTransfer{
			"a PVV":                 {From: visa, Old: old, Offset: hsm.Verifier{Method: hsm.PVV, PVKI: 1, Value: "1234"}, To: to, New: fresh},
			"a PVV under IBM's key": {From: from, Old: old, Offset: hsm.Verifier{Method: hsm.PVV, PVKI: 1, Value: "1234"}, To: to, New: fresh},
			"to a PVV":              {From: from, Old: old, Offset: v, To: visa, New: fresh},
		} {
			if _, err := s.b.TransferOffset(ctx, bad); !errors.Is(err, hsm.ErrKeyUsage) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		if _, err := s.b.TransferOffset(ctx, hsm.OffsetTransfer{From: from, Old: old, Offset: v, To: to}); !errors.Is(err, hsm.ErrFormat) {
			t.Errorf("to no number: got %v", err)
		}
	}
}
