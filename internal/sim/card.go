package sim

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/sarraf-platform/sarraf/internal/hsm/algo"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// Card is a card in somebody's hand. It is safe for concurrent use.
type Card struct {
	PAN         pan.PAN
	Expiry      string // YYMM
	PSN         string // two digits (5F34)
	ServiceCode string // three digits
	Profile     algo.Profile
	DKI         byte // which issuer master key the chip's key comes from

	CVV2 secret.Value // printed on the back
	PIN  secret.Value // known to the owner; zero when none was set

	chip chip // what the chip keeps besides its counter

	stripe    secret.Value // track 2 of the stripe, with the CVV
	chipTrack secret.Value // track 2 equivalent data of the chip, with the iCVV
	master    algo.Pair    // the chip's key for application cryptograms
	zpk       algo.Pair    // stands for the key inside the terminal's PIN pad

	mu  sync.Mutex
	atc uint16
}

// ErrCounterUsedUp says that a chip has made all the cryptograms it ever can.
var ErrCounterUsedUp = errors.New("the card's transaction counter is used up")

// KnownCard is what POST /api/v1/sandbox/card-info tells of a plastic, as far as
// a card is made of it.
type KnownCard struct {
	CardNo       string `json:"cardNo"`
	ExpireYear   int    `json:"expireYear"`
	ExpireMonth  int    `json:"expireMonth"`
	CVV2         string `json:"cvv2"`
	CVV          string `json:"cvv"`
	ICVV         string `json:"icvv"`
	ServiceCode  string `json:"serviceCode"`
	Track2       string `json:"track2"`
	PSN          string `json:"psn"`
	CVN          string `json:"cvn"` // two hexadecimal digits
	DKI          string `json:"dki"` // likewise
	LastATC      int    `json:"lastAtc"`
	ICCMasterKey string `json:"iccMasterKey"`
	ICCSMIKey    string `json:"iccSmiKey"` // may be missing: the chip takes no scripts then
	ICCSMCKey    string `json:"iccSmcKey"` // likewise
	ZPK          string `json:"zpk"`
}

// ParseCard makes a card of the answer of POST /api/v1/sandbox/card-info.
// Errors name the member that is wrong and never quote it.
func ParseCard(answer []byte) (*Card, error) {
	var i KnownCard
	if err := json.Unmarshal(answer, &i); err != nil {
		return nil, errors.New("card info: is not the JSON of a card")
	}
	return NewCard(i)
}

// NewCard makes a card. Errors are those of [ParseCard].
func NewCard(i KnownCard) (*Card, error) {
	number, err := pan.Parse(i.CardNo)
	if err != nil {
		return nil, fmt.Errorf("cardNo: %w", err)
	}
	c := &Card{
		PAN:         number,
		Expiry:      fmt.Sprintf("%02d%02d", i.ExpireYear%100, i.ExpireMonth),
		PSN:         filled(i.PSN, 2),
		ServiceCode: i.ServiceCode,
		CVV2:        secret.FromString(i.CVV2),
		atc:         uint16(i.LastATC),
	}
	cvn, err := hexByte(i.CVN)
	if err != nil {
		return nil, fmt.Errorf("cvn: %w", err)
	}
	if c.Profile, err = profileOf(cvn); err != nil {
		return nil, err
	}
	if c.DKI, err = hexByte(i.DKI); err != nil {
		return nil, fmt.Errorf("dki: %w", err)
	}
	if c.master, err = parseKey(i.ICCMasterKey); err != nil {
		return nil, fmt.Errorf("iccMasterKey: %w", err)
	}
	if c.chip, err = newChip(i); err != nil {
		return nil, err
	}
	if c.zpk, err = parseKey(i.ZPK); err != nil {
		return nil, fmt.Errorf("zpk: %w", err)
	}
	track := strings.Replace(i.Track2, "D", "=", 1)
	if _, err := pan.ParseTrack2(track); err != nil {
		return nil, fmt.Errorf("track2: %w", err)
	}
	c.stripe = secret.FromString(track)
	// The chip's copy of the track differs in the card value only. It is the
	// last occurrence: what stands before it is key index and PVV.
	head, discretionary, _ := strings.Cut(track, "=")
	at := strings.LastIndex(discretionary, i.CVV)
	if i.CVV == "" || len(i.ICVV) != len(i.CVV) || at < 0 {
		return nil, fmt.Errorf("icvv: does not fit the track")
	}
	c.chipTrack = secret.FromString(head + "=" + discretionary[:at] + i.ICVV + discretionary[at+len(i.CVV):])
	return c, nil
}

