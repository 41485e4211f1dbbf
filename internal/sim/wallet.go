package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// Wallets is a client of the family of wallets, as a merchant's program would be
// one. It is safe for concurrent use.
type Wallets struct{ client Client }

// SignInWallets gets a token for the credentials of a client of wallets. base is
// where they are, without a path.
func SignInWallets(ctx context.Context, base, clientID string, clientSecret secret.Value) (*Wallets, error) {
	w := &Wallets{Client{base: base, http: http.Client{Timeout: 30 * time.Second}}}
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {string(clientSecret.Reveal())}, "scope": {"sts_business_api"},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/connect/token", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := w.client.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
		Error string `json:"error"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("no token of wallets: answered %d: %w", resp.StatusCode, err)
	}
	if answer.Token == "" {
		return nil, fmt.Errorf("no token of wallets: answered %d %s", resp.StatusCode, answer.Error)
	}
	w.client.token = answer.Token
	return w, nil
}

// Refusal is a refusal of wallets: their code, which comes with HTTP 200.
type Refusal struct{ Code, Message string }

// Error tells the code.
func (r *Refusal) Error() string { return "refused with " + r.Code + ": " + r.Message }

// Do asks for an action, such as Transaction/Payment, and decodes its payload into
// out. What is refused is a [*Refusal].
func (w *Wallets) Do(ctx context.Context, action string, in, out any) (time.Duration, error) {
	watch := clock.StartStopwatch()
	var text []byte
	if _, err := w.client.Call(ctx, http.MethodPost, "/v1/"+action, in, &text); err != nil {
		return watch.Elapsed(), err
	}
	took := watch.Elapsed()
	var answer struct {
		Status        int
		Code, Message string
		Payload       json.RawMessage
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return took, fmt.Errorf("%s: decode answer: %w", action, err)
	}
	if answer.Status != 0 {
		return took, &Refusal{answer.Code, answer.Message}
	}
	if out == nil {
		return took, nil
	}
	if err := json.NewDecoder(bytes.NewReader(answer.Payload)).Decode(out); err != nil {
		return took, fmt.Errorf("%s: decode payload: %w", action, err)
	}
	return took, nil
}
