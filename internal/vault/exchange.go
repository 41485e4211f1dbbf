package vault

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// What a transport key lives for, and for how much longer once a newer one was
// exchanged.
const (
	TransportLife    = 24 * time.Hour
	TransportOverlap = time.Hour
)

// KeysMax bounds the live transport keys of one client, of all uses: a client
// that rotates needs two of each, one that exchanges a key for each request has
// forgotten that keys last.
const KeysMax = 20

// Purpose is what a client exchanges a key for.
type Purpose string

// The purposes.
const (
	ForFields   Purpose = "Data"     // single JSON fields
	ForPINBlock Purpose = "PinBlock" // ISO 9564 PIN blocks
)

const labelPrefix = "transport/"

// label is what the transport key is stored under. A client may hold a ZPK of
// either algorithm at the same time, so each has a label of its own.
func (in ForeignKey) label() string {
	switch {
	case in.Purpose == ForFields:
		return labelPrefix + string(ForFields)
	case in.AES:
		return labelPrefix + string(ForPINBlock) + "/AES"
	}
	return labelPrefix + string(ForPINBlock) + "/TDES"
}

// Exchange is a transport key as its client receives it.
type Exchange struct {
	Key Key
	// Wrapped is the AES-256 key under the client's RSA key (OAEP, SHA-256):
	// the transport key itself, or for PinBlock the key-block protection key.
	Wrapped []byte
	// KeyBlock, for PinBlock, is the ZPK as a TR-31 version D block under the
	// key-block protection key.
	KeyBlock string
	KCV      string // of the key that Key names
}

// ForeignKey is the public key a client sends, and what it asks for.
type ForeignKey struct {
	PublicKey string // SPKI, PEM or base64 of the DER; 2048 to 8192 bits
	Purpose   Purpose
	AES       bool // for PinBlock: a ZPK for ISO format 4 instead of formats 0 and 3 (TDES)
}

// Service exchanges transport keys. Its fields are set before use; it is safe
// for concurrent use.
type Service struct {
	DB    *db.DB
	HSM   hsm.Keys
	Clock clock.Clock
}

// New returns a service.
func New(d *db.DB, keys hsm.Keys, c clock.Clock) *Service {
	return &Service{DB: d, HSM: keys, Clock: c}
}

// ExchangeKey makes a transport key for the caller's client and retires the
// earlier ones of the same use within the hour.
//
// In production the public key must have been registered by an administrator,
// else client_key_not_registered. A client with [KeysMax] live keys gets no more
// until one expires or is dropped: key_exchange_limit_exceeded.
func (s *Service) ExchangeKey(ctx context.Context, c access.Caller, in ForeignKey) (Exchange, error) {
	public, fingerprint, err := parsePublicKey(in.PublicKey)
	if err != nil {
		return Exchange{}, err
	}
	if err := s.admit(ctx, c, fingerprint); err != nil {
		return Exchange{}, err
	}
	now := s.Clock.Now()
	out, err := s.generate(ctx, c, in, public, id.New[Key](now).String())
	if err != nil {
		return Exchange{}, fmt.Errorf("exchange key: %w", HSMFault(err))
	}
	out.Key.Label, out.Key.ClientID = in.label(), c.Client
	out.Key.CreatedAt, out.Key.ExpiresAt = now, now.Add(TransportLife)
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		if err := access.LockTenant(ctx, tx, c.Tenant); err != nil { // several at once count one after the other
			return fmt.Errorf("lock tenant: %w", err)
		}
		live, err := KeysOfClient(ctx, tx, c.Tenant, c.Client, now)
		if err != nil {
			return err
		}
		if len(live) >= KeysMax {
			return errTooManyKeys.With("max", KeysMax)
		}
		if err := retireKeys(ctx, tx, c.Tenant, c.Client, out.Key.Label, now.Add(TransportOverlap)); err != nil {
			return err
		}
		return SaveKey(ctx, tx, c.Tenant, out.Key)
	})
	if err != nil {
		return Exchange{}, fmt.Errorf("save transport key: %w", err)
	}
	return out, nil
}

// admit refuses public keys that are not registered, in production.
func (s *Service) admit(ctx context.Context, c access.Caller, fingerprint string) error {
	if c.Sandbox {
		return nil
	}
	return s.DB.View(ctx, func(tx db.Tx) error {
		known, err := hasClientKey(ctx, tx, c.Tenant, c.Client, fingerprint)
		if err == nil && !known {
			err = errNotRegistered
		}
		return err
	})
}

