package soft

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/hsm/algo"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// pinKey opens the key of a PIN block, checking that it suits the format: AES
// for format 4, TDES for 0, 1 and 3 (crypto.md §5).
func (b *Backend) pinKey(ref *hsm.KeyRef, format hsm.PINFormat, mode hsm.Mode) (*loaded, error) {
	usage, algorithm := hsm.UsagePIN, hsm.TDES
	switch format {
	case hsm.ISO0, hsm.ISO1, hsm.ISO3:
	case hsm.ISO4:
		algorithm = hsm.AES
	case hsm.Field:
		usage, algorithm = hsm.UsageField, hsm.AES
	default:
		return nil, hsm.ErrNotSupported
	}
	k, err := b.use(ref, mode, usage)
	if err != nil {
		return nil, err
	}
	if k.ref.Algorithm != algorithm {
		return nil, hsm.ErrKeyUsage
	}
	return k, nil
}

// isoFormat is the number in the standard.
func isoFormat(f hsm.PINFormat) int {
	switch f {
	case hsm.ISO1:
		return 1
	case hsm.ISO3:
		return 3
	}
	return 0
}

// openPIN deciphers and decodes. Whatever is wrong inside the block is
// ErrFormat.
func (b *Backend) openPIN(in *hsm.PINBlock) (algo.PIN, error) {
	k, err := b.pinKey(&in.Key, in.Format, hsm.ModeDecrypt)
	if err != nil {
		return algo.PIN{}, err
	}
	if in.PAN.IsZero() {
		return algo.PIN{}, hsm.ErrFormat
	}
	var pin algo.PIN
	switch in.Format {
	case hsm.ISO4:
		pin, err = algo.DecipherPIN4(k.block, in.Block, in.PAN.Reveal())
	case hsm.Field:
		var text []byte
		if text, err = k.field.Open(nil, nil, in.Block, in.AAD); err == nil {
			pin, err = algo.ParsePIN(text)
			clear(text)
		}
	default:
		if len(in.Block) != 8 {
			return algo.PIN{}, hsm.ErrFormat
		}
		clearBlock := make([]byte, 8)
		k.block.Decrypt(clearBlock, in.Block)
		pin, err = algo.DecodePINBlock(isoFormat(in.Format), clearBlock, in.PAN.Reveal())
		clear(clearBlock)
	}
	if err != nil {
		return algo.PIN{}, hsm.ErrFormat
	}
	return pin, nil
}

// pvk opens a PIN verification key and names its method.
func (b *Backend) pvk(ref *hsm.KeyRef, mode hsm.Mode) (*loaded, hsm.VerifierMethod, error) {
	k, err := b.use(ref, mode, hsm.UsagePVKVisa, hsm.UsagePVKIBM3624)
	if err != nil {
		return nil, 0, err
	}
	if k.ref.Usage == hsm.UsagePVKVisa {
		return k, hsm.PVV, nil
	}
	return k, hsm.IBM3624, nil
}

// belongTogether refuses to join keys of two tenants, or test and production.
func belongTogether(a, b *hsm.KeyRef) error {
	if a.Tenant != b.Tenant || a.Test != b.Test {
		return hsm.ErrKeyPolicy
	}
	return nil
}

// pvvDigits is the only PIN length a PVV protects: no other digit takes part.
const pvvDigits = 4

// verifier computes the value of pin. For an offset its length is the PIN's.
func verifierOf(k *loaded, method hsm.VerifierMethod, pvki byte, number string, pin *algo.PIN) (string, error) {
	if method == hsm.PVV {
		v, err := algo.PINVerificationValue(k.block, number, pvki, pin)
		return string(v[:]), err
	}
	natural, err := naturalPIN(k, number, pin.Len())
	if err != nil {
		return "", err
	}
	return algo.Offset(pin, &natural)
}

func naturalPIN(k *loaded, number string, n int) (algo.PIN, error) {
	data, err := algo.IBM3624Validation(number)
	if err != nil {
		return algo.PIN{}, err
	}
	if data, err = algo.IBM3624Block(k.block, data); err != nil {
		return algo.PIN{}, err
	}
	return algo.IBM3624Natural(data, algo.DecimalisationTable, n)
}

// matches computes the verifier of pin and compares in constant time. A PIN of
// another length than the verifier protects does not match, after the same work.
func matches(k *loaded, method hsm.VerifierMethod, number string, pin *algo.PIN, v *hsm.Verifier) (bool, error) {
	if v.Method != method {
		return false, hsm.ErrKeyUsage
	}
	if len(v.Value) < 4 || len(v.Value) > 12 || (method == hsm.PVV && (len(v.Value) != pvvDigits || v.PVKI > 9)) {
		return false, hsm.ErrIntegrity // it was stored so
	}
	got, err := verifierOf(k, method, v.PVKI, number, pin)
	if err != nil {
		return false, hsm.ErrFormat
	}
	fits := subtle.ConstantTimeEq(int32(pin.Len()), int32(len(v.Value)))
	return fits&subtle.ConstantTimeCompare([]byte(got), []byte(v.Value)) == 1, nil
}

