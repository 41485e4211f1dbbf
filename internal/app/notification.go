package app

import (
	"bufio"
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"os"

	"github.com/sarraf-platform/sarraf/internal/config"
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
