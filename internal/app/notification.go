package app

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/textproto"
	"os"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/notification"
	"github.com/sarraf-platform/sarraf/internal/outbound"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// openGateways builds the gateways that the settings describe.
func openGateways(c config.Notification) (sms, email *notification.Gateway, err error) {
	if sms, err = openGateway(c.SMS, c.AllowPrivate); err != nil {
		return nil, nil, fmt.Errorf("notification.sms: %w", err)
	}
	if sms != nil {
		if err := readPINSettings(c, sms); err != nil {
			return nil, nil, err
		}
		if err := sms.Check(); err != nil {
			return nil, nil, fmt.Errorf("notification.sms: %w", err)
		}
	}
	if email, err = openGateway(c.Email, c.AllowPrivate); err != nil {
		return nil, nil, fmt.Errorf("notification.email: %w", err)
	}
	if email != nil {
		if err := email.Check(); err != nil {
			return nil, nil, fmt.Errorf("notification.email: %w", err)
		}
	}
	return sms, email, nil
}

func openGateway(c config.Gateway, anywhere bool) (*notification.Gateway, error) {
	if c.URL == "" {
		return nil, nil
	}
	g := &notification.Gateway{URL: c.URL, Method: c.Method, Timeout: c.Timeout, Anywhere: anywhere}
	text, err := readSecretFile(c.SecretFile)
	if err != nil {
		return nil, fmt.Errorf("secret_file: %w", err)
	}
	var ok bool
	if g.Secret, ok = outbound.ReadSecret(secret.New(bytes.TrimSpace(text))); !ok {
		return nil, errors.New("secret_file: is not whsec_ and the base64 of 24 to 64 bytes")
	}
	if c.HeaderFile != "" {
		text, err := readSecretFile(c.HeaderFile)
		if err != nil {
			return nil, fmt.Errorf("header_file: %w", err)
		}
		text = append(bytes.TrimRight(text, "\r\n"), "\r\n\r\n"...)
		headers, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(text))).ReadMIMEHeader()
		if err != nil {
			return nil, errors.New(`header_file: is not lines of "Name: value"`) // it holds secrets
		}
		g.Headers = http.Header(headers)
	}
	if g.Body, err = readBody(c.BodyFile); err != nil {
		return nil, fmt.Errorf("body_file: %w", err)
	}
	return g, nil
}

func readPINSettings(c config.Notification, g *notification.Gateway) (err error) {
	if g.PINBody, err = readBody(c.PINBodyFile); err != nil {
		return fmt.Errorf("notification.pin_body_file: %w", err)
	}
	if c.PINKeyFile == "" {
		return nil
	}
	text, err := os.ReadFile(c.PINKeyFile)
	if err != nil {
		return fmt.Errorf("notification.pin_key_file: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return errors.New("notification.pin_key_file: is no PEM file")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return fmt.Errorf("notification.pin_key_file: %w", err)
	}
	public, ok := key.(*rsa.PublicKey)
	if !ok {
		return errors.New("notification.pin_key_file: is no RSA key")
	}
	g.PINKey = public
	return nil
}

// readBody reads a template; none is the standard one.
func readBody(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	text, err := os.ReadFile(path)
	return string(text), err
}

// readSecretFile reads a file that nobody else may read.
func readSecretFile(path string) ([]byte, error) {
	state, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !state.Mode().IsRegular() || state.Mode().Perm()&0o077 != 0 || state.Size() > 64<<10 {
		return nil, fmt.Errorf("%s must be a file of mode 0600", path)
	}
	return os.ReadFile(path)
}

// shownMessage is a message to a customer as it is shown.
type shownMessage struct {
	MessageID  string     `json:"messageId"`
	TenantID   string     `json:"tenantId"`
	Event      string     `json:"event"`
	Channel    string     `json:"channel"`
	Recipient  string     `json:"recipient"` // masked
	Status     string     `json:"status"`
	IsPIN      bool       `json:"isPin"`
	CreatedAt  time.Time  `json:"createdAt"`
	EndedAt    *time.Time `json:"endedAt"`
	ResultCode int        `json:"resultCode"`
	ResultText string     `json:"resultText"`
}

func showMessage(m notification.Message) shownMessage {
	out := shownMessage{
		MessageID: m.ID.String(), TenantID: m.Tenant.UUID(), Event: m.Event, Channel: string(m.Channel), Recipient: m.Recipient,
		Status: string(m.Status), IsPIN: m.IsPIN, CreatedAt: m.CreatedAt, ResultCode: m.ResultCode, ResultText: m.ResultText,
	}
	if !m.EndedAt.IsZero() {
		out.EndedAt = &m.EndedAt
	}
	return out
}

// ListMessages prints the messages to customers of a tenant (a UUID), or of all,
// that wait or were given up; status chooses among them.
func ListMessages(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant, status string, p Page, asJSON bool) error {
	of, err := tenantOf(tenant)
	if err = errors.Join(err, p.check()); err != nil {
		return err
	}
	q := notification.UnsentQuery{Tenant: of, Status: notification.Status(status), Skip: p.Skip, Limit: p.Limit}
	if q.Status != "" && q.Status != notification.Waiting && q.Status != notification.Dead {
		return fmt.Errorf("%w: a message that was not sent is Waiting or Dead", ErrUsage)
	}
	return WithCore(ctx, c, log, AsItIs, func(k *Core) error {
		page, total, err := k.Notices.Unsent(ctx, q)
		if err != nil {
			return err
		}
		shown := make([]shownMessage, len(page))
		for i, m := range page {
			shown[i] = showMessage(m)
		}
		return printPage(w, shown, total, asJSON, func(m shownMessage) string {
			return fmt.Sprintf("%s  %s  %-7s %-5s %s  %s  %d %s  %s", m.CreatedAt.Format(time.RFC3339), m.MessageID, m.Status, m.Channel,
				m.Recipient, m.Event, m.ResultCode, m.ResultText, m.TenantID)
		})
	})
}

// RetryMessages lets messages of a tenant be tried again, or all that were given
// up when none is named, and prints how many.
func RetryMessages(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant string, messages []string, asJSON bool) error {
	named := make([]id.ID[notification.Message], len(messages))
	for i, text := range messages {
		var err error
		if named[i], err = id.Parse[notification.Message](text); err != nil {
			return fmt.Errorf("%w: a message is named by its id, ntf_…", ErrUsage)
		}
	}
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) (err error) {
		n := len(named)
		if n == 0 {
			n, err = k.Notices.RetryDead(ctx, caller)
		}
		for _, m := range named {
			if err := k.Notices.Retry(ctx, caller, m); err != nil {
				return fmt.Errorf("message %s: %w", m, err)
			}
		}
		if err != nil {
			return err
		}
		if asJSON {
			return PrintJSON(w, map[string]int{"retried": n})
		}
		_, err = fmt.Fprintf(w, "%d messages are tried again\n", n)
		return err
	})
}
