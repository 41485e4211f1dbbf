package vault

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// A code is 40 bytes: a header of 8, and the card's id concealed under keys of
// the tenant, bound to the header and the pool.
const (
	codeVersion = 1
	codeHeader  = 8
	codeBytes   = codeHeader + 32
	purposeCode = "stored_card_code"
)

// epochOf is the UTC day of a moment.
func epochOf(now time.Time) uint32 { return uint32(now.Unix() / (24 * 60 * 60)) } //nolint:gosec // until the year 11 million

func headerOf(epoch uint32, scope Scope) [codeHeader]byte {
	var h [codeHeader]byte
	binary.BigEndian.PutUint32(h[:], epoch)
	h[4], h[5] = codeVersion, byte(scope)
	return h
}

// codeOf is the code of a card at a moment: the same all day.
func (s *Store) codeOf(ctx context.Context, card StoredCard, now time.Time) (string, error) {
	h := headerOf(epochOf(now), card.Scope)
	concealed, err := s.HSM.Conceal(ctx, card.Tenant.String(), purposeCode, card.ID.Bytes(), append(h[:], card.Pool...))
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(append(h[:], concealed[:]...)), nil
}

// readCode returns the card that a code of today or yesterday names. A code of
// another pool, tenant or scope is unreadable like any other text.
func (s *Store) readCode(ctx context.Context, c access.Caller, pool string, scope Scope, code string) (id.ID[StoredCard], error) {
	var none id.ID[StoredCard]
	raw, err := base64.StdEncoding.Strict().DecodeString(code)
	if err != nil || len(raw) != codeBytes {
		return none, errUniqueCode
	}
	today := epochOf(c.Now(s.Clock))
	epoch := binary.BigEndian.Uint32(raw)
	h := headerOf(epoch, scope)
	if string(raw[:codeHeader]) != string(h[:]) || epoch != today && epoch+1 != today {
		return none, errUniqueCode
	}
	plain, err := s.HSM.Unveil(ctx, c.Tenant.String(), purposeCode, [32]byte(raw[codeHeader:]), append(h[:], pool...))
	switch {
	case errors.Is(err, hsm.ErrIntegrity):
		return none, errUniqueCode
	case err != nil:
		return none, HSMFault(err)
	}
	return id.FromBytes[StoredCard](plain), nil
}
