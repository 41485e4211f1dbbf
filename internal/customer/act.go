package customer

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// hidden stands for a personal value: the record says that it changed, and what
// it is now is asked of the customer.
const hidden = "***"

// record writes what became of a customer into the audit chain; old is nil for a
// new one. It comes after everything else of its transaction, since the chain
// is held from here on. What changed nothing leaves no act.
func (u Customer) record(ctx context.Context, tx db.Tx, c access.Caller, action string, old *Customer, at time.Time) error {
	a := c.Act(c.Real(at), audit.CustomerStream, action)
	a.EntityType, a.EntityKey = "Customer", u.No
	var before any
	if old != nil {
		before = old.standing()
		for _, name := range u.changedMembers(*old) {
			if name == "StatusReason" { // stands in the description
				continue
			}
			a.Changes = append(a.Changes, audit.Change{Property: audit.PropertyOf(name), Old: new(hidden), New: new(hidden)})
		}
	}
	a.Changes = append(audit.Changes(before, u.standing()), a.Changes...)
	if old != nil && len(a.Changes) == 0 {
		return nil
	}
	if old == nil || u.StatusReason != old.StatusReason || u.Status != old.Status {
		a.Description = u.StatusReason
	}
	return audit.Append(ctx, tx, a)
}

// standing is what is no secret about a customer.
type standing struct {
	Type             Type
	Status           Status
	KYCLevel         KYCLevel
	Segment          string
	ExternalCustomer string
}

func (u Customer) standing() standing {
	return standing{u.Type, u.Status, u.KYCLevel, u.Segment, u.ExternalID}
}

// recordSegment writes into the audit chain that a segment became another.
// before is nil for a new one, after for one that is deleted.
func recordSegment(ctx context.Context, tx db.Tx, c access.Caller, before, after *Segment, at time.Time) error {
	action, key := "Update", ""
	var was, is any
	if before == nil {
		action = "Create"
	} else {
		was, key = *before, before.Code
	}
	if after == nil {
		action = "Delete"
	} else {
		is, key = *after, after.Code
	}
	a := c.Act(c.Real(at), audit.CustomerStream, action)
	a.EntityType, a.EntityKey, a.Changes = "Segment", key, audit.Changes(was, is)
	return audit.Append(ctx, tx, a)
}

// recordNote writes down that there is a note about a customer, not what it
// says.
func recordNote(ctx context.Context, tx db.Tx, c access.Caller, n Note) error {
	a := c.Act(c.Real(n.CreatedAt), audit.CustomerStream, "NoteAdd")
	a.EntityType, a.EntityKey = "Customer", n.Key
	return audit.Append(ctx, tx, a)
}
