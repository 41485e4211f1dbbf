package soft

import (
	"context"
	"crypto/subtle"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/hsm/algo"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// cardKey names a derived card key.
type cardKey struct {
	imk    *loaded
	pan    pan.PAN
	psn    string
	option algo.Option
}

// iccKey is an ICC master key with its expanded form.
type iccKey struct {
	raw  [16]byte
	pair algo.Pair
}

// icc derives the master key of a card, or finds it.
func (b *Backend) icc(imk *loaded, p pan.PAN, psn string, profile hsm.Profile) (*iccKey, error) {
	option, err := algo.MasterKeyOption(profile)
	if err != nil || p.IsZero() {
		return nil, hsm.ErrFormat
	}
	if psn == "" {
		psn = "00"
	}
	name := cardKey{imk, p, psn, option}
	if k, ok := b.cards.Get(name); ok {
		return k, nil
	}
	k := new(iccKey)
	if k.raw, err = algo.ICCMasterKey(imk.block, p.Reveal(), psn, option); err != nil {
		return nil, hsm.ErrFormat
	}
	if k.pair, err = algo.NewPair(k.raw[:]); err != nil {
		return nil, hsm.ErrFormat
	}
	b.cards.Add(name, k)
	return k, nil
}

// VerifyARQC recomputes a cryptogram; see [hsm.EMV].
func (b *Backend) VerifyARQC(_ context.Context, imk hsm.KeyRef, in hsm.ARQCInput) (bool, error) {
	ok, err := b.verifyARQC(&imk, &in)
	if err != nil {
		return false, fmt.Errorf("verify ARQC: %w", err)
	}
	return ok, nil
}

func (b *Backend) verifyARQC(imk *hsm.KeyRef, in *hsm.ARQCInput) (bool, error) {
	k, err := b.use(imk, hsm.ModeDerive, hsm.UsageIMKAC)
	if err != nil {
		return false, err
	}
	mk, err := b.icc(k, in.PAN, in.PSN, in.Profile)
	if err != nil {
		return false, err
	}
	want, err := algo.ApplicationCryptogram(mk.pair, in)
	if err != nil {
		return false, hsm.ErrFormat
	}
	return subtle.ConstantTimeCompare(want[:], in.ARQC[:]) == 1, nil
}

// ResponseCryptogram makes the value of tag 91; see [hsm.EMV].
func (b *Backend) ResponseCryptogram(_ context.Context, imk hsm.KeyRef, in hsm.ARQCInput, arc [2]byte, approved bool) ([]byte, error) {
	out, err := b.responseCryptogram(&imk, &in, arc, approved)
	if err != nil {
		return nil, fmt.Errorf("make response cryptogram: %w", err)
	}
	return out, nil
}

func (b *Backend) responseCryptogram(imk *hsm.KeyRef, in *hsm.ARQCInput, arc [2]byte, approved bool) ([]byte, error) {
	k, err := b.use(imk, hsm.ModeDerive, hsm.UsageIMKAC)
	if err != nil {
		return nil, err
	}
	mk, err := b.icc(k, in.PAN, in.PSN, in.Profile)
	if err != nil {
		return nil, err
	}
	out, err := algo.Response(mk.pair, in, arc, algo.CardStatusUpdate(approved))
	if err != nil {
		return nil, hsm.ErrFormat
	}
	return out, nil
}

// scriptKey derives a secure messaging session key under an issuer master key.
func (b *Backend) scriptKey(ref *hsm.KeyRef, usage hsm.Usage, in *hsm.ScriptInput) (algo.Pair, error) {
	k, err := b.use(ref, hsm.ModeDerive, usage)
	if err != nil {
		return algo.Pair{}, err
	}
	mk, err := b.icc(k, in.PAN, in.PSN, in.Profile)
	if err != nil {
		return algo.Pair{}, err
	}
	sk, err := algo.ScriptKey(in.Profile, mk.raw, in.ATC, in.ARQC, in.Sequence)
	if err != nil {
		return algo.Pair{}, hsm.ErrFormat
	}
	defer clear(sk[:])
	return algo.NewPair(sk[:])
}

// ScriptMAC signs an issuer script command; see [hsm.EMV].
func (b *Backend) ScriptMAC(_ context.Context, smi hsm.KeyRef, in hsm.ScriptInput) ([]byte, error) {
	key, err := b.scriptKey(&smi, hsm.UsageIMKSMI, &in)
	if err != nil {
		return nil, fmt.Errorf("sign issuer script: %w", err)
	}
	command, err := algo.Script(in.Profile, key, in.Header, in.ATC, in.ARQC, in.Data)
	if err != nil {
		return nil, fmt.Errorf("sign issuer script: %w", hsm.ErrFormat)
	}
	return command, nil
}

// ScriptPINChange makes a PIN change command; see [hsm.EMV].
func (b *Backend) ScriptPINChange(_ context.Context, keys hsm.ScriptKeys, in hsm.ScriptInput, fresh hsm.PINBlock, current *hsm.PINBlock) ([]byte, error) {
	command, err := b.scriptPINChange(&keys, &in, &fresh, current)
	if err != nil {
		return nil, fmt.Errorf("make PIN change script: %w", err)
	}
	return command, nil
}

func (b *Backend) scriptPINChange(keys *hsm.ScriptKeys, in *hsm.ScriptInput, fresh, current *hsm.PINBlock) ([]byte, error) {
	// P2 of the command announces whether the current PIN takes part.
	if len(in.Data) != 0 || (current != nil) != (in.Header[3] == 0x01) {
		return nil, hsm.ErrFormat
	}
	for _, other := range [...]*hsm.KeyRef{&keys.SMC, &keys.AC, &fresh.Key} {
		if err := belongTogether(&keys.SMI, other); err != nil {
			return nil, err
		}
	}
	ac, err := b.use(&keys.AC, hsm.ModeDerive, hsm.UsageIMKAC)
	if err != nil {
		return nil, err
	}
	mk, err := b.icc(ac, in.PAN, in.PSN, in.Profile)
	if err != nil {
		return nil, err
	}
	smi, err := b.scriptKey(&keys.SMI, hsm.UsageIMKSMI, in)
	if err != nil {
		return nil, err
	}
	smc, err := b.scriptKey(&keys.SMC, hsm.UsageIMKSMC, in)
	if err != nil {
		return nil, err
	}
	pin, err := b.scriptPIN(keys, in, fresh)
	if err != nil {
		return nil, err
	}
	var old *algo.PIN
	if current != nil {
		if old, err = b.scriptPIN(keys, in, current); err != nil {
			return nil, err
		}
	}
	block, err := algo.ChangePINBlock(in.Profile, mk.raw, pin, old)
	if err != nil {
		return nil, hsm.ErrFormat
	}
	defer clear(block[:])
	way, err := algo.ScriptEncryptionOf(in.Profile)
	if err != nil {
		return nil, hsm.ErrFormat
	}
	data, err := algo.EncryptScript(smc.TDES(), block[:], way)
	if err != nil {
		return nil, hsm.ErrFormat
	}
	command, err := algo.Script(in.Profile, smi, in.Header, in.ATC, in.ARQC, data)
	if err != nil {
		return nil, hsm.ErrFormat
	}
	return command, nil
}

// scriptPIN opens a PIN for a script. The PAN may not change on the way to the
// chip (PCI PIN 3-3).
func (b *Backend) scriptPIN(keys *hsm.ScriptKeys, in *hsm.ScriptInput, block *hsm.PINBlock) (*algo.PIN, error) {
	if err := belongTogether(&keys.SMI, &block.Key); err != nil {
		return nil, err
	}
	if block.PAN != in.PAN {
		return nil, hsm.ErrKeyPolicy
	}
	pin, err := b.openPIN(block)
	if err != nil {
		return nil, err
	}
	return &pin, nil
}

// ICCMasterKey derives a card's key for a tester; see [hsm.Sandbox].
func (b *Backend) ICCMasterKey(_ context.Context, imk hsm.KeyRef, p pan.PAN, psn string, profile hsm.Profile) (secret.Value, error) {
	k, err := b.use(&imk, hsm.ModeDerive, hsm.UsageIMKAC, hsm.UsageIMKSMC, hsm.UsageIMKSMI)
	if err == nil && !k.ref.Test {
		err = hsm.ErrKeyPolicy
	}
	if err != nil {
		return secret.Value{}, fmt.Errorf("derive ICC master key: %w", err)
	}
	mk, err := b.icc(k, p, psn, profile)
	if err != nil {
		return secret.Value{}, fmt.Errorf("derive ICC master key: %w", err)
	}
	return secret.New(mk.raw[:]), nil
}

// RevealKey returns a test key's bytes; see [hsm.Sandbox].
func (b *Backend) RevealKey(_ context.Context, key hsm.KeyRef) (secret.Value, error) {
	k, err := b.peek(&key)
	if err == nil && !k.ref.Test {
		err = hsm.ErrKeyPolicy
	}
	if err != nil {
		return secret.Value{}, fmt.Errorf("reveal test key: %w", err)
	}
	return secret.New(k.key), nil
}
