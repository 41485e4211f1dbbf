package platform

import (
	"context"
	"encoding/base64"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

type keyUsages struct{}

func (keyUsages) Members() []api.Member {
	return api.Numbered(0, string(vault.ForFields), string(vault.ForPINBlock))
}

type wrapAlgorithms struct{}

func (wrapAlgorithms) Members() []api.Member { return api.Numbered(0, "RsaOaepSha256") }

type zpkAlgorithms struct{}

func (zpkAlgorithms) Members() []api.Member { return api.Numbered(0, "TDES", "AES") }

type publicKeyRequest struct {
	PublicKey    string                   `json:"publicKey" required:"true" maxLength:"8192" doc:"RSA, SPKI as PEM or base64 of the DER, at least 2048 bits."`
	Algorithm    api.Enum[wrapAlgorithms] `json:"algorithm,omitempty"`
	KeyUsage     api.Enum[keyUsages]      `json:"keyUsage,omitempty" doc:"Data (default) or PinBlock."`
	ZPKAlgorithm api.Enum[zpkAlgorithms]  `json:"zpkAlgorithm,omitempty" doc:"For PinBlock: TDES (default) for ISO formats 0 and 3, AES for ISO 4."`
}

type keyExchangeResponse struct {
	KeyID        string    `json:"keyId"`
	EncryptedKey string    `json:"encryptedKey" doc:"Base64; AES-256 under the public key, RSA-OAEP with SHA-256."`
	KeyBlock     *string   `json:"keyBlock" doc:"For PinBlock: the ZPK as a TR-31 version D block under the key in encryptedKey."`
	KCV          string    `json:"kcv"`
	Algorithm    string    `json:"algorithm" enum:"A256GCM,TDES-ZPK,AES-ZPK"`
	ZPKAlgorithm *string   `json:"zpkAlgorithm"`
	ValidFrom    time.Time `json:"validFrom"`
	ExpiresAt    time.Time `json:"expiresAt"`
}

type exchangedKey struct {
	KeyID     string    `json:"keyId"`
	KeyUsage  string    `json:"keyUsage"`
	Algorithm string    `json:"algorithm"`
	KCV       string    `json:"kcv"`
	ValidFrom time.Time `json:"validFrom"`
	ExpiresAt time.Time `json:"expiresAt"`
}

func (a *API) exchangeKey(ctx context.Context, c access.Caller, in *struct{ Body publicKeyRequest }) (keyExchangeResponse, error) {
	x, err := a.Vault.ExchangeKey(ctx, c, decodePublicKey(in.Body))
	if err != nil {
		return keyExchangeResponse{}, err
	}
	return encodeExchange(x), nil
}

func (a *API) listExchangedKeys(ctx context.Context, c access.Caller, _ *struct{}) ([]exchangedKey, error) {
	keys, err := a.Vault.ExchangedKeys(ctx, c)
	out := make([]exchangedKey, len(keys))
	for i, k := range keys {
		out[i] = exchangedKey{
			KeyID: k.Ref.ID, KeyUsage: string(k.Purpose()), Algorithm: algorithmOf(k), KCV: k.Ref.KCV,
			ValidFrom: k.CreatedAt, ExpiresAt: k.ExpiresAt,
		}
	}
	return out, err
}

func (a *API) dropExchangedKey(ctx context.Context, c access.Caller, in *struct {
	KeyID string `path:"keyId" maxLength:"64"`
}) (nothing, error) {
	return nothing{}, a.Vault.DropKey(ctx, c, in.KeyID)
}

func decodePublicKey(in publicKeyRequest) vault.ForeignKey {
	out := vault.ForeignKey{PublicKey: in.PublicKey, Purpose: vault.ForFields}
	if in.KeyUsage != "" {
		out.Purpose = vault.Purpose(in.KeyUsage)
	}
	out.AES = in.ZPKAlgorithm == "AES"
	return out
}

func encodeExchange(x vault.Exchange) keyExchangeResponse {
	out := keyExchangeResponse{
		KeyID: x.Key.Ref.ID, EncryptedKey: base64.StdEncoding.EncodeToString(x.Wrapped), KCV: x.KCV,
		Algorithm: algorithmOf(x.Key), ValidFrom: x.Key.CreatedAt, ExpiresAt: x.Key.ExpiresAt,
	}
	if x.KeyBlock != "" {
		zpk := x.Key.ZPKAlgorithm()
		out.KeyBlock, out.ZPKAlgorithm = &x.KeyBlock, &zpk
	}
	return out
}

// algorithmOf is what the contract calls the algorithm of a transport key.
func algorithmOf(k vault.Key) string {
	if k.Purpose() == vault.ForPINBlock {
		return k.ZPKAlgorithm() + "-ZPK"
	}
	return "A256GCM"
}
