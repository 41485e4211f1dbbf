package access

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/sarraf-platform/sarraf/internal/secret"
)

// PasswordCost is what a guess at a password costs (Argon2id).
type PasswordCost struct {
	Memory  uint32 // in KiB
	Passes  uint32
	Threads uint8
}

// defaultCost is the floor of docs/threat-model.md: 64 MiB and three passes.
var defaultCost = PasswordCost{Memory: 64 << 10, Passes: 3, Threads: 1}

const (
	passwordSaltLen = 16
	passwordHashLen = 32
	// hashesMax bounds how many passwords are hashed at the same time, and with
	// them the memory.
	hashesMax = 4
)

// newPasswordHash hashes a password with a fresh salt, in the PHC form
// $argon2id$v=19$m=…,t=…,p=…$salt$hash.
func (s *Service) newPasswordHash(ctx context.Context, password secret.Value) (string, error) {
	salt := make([]byte, passwordSaltLen)
	rand.Read(salt) // never fails
	sum, err := s.derive(ctx, s.Cost, password, salt)
	if err != nil {
		return "", err
	}
	e := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, s.Cost.Memory, s.Cost.Passes, s.Cost.Threads,
		e.EncodeToString(salt), e.EncodeToString(sum)), nil
}

// passwordFits reports whether the password is the one that was hashed. Where
// there is no hash, it takes as long as if there were one and is false.
func (s *Service) passwordFits(ctx context.Context, password secret.Value, stored string) (bool, error) {
	cost, salt, want, err := parsePasswordHash(stored)
	if stored == "" {
		cost, salt, want, err = s.Cost, make([]byte, passwordSaltLen), nil, nil
	}
	if err != nil {
		return false, err
	}
	got, err := s.derive(ctx, cost, password, salt)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1 && !password.IsZero(), nil
}

// derive waits for its turn, for each hash takes its share of the memory.
func (s *Service) derive(ctx context.Context, c PasswordCost, password secret.Value, salt []byte) ([]byte, error) {
	select {
	case s.hashing <- struct{}{}:
		defer func() { <-s.hashing }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to hash a password: %w", ctx.Err())
	}
	return argon2.IDKey(password.Reveal(), salt, c.Passes, c.Memory, c.Threads, passwordHashLen), nil
}

// parsePasswordHash reads the PHC form, within bounds that a row cannot abuse.
func parsePasswordHash(stored string) (c PasswordCost, salt, sum []byte, err error) {
	parts := strings.Split(stored, "$")
	bad := fmt.Errorf("a password hash cannot be read")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, bad
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.Memory, &c.Passes, &c.Threads); n != 3 || err != nil ||
		c.Memory > 1<<20 || c.Passes < 1 || c.Passes > 16 || c.Threads < 1 || c.Threads > 16 {
		return c, nil, nil, bad
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil || len(salt) < 8 {
		return c, nil, nil, bad
	}
	if sum, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(sum) != passwordHashLen {
		return c, nil, nil, bad
	}
	return c, salt, sum, nil
}
