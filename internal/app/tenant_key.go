package app

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// RegisterClientKey registers the public key in a file ("-" is standard input)
// for a client, and prints its fingerprint.
func RegisterClientKey(ctx context.Context, c config.Config, log *slog.Logger, stdin io.Reader, w io.Writer, clientID, path string, asJSON bool) error {
	public, err := readPublicKey(stdin, path)
	if err != nil {
		return err
	}
	return WithCore(ctx, c, log, AsItIs, func(k *Core) error {
		key, err := k.Vault.RegisterClientKey(ctx, clientID, public)
		if err != nil {
			return err
		}
		if asJSON {
			return PrintJSON(w, showClientKey(key))
		}
		_, err = fmt.Fprintf(w, "tenant      %s\nclient id   %s\nfingerprint %s\n", key.Tenant.UUID(), key.ClientID, key.Fingerprint)
		return err
	})
}

// ListClientKeys prints the registered public keys of a client.
func ListClientKeys(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, clientID string, asJSON bool) error {
	return WithCore(ctx, c, log, AsItIs, func(k *Core) error {
		keys, err := k.Vault.ClientKeys(ctx, clientID)
		if err != nil {
			return err
		}
		shown := make([]clientKey, len(keys))
		for i, key := range keys {
			shown[i] = showClientKey(key)
		}
		if asJSON {
			return PrintJSON(w, shown)
		}
		for _, key := range shown {
			if _, err := fmt.Fprintf(w, "%s  %s\n", key.RegisteredAt.Format(time.RFC3339), key.Fingerprint); err != nil {
				return err
			}
		}
		if len(shown) == 0 {
			_, err = fmt.Fprintln(w, "no key is registered")
		}
		return err
	})
}

// clientKey is a registered public key as it is shown.
type clientKey struct {
	TenantID     string    `json:"tenantId"`
	ClientID     string    `json:"clientId"`
	Fingerprint  string    `json:"fingerprint"`
	RegisteredAt time.Time `json:"registeredAt"`
}

func showClientKey(k vault.ClientKey) clientKey {
	return clientKey{k.Tenant.UUID(), k.ClientID, k.Fingerprint, k.RegisteredAt}
}

// publicKeyMax bounds the file of a public key: the largest that is taken has
// about 1.5 kB as PEM.
const publicKeyMax = 64 << 10

// readPublicKey reads a public key in PEM or DER and returns it as text.
func readPublicKey(stdin io.Reader, path string) (string, error) {
	src := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return "", fmt.Errorf("open public key: %w", err)
		}
		defer f.Close()
		src = f
	}
	content, err := io.ReadAll(io.LimitReader(src, publicKeyMax))
	if err != nil {
		return "", fmt.Errorf("read public key: %w", err)
	}
	if _, err := x509.ParsePKIXPublicKey(content); err == nil {
		return base64.StdEncoding.EncodeToString(content), nil
	}
	return string(content), nil
}