// VerifyPIN compares a PIN with its verifier; see [hsm.PINs].
func (b *Backend) VerifyPIN(_ context.Context, pvk hsm.KeyRef, in hsm.PINBlock, v hsm.Verifier) (bool, error) {
	ok, err := b.verifyPIN(&pvk, &in, &v)
	if err != nil {
		return false, fmt.Errorf("verify PIN: %w", err)
	}
	return ok, nil
}

func (b *Backend) verifyPIN(pvk *hsm.KeyRef, in *hsm.PINBlock, v *hsm.Verifier) (bool, error) {
	k, method, err := b.pvk(pvk, hsm.ModeVerify)
	if err != nil {
		return false, err
	}
	if err := belongTogether(pvk, &in.Key); err != nil {
		return false, err
	}
	pin, malformed := b.openPIN(in)
	if malformed != nil {
		if !errors.Is(malformed, hsm.ErrFormat) || in.PAN.IsZero() {
			return false, malformed
		}
		// Do the same work for a block that does not decode.
		if pin, err = algo.ParsePIN([]byte("0000")); err != nil {
			return false, err
		}
	}
	ok, err := matches(k, method, in.PAN.Reveal(), &pin, v)
	if malformed != nil {
		return false, malformed
	}
	return ok, err
}

// NewVerifier makes a verifier of a chosen PIN; see [hsm.PINs].
func (b *Backend) NewVerifier(_ context.Context, pvk hsm.KeyRef, in hsm.PINBlock, rules hsm.PINRules) (hsm.Verifier, error) {
	v, err := b.newVerifier(&pvk, &in, &rules)
	if err != nil {
		return hsm.Verifier{}, fmt.Errorf("make PIN verifier: %w", err)
	}
	return v, nil
}

func (b *Backend) newVerifier(pvk *hsm.KeyRef, in *hsm.PINBlock, rules *hsm.PINRules) (hsm.Verifier, error) {
	k, method, err := b.pvk(pvk, hsm.ModeGenerate)
	if err != nil {
		return hsm.Verifier{}, err
	}
	if err := belongTogether(pvk, &in.Key); err != nil {
		return hsm.Verifier{}, err
	}
	pin, err := b.openPIN(in)
	if err != nil {
		return hsm.Verifier{}, err
	}
	return accept(k, method, in.PAN.Reveal(), &pin, rules)
}

// accept applies rules and computes the verifier.
func accept(k *loaded, method hsm.VerifierMethod, number string, pin *algo.PIN, rules *hsm.PINRules) (hsm.Verifier, error) {
	length, err := pinLength(method, rules)
	if err != nil {
		return hsm.Verifier{}, err
	}
	if pin.Len() != length {
		return hsm.Verifier{}, hsm.ErrPINLength
	}
	if weak(string(pin.Digits()), rules.Forbidden) {
		return hsm.Verifier{}, hsm.ErrWeakPIN
	}
	if rules.Current != nil {
		same, err := matches(k, method, number, pin, rules.Current)
		if err != nil {
			return hsm.Verifier{}, err
		}
		if same {
			return hsm.Verifier{}, hsm.ErrWeakPIN
		}
	}
	return newVerifierOf(k, method, number, pin)
}

// newVerifierOf makes what is stored of pin, whatever the rules.
func newVerifierOf(k *loaded, method hsm.VerifierMethod, number string, pin *algo.PIN) (v hsm.Verifier, err error) {
	v.Method = method
	if method == hsm.PVV {
		if v.PVKI = k.ref.Version[1] - '0'; v.PVKI > 9 || k.ref.Version[0] != '0' {
			return hsm.Verifier{}, hsm.ErrKeyUsage
		}
	}
	if v.Value, err = verifierOf(k, method, v.PVKI, number, pin); err != nil {
		return hsm.Verifier{}, hsm.ErrFormat
	}
	return v, nil
}

func pinLength(method hsm.VerifierMethod, rules *hsm.PINRules) (int, error) {
	n := rules.Length
	if n == 0 {
		n = 4
	}
	if n < 4 || n > 12 || (method == hsm.PVV && n != pvvDigits) {
		return 0, hsm.ErrPINLength
	}
	return n, nil
}

