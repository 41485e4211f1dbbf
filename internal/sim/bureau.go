package sim

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/hsm/algo"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/wire/persofile"
)

// Bureau is a card bureau: it holds an RSA key, receives transport keys under
// it, makes cards of the orders it is sent, and reports what it did.
type Bureau struct {
	private   *rsa.PrivateKey
	transport map[string][]byte // by key id
	current   persofile.Header  // of the last order: whose bureau it is
}

// NewBureau makes a bureau with a fresh RSA key.
func NewBureau() (*Bureau, error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("make bureau key: %w", err)
	}
	return &Bureau{private: private, transport: map[string][]byte{}}, nil
}

// PublicKey is the half of the bureau's key that it gives away, as PEM.
func (b *Bureau) PublicKey() ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(&b.private.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("encode bureau key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// TakeKey takes a transport key that was encrypted to the bureau, and compares
// it with its check value.
func (b *Bureau) TakeKey(keyID, kcv string, wrapped []byte) error {
	key, err := rsa.DecryptOAEP(sha256.New(), nil, b.private, wrapped, nil)
	if err != nil {
		return errors.New("the transport key is not for this bureau")
	}
	block, err := algo.NewAES(key)
	if err != nil {
		return err
	}
	check, err := algo.KCVCMAC(block, 3)
	if err != nil {
		return err
	}
	if !strings.EqualFold(hex.EncodeToString(check), kcv) {
		return errors.New("the transport key has another check value")
	}
	b.transport[keyID] = key
	return nil
}

// MadeCard is a plastic with the order it was made by.
type MadeCard struct {
	Order persofile.Card
	// Card is the plastic in somebody's hand. It has no key of a terminal's PIN
	// pad: see [Card.UsePINPad].
	Card      *Card
	Recipient string // JSON; empty when the order names none
	PIN       secret.Value
}

// Make reads an order to its end, proves who sent it, and makes its cards.
func (b *Bureau) Make(src io.Reader) ([]MadeCard, error) {
	r, err := persofile.NewOrderReader(src)
	if err != nil {
		return nil, err
	}
	var orders []persofile.Card
	for {
		o, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		orders = append(orders, o)
	}
	h := r.Header()
	transport := b.transport[h.TransportKeyID]
	if transport == nil {
		return nil, errors.New("the order stands under a key that this bureau was not given")
	}
	w := workshop{header: h, transport: transport}
	mac, err := w.unwrap("M7", h.MACKey)
	if err != nil {
		return nil, err
	}
	digest := r.Trailer().Digest
	code := hmac.New(sha256.New, mac)
	code.Write(digest[:])
	if !hmac.Equal(code.Sum(nil), r.Trailer().MAC) {
		return nil, errors.New("the order was not sent by who holds its key")
	}
	if err := w.openKeys(); err != nil {
		return nil, err
	}
	b.current = h
	made := make([]MadeCard, len(orders))
	for i, o := range orders {
		if made[i], err = w.make(o); err != nil {
			return nil, fmt.Errorf("line %d: %w", o.Line, err)
		}
	}
	return made, nil
}

// workshop makes the cards of one order.
type workshop struct {
	header    persofile.Header
	transport []byte
	data      cipher.AEAD
	pin       []byte
}

func (w *workshop) unwrap(usage, block string) ([]byte, error) {
	h, key, err := algo.UnwrapKeyBlock(w.transport, block)
	if err != nil || h.Usage != usage {
		return nil, fmt.Errorf("the %s block of the order does not open", usage)
	}
	return key, nil
}

func (w *workshop) openKeys() error {
	key, err := w.unwrap("D0", w.header.DataKey)
	if err != nil {
		return err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return err
	}
	if w.data, err = cipher.NewGCM(block); err != nil {
		return err
	}
	if w.header.PINKey != "" {
		w.pin, err = w.unwrap("P0", w.header.PINKey)
	}
	return err
}

// open opens an encrypted member of an order.
func (w *workshop) open(o persofile.Card, member string, field []byte) (string, error) {
	if len(field) < w.data.NonceSize() {
		return "", fmt.Errorf("%s: is missing", member)
	}
	n := w.data.NonceSize()
	text, err := w.data.Open(nil, field[:n], field[n:], persofile.AAD(w.header.FileID, o.OrderID, member))
	if err != nil {
		return "", fmt.Errorf("%s: does not open", member)
	}
	return string(text), nil
}

func (w *workshop) make(o persofile.Card) (MadeCard, error) {
	out := MadeCard{Order: o}
	texts := map[string]string{}
	for member, field := range map[string][]byte{
		"number": o.Number, "cvv2": o.CVV2, "track1": o.Track1, "track2": o.Track2, "chip": o.Chip.Secret,
		"recipient": o.Delivery.Recipient,
	} {
		if len(field) == 0 && member != "number" && member != "cvv2" && member != "chip" {
			continue
		}
		text, err := w.open(o, member, field)
		if err != nil {
			return out, err
		}
		texts[member] = text
	}
	number, err := pan.Parse(strings.ReplaceAll(texts["number"], " ", ""))
	if err != nil {
		return out, fmt.Errorf("number: %w", err)
	}
	if masked := number.Masked(); masked[len(masked)-4:] != o.MaskedPAN[len(o.MaskedPAN)-4:] {
		return out, errors.New("number: is not the one of the order")
	}
	out.Recipient = texts["recipient"]
	out.Card = &Card{
		PAN: number, Expiry: o.Expires[2:4] + o.Expires[5:7], PSN: o.Chip.PSN, ServiceCode: o.ServiceCode,
		CVV2: secret.FromString(texts["cvv2"]), stripe: secret.FromString(texts["track2"]),
	}
	if err := w.load(out.Card, o, texts["chip"]); err != nil {
		return out, err
	}
	if len(o.Chip.PINBlock) > 0 {
		out.PIN, err = w.openPIN(number, o.Chip.PINBlock)
	}
	return out, err
}

// load puts keys and data into the chip.
func (w *workshop) load(c *Card, o persofile.Card, tlv string) error {
	var err error
	if c.Profile, err = chipProfile(o.Chip.Profile); err != nil {
		return err
	}
	if c.DKI, err = hexByte(o.Chip.KeyVersion); err != nil {
		return fmt.Errorf("chip.keyVersion: %w", err)
	}
	for usage, block := range map[string]string{"E0": o.Chip.KeyAC, "E1": o.Chip.KeySMC, "E2": o.Chip.KeySMI} {
		key, err := w.unwrap(usage, block)
		if err != nil {
			return err
		}
		pair, err := algo.NewPair(key)
		if err != nil {
			return fmt.Errorf("chip key %s: %w", usage, err)
		}
		if usage == "E0" {
			c.master = pair
		}
	}
	track, found := tagOf([]byte(tlv), 0x57)
	if !found {
		return errors.New("the chip has no track 2")
	}
	c.chipTrack = secret.FromString(strings.Replace(strings.TrimSuffix(strings.ToUpper(hex.EncodeToString(track)), "F"), "D", "=", 1))
	return nil
}

// tagOf finds a tag of one byte in simple TLV: names of one or two bytes,
// lengths of one.
func tagOf(tlv []byte, tag byte) ([]byte, bool) {
	for len(tlv) > 2 {
		name := 1
		if tlv[0]&0x1F == 0x1F {
			name = 2
		}
		n := int(tlv[name])
		if name+1+n > len(tlv) {
			return nil, false
		}
		if name == 1 && tlv[0] == tag {
			return tlv[2 : 2+n], true
		}
		tlv = tlv[name+1+n:]
	}
	return nil, false
}

// chipProfile is what the profile of an order stands for.
func chipProfile(name string) (algo.Profile, error) {
	for known, p := range map[string]algo.Profile{
		"CVN10": algo.CVN10, "CVN18": algo.CVN18, "CVN22": algo.CVN22, "MCHIP16": algo.MChip16, "MCHIP17": algo.MChip17,
		"MCHIP20": algo.MChip20, "MCHIP21": algo.MChip21,
	} {
		if known == strings.TrimSuffix(name, "-PIN") {
			return p, nil
		}
	}
	return 0, errors.New("chip.profile: is not known")
}

func (w *workshop) openPIN(number pan.PAN, block []byte) (secret.Value, error) {
	key, err := algo.NewAES(w.pin)
	if err != nil {
		return secret.Value{}, err
	}
	pin, err := algo.DecipherPIN4(key, block, number.Reveal())
	if err != nil {
		return secret.Value{}, errors.New("chip.pinBlock: does not open")
	}
	return secret.New(bytes.Clone(pin.Digits())), nil
}

// UsePINPad lets the card be used where the same terminals stand as for another
// card of the bank.
func (c *Card) UsePINPad(of *Card) { c.zpk = of.zpk }

// Report writes what happened to cards of the last order. Recipients are taken
// as clear text and encrypted.
func (b *Bureau) Report(dst io.Writer, fileID string, at time.Time, events []persofile.Event) error {
	mac, data := make([]byte, 32), make([]byte, 32)
	rand.Read(mac) // never fails
	rand.Read(data)
	transport := b.transport[b.current.TransportKeyID]
	wrap := func(h algo.KeyBlockHeader, key []byte) (string, error) {
		h.Version, h.KeyVersion, h.Exportability = 'D', "00", 'E'
		return algo.WrapKeyBlock(transport, h, key, rand.Reader)
	}
	h := b.current
	h.FileID, h.CreatedAt, h.PINKey = fileID, at, ""
	var err error
	if h.MACKey, err = wrap(algo.KeyBlockHeader{Usage: "M7", Algorithm: 'H', Mode: 'C', Blocks: []algo.OptionalBlock{{ID: "HM", Data: "21"}}}, mac); err != nil {
		return fmt.Errorf("wrap MAC key: %w", err)
	}
	if h.DataKey, err = wrap(algo.KeyBlockHeader{Usage: "D0", Algorithm: 'A', Mode: 'B'}, data); err != nil {
		return fmt.Errorf("wrap data key: %w", err)
	}
	block, err := aes.NewCipher(data)
	if err != nil {
		return err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return err
	}
	w, err := persofile.NewStatusWriter(dst, h)
	if err != nil {
		return err
	}
	for _, e := range events {
		if len(e.Recipient) > 0 {
			e.Recipient = aead.Seal(nil, nil, e.Recipient, persofile.AAD(fileID, e.EventID, "recipient"))
		}
		if err := w.Write(&e); err != nil {
			return err
		}
	}
	_, err = w.Close(func(digest [32]byte) ([]byte, error) {
		code := hmac.New(sha256.New, mac)
		code.Write(digest[:])
		return code.Sum(nil), nil
	})
	return err
}
