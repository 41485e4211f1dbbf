package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/hsm/algo"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// Crypto measures what an authorization asks of the soft HSM.
func Crypto(ctx context.Context, w io.Writer, o CPUOptions) error {
	r, err := measureCrypto(ctx, o)
	if err != nil {
		return err
	}
	return r.print(w, o.JSON)
}

var errCrypto = errors.New("what is right was found wrong")

func measureCrypto(ctx context.Context, o CPUOptions) (_ *cpuResult, err error) {
	root := make([]byte, 32)
	rand.Read(root)
	module, err := soft.New(root)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, module.Close()) }()
	number, err := pan.Parse("9792060000000017") // nobody's
	if err != nil {
		return nil, err
	}
	steps := make([]cpuWork, 0, 3)
	for _, prepare := range []func(context.Context, *soft.Backend, pan.PAN) (cpuWork, error){prepareARQC, prepareCVV, preparePIN} {
		s, err := prepare(ctx, module, number)
		if err != nil {
			return nil, fmt.Errorf("prepare: %w", err)
		}
		steps = append(steps, s)
	}
	r := &cpuResult{
		Subject: "Cryptography of an authorization in the soft HSM", CPUs: runtime.NumCPU(), Go: runtime.Version(), Rounds: o.Rounds,
	}
	r.Steps, err = measureSteps(ctx, steps, o)
	return r, err
}

func makeKey(ctx context.Context, m *soft.Backend, u hsm.Usage, mode hsm.Mode) (hsm.KeyRef, error) {
	return m.GenerateKey(ctx, "bench", hsm.KeySpec{
		ID: string(u), Usage: u, Mode: mode, Algorithm: hsm.TDES, Bits: 128, Exportability: hsm.Exportable, Version: "01", Test: true,
	})
}

// verified is a check that must succeed, whatever the result is of what it finds.
func verified(ok bool, err error) error {
	if err == nil && !ok {
		err = errCrypto
	}
	return err
}

// prepareARQC is the cryptogram of a request and that of its answer.
func prepareARQC(ctx context.Context, m *soft.Backend, number pan.PAN) (cpuWork, error) {
	imk, err := makeKey(ctx, m, hsm.UsageIMKAC, hsm.ModeDerive)
	if err != nil {
		return cpuWork{}, err
	}
	in := hsm.ARQCInput{Profile: hsm.CVN18, PAN: number, PSN: "00", IAD: []byte{6, 1, 0x12, 3, 0xA0, 0xB8, 0}, ATC: [2]byte{0, 9}}
	master, err := m.ICCMasterKey(ctx, imk, in.PAN, in.PSN, in.Profile)
	if err != nil {
		return cpuWork{}, err
	}
	pair, err := algo.NewPair(master.Reveal())
	if err != nil {
		return cpuWork{}, err
	}
	if in.ARQC, err = algo.ApplicationCryptogram(pair, &in); err != nil {
		return cpuWork{}, err
	}
	return cpuWork{"ARQC+ARPC", func() error {
		if err := verified(m.VerifyARQC(ctx, imk, in)); err != nil {
			return err
		}
		_, err := m.ResponseCryptogram(ctx, imk, in, [2]byte{'0', '0'}, true)
		return err
	}}, nil
}

func prepareCVV(ctx context.Context, m *soft.Backend, number pan.PAN) (cpuWork, error) {
	cvk, err := makeKey(ctx, m, hsm.UsageCVK, hsm.ModeMAC)
	if err != nil {
		return cpuWork{}, err
	}
	in := hsm.CardValueInput{PAN: number, Expiry: "3111", ServiceCode: "201"}
	value, err := m.CardValue(ctx, cvk, hsm.CVV, in)
	if err != nil {
		return cpuWork{}, err
	}
	return cpuWork{"CVV", func() error { return verified(m.VerifyCardValue(ctx, cvk, hsm.CVV, in, value)) }}, nil
}

func preparePIN(ctx context.Context, m *soft.Backend, number pan.PAN) (cpuWork, error) {
	pvk, err := makeKey(ctx, m, hsm.UsagePVKVisa, hsm.ModeMAC)
	if err != nil {
		return cpuWork{}, err
	}
	zpk, err := makeKey(ctx, m, hsm.UsagePIN, hsm.ModeBoth)
	if err != nil {
		return cpuWork{}, err
	}
	block, err := m.EncodePIN(ctx, zpk, hsm.ISO0, number, secret.FromString("2580"))
	if err != nil {
		return cpuWork{}, err
	}
	in := hsm.PINBlock{Block: block, Format: hsm.ISO0, PAN: number, Key: zpk}
	verifier, err := m.NewVerifier(ctx, pvk, in, hsm.PINRules{})
	if err != nil {
		return cpuWork{}, err
	}
	return cpuWork{"PIN", func() error { return verified(m.VerifyPIN(ctx, pvk, in, verifier)) }}, nil
}
