package access

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// Bounds of the addresses to which a client has cardholders sent back.
const (
	redirectsMax = 20
	redirectMax  = 512
)

// SetRedirects replaces the addresses to which a client of the family of credit
// cards may have cardholders sent back. They are compared letter by letter.
func (s *Service) SetRedirects(ctx context.Context, c Caller, clientID string, uris []string) error {
	if len(uris) > redirectsMax || slices.ContainsFunc(uris, func(u string) bool { return !isRedirect(u) }) {
		return fault.New(fault.Invalid, CodeInvalid, "the addresses are not valid").OnField("redirectUris", "malformed",
			"must be at most 20 addresses with https, or with http on this machine, or with a scheme of an application (com.example.app:/back), without a fragment")
	}
	now := s.Clock.Now()
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		of, err := mustClient(ctx, tx, c.Tenant, clientID)
		if err != nil {
			return err
		}
		if of.Family != OpenBanking {
			return errClientNotFound
		}
		if _, err := lockClient(ctx, tx, c.Tenant, clientID); err != nil {
			return fmt.Errorf("lock client: %w", err)
		}
		before, err := redirectsOf(ctx, tx, clientID)
		if err != nil {
			return fmt.Errorf("read redirects: %w", err)
		}
		if err := replaceRedirects(ctx, tx, clientID, uris); err != nil {
			return fmt.Errorf("replace redirects: %w", err)
		}
		a := c.Act(clock.RealAt(now), audit.AccessStream, "ClientSetRedirects")
		a.EntityType, a.EntityKey = "Client", clientID
		a.Changes = audit.Changes(shownRedirects(before), shownRedirects(uris))
		return audit.Append(ctx, tx, a)
	})
}

func shownRedirects(uris []string) any {
	return struct{ RedirectURIs string }{strings.Join(slices.Sorted(slices.Values(uris)), " ")}
}

// hostSyntax is that of a host, with its port.
var hostSyntax = regexp.MustCompile(`^[A-Za-z0-9.-]+(:[0-9]{1,5})?$`)

// isRedirect takes https from everywhere, http on the machine of the cardholder, and
// the schemes of applications, which have a dot (RFC 8252). Whatever a browser would
// run is none of these.
func isRedirect(text string) bool {
	u, err := url.Parse(text)
	if err != nil || len(text) > redirectMax || strings.ContainsAny(text, "# \t\r\n\\") || u.User != nil {
		return false
	}
	switch u.Scheme {
	case "https":
		return hostSyntax.MatchString(u.Host)
	case "http":
		ip := net.ParseIP(u.Hostname())
		return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	}
	return strings.Contains(u.Scheme, ".") && u.Opaque == ""
}

// withQuery is a redirect with more in its query.
func withQuery(redirect string, add url.Values) string {
	u, err := url.Parse(redirect)
	if err != nil {
		return "" // no registered one
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += add.Encode()
	return u.String()
}
