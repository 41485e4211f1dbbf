package audit

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// Checkpoint says that a chain had this end at this time, signed with Ed25519.
// Kept where the platform's administrators cannot write, it finds a chain that
// was cut or written anew.
type Checkpoint struct {
	Tenant    string
	Position  int64
	Hash      string // of the row at Position, hexadecimal; empty before the first
	At        time.Time
	PublicKey []byte // 32 bytes
	Signature []byte // 64 bytes
}

// message is what is signed: "sarraf audit checkpoint", a zero byte, the version
// byte, then tenant, position and hash as the fields of an entry, and the time.
func (c Checkpoint) message() []byte {
	h := sha256.New()
	text(h, c.Tenant, strconv.FormatInt(c.Position, 10), c.Hash)
	digest := h.Sum([]byte("sarraf audit checkpoint\x00\x01"))
	return binary.BigEndian.AppendUint64(digest, uint64(clock.Micros(c.At)))
}

// Valid reports whether the signature is right under the key that c names. That
// the key is the platform's must be known from elsewhere.
func (c Checkpoint) Valid() bool {
	return len(c.PublicKey) == ed25519.PublicKeySize && ed25519.Verify(c.PublicKey, c.message(), c.Signature)
}

// keyPurpose names the sealing of checkpoint keys.
const keyPurpose = "audit_checkpoint_key"

// Checkpoint signs the present end of a tenant's chain. The tenant's key is made
// when it is first needed.
func (s *Service) Checkpoint(ctx context.Context, tenant string) (c Checkpoint, err error) {
	aad := []byte("audit_key/private_key/" + tenant)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("make checkpoint key: %w", err)
	}
	sealed, err := s.Seal.Seal(ctx, tenant, keyPurpose, private.Seed(), aad)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("seal checkpoint key: %w", err)
	}
	now := s.Clock.Now()
	var stored []byte
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		if err := insertKey(ctx, tx, tenant, hex.EncodeToString(public), sealed, now); err != nil {
			return fmt.Errorf("keep checkpoint key: %w", err)
		}
		if stored, _, err = readKey(ctx, tx, tenant); err != nil {
			return fmt.Errorf("read checkpoint key: %w", err)
		}
		end, _, err := readHead(ctx, tx, tenant)
		c = Checkpoint{Tenant: tenant, Position: end.position, Hash: end.hash, At: now}
		return err
	})
	if err != nil {
		return Checkpoint{}, err
	}
	seed, err := s.Seal.Open(ctx, tenant, keyPurpose, stored, aad)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("open checkpoint key: %w", err)
	}
	key := ed25519.NewKeyFromSeed(seed)
	c.PublicKey = key.Public().(ed25519.PublicKey)
	c.Signature = ed25519.Sign(key, c.message())
	return c, nil
}

// VerifyCheckpoint holds a tenant's chain against a checkpoint of it and tells
// what is wrong, or nothing. It does not look at the rows in between.
func (s *Service) VerifyCheckpoint(ctx context.Context, c Checkpoint) (finding string, err error) {
	if !c.Valid() {
		return "the signature of the checkpoint is wrong", nil
	}
	var hash, public string
	var found, known bool
	err = s.DB.View(ctx, func(tx db.Tx) (err error) {
		if public, known, err = readPublicKey(ctx, tx, c.Tenant); err != nil || c.Position == 0 {
			return err
		}
		hash, found, err = readHash(ctx, tx, c.Tenant, c.Position)
		return err
	})
	switch {
	case err != nil:
		return "", fmt.Errorf("hold audit chain against checkpoint: %w", err)
	case !known || public != hex.EncodeToString(c.PublicKey):
		return "the checkpoint is signed with another key than the tenant's", nil
	case c.Position > 0 && !found:
		return "row " + strconv.FormatInt(c.Position, 10) + " of the checkpoint is missing", nil
	case hash != c.Hash:
		return "row " + strconv.FormatInt(c.Position, 10) + " is another one than at the checkpoint", nil
	}
	return "", nil
}
