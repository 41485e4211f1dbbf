package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// Client calls the platform's API as an institution's program would. It is
// safe for concurrent use.
type Client struct {
	base  string
	token string
	http  http.Client
}

// SignIn gets a token for the credentials of an API client. base is where the
// API is, without a path.
func SignIn(ctx context.Context, base, clientID string, clientSecret secret.Value) (*Client, error) {
	c := &Client{base: base, http: http.Client{Timeout: 30 * time.Second}}
	var answer struct {
		AccessToken string `json:"accessToken"`
	}
	_, err := c.Call(ctx, http.MethodPost, "/api/v1/auth/token",
		map[string]any{"grantType": "client_credentials", "clientId": clientID, "clientSecret": string(clientSecret.Reveal())}, &answer)
	c.token = answer.AccessToken
	return c, err
}

// Move makes the client call the API at another base, such as after a restart
// on another port. It must not run beside a call.
func (c *Client) Move(base string) { c.base = base }

// APIError is an answer that is no success.
type APIError struct {
	Status int
	Code   string
	Text   string
}

// Error tells what was answered.
func (e *APIError) Error() string { return fmt.Sprintf("answered %d %s: %s", e.Status, e.Code, e.Text) }

// Call sends body as JSON, when there is one, and decodes the answer into out,
// when there is one; out may be *[]byte to get it as it came. It returns how
// long the answer took. An answer that is no success is an [*APIError].
func (c *Client) Call(ctx context.Context, method, path string, body, out any) (time.Duration, error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return 0, fmt.Errorf("write request: %w", err)
		}
		content = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return 0, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Accept-Language", "en")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	watch := clock.StartStopwatch()
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	took := watch.Elapsed()
	if err != nil {
		return took, fmt.Errorf("%s %s: read answer: %w", method, path, err)
	}
	if resp.StatusCode >= 300 {
		return took, fmt.Errorf("%s %s: %w", method, path, decodeAPIError(resp.StatusCode, answer))
	}
	switch to := out.(type) {
	case nil:
		return took, nil
	case *[]byte:
		*to = answer
		return took, nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return took, fmt.Errorf("%s %s: decode answer: %w", method, path, err)
	}
	return took, nil
}

// decodeAPIError reads the error shape of the platform family.
func decodeAPIError(status int, answer []byte) *APIError {
	var body struct {
		Error struct {
			Code             string `json:"code"`
			Message          string `json:"message"`
			ValidationErrors []struct {
				Message string `json:"message"`
			} `json:"validationErrors"`
		} `json:"error"`
	}
	e := &APIError{Status: status}
	if json.Unmarshal(answer, &body) == nil {
		e.Code, e.Text = body.Error.Code, body.Error.Message
		for _, v := range body.Error.ValidationErrors {
			e.Text += " " + v.Message
		}
	}
	return e
}
