package hsm

import "context"

// BureauKeys are what a personalisation file is made under: the key-block
// protection key shared with the bureau (usage K1, or K0), and the keys of
// this one file. All are of one tenant and carry the same test mark.
type BureauKeys struct {
	Transport KeyRef // wraps the card's own keys
	Data      KeyRef // D0: encrypts what is printed, striped and loaded
	PIN       KeyRef // P0, AES: encrypts PIN blocks; zero where no card has one
}

// IssuerKeys are the keys of an issuer that a card is made from.
type IssuerKeys struct {
	CVK    KeyRef // C0
	IMKAC  KeyRef // E0
	IMKSMI KeyRef // E2
	IMKSMC KeyRef // E1
}

// SealedValue is something that [Sealing.Seal] made, with what opens it.
type SealedValue struct {
	Purpose string
	Sealed  []byte
	AAD     []byte
}

// CardOrder is a card to be personalised.
type CardOrder struct {
	PAN         SealedValue // the digits, in ASCII
	PSN         string      // two digits
	Expiry      string      // YYMM
	ServiceCode string      // three digits
	Name        string      // 2 to 26 characters as they stand on track 1, without ^
	PINField    string      // the digits on the tracks between service code and CVV
	Profile     Profile
	Stripe      bool // the card has a magnetic stripe
	// PIN, when set, is a kept PIN ([PINKeeping]) for offline verification. No
	// PAN in it stands for the order's own.
	PIN *PINBlock
	// Offset, when PIN is not set, is an IBM 3624 verifier that leads back to
	// the PIN, made with PVK.
	Offset *Verifier
	PVK    KeyRef
	// Place names the order in its file; each encrypted part is bound to Place,
	// '|' and its own name: number, track1, track2, cvv2, chip.
	Place []byte
}

// PersonalizedCard is a card as it is ordered from a bureau. Encrypted parts
// are fields as [Sealing.SealField] makes them, under the data key.
type PersonalizedCard struct {
	Number   []byte // the digits in groups of four
	Track1   []byte // between its sentinels, with CVV; nil without a stripe
	Track2   []byte // likewise
	CVV2     []byte
	Chip     []byte // BER-TLV: 5A, 57 with iCVV, 5F20
	KeyAC    string // the card's own keys, TR-31 under the transport key
	KeySMI   string
	KeySMC   string
	PINBlock []byte // format 4 under the PIN key; nil without a PIN
}

// Personalization makes what a card bureau needs. Neither number nor card
// values, tracks, keys or PIN leave it but for the bureau.
type Personalization interface {
	// PersonalizeCard derives the card's keys, computes its values, and encrypts
	// all of it under the bureau's keys. Keys of another tenant, and mixing test
	// and production, are ErrKeyPolicy; so is a transport key weaker than the
	// keys it wraps, and an issuer master key that is not exportable even by
	// local policy. A verifier that leads back to no PIN is ErrNotSupported.
	PersonalizeCard(ctx context.Context, issuer IssuerKeys, bureau BureauKeys, in CardOrder) (PersonalizedCard, error)
}
