package persofile

import "time"

// Header is what a file of either form says of itself in its first line.
type Header struct {
	FileID    string // 1 to 64 of A-Z a-z 0-9 _ - . :
	Vendor    string // the bureau, 1 to 32 of A-Z a-z 0-9 _ -
	Issuer    string // whose cards, as the platform names its tenant: 1 to 64 as FileID
	CreatedAt time.Time
	// TransportKeyID and TransportKeyKCV name the key-block protection key that
	// both sides hold, under which the blocks below lie.
	TransportKeyID  string
	TransportKeyKCV string
	// DataKey (usage D0), PINKey (P0) and MACKey (M7) are the keys of this file
	// as TR-31 version D blocks. PINKey is empty in a file without PINs, and
	// both it and DataKey in a status report.
	DataKey string
	PINKey  string
	MACKey  string
}

// Card is the order for one card. Encrypted members are IV (12) ‖ ciphertext ‖
// tag (16) of AES-256-GCM under the file's data key; their additional data is
// what [AAD] makes.
type Card struct {
	Line      int // where it stands in its file, from 1; ignored when written
	OrderID   string
	CardToken string
	Sequence  int    // of the plastics of one card number, from 1
	MaskedPAN string // BIN and last four
	Expires   string // YYYY-MM

	Number      []byte // encrypted: the digits in groups, as they are embossed
	Track1      []byte // encrypted: between the sentinels, with CVV
	Track2      []byte // encrypted: likewise
	CVV2        []byte // encrypted: three digits to print
	ServiceCode string // as it stands on the tracks

	Embossing Embossing
	Plastic   Plastic
	Chip      Chip
	Delivery  Delivery
}

// Embossing is the text on a card and how it gets there.
type Embossing struct {
	Type  string // Embossed, FlatPrinted or LaserEngraved
	Line1 string // may be empty
	Line2 string
}

// Plastic is what a card is made of, in codes agreed with the bureau.
type Plastic struct {
	Variant  string // the product's name of the combination
	Plastic  string
	Design   string // of the card's faces
	Carrier  string // the letter; may be empty
	Language string // of the letter, ISO 639-1; may be empty
}

// Chip is what is loaded into the chip.
type Chip struct {
	Profile    string // cryptogram version as the product names it: CVN18, MCHIP20 …
	PSN        string // PAN sequence number, two digits
	KeyVersion string // derivation key index, two characters
	Tags       []Tag  // clear, in the order in which they are given
	Secret     []byte // encrypted: BER-TLV of the tags that hold card data
	// The card's own master keys as TR-31 version D blocks under the transport
	// key: application cryptograms (E0), secure messaging integrity (E2) and
	// confidentiality (E1).
	KeyAC  string
	KeySMI string
	KeySMC string
	// PINBlock is the PIN for the chip, ISO 9564 format 4 under the file's PIN
	// key; empty for a card without offline PIN.
	PINBlock []byte
	Limits   Limits
}

// Tag is one EMV data element, name and value in upper-case hexadecimal
// digits.
type Tag struct{ Name, Value string }

// Limits bound what a card does without asking, in minor units; zero is
// nothing at all.
type Limits struct {
	Currency              string // ISO 4217 letters; empty when there are no amounts
	ContactlessAmount     int64  // of one tap without cardholder verification
	ContactlessCumulative int64
	ContactlessCount      int
	OfflineCount          int // consecutive offline transactions
}

// Delivery is where a card goes.
type Delivery struct {
	Method    string // Courier, Branch, Post, HandDelivery or None
	Courier   string // code agreed with the bureau; may be empty
	Branch    string // may be empty
	Express   bool
	Recipient []byte // encrypted: name, phone and address as a JSON object; may be empty
}

// AAD is the additional authenticated data of an encrypted member, which binds
// it to its place: "number", "track1", "track2", "cvv2", "chip" or
// "recipient" of one order in one file.
func AAD(fileID, orderID, member string) []byte {
	return []byte(fileID + "|" + orderID + "|" + member)
}

// Trailer is the last line of a file.
type Trailer struct {
	Count int
	// HashTotal is the sum of the last four digits of the card numbers of an
	// order, read as numbers; zero in a status report.
	HashTotal int64
	Digest    [32]byte // SHA-256 of all lines before it, each followed by a line feed
	MAC       []byte   // HMAC-SHA-256 of Digest under the file's MAC key
}
