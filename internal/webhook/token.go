package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/outbound"
)

// errToken says that a receiver's token could not be had. It tells nothing of
// what the token endpoint answered.
var errToken = errors.New("no access token could be fetched")

const (
	tokenMax    = 16 << 10        // bytes of a token endpoint's answer
	tokenLeast  = 5 * time.Second // a token that lives shorter is not kept
	tokenMargin = 10 * time.Second
)

// tokens keeps the access tokens of hooks until shortly before they expire. A
// change of the hook, which changes its stamp, makes its token unknown.
type tokens struct {
	mu  sync.Mutex
	all map[id.ID[Hook]]*hookToken
}

type hookToken struct {
	turn  chan struct{} // taken while a token is fetched: one at a time for each hook
	stamp string
	value string
	until time.Time
}

func (t *tokens) of(h Hook) *hookToken {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all == nil {
		t.all = map[id.ID[Hook]]*hookToken{}
	}
	k := t.all[h.ID]
	if k == nil || k.stamp != h.ConcurrencyStamp {
		k = &hookToken{stamp: h.ConcurrencyStamp, turn: make(chan struct{}, 1)}
		t.all[h.ID] = k
	}
	return k
}

// forget drops a token that the receiver did not take.
func (t *tokens) forget(h Hook) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.all, h.ID)
}

// token returns a valid access token for h, fetched from its token endpoint
// when none is kept; empty for hooks that need none.
func (s *Service) token(ctx context.Context, h Hook, c confidential, reach outbound.Reach) (string, error) {
	if c.Type != OAuth2ClientCredentials {
		return "", nil
	}
	k := s.tokens.of(h)
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return "", fmt.Errorf("%w: %w", errToken, ctx.Err())
	}
	now := s.Clock.Now()
	if k.value != "" && now.Before(k.until) {
		return k.value, nil
	}
	value, life, err := s.fetchToken(ctx, c, reach)
	if err != nil {
		return "", err
	}
	if life -= min(tokenMargin, life/2); life >= tokenLeast {
		k.value, k.until = value, now.Add(life)
	}
	return value, nil
}

// fetchToken asks for a token as RFC 6749, 4.4 has it, through the same guarded
// client as every request.
func (s *Service) fetchToken(ctx context.Context, c confidential, reach outbound.Reach) (string, time.Duration, error) {
	if outbound.CheckURL(c.TokenURL, reach) != "" {
		return "", 0, errToken
	}
	form := url.Values{"grant_type": {"client_credentials"}}
	if c.Scope != "" {
		form.Set("scope", c.Scope)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return "", 0, errToken
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", userAgent)
	r.SetBasicAuth(url.QueryEscape(c.ClientID), url.QueryEscape(string(c.ClientSecret)))
	answer, err := s.clientFor(reach).Do(r)
	if err != nil {
		return "", 0, fmt.Errorf("%w: %w", errToken, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, tokenMax))
	if err != nil {
		return "", 0, fmt.Errorf("%w: %w", errToken, err)
	}
	var got struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int64  `json:"expires_in"`
	}
	if answer.StatusCode != http.StatusOK || json.Unmarshal(body, &got) != nil || !headerValue(got.AccessToken) ||
		got.TokenType != "" && !strings.EqualFold(got.TokenType, "Bearer") {
		return "", 0, errToken
	}
	return got.AccessToken, time.Duration(min(max(got.ExpiresIn, 0), 86_400)) * time.Second, nil
}
