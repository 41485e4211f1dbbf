package api

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// addressOf is where a request comes from: the other end of its connection, or
// what proxies that are trusted say of it. X-Forwarded-For is read from its
// right end, where the proxy that we know wrote, and only for as long as the
// address that wrote is a trusted one: what stands further left anybody can
// have invented.
func addressOf(r *http.Request, trusted []netip.Prefix) string {
	host := hostOf(r.RemoteAddr)
	at, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	at = at.Unmap().WithZone("")
	isTrusted := func() bool {
		return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(at) })
	}
	if !isTrusted() {
		return at.String()
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && isTrusted(); i-- {
		before, ok := parseHop(hops[i])
		if !ok {
			break
		}
		at = before
	}
	return at.String()
}

// parseHop reads an address, which may have a port.
func parseHop(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	a, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		withPort, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Addr{}, false
		}
		a = withPort.Addr()
	}
	return a.Unmap().WithZone(""), true
}

// ParseNetworks reads addresses and networks (203.0.113.0/24) that stand
// divided by commas. It is false when one of them is none.
func ParseNetworks(text string) ([]netip.Prefix, bool) {
	var all []netip.Prefix
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		p, err := netip.ParsePrefix(part)
		if err != nil {
			a, err := netip.ParseAddr(part)
			if err != nil {
				return nil, false
			}
			a = a.Unmap().WithZone("")
			p = netip.PrefixFrom(a, a.BitLen())
		}
		all = append(all, p.Masked())
	}
	return all, true
}