// profileOf is the profile of a cryptogram version number.
func profileOf(cvn byte) (algo.Profile, error) {
	for _, p := range []algo.Profile{
		algo.CVN10, algo.CVN18, algo.CVN22, algo.MChip16, algo.MChip17, algo.MChip20, algo.MChip21,
	} {
		if p.CVN() == cvn {
			return p, nil
		}
	}
	return 0, fmt.Errorf("cvn: no profile has it")
}

// filled is digits with zeros before them up to a length of n.
func filled(digits string, n int) string {
	return strings.Repeat("0", max(0, n-len(digits))) + digits
}

func hexByte(s string) (byte, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 1 {
		return 0, fmt.Errorf("is not two hexadecimal digits")
	}
	return b[0], nil
}

func parseKey(s string) (algo.Pair, error) {
	b, err := hex.DecodeString(s)
	if err != nil {
		return algo.Pair{}, fmt.Errorf("is not hexadecimal")
	}
	defer clear(b)
	return algo.NewPair(b)
}

// ATC is the value of the transaction counter last used.
func (c *Card) ATC() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return int(c.atc)
}

// Advance tells the card that its counter has been used up to atc elsewhere. It
// never goes back.
func (c *Card) Advance(atc int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.atc = max(c.atc, uint16(atc))
}

// String is the masked number of the card.
func (c *Card) String() string { return "card " + c.PAN.Masked() }

// GoString is String.
func (c *Card) GoString() string { return c.String() }

// sign counts one transaction and makes its cryptogram. All of in but profile,
// card, counter, issuer application data and cryptogram is the terminal's. A
// counter that is forced may have been used before.
func (c *Card) sign(in algo.ARQCInput, forced *uint16, pin pinAtChip) (algo.ARQCInput, error) {
	c.mu.Lock()
	if forced == nil && c.atc == 0xFFFF {
		c.mu.Unlock()
		return in, ErrCounterUsedUp
	}
	if forced == nil {
		c.atc++
	} else {
		c.atc = max(c.atc, *forced)
	}
	atc, done := c.atc, c.chip.last
	c.mu.Unlock()
	if forced != nil {
		atc = *forced
	}

	in.Profile, in.PAN, in.PSN = c.Profile, c.PAN, c.PSN
	in.ATC = [2]byte{byte(atc >> 8), byte(atc)}
	in.IAD = issuerApplicationData(c.Profile, c.DKI, done, pin)
	var err error
	in.ARQC, err = algo.ApplicationCryptogram(c.master, &in)
	return in, err
}

// pinAtChip is what a chip made of the PIN of a transaction, which it alone
// compares.
type pinAtChip int

const (
	noPIN pinAtChip = iota
	rightPIN
	wrongPIN
)

// issuerApplicationData is tag 9F10 of a card that went online at its first
// GENERATE AC and tells of the scripts of its last transaction and of the PIN of
// this one (crypto.md §13).
func issuerApplicationData(p algo.Profile, dki byte, done scriptsDone, pin pinAtChip) []byte {
	// First byte of the results: second GENERATE AC not requested, first ARQC.
	const online = 0xA0
	first := online | flag(pin != noPIN, 0x04)
	switch p {
	case algo.CVN10, algo.CVN18:
		first |= flag(pin == wrongPIN, 0x02)
		return []byte{0x06, dki, p.CVN(), 0x03, first, 0x00, done.count<<4 | flag(done.failed, 0x08)}
	case algo.CVN22:
		return append([]byte{0x1F, p.CVN(), dki, 0x00, online}, make([]byte, 27)...)
	}
	// M/Chip: results 6, DAC 2, counters 8. Three PIN tries are left.
	first |= flag(pin == rightPIN, 0x01)
	iad := append([]byte{dki, p.CVN(), first, 0x00, done.count<<4 | 0x03}, make([]byte, 13)...)
	iad[5], iad[6] = flag(pin == wrongPIN, 0x10), flag(done.failed, 0x01)
	return iad
}

// pinBlock is the PIN as a terminal's PIN pad encrypts it: ISO 9564-1 format 0
// under the zone PIN key.
func (c *Card) pinBlock(digits secret.Value) ([]byte, error) {
	pin, err := algo.ParsePIN(digits.Reveal())
	if err != nil {
		return nil, fmt.Errorf("PIN: %w", err)
	}
	block, err := algo.EncodePINBlock(0, &pin, c.PAN.Reveal(), nil)
	if err != nil {
		return nil, fmt.Errorf("PIN block: %w", err)
	}
	c.zpk.TDES().Encrypt(block[:], block[:])
	return block[:], nil
}
