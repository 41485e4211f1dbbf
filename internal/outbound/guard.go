package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// closedPrefixes are networks that are not the public Internet, or lead into
// one that is not. The predicates of [netip] know only some of them.
var closedPrefixes = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
	"192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"224.0.0.0/4", "240.0.0.0/4",
	"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
	"5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)

// publicIPv6 is all that was ever given out for the public Internet: what is
// outside, as translated IPv4 addresses (::ffff:0:0:0/96) are, leads elsewhere.
var publicIPv6 = netip.MustParsePrefix("2000::/3")

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, t := range texts {
		all[i] = netip.MustParsePrefix(t)
	}
	return all
}

// ErrAddress is what the connection to a closed address fails with. It never names the address:
// the answer must not map our network.
var ErrAddress = errors.New("the address is not public")

// Guard returns nil when a request of a tenant may go to this address: it is on
// the public Internet. An IPv4 address inside an IPv6 one counts as what it is.
func Guard(a netip.Addr) error {
	a = a.Unmap()
	if !a.IsValid() || a.Zone() != "" || a.Is6() && !publicIPv6.Contains(a) {
		return ErrAddress
	}
	for _, p := range closedPrefixes {
		if p.Contains(a) {
			return ErrAddress
		}
	}
	return nil
}

// Reach is how far requests of one kind may go.
type Reach int

// The reaches. Whoever is given more than Public decides it by configuration;
// a caller of an API never does.
const (
	Public   Reach = iota // public addresses, ports 443 and 8443, https
	Loopback              // this machine, too, at any port, also without TLS
	Anywhere              // any address and port, also without TLS
)

func portAllowed(port string) bool { return port == "443" || port == "8443" }

// CheckURL returns what is wrong with a URL that requests are to go to, or "".
func CheckURL(text string, r Reach) string {
	u, err := url.Parse(text)
	if err != nil || len(text) > 2048 || u.Host == "" || u.Opaque != "" {
		return "must be a URL"
	}
	host := u.Hostname()
	address, err := netip.ParseAddr(host)
	isAddress := err == nil
	isWeb := u.Scheme == "http" || u.Scheme == "https"
	switch {
	case u.User != nil:
		return "must not hold a user"
	case u.Fragment != "":
		return "must not hold a fragment"
	case r == Anywhere && isWeb:
		return ""
	case r == Loopback && isWeb && (host == "localhost" || isAddress && address.IsLoopback()):
		return ""
	case u.Scheme != "https":
		return "must begin with https://"
	case u.Port() != "" && !portAllowed(u.Port()):
		return "must name port 443 or 8443"
	case isAddress && Guard(address) != nil:
		return "must name a public host"
	case !isAddress && (!strings.Contains(host, ".") || !hostSyntax(host)):
		return "must name a public host, in ASCII"
	}
	return ""
}

func hostSyntax(host string) bool {
	for _, r := range host {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.') {
			return false
		}
	}
	return len(host) <= 253
}

// NewClient returns an HTTP client that follows no redirects, uses no proxy,
// keeps no cookies, and connects to no address beyond its reach. What a name
// resolves to is looked at when the connection is made.
func NewClient(r Reach) *http.Client {
	dialer := &net.Dialer{
		Timeout: 5 * time.Second,
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			return guardDial(address, r)
		},
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    5 * time.Second,
			MaxResponseHeaderBytes: 16 << 10,
			MaxIdleConnsPerHost:    1,
			IdleConnTimeout:        30 * time.Second,
			ForceAttemptHTTP2:      true,
			DisableCompression:     true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// guardDial looks at the address that a connection is about to be made to.
func guardDial(address string, r Reach) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("read address: %w", ErrAddress)
	}
	if r == Anywhere || r == Loopback && to.Addr().Unmap().IsLoopback() {
		return nil
	}
	if to.Port() != 443 && to.Port() != 8443 {
		return ErrAddress
	}
	return Guard(to.Addr())
}
