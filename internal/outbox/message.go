package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// Status is how far a message is.
type Status string

// The statuses of a message.
const (
	Waiting   Status = "Waiting"
	Delivered Status = "Delivered"
	Dead      Status = "Dead"
)

// Message is one thing to be done about an event, in one lane.
type Message struct {
	ID            id.ID[Message]
	Tenant        string
	Topic         string
	Lane          string
	EventID       id.ID[Event]
	Name          string
	Key           string
	Sequence      int64 // of the event among those of its key, from 1 without gaps
	CorrelationID string
	Payload       []byte
	OccurredAt    time.Time
	Status        Status
	Attempts      int
	RetriesMax    int       // attempts after the first
	DueAt         time.Time // the next attempt
	StartedAt     time.Time // it is given up RetryLife after this
	FailingSince  time.Time // zero: no attempt failed
	EndedAt       time.Time // zero while it waits
	ResultCode    int       // of the last attempt; 0: there was no answer
	ResultText    string
	// OutOfOrder is set on a claimed message that no longer waited for an
	// earlier one of its key.
	OutOfOrder bool

	owner string    // who holds the lease
	asked time.Time // DueAt as it was read
}

// IDPrefix is the prefix of message identifiers.
func (Message) IDPrefix() string { return "msg" }

// What bounds the life of a message.
const (
	// RetryLife is how long a message is tried at most.
	RetryLife = 72 * time.Hour
	// KeepLife is how long one that has ended is kept, for the log and for
	// another try.
	KeepLife = 72 * time.Hour
	// BlockLife is how long a failing message holds back later ones of its key.
	BlockLife = 5 * time.Minute

	pauseMax     = 6 * time.Hour
	resultLength = 512
)

// Pause is how long to wait after the given number of attempts: 1, 4, 16, 64,
// 256 s and so on, at most 6 h.
func Pause(attempts int) time.Duration {
	if attempts > 8 { // 4^8 s is more than 6 h
		return pauseMax
	}
	return min(time.Second<<(2*max(0, attempts-1)), pauseMax)
}

// Put writes a message that is due at now, in tx. Its ID and its event's are
// kept, or made when they are zero.
func Put(ctx context.Context, tx db.Tx, m Message, now time.Time) error {
	return PutAll(ctx, tx, []Message{m}, now)
}

// PutAll is Put for many messages, whose identifiers and times it fills in.
func PutAll(ctx context.Context, tx db.Tx, all []Message, now time.Time) error {
	for i := range all {
		m := &all[i]
		if m.ID.IsZero() {
			m.ID = id.New[Message](now)
		}
		if m.EventID.IsZero() {
			m.EventID = id.New[Event](now)
		}
		m.Status, m.DueAt, m.StartedAt = Waiting, now, now
	}
	if err := insertMessages(ctx, tx, all); err != nil {
		return fmt.Errorf("write messages: %w", err)
	}
	return nil
}
