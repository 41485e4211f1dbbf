package access

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// hostTenant is under whose key the platform's own secrets are sealed.
const hostTenant = "host"

// SigningKey is a key pair that signs access tokens (P-256). All nodes share
// the newest through the database.
type SigningKey struct {
	ID      id.ID[SigningKey]
	Public  *ecdsa.PublicKey
	Private []byte // sealed PKCS #8
	Created time.Time
}

// IDPrefix is "jwk".
func (SigningKey) IDPrefix() string { return "jwk" }

// keyring holds the signing keys in memory.
type keyring struct {
	mu     sync.Mutex
	public map[string]*ecdsa.PublicKey
	signer jose.Signer
	order  []SigningKey // oldest first
	asked  time.Time    // when the table was last read
}

// reloadPause bounds how often an unknown key id may make us read the table.
const reloadPause = 2 * time.Second

// signerOf returns the signer of the newest key, making the first key of the
// platform if there is none.
func (s *Service) signerOf(ctx context.Context) (jose.Signer, error) {
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	if s.keys.signer == nil {
		if err := s.loadKeys(ctx); err != nil {
			return nil, err
		}
	}
	if s.keys.signer == nil {
		if err := s.makeKey(ctx); err != nil {
			return nil, fmt.Errorf("make signing key: %w", err)
		}
		if err := s.loadKeys(ctx); err != nil {
			return nil, err
		}
	}
	return s.keys.signer, nil
}

// publicKey returns the key named kid. Another node may have made it after we
// looked, so an unknown one is looked for again.
func (s *Service) publicKey(ctx context.Context, kid string) (*ecdsa.PublicKey, bool, error) {
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	if k, ok := s.keys.public[kid]; ok {
		return k, true, nil
	}
	if now := s.Clock.Now(); s.keys.asked.IsZero() || now.Sub(s.keys.asked) >= reloadPause {
		if err := s.loadKeys(ctx); err != nil {
			return nil, false, err
		}
	}
	k, ok := s.keys.public[kid]
	return k, ok, nil
}

// JWKS returns the public keys of access tokens as a JSON Web Key Set (RFC
// 7517).
func (s *Service) JWKS(ctx context.Context) ([]byte, error) {
	if _, err := s.signerOf(ctx); err != nil {
		return nil, err
	}
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	var set jose.JSONWebKeySet
	for _, k := range s.keys.order {
		set.Keys = append(set.Keys, jose.JSONWebKey{
			Key: k.Public, KeyID: k.ID.String(), Algorithm: string(jose.ES256), Use: "sig",
		})
	}
	return json.Marshal(set)
}

// loadKeys reads the table; s.keys.mu is held.
func (s *Service) loadKeys(ctx context.Context) error {
	s.keys.asked = s.Clock.Now()
	var all []SigningKey
	err := s.DB.View(ctx, func(tx db.Tx) (err error) {
		all, err = readSigningKeys(ctx, tx)
		return err
	})
	if err != nil {
		return fmt.Errorf("read signing keys: %w", err)
	}
	if len(all) == 0 {
		return nil
	}
	public := make(map[string]*ecdsa.PublicKey, len(all))
	for _, k := range all {
		public[k.ID.String()] = k.Public
	}
	newest := all[len(all)-1]
	der, err := s.Seal.Open(ctx, hostTenant, "signing_key", newest.Private, placeOf(newest.ID))
	if err != nil {
		return fmt.Errorf("open signing key %s: %w", newest.ID, err)
	}
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return fmt.Errorf("parse signing key %s: %w", newest.ID, err)
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: private, KeyID: newest.ID.String()}},
		(&jose.SignerOptions{}).WithType(tokenType))
	if err != nil {
		return fmt.Errorf("use signing key %s: %w", newest.ID, err)
	}
	s.keys.public, s.keys.order, s.keys.signer = public, all, signer
	return nil
}

// makeKey generates a key pair and stores it. Two nodes that do so at once
// leave two keys, and both are good.
func (s *Service) makeKey(ctx context.Context) error {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	now := s.Clock.Now()
	k := SigningKey{ID: id.New[SigningKey](now), Public: &private.PublicKey, Created: now}
	if k.Private, err = s.Seal.Seal(ctx, hostTenant, "signing_key", der, placeOf(k.ID)); err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	return s.DB.InTx(ctx, func(tx db.Tx) error { return insertSigningKey(ctx, tx, k) })
}

func placeOf(k id.ID[SigningKey]) []byte {
	return []byte("1|" + hostTenant + "|signing_key|private_key|" + k.String())
}

func readableKey(public []byte, micros int64, k *SigningKey) error {
	parsed, err := x509.ParsePKIXPublicKey(public)
	if err != nil {
		return err
	}
	ec, ok := parsed.(*ecdsa.PublicKey)
	if !ok {
		return fmt.Errorf("signing key %s is no elliptic-curve key", k.ID)
	}
	k.Public, k.Created = ec, clock.FromMicros(micros)
	return nil
}
