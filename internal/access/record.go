package access

import (
	"crypto/rand"
	"time"
)

// Record is who wrote a definition and when, and the stamp that changes with
// every write.
type Record struct {
	ConcurrencyStamp string
	CreatedAt        time.Time
	CreatedBy        string
	UpdatedAt        time.Time
	UpdatedBy        string
}

// NewRecord is the record of something new.
func NewRecord(c Caller, now time.Time) Record {
	return Record{ConcurrencyStamp: rand.Text(), CreatedAt: now, CreatedBy: c.By(), UpdatedAt: now, UpdatedBy: c.By()}
}

// Updated is the record of something that c changes now.
func (r Record) Updated(c Caller, now time.Time) Record {
	r.ConcurrencyStamp, r.UpdatedAt, r.UpdatedBy = rand.Text(), now, c.By()
	return r
}
