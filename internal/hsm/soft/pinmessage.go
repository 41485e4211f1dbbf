package soft

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/hsm/algo"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// storageKey opens a key under which PINs are kept.
func (b *Backend) storageKey(ref *hsm.KeyRef, mode hsm.Mode) (*loaded, error) {
	k, err := b.pinKey(ref, hsm.ISO4, mode)
	if err == nil && k.ref.Exportability != hsm.NonExportable {
		err = hsm.ErrKeyPolicy
	}
	return k, err
}

// keep makes the block of a kept PIN.
func (b *Backend) keep(store *hsm.KeyRef, p pan.PAN, pin *algo.PIN) (hsm.PINBlock, error) {
	k, err := b.storageKey(store, hsm.ModeEncrypt)
	if err != nil {
		return hsm.PINBlock{}, err
	}
	block, err := algo.EncipherPIN4(k.block, pin, p.Reveal(), rand.Reader)
	if err != nil {
		return hsm.PINBlock{}, hsm.ErrFormat
	}
	return hsm.PINBlock{Block: block[:], Format: hsm.ISO4, PAN: p, Key: *store}, nil
}

// StorePIN keeps a chosen PIN; see [hsm.PINKeeping].
func (b *Backend) StorePIN(_ context.Context, store hsm.KeyRef, in hsm.PINBlock) (hsm.PINBlock, error) {
	kept, err := b.storePIN(&store, &in)
	if err != nil {
		return hsm.PINBlock{}, fmt.Errorf("store PIN: %w", err)
	}
	return kept, nil
}

func (b *Backend) storePIN(store *hsm.KeyRef, in *hsm.PINBlock) (hsm.PINBlock, error) {
	if err := belongTogether(store, &in.Key); err != nil {
		return hsm.PINBlock{}, err
	}
	pin, err := b.openPIN(in)
	if err != nil {
		return hsm.PINBlock{}, err
	}
	return b.keep(store, in.PAN, &pin)
}

// RandomPIN draws a PIN and keeps it; see [hsm.PINKeeping].
func (b *Backend) RandomPIN(_ context.Context, pvk, store hsm.KeyRef, p pan.PAN, rules hsm.PINRules) (hsm.Verifier, hsm.PINBlock, error) {
	if err := belongTogether(&pvk, &store); err != nil {
		return hsm.Verifier{}, hsm.PINBlock{}, fmt.Errorf("draw PIN: %w", err)
	}
	v, pin, err := b.randomPIN(&pvk, p, &rules)
	if err != nil {
		return hsm.Verifier{}, hsm.PINBlock{}, fmt.Errorf("draw PIN: %w", err)
	}
	kept, err := b.keep(&store, p, &pin)
	if err != nil {
		return hsm.Verifier{}, hsm.PINBlock{}, fmt.Errorf("store PIN: %w", err)
	}
	return v, kept, nil
}

// openStored opens a kept PIN.
func (b *Backend) openStored(stored *hsm.PINBlock) (algo.PIN, *loaded, error) {
	if stored.Format != hsm.ISO4 {
		return algo.PIN{}, nil, hsm.ErrFormat
	}
	k, err := b.storageKey(&stored.Key, hsm.ModeDecrypt)
	if err != nil {
		return algo.PIN{}, nil, err
	}
	pin, err := b.openPIN(stored)
	return pin, k, err
}

// render is the text of a notice with the PIN in its place.
func render(n *hsm.PINNotice, pin *algo.PIN) ([]byte, error) {
	before, after, found := strings.Cut(n.Text, hsm.PINPlace)
	if !found || strings.Contains(after, hsm.PINPlace) || n.To == "" {
		return nil, hsm.ErrFormat
	}
	out := make([]byte, 0, len(n.Text)+12)
	return append(append(append(out, before...), pin.Digits()...), after...), nil
}

// PINMessage renders a notice for a gateway; see [hsm.PINKeeping].
func (b *Backend) PINMessage(_ context.Context, stored hsm.PINBlock, n hsm.PINNotice, gateway *rsa.PublicKey) (string, error) {
	text, err := b.pinMessage(&stored, &n, gateway)
	if err != nil {
		return "", fmt.Errorf("render PIN message: %w", err)
	}
	return text, nil
}

func (b *Backend) pinMessage(stored *hsm.PINBlock, n *hsm.PINNotice, gateway *rsa.PublicKey) (string, error) {
	if gateway == nil || gateway.N == nil || gateway.N.BitLen() < 2048 || gateway.N.BitLen() > 8192 {
		return "", hsm.ErrKeyPolicy
	}
	pin, _, err := b.openStored(stored)
	if err != nil {
		return "", err
	}
	text, err := render(n, &pin)
	if err != nil {
		return "", err
	}
	defer clear(text)
	plain, err := json.Marshal(map[string]string{"reference": n.Reference, "to": n.To, "text": string(text)})
	if err != nil {
		return "", hsm.ErrFormat
	}
	defer clear(plain)
	return encryptCompact(plain, gateway)
}

// encryptCompact is the compact serialization of a JWE (RFC 7516) with
// RSA-OAEP-256 and A256GCM (RFC 7518). The key's id is the first 16 bytes of
// the SHA-256 of its SubjectPublicKeyInfo, hexadecimal.
func encryptCompact(plain []byte, to *rsa.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(to)
	if err != nil {
		return "", hsm.ErrKeyPolicy
	}
	kid := sha256.Sum256(der)
	b64 := base64.RawURLEncoding.EncodeToString
	header := b64(fmt.Appendf(nil, `{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"%s","cty":"json"}`, hex.EncodeToString(kid[:16])))
	key, err := freshKey(hsm.AES, 32)
	if err != nil {
		return "", err
	}
	defer clear(key)
	wrapped, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, to, key, nil)
	if err != nil {
		return "", hsm.ErrKeyPolicy
	}
	block, err := algo.NewAES(key)
	if err != nil {
		return "", err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return "", err
	}
	const nonce, tag = 12, 16
	sealed := aead.Seal(nil, nil, plain, []byte(header))
	end := len(sealed) - tag
	return strings.Join([]string{header, b64(wrapped), b64(sealed[:nonce]), b64(sealed[nonce:end]), b64(sealed[end:])}, "."), nil
}

// InboxMessage renders a notice for a tester; see [hsm.Sandbox].
func (b *Backend) InboxMessage(ctx context.Context, stored hsm.PINBlock, n hsm.PINNotice, aad []byte) ([]byte, error) {
	pin, k, err := b.openStored(&stored)
	if err == nil && !k.ref.Test {
		err = hsm.ErrKeyPolicy
	}
	if err != nil {
		return nil, fmt.Errorf("render inbox message: %w", err)
	}
	text, err := render(&n, &pin)
	if err != nil {
		return nil, fmt.Errorf("render inbox message: %w", err)
	}
	defer clear(text)
	return b.Seal(ctx, stored.Key.Tenant, hsm.InboxPurpose, text, aad)
}
