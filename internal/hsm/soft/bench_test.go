package soft

import (
	"testing"

	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/hsm/algo"
	"github.com/sarraf-platform/sarraf/internal/hsm/hsmtest"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

func benchKey(b *testing.B, s *Backend, u hsm.Usage) hsm.KeyRef {
	b.Helper()
	ref, err := s.GenerateKey(b.Context(), "tnnt", hsmtest.Spec("k", u, true))
	if err != nil {
		b.Fatal(err)
	}
	return ref
}

func benchPAN(b *testing.B) pan.PAN {
	b.Helper()
	p, err := pan.Parse("9792060000000017")
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func benchARQC(b *testing.B, s *Backend) (hsm.KeyRef, hsm.ARQCInput) {
	b.Helper()
	imk := benchKey(b, s, hsm.UsageIMKAC)
	in := hsm.ARQCInput{Profile: hsm.CVN18, PAN: benchPAN(b), PSN: "00", IAD: []byte{6, 1, 0x12, 3, 0xA0, 0xB8, 0}, ATC: [2]byte{0, 9}}
	mk, err := s.ICCMasterKey(b.Context(), imk, in.PAN, in.PSN, in.Profile)
	if err != nil {
		b.Fatal(err)
	}
	pair, err := algo.NewPair(mk.Reveal())
	if err != nil {
		b.Fatal(err)
	}
	if in.ARQC, err = algo.ApplicationCryptogram(pair, &in); err != nil {
		b.Fatal(err)
	}
	return imk, in
}

func BenchmarkVerifyARQC(b *testing.B) {
	s := fresh(b)
	imk, in := benchARQC(b, s)
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := s.VerifyARQC(b.Context(), imk, in); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

func BenchmarkResponseCryptogram(b *testing.B) {
	s := fresh(b)
	imk, in := benchARQC(b, s)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.ResponseCryptogram(b.Context(), imk, in, [2]byte{'0', '0'}, true); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyPIN(b *testing.B) {
	s := fresh(b)
	pvk, zpk := benchKey(b, s, hsm.UsagePVKVisa), benchKey(b, s, hsm.UsagePIN)
	block, err := s.EncodePIN(b.Context(), zpk, hsm.ISO0, benchPAN(b), secret.FromString("2580"))
	if err != nil {
		b.Fatal(err)
	}
	in := hsm.PINBlock{Block: block, Format: hsm.ISO0, PAN: benchPAN(b), Key: zpk}
	v, err := s.NewVerifier(b.Context(), pvk, in, hsm.PINRules{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := s.VerifyPIN(b.Context(), pvk, in, v); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

func BenchmarkVerifyCardValue(b *testing.B) {
	s := fresh(b)
	cvk := benchKey(b, s, hsm.UsageCVK)
	in := hsm.CardValueInput{PAN: benchPAN(b), Expiry: "2911"}
	v, err := s.CardValue(b.Context(), cvk, hsm.CVV2, in)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := s.VerifyCardValue(b.Context(), cvk, hsm.CVV2, in, v); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

func BenchmarkIndex(b *testing.B) {
	s := fresh(b)
	value := []byte("9792060000000017")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Index(b.Context(), "tnnt", "pan", value); err != nil {
			b.Fatal(err)
		}
	}
}
