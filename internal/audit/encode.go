package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"strconv"

	"github.com/sarraf-platform/sarraf/internal/clock"
)

// version is the byte between the previous hash and the fields. Another
// encoding gets another one.
const version = 0x01

// sum is the hash of an entry that follows one with the hash previous; nil when
// it is the first.
//
// It is SHA-256 over previous, the version byte and the fields in this order:
// tenant, position, time, stream, action, entity type, entity key, card,
// issuance, product, client, user id, channel, correlation, result, error code, digests
// of user, address and description, number of changes, and of each change
// property, old and new value. A field is its length (uint32, big endian) and
// its UTF-8 bytes, numbers in decimal; an absent one is the length 0xFFFFFFFF;
// the time is an int64 of microseconds, big endian, without a length.
func (e Entry) sum(previous []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write(previous)
	h.Write([]byte{version})
	text(h, e.Tenant, strconv.FormatInt(e.Position, 10))
	var at [8]byte
	binary.BigEndian.PutUint64(at[:], uint64(clock.Micros(e.At)))
	h.Write(at[:])
	text(h, string(e.Stream), e.Action, e.EntityType, e.EntityKey, e.CardID, e.IssuanceID, e.ProductCode,
		e.Client, e.UserID, e.Channel, e.CorrelationID, string(e.Result), e.ErrorCode,
		e.userDigest, e.ipDigest, e.descriptionDigest, strconv.Itoa(len(e.Changes)))
	for _, c := range e.Changes {
		text(h, c.Property)
		optional(h, c.Old)
		optional(h, c.New)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// text writes fields of which an empty one is absent.
func text(h hash.Hash, fields ...string) {
	for _, f := range fields {
		if f == "" {
			optional(h, nil)
		} else {
			optional(h, &f)
		}
	}
}

func optional(h hash.Hash, value *string) {
	n := [4]byte{0xFF, 0xFF, 0xFF, 0xFF}
	if value == nil {
		h.Write(n[:])
		return
	}
	binary.BigEndian.PutUint32(n[:], uint32(len(*value)))
	h.Write(n[:])
	h.Write([]byte(*value))
}

// digests are those of the personal values.
func (e Entry) digests() (user, ip, description string) {
	return e.digest("user", e.User), e.digest("ip", e.IP), e.digest("description", e.Description)
}

// digest is SHA-256(salt ‖ name ‖ 0x00 ‖ value) in hexadecimal; nothing for
// nothing.
func (e Entry) digest(name, value string) string {
	if value == "" {
		return ""
	}
	h := sha256.New()
	h.Write(e.salt)
	h.Write([]byte(name + "\x00" + value))
	return hex.EncodeToString(h.Sum(nil))
}
