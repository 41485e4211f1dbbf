package control

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"slices"
	"strconv"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
)

// hashVersion is the first byte of what a [Snapshot] hashes. A change of the
// encoding needs a new one.
const hashVersion = 1

// hasher writes fields: each is its length as uint32 big endian and its bytes.
// Something absent is a field of length 0xFFFFFFFF without bytes; a list is its
// length as a field and then its elements.
type hasher struct{ hash.Hash }

func newHasher() hasher {
	h := hasher{sha256.New()}
	h.Write([]byte{hashVersion})
	return h
}

func (h hasher) text(fields ...string) {
	for _, f := range fields {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(f))))
		h.Write([]byte(f))
	}
}

func (h hasher) moment(t *time.Time) {
	if t == nil {
		h.Write([]byte{0xFF, 0xFF, 0xFF, 0xFF})
		return
	}
	h.text(strconv.FormatInt(clock.Micros(*t), 10))
}

func (h hasher) sum() string { return hex.EncodeToString(h.Sum(nil)) }

// hashOf is the hash of definitions, of the links to all but customers and cards,
// and of the lists, whose digests come by code. Left out are names,
// descriptions, versions, stamps and authors: two snapshots of one hash decide
// alike, but for what is set for a customer or a card, which stands in each
// decision.
func hashOf(definitions []storedDefinition, links []Link, lists []NamedList, digests map[string]string) string {
	h := newHasher()
	h.text(strconv.Itoa(len(definitions)))
	for _, d := range definitions {
		h.text(string(d.kind), d.code, strconv.FormatBool(d.isActive), d.document)
		h.moment(d.startsAt)
		h.moment(d.endsAt)
	}
	links = slices.Clone(links)
	slices.SortFunc(links, func(a, b Link) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Parent, b.Parent), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Target, b.Target))
	})
	h.text(strconv.Itoa(len(links)))
	for _, l := range links {
		// Of two links as specific the newer one wins.
		h.text(string(l.Kind), l.Parent, string(l.Type), l.Target, strconv.Itoa(l.Priority), strconv.FormatBool(l.IsActive))
		h.moment(&l.CreatedAt)
		h.moment(l.StartsAt)
		h.moment(l.EndsAt)
	}
	h.text(strconv.Itoa(len(lists)))
	for _, l := range lists {
		h.text(l.Code, string(l.Type), strconv.FormatBool(l.IsActive), digests[l.Code])
	}
	return h.sum()
}

// HashWith is the hash of the whole configuration that a decision is made under:
// of the snapshot and of the tenant's programmes, whose hash is given.
func (k *Snapshot) HashWith(programs string) string {
	if c := k.combined.Load(); c != nil && c.programs == programs {
		return c.hash
	}
	h := newHasher()
	h.text(programs, k.Hash)
	c := &combinedHash{programs, h.sum()}
	k.combined.Store(c)
	return c.hash
}

// combinedHash is kept, for every authorization asks for the same.
type combinedHash struct{ programs, hash string }

// digest is the hash of a list's values.
func (l *NamedList) digest() string {
	h := newHasher()
	h.text(strconv.Itoa(len(l.Values)))
	h.text(l.Values...)
	return h.sum()
}
