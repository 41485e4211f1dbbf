package hsm

import (
	"context"
	"crypto/rsa"
	"fmt"
	"log/slog"
)

// Usage is what a key is for: the key usage code of TR-31 (X9.143, table 4).
type Usage string

// The usages this platform knows.
const (
	UsageCVK        Usage = "C0" // card verification (CVV family)
	UsageField      Usage = "D0" // data encryption; transport keys of JSON fields
	UsageIMKAC      Usage = "E0" // EMV application cryptograms
	UsageIMKSMC     Usage = "E1" // EMV secure messaging, confidentiality
	UsageIMKSMI     Usage = "E2" // EMV secure messaging, integrity
	UsageIMKDAC     Usage = "E3" // EMV data authentication code
	UsageIMKIDN     Usage = "E4" // EMV dynamic numbers
	UsageKEK        Usage = "K0" // key encryption or wrapping
	UsageKeyBlock   Usage = "K1" // TR-31 key block protection
	UsageMAC1       Usage = "M1" // ISO 9797-1 MAC algorithm 1
	UsageMAC3       Usage = "M3" // ISO 9797-1 MAC algorithm 3 (retail MAC)
	UsageCMAC       Usage = "M6" // CMAC
	UsageHMAC       Usage = "M7" // HMAC
	UsagePIN        Usage = "P0" // PIN encryption (ZPK)
	UsagePVKIBM3624 Usage = "V1" // PIN verification, IBM 3624
	UsagePVKVisa    Usage = "V2" // PIN verification, Visa PVV
)

// Algorithm is what a key may be used with: the algorithm code of TR-31.
type Algorithm string

// The algorithms this platform knows.
const (
	AES  Algorithm = "A"
	TDES Algorithm = "T"
	HMAC Algorithm = "H"
)

// Mode narrows a usage to one direction: the mode of use code of TR-31.
type Mode string

// The modes of use.
const (
	ModeBoth      Mode = "B" // encrypt and decrypt, wrap and unwrap
	ModeMAC       Mode = "C" // generate and verify
	ModeDecrypt   Mode = "D"
	ModeEncrypt   Mode = "E"
	ModeGenerate  Mode = "G"
	ModeVerify    Mode = "V"
	ModeDerive    Mode = "X"
	ModeUnlimited Mode = "N" // no restriction beyond the usage
)

// Allows reports whether a key of mode m may do what want names. Want is one of
// ModeDecrypt, ModeEncrypt, ModeGenerate, ModeVerify and ModeDerive.
func (m Mode) Allows(want Mode) bool {
	if want == "" {
		return false
	}
	switch m {
	case want, ModeUnlimited:
		return true
	case ModeBoth:
		return want == ModeDecrypt || want == ModeEncrypt
	case ModeMAC:
		return want == ModeGenerate || want == ModeVerify
	}
	return false
}

// Exportability says whether a key may leave under a key-encryption key.
type Exportability string

// The exportabilities of TR-31.
const (
	Exportable    Exportability = "E" // under a KEK in a key block
	NonExportable Exportability = "N"
	Sensitive     Exportability = "S" // exportable by local policy
)

// KeyRef names a key and carries it, wrapped. It may be stored and copied
// freely: Block opens only inside the backend and only for Tenant.
//
// All fields are checked against the block's authenticated header in every
// call; a difference is [ErrIntegrity]. Printing leaves Block out.
type KeyRef struct {
	Tenant        string
	ID            string // the caller's name for the key, at most 64 printable ASCII characters without '|'
	Usage         Usage
	Algorithm     Algorithm
	Mode          Mode
	Exportability Exportability
	Version       string // two characters: DKI, PVKI or key version
	KCV           string // six upper-case hexadecimal digits
	Test          bool   // a test key: never for production, and open to Sandbox
	Block         string // TR-31 version D under the tenant's key-block protection key
}

// IsZero reports whether r names no key at all.
func (r KeyRef) IsZero() bool { return r == KeyRef{} }

// String describes the key without its block.
func (r KeyRef) String() string {
	mark := ""
	if r.Test {
		mark = " test"
	}
	return fmt.Sprintf("key %s/%s %s%s%s v%s kcv %s%s", r.Tenant, r.ID, r.Usage, r.Algorithm, r.Mode, r.Version, r.KCV, mark)
}

// GoString describes the key without its block.
func (r KeyRef) GoString() string { return r.String() }

// Format describes the key without its block, whatever the verb.
func (r KeyRef) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(r.String())) }

// LogValue describes the key without its block.
func (r KeyRef) LogValue() slog.Value { return slog.StringValue(r.String()) }

// KeySpec describes a key to make or to accept.
type KeySpec struct {
	ID            string
	Usage         Usage
	Algorithm     Algorithm
	Bits          int // TDES: 128 or 192 (parity counted); AES: 128, 192, 256; HMAC: 128 to 512 in steps of 8
	Mode          Mode
	Exportability Exportability
	Version       string // two letters or digits; empty is "00"
	Test          bool
}

// TransportUse says what a transport key protects.
type TransportUse int

// The uses of a transport key.
const (
	Fields    TransportUse = 1 // single JSON fields: usage D0, AES-256
	KeyBlocks TransportUse = 2 // TR-31 blocks sent to the client: usage K1, AES-256
)

// TransportKey is a fresh key shared with one API client.
type TransportKey struct {
	Ref     KeyRef
	Wrapped []byte // the key under the client's RSA key, OAEP with SHA-256 and an empty label
	KCV     string // first three bytes of the CMAC key check value, hexadecimal
}

// Keys makes, takes in and hands out keys. Only wrapped keys cross it.
type Keys interface {
	// GenerateKey makes a random key of tenant.
	GenerateKey(ctx context.Context, tenant string, spec KeySpec) (KeyRef, error)
	// ImportKeyBlock opens a TR-31 block of version B or D under kek (usage K0
	// or K1) and takes the key over when its header fits spec. Bits of spec may
	// be 0 for any length, Version empty for the block's own. Weak keys and
	// publicly known keys are ErrKeyPolicy unless spec.Test; so is a key
	// stronger than its kek, and so is mixing test and production.
	ImportKeyBlock(ctx context.Context, tenant string, kek KeyRef, block string, spec KeySpec) (KeyRef, error)
	// ExportKeyBlock wraps key under kek: version D for an AES kek, B for TDES.
	// Both belong to one tenant; key must be exportable and no stronger than
	// kek, else ErrKeyPolicy.
	ExportKeyBlock(ctx context.Context, kek, key KeyRef) (string, error)
	// GenerateTransportKey makes an AES-256 key, keeps it as a reference and
	// wraps it for client, whose modulus must have at least 2048 bits.
	GenerateTransportKey(ctx context.Context, tenant, id string, client *rsa.PublicKey, use TransportUse, test bool) (TransportKey, error)
}
