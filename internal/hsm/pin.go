package hsm

import (
	"context"
	"crypto/rsa"
	"fmt"
	"log/slog"

	"github.com/sarraf-platform/sarraf/internal/pan"
)

// PINFormat is the form in which a PIN arrives.
type PINFormat int

// The accepted forms. Field is a JSON field: IV (12) ‖ ciphertext ‖ tag (16) of
// the PIN's ASCII digits under AES-256-GCM and a transport key (usage D0).
const (
	ISO0  PINFormat = 1 // ISO 9564-1 format 0, TDES
	ISO1  PINFormat = 2 // format 1, TDES, not bound to a PAN
	ISO3  PINFormat = 3 // format 3, TDES
	ISO4  PINFormat = 4 // format 4, AES
	Field PINFormat = 5
)

// String is the format's name in key exchanges and documents.
func (f PINFormat) String() string {
	switch f {
	case ISO0:
		return "Iso0"
	case ISO1:
		return "Iso1"
	case ISO3:
		return "Iso3"
	case ISO4:
		return "Iso4"
	case Field:
		return "Field"
	}
	return fmt.Sprintf("PINFormat(%d)", int(f))
}

// PINBlock is an encrypted PIN with what is needed to open it inside the
// backend. Printing shows format and key only.
type PINBlock struct {
	Block  []byte // 8 bytes for formats 0, 1 and 3; 16 for 4; a field's bytes for Field
	Format PINFormat
	PAN    pan.PAN // the card the PIN belongs to; needed in every format
	Key    KeyRef  // ZPK (P0), or transport key (D0) for Field
	AAD    []byte  // additional authenticated data, Field only
}

// String describes the block without its bytes.
func (b PINBlock) String() string { return fmt.Sprintf("PIN block %s under %s", b.Format, b.Key) }

// GoString describes the block without its bytes.
func (b PINBlock) GoString() string { return b.String() }

// LogValue describes the block without its bytes.
func (b PINBlock) LogValue() slog.Value { return slog.StringValue(b.String()) }

// VerifierMethod is how a PIN is verified.
type VerifierMethod int

// The methods. PVV protects PINs of exactly four digits.
const (
	PVV     VerifierMethod = 1 // Visa PIN verification value
	IBM3624 VerifierMethod = 2 // IBM 3624 PIN offset
)

// Verifier is what may be stored of a PIN. It is worthless without the PVK but
// still never shown or logged.
type Verifier struct {
	Method VerifierMethod
	PVKI   byte   // PVV: the key index 0–9 that entered the value
	Value  string // PVV: four digits; IBM3624: the offset, as long as the PIN
}

// IsZero reports whether no PIN has been set.
func (v Verifier) IsZero() bool { return v == Verifier{} }

// String hides the value.
func (v Verifier) String() string { return fmt.Sprintf("PIN verifier method %d ***", int(v.Method)) }

// GoString hides the value.
func (v Verifier) GoString() string { return v.String() }

// Format hides the value, whatever the verb.
func (v Verifier) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(v.String())) }

// LogValue hides the value.
func (v Verifier) LogValue() slog.Value { return slog.StringValue(v.String()) }

// PINRules says which PINs may be chosen. Besides them the backend always
// refuses ([ErrWeakPIN]) a PIN whose digits are all equal, one that is a rising
// or falling run, and one with three equal digits side by side.
type PINRules struct {
	// Length is the exact number of digits, 4 to 12; 0 is 4.
	Length int
	// Forbidden are digit strings (end of the PAN, expiry, birth date, phone):
	// a PIN that contains one of at least four digits, or is contained in one,
	// is weak. Shorter strings and other characters are ignored.
	Forbidden []string
	// Current, when set, is the verifier of the present PIN: the same PIN again
	// is weak. It must be of the same PVK.
	Current *Verifier
}

// PINs verifies PINs and makes verifiers. The method follows from the usage of
// the PVK: V2 is PVV, V1 is IBM 3624 with the decimalisation table
// 0123456789012345 and the validation data of the twelve rightmost PAN digits
// without check digit, padded with F.
type PINs interface {
	// VerifyPIN reports whether the PIN inside in is the one v stands for.
	// A block that cannot be decoded is (false, ErrFormat) after the same
	// work; callers answer it like a wrong PIN.
	VerifyPIN(ctx context.Context, pvk KeyRef, in PINBlock, v Verifier) (bool, error)
	// NewVerifier makes the verifier of the PIN inside in when it obeys rules:
	// else ErrPINLength or ErrWeakPIN.
	NewVerifier(ctx context.Context, pvk KeyRef, in PINBlock, rules PINRules) (Verifier, error)
	// RandomVerifier draws a PIN that obeys rules and forgets it.
	RandomVerifier(ctx context.Context, pvk KeyRef, p pan.PAN, rules PINRules) (Verifier, error)
}

// PINPlace is where a notice tells a PIN.
const PINPlace = "{pin}"

// InboxPurpose is what [Sealing.Open] opens the notices of a sandbox with.
const InboxPurpose = "sandbox_inbox"

// PINNotice is a message to a cardholder. Text holds [PINPlace] once.
type PINNotice struct {
	Reference string
	To        string // the phone number in E.164 form
	Text      string
}

// PINKeeping keeps PINs and tells them to their cardholders. A kept PIN is a
// block of format 4 under a storage key: AES, usage P0, not exportable. Only
// such a block is told, so that no block of a client is.
type PINKeeping interface {
	// StorePIN puts the PIN inside in under store, bound to the same PAN.
	StorePIN(ctx context.Context, store KeyRef, in PINBlock) (PINBlock, error)
	// RandomPIN is [PINs.RandomVerifier] which also keeps the PIN under store.
	RandomPIN(ctx context.Context, pvk, store KeyRef, p pan.PAN, rules PINRules) (Verifier, PINBlock, error)
	// PINMessage puts the PIN into the notice and encrypts it for the gateway
	// whose RSA key this is, of at least 2048 bits: a compact JWE with
	// RSA-OAEP-256 and A256GCM over the JSON members reference, to and text.
	PINMessage(ctx context.Context, stored PINBlock, n PINNotice, gateway *rsa.PublicKey) (string, error)
}

// OffsetTransfer names an IBM 3624 offset of one card number and the number
// that another one is wanted for.
type OffsetTransfer struct {
	From   KeyRef // the PVK (V1) of Offset
	Old    pan.PAN
	Offset Verifier
	To     KeyRef // the PVK (V1) of the new offset
	New    pan.PAN
}

// StoredTransfer names a PIN that [PINKeeping] keeps for one card number and the
// number that it is wanted for.
type StoredTransfer struct {
	Stored PINBlock
	Length int    // of the PINs of the new number
	To     KeyRef // the PVK of the new verifier
	Store  KeyRef // what the PIN is kept under from then on
	New    pan.PAN
}

// PINTransfer takes a PIN over to another card number.
type PINTransfer interface {
	// TransferOffset makes the offset under which a cardholder keeps the PIN with
	// another card number. Both keys are of one tenant; a verifier of another
	// method gives no PIN back and is ErrKeyUsage.
	TransferOffset(ctx context.Context, t OffsetTransfer) (Verifier, error)
	// TransferPIN makes the verifier of a kept PIN for another card number, and
	// keeps it for that as well. All keys are of one tenant; a PIN of another
	// length than the verifier's is ErrPINLength.
	TransferPIN(ctx context.Context, t StoredTransfer) (Verifier, PINBlock, error)
}
