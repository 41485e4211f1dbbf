package access

import (
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sarraf-platform/sarraf/internal/fault"
)

// Client is the credentials of a program that calls us, as its administrators
// see it: without the secret.
type Client struct {
	ID               string // sc_…
	Tenant           TenantID
	Family           Family
	Name             string
	Permissions      Permissions
	Allowed          []netip.Prefix // from where it may call; none: from everywhere
	Rate             Rate           // zero: its tenant's
	IsActive         bool
	ConcurrencyStamp string
	CreatedAt        time.Time
	UpdatedAt        time.Time
}

// Rate is how many requests a caller may send: PerSecond on average and Burst
// at once. The zero value leaves it to what stands above: the tenant above the
// client, the server's settings above the tenant.
type Rate struct{ PerSecond, Burst int }

// or is r, or what stands above it when r leaves it to that.
func (r Rate) or(above Rate) Rate {
	if r.PerSecond > 0 {
		return r
	}
	return above
}

// rateMax bounds both members of a rate.
const rateMax = 1_000_000

// Origin is where a request comes from, for address lists and audit.
type Origin struct{ IP, CorrelationID string }

// allowedMax is how many networks an address list may have.
const allowedMax = 50

// allows reports whether the client may call from ip. An address that cannot
// be read is allowed only where every one is.
func (c Client) allows(ip string) bool {
	if len(c.Allowed) == 0 {
		return true
	}
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return false
	}
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(c.Allowed, func(p netip.Prefix) bool { return p.Contains(a) })
}

// holds reports whether every permission of p is the caller's, so that it may
// be granted by it, and its holder managed.
func (c Caller) holds(p Permissions) bool {
	if p.all {
		return c.Permissions.all
	}
	for n := range p.names {
		if !c.Permissions.Has(n) {
			return false
		}
	}
	return true
}

// ClientChange is the mutable part of a client; it replaces all of it.
type ClientChange struct {
	Name             string   // 1 to 128 characters
	Permissions      []string // at least one; "*" is every one there is
	Allowed          []string // addresses and networks, v4 and v6; none: all
	Rate             Rate
	ConcurrencyStamp string // empty: the last write wins
}

// set puts a change into c, or returns a fault that names everything wrong
// with it.
func (c *Client) set(in ClientChange, sandbox bool) error {
	bad := fault.New(fault.Invalid, CodeInvalid, "the client is not valid")
	if n := utf8.RuneCountInString(in.Name); strings.TrimSpace(in.Name) == "" || n > 128 || !utf8.ValidString(in.Name) ||
		strings.ContainsFunc(in.Name, unicode.IsControl) {
		bad = bad.OnField("name", "malformed", "must be text of 1 to 128 characters without control characters")
	}
	permissions, err := grantable(in.Permissions, sandbox)
	if f, ok := fault.As(err); ok && f.Kind == fault.Invalid {
		bad.Fields = append(bad.Fields, f.Fields...)
	}
	allowed, ok := parseNetworks(in.Allowed)
	if !ok {
		bad = bad.OnField("allowedAddresses", "malformed", "must be at most 50 addresses or networks, as 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32")
	}
	if in.Rate.PerSecond < 0 || in.Rate.PerSecond > rateMax {
		bad = bad.OnField("rateLimit", "range", "must be between 0 and 1000000")
	}
	if in.Rate.Burst < 0 || in.Rate.Burst > rateMax || in.Rate.PerSecond == 0 && in.Rate.Burst != 0 {
		bad = bad.OnField("rateBurst", "range", "must be between 0 and 1000000, and stand with rateLimit")
	}
	if len(bad.Fields) > 0 {
		return bad
	}
	if err != nil {
		return err
	}
	c.Name, c.Permissions, c.Allowed, c.Rate = in.Name, permissions, allowed, in.Rate
	return nil
}

// grantable reads the names of permissions that are to be granted in a
// sandbox, or in a production tenant, where those of the sandbox never are.
func grantable(names []string, sandbox bool) (Permissions, error) {
	bad := fault.New(fault.Invalid, CodeInvalid, "the permissions are not valid")
	if len(names) == 0 {
		return Permissions{}, bad.OnField("permissions", "required", "must name at least one permission")
	}
	forbidden := ""
	for _, n := range names {
		if n != everything && !KnownPermission(n) {
			return Permissions{}, bad.OnField("permissions", "unknown", "must name permissions that there are, or *")
		}
		if SandboxPermission(n) && !sandbox {
			forbidden = n
		}
	}
	if forbidden != "" {
		return Permissions{}, errSandboxPermission.With("permission", forbidden)
	}
	if slices.Contains(names, everything) {
		return EveryPermission(), nil
	}
	return PermissionsOf(names...), nil
}

// parseNetworks reads addresses and networks; an address is the network of
// itself. Host bits are cut off.
func parseNetworks(texts []string) ([]netip.Prefix, bool) {
	if len(texts) > allowedMax {
		return nil, false
	}
	var all []netip.Prefix
	for _, t := range texts {
		p, err := netip.ParsePrefix(t)
		if err != nil {
			a, err := netip.ParseAddr(t)
			if err != nil || a.Zone() != "" {
				return nil, false
			}
			a = a.Unmap()
			p = netip.PrefixFrom(a, a.BitLen())
		}
		if p.Addr().Is4In6() { // would contain no address as we compare them
			return nil, false
		}
		if p = p.Masked(); !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return all, true
}

// AllowedTexts are the networks of the address list as text.
func (c Client) AllowedTexts() []string {
	all := make([]string, len(c.Allowed))
	for i, p := range c.Allowed {
		all[i] = p.String()
	}
	return all
}

// shown is what the audit record compares of a client.
func (c Client) shown() any {
	return struct {
		Family, Name, Permissions, AllowedAddresses string
		RateLimit, RateBurst                        int
		IsActive                                    bool
	}{string(c.Family), c.Name, c.Permissions.stored(), strings.Join(c.AllowedTexts(), " "), c.Rate.PerSecond, c.Rate.Burst, c.IsActive}
}
