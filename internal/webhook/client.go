package webhook

import (
	"crypto/tls"
	"net/http"
	"sync"

	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/outbound"
)

// userAgent names us to receivers.
const userAgent = "Sarraf-Webhook/1"

// certified keeps the clients of hooks that want to see a certificate: each has
// connections of its own, which no other hook may use.
type certified struct {
	mu  sync.Mutex
	all map[id.ID[Hook]]certifiedClient
}

type certifiedClient struct {
	stamp  string
	reach  outbound.Reach
	client *http.Client
}

// askingClient is a client that keeps as many connections to one receiver as it
// is asked questions at a time: a handshake for each would take the time of the
// answer.
func askingClient(reach outbound.Reach) *http.Client {
	client := outbound.NewClient(reach)
	client.Transport.(*http.Transport).MaxIdleConnsPerHost = askMax
	return client
}

// client returns the client that talks to h. Every one connects only to what
// [outbound.Guard] lets pass.
func (s *Service) client(to recipient) (*http.Client, error) {
	h, c, reach := to.hook, to.keep, to.reach
	switch {
	case c.Type == MTLS:
	case to.isAsked:
		return s.askingClientFor(reach), nil
	default:
		return s.clientFor(reach), nil
	}
	s.certified.mu.Lock()
	defer s.certified.mu.Unlock()
	if k, ok := s.certified.all[h.ID]; ok && k.stamp == h.ConcurrencyStamp && k.reach == reach {
		return k.client, nil
	}
	pair, err := tls.X509KeyPair(c.Certificate, c.PrivateKey)
	if err != nil {
		return nil, err
	}
	client := outbound.NewClient(reach)
	if h.Type.IsAsked() {
		client = askingClient(reach)
	}
	client.Transport.(*http.Transport).TLSClientConfig.Certificates = []tls.Certificate{pair}
	if old, ok := s.certified.all[h.ID]; ok {
		old.client.CloseIdleConnections()
	}
	if s.certified.all == nil {
		s.certified.all = map[id.ID[Hook]]certifiedClient{}
	}
	s.certified.all[h.ID] = certifiedClient{h.ConcurrencyStamp, reach, client}
	return client, nil
}
