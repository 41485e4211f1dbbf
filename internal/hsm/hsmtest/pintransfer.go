package hsmtest

import (
	"errors"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/pan"
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

// storedTransfer: a kept PIN is verified, and kept, for another number, even
// one whose verifier gives no PIN back.
func (s suite) storedTransfer(t *testing.T) {
	ctx := t.Context()
	fresh := mustPAN(t, other)
	store, ibm, visa := s.key(t, StorageSpec(true)), s.key(t, Spec("ibm", hsm.UsagePVKIBM3624, true)), s.key(t, Spec("visa", hsm.UsagePVKVisa, true))
	p := s.settings(t)[0]
	for digits, to := range map[string]hsm.KeyRef{"2580": visa, "258037": ibm} {
		kept, err := s.b.StorePIN(ctx, store, s.block(t, p, number, digits))
		if err != nil {
			t.Fatal(err)
		}
		wish := hsm.StoredTransfer{Stored: kept, Length: len(digits), To: to, Store: store, New: fresh}
		v, moved, err := s.b.TransferPIN(ctx, wish)
		if err != nil {
			t.Fatalf("%d digits: %v", len(digits), err)
		}
		for typed, want := range map[string]bool{digits: true, digits[1:] + "9": false} {
			if ok, err := s.b.VerifyPIN(ctx, to, s.block(t, p, other, typed), v); err != nil || ok != want {
				t.Errorf("%d digits: got %v, %v, want %v", len(digits), ok, err, want)
			}
		}
		if ok, err := s.b.VerifyPIN(ctx, to, moved, v); err != nil || !ok || moved.PAN != fresh || moved.Key != store {
			t.Errorf("what is kept: %s, %v, %v", moved, ok, err)
		}
		for name, c := range map[string]struct {
			change func(*hsm.StoredTransfer)
			want   error
		}{
			"another length":      {func(w *hsm.StoredTransfer) { w.Length = 5; w.To = ibm }, hsm.ErrPINLength},
			"to no number":        {func(w *hsm.StoredTransfer) { w.New = pan.PAN{} }, hsm.ErrFormat},
			"a client's block":    {func(w *hsm.StoredTransfer) { w.Stored = s.block(t, p, number, digits) }, hsm.ErrFormat},
			"to a key for PINs":   {func(w *hsm.StoredTransfer) { w.To = store }, hsm.ErrKeyUsage},
			"kept under a PVK":    {func(w *hsm.StoredTransfer) { w.Store = ibm }, hsm.ErrKeyUsage},
			"of another's number": {func(w *hsm.StoredTransfer) { w.Stored.PAN = fresh }, hsm.ErrFormat},
		} {
			bad := wish
			c.change(&bad)
			if _, _, err := s.b.TransferPIN(ctx, bad); !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, want %v", name, err, c.want)
			}
		}
	}
}
