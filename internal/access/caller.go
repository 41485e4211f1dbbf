package access

import (
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
)

// Caller is a client that has proved who it is, and what its request says about
// itself. It is a value; domains never change it.
type Caller struct {
	Tenant      TenantID
	Sandbox     bool        // the tenant is a sandbox: clear values and test keys are allowed
	Ahead       clock.Ahead // of the tenant's business time
	Client      string      // the client's id, e.g. sc_01k…
	Name        string      // the client's name
	User        string      // the id of the user that signed in, usr_…; empty: the client speaks for itself
	UserName    string
	Customer    string // the number of the customer whom a token of open banking speaks for; empty: none
	Permissions Permissions
	Rate        Rate // that its requests may come at; zero is any

	Channel       string // X-Channel: Api, Mobile, Web, Ivr, Branch, CallCenter, BackOffice, System
	UserReference string // the name of the user that signed in, else X-User-Reference: the operator at the client; may be empty
	CorrelationID string
	Language      string // "tr" or "en"
	IP            string
}

// Now returns what the business of the caller's tenant calls now.
func (c Caller) Now(k clock.Clock) time.Time { return c.Ahead.Now(k) }

// Real returns when a moment of the business of the caller's tenant really is.
// A caller that nobody filled in is of a tenant that goes by the clock.
func (c Caller) Real(business time.Time) clock.Real { return c.Ahead.Real(business) }

// ChannelAPI is the channel of a request that names none.
const ChannelAPI = "Api"

// Channels lists the channels a request may name.
func Channels() []string {
	return []string{ChannelAPI, "Mobile", "Web", "Ivr", "Branch", "CallCenter", "BackOffice", "System"}
}

// May reports whether the caller holds permission. A permission of the sandbox
// is never held in a production tenant, whatever was granted.
func (c Caller) May(permission string) bool {
	if SandboxPermission(permission) && !c.Sandbox {
		return false
	}
	return c.Permissions.Has(permission)
}

// By names who acts, for created_by columns and audit: the client, and after a
// slash the user that signed in, or else the operator that the client named.
func (c Caller) By() string {
	if c.User != "" {
		return c.Client + "/" + c.User
	}
	if c.UserReference == "" {
		return c.Client
	}
	return c.Client + "/" + c.UserReference
}

// systemClient is the client of [System].
const systemClient = "system"

// System returns the caller that acts for the platform itself in tenant t: jobs,
// imports, the command line. It holds every permission.
func System(t Tenant) Caller {
	return Caller{
		Tenant: t.ID, Sandbox: t.Environment == Sandbox, Ahead: t.Ahead, Client: systemClient, Name: systemClient,
		Permissions: EveryPermission(), Channel: "System", Language: t.Language,
	}
}