func (s *Service) generate(ctx context.Context, c access.Caller, in ForeignKey, public *rsa.PublicKey, keyID string) (Exchange, error) {
	tenant := c.Tenant.String()
	if in.Purpose == ForFields {
		k, err := s.HSM.GenerateTransportKey(ctx, tenant, keyID, public, hsm.Fields, c.Sandbox)
		return Exchange{Key: Key{Ref: k.Ref}, Wrapped: k.Wrapped, KCV: k.KCV}, err
	}
	protection, err := s.HSM.GenerateTransportKey(ctx, tenant, keyID+"/kbpk", public, hsm.KeyBlocks, c.Sandbox)
	if err != nil {
		return Exchange{}, fmt.Errorf("make key-block protection key: %w", err)
	}
	spec := hsm.KeySpec{
		ID: keyID, Usage: hsm.UsagePIN, Algorithm: hsm.TDES, Bits: 128, Mode: hsm.ModeBoth,
		Exportability: hsm.Exportable, Test: c.Sandbox,
	}
	if in.AES {
		spec.Algorithm, spec.Bits = hsm.AES, 256
	}
	zpk, err := s.HSM.GenerateKey(ctx, tenant, spec)
	if err != nil {
		return Exchange{}, fmt.Errorf("make ZPK: %w", err)
	}
	block, err := s.HSM.ExportKeyBlock(ctx, protection.Ref, zpk)
	if err != nil {
		return Exchange{}, fmt.Errorf("export ZPK: %w", err)
	}
	return Exchange{Key: Key{Ref: zpk}, Wrapped: protection.Wrapped, KeyBlock: block, KCV: zpk.KCV}, nil
}

// ExchangedKeys returns the live transport keys of the caller's client, newest
// first.
func (s *Service) ExchangedKeys(ctx context.Context, c access.Caller) (keys []Key, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		keys, err = KeysOfClient(ctx, tx, c.Tenant, c.Client, s.Clock.Now())
		return err
	})
	return keys, err
}

// DropKey deletes a transport key of the caller's client; another's is NotFound.
func (s *Service) DropKey(ctx context.Context, c access.Caller, keyID string) error {
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		found, err := DeleteKey(ctx, tx, c.Tenant, c.Client, keyID)
		if err == nil && !found {
			err = errKeyNotFound
		}
		return err
	})
}

// TransportKey returns the caller's transport key that a request names in
// encryption.keyId, for other domains to open what it protects. A key of
// another client, tenant or usage is Refused as encryption_key_not_found, an
// old one as encryption_key_expired.
func TransportKey(ctx context.Context, tx db.Tx, c access.Caller, keyID string, usage hsm.Usage, now time.Time) (hsm.KeyRef, error) {
	k, found, err := FindKey(ctx, tx, c.Tenant, keyID)
	switch {
	case err != nil:
		return hsm.KeyRef{}, fmt.Errorf("read transport key: %w", err)
	case !found || k.ClientID != c.Client || k.Ref.Usage != usage:
		return hsm.KeyRef{}, errEncryptionKeyNotFound
	case !k.Live(now):
		return hsm.KeyRef{}, errEncryptionKeyExpired
	}
	return k.Ref, nil
}

// Sweep deletes transport keys a day after they expired, so that until then a
// client is told that its key is too old rather than unknown.
func (s *Service) Sweep(ctx context.Context) (rows int64, err error) {
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		rows, err = sweepKeys(ctx, tx, s.Clock.Now().Add(-24*time.Hour))
		return err
	})
	return rows, err
}

// parsePublicKey reads an RSA key in SPKI form and returns it with its
// fingerprint, the SHA-256 of the DER in hexadecimal digits.
func parsePublicKey(text string) (*rsa.PublicKey, string, error) {
	bad := func(code, why string) (*rsa.PublicKey, string, error) {
		return nil, "", fault.New(fault.Invalid, access.CodeInvalid, "the public key is not usable").OnField("publicKey", code, why)
	}
	var der []byte
	if block, _ := pem.Decode([]byte(text)); block != nil {
		der = block.Bytes
	} else if der, _ = base64.StdEncoding.DecodeString(strings.TrimSpace(text)); len(der) == 0 {
		return bad("malformed", "must be an RSA public key in SPKI form, PEM or base64 of the DER")
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	public, ok := parsed.(*rsa.PublicKey)
	if err != nil || !ok {
		return bad("malformed", "must be an RSA public key in SPKI form, PEM or base64 of the DER")
	}
	if bits := public.N.BitLen(); bits < 2048 || bits > 8192 {
		return bad("length", "must have 2048 to 8192 bits")
	}
	canonical, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, "", fmt.Errorf("encode public key: %w", err)
	}
	sum := sha256.Sum256(canonical)
	return public, hex.EncodeToString(sum[:]), nil
}