// weak reports whether pin breaks a rule of [hsm.PINRules].
func weak(pin string, forbidden []string) bool {
	rising, falling, run := true, true, 1
	for i := 1; i < len(pin); i++ {
		rising = rising && pin[i] == pin[i-1]+1
		falling = falling && pin[i] == pin[i-1]-1
		if pin[i] != pin[i-1] {
			run = 0
		}
		if run++; run > 2 {
			return true
		}
	}
	if rising || falling {
		return true
	}
	for _, f := range forbidden {
		digits := strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, f)
		if len(digits) >= 4 && (strings.Contains(pin, digits) || strings.Contains(digits, pin)) {
			return true
		}
	}
	return false
}

// RandomVerifier draws a PIN and forgets it; see [hsm.PINs].
func (b *Backend) RandomVerifier(_ context.Context, pvk hsm.KeyRef, p pan.PAN, rules hsm.PINRules) (hsm.Verifier, error) {
	v, _, err := b.randomPIN(&pvk, p, &rules)
	if err != nil {
		return hsm.Verifier{}, fmt.Errorf("draw PIN: %w", err)
	}
	return v, nil
}

func (b *Backend) randomPIN(pvk *hsm.KeyRef, p pan.PAN, rules *hsm.PINRules) (hsm.Verifier, algo.PIN, error) {
	k, method, err := b.pvk(pvk, hsm.ModeGenerate)
	if err != nil {
		return hsm.Verifier{}, algo.PIN{}, err
	}
	if p.IsZero() {
		return hsm.Verifier{}, algo.PIN{}, hsm.ErrFormat
	}
	n, err := pinLength(method, rules)
	if err != nil {
		return hsm.Verifier{}, algo.PIN{}, err
	}
	// Rules forbid a small part of all PINs; so many misses mean that they
	// forbid everything.
	for range 1000 {
		pin, err := drawPIN(n)
		if err != nil {
			return hsm.Verifier{}, algo.PIN{}, err
		}
		v, err := accept(k, method, p.Reveal(), &pin, rules)
		if !errors.Is(err, hsm.ErrWeakPIN) {
			return v, pin, err
		}
	}
	return hsm.Verifier{}, algo.PIN{}, hsm.ErrWeakPIN
}

// drawPIN draws uniform digits by rejection.
func drawPIN(n int) (algo.PIN, error) {
	digits := make([]byte, 0, 12)
	defer clear(digits[:cap(digits)])
	raw := make([]byte, 16)
	for len(digits) < n {
		if _, err := rand.Read(raw); err != nil {
			return algo.PIN{}, err
		}
		for _, r := range raw {
			if r < 250 && len(digits) < n {
				digits = append(digits, '0'+r%10)
			}
		}
	}
	return algo.ParsePIN(digits)
}

// EncodePIN makes a PIN block for a tester; see [hsm.Sandbox].
func (b *Backend) EncodePIN(_ context.Context, zpk hsm.KeyRef, format hsm.PINFormat, p pan.PAN, pin secret.Value) ([]byte, error) {
	block, err := b.encodePIN(&zpk, format, p, pin)
	if err != nil {
		return nil, fmt.Errorf("encode PIN: %w", err)
	}
	return block, nil
}

func (b *Backend) encodePIN(zpk *hsm.KeyRef, format hsm.PINFormat, p pan.PAN, value secret.Value) ([]byte, error) {
	if format == hsm.Field {
		return nil, hsm.ErrNotSupported
	}
	k, err := b.pinKey(zpk, format, hsm.ModeEncrypt)
	if err != nil {
		return nil, err
	}
	if !k.ref.Test {
		return nil, hsm.ErrKeyPolicy
	}
	pin, err := algo.ParsePIN(value.Reveal())
	if err != nil || p.IsZero() {
		return nil, hsm.ErrFormat
	}
	if format == hsm.ISO4 {
		block, err := algo.EncipherPIN4(k.block, &pin, p.Reveal(), rand.Reader)
		if err != nil {
			return nil, hsm.ErrFormat
		}
		return block[:], nil
	}
	block, err := algo.EncodePINBlock(isoFormat(format), &pin, p.Reveal(), rand.Reader)
	if err != nil {
		return nil, hsm.ErrFormat
	}
	k.block.Encrypt(block[:], block[:])
	return block[:], nil
}

// DecodePIN opens a PIN block for a tester; see [hsm.Sandbox].
func (b *Backend) DecodePIN(_ context.Context, in hsm.PINBlock) (secret.Value, error) {
	k, err := b.pinKey(&in.Key, in.Format, hsm.ModeDecrypt)
	if err == nil && !k.ref.Test {
		err = hsm.ErrKeyPolicy
	}
	if err != nil {
		return secret.Value{}, fmt.Errorf("decode PIN: %w", err)
	}
	pin, err := b.openPIN(&in)
	if err != nil {
		return secret.Value{}, fmt.Errorf("decode PIN: %w", err)
	}
	return secret.New(pin.Digits()), nil
}
