package persofile

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/wire/jsonline"
)

// checker turns the text of members into values and keeps the first fault.
type checker struct{ err *jsonline.Fault }

func (c *checker) fail(member string, p Problem) {
	if c.err == nil {
		c.err = &jsonline.Fault{Member: member, Problem: p}
	}
}

// require fails when a required member is absent, and reports whether it is
// worth looking at.
func (c *checker) require(member string, there bool) bool {
	if !there {
		c.fail(member, Missing)
	}
	return there
}

// text checks an optional member against the characters and lengths it may
// have.
func (c *checker) text(member, v string, min, max int, allowed func(rune) bool) string {
	if v == "" {
		return v
	}
	if n := utf8.RuneCountInString(v); n < min || n > max || strings.ContainsFunc(v, func(r rune) bool { return !allowed(r) }) {
		c.fail(member, WrongValue)
	}
	return v
}

// must is text for a required member.
func (c *checker) must(member, v string, min, max int, allowed func(rune) bool) string {
	c.require(member, v != "")
	return c.text(member, v, min, max, allowed)
}

// free checks free text, in which a card number may hide.
func (c *checker) free(member, v string, max int) string {
	if pan.ContainsPAN(v) {
		c.fail(member, CardNumber)
	}
	return c.text(member, v, 1, max, unicode.IsPrint)
}

// choice checks a required member that is one of a few words.
func (c *checker) choice(member, v string, words ...string) string {
	if c.require(member, v != "") && !slices.Contains(words, v) {
		c.fail(member, WrongValue)
	}
	return v
}

// moment reads a required time.
func (c *checker) moment(member, v string) time.Time {
	if !c.require(member, v != "") {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, v)
	if err != nil || at.Year() < 2000 || at.Year() > 2199 {
		c.fail(member, WrongValue)
		return time.Time{}
	}
	return at.UTC().Truncate(time.Microsecond)
}

// The lengths of an encrypted member: nothing but nonce and tag is no value.
const (
	sealedMin = 12 + 1 + 16
	sealedMax = 4096
)

// sealed reads an optional encrypted member, base64 in its only form.
func (c *checker) sealed(member, v string) []byte {
	if v == "" {
		return nil
	}
	b, err := base64.StdEncoding.Strict().DecodeString(v)
	if err != nil || len(b) < sealedMin || len(b) > sealedMax || base64.StdEncoding.EncodeToString(b) != v {
		c.fail(member, WrongValue)
	}
	return b
}

// mustSealed is sealed for a required member.
func (c *checker) mustSealed(member, v string) []byte {
	c.require(member, v != "")
	return c.sealed(member, v)
}

// hexBytes reads upper-case hexadecimal digits.
func (c *checker) hexBytes(member, v string, min, max int) []byte {
	b, err := hex.DecodeString(v)
	if err != nil || len(b) < min || len(b) > max || strings.ToUpper(v) != v {
		c.fail(member, WrongValue)
	}
	return b
}

// keyBlock checks the outside of an optional TR-31 version D block: its length,
// usage and characters. Who holds the key checks the rest.
func (c *checker) keyBlock(member, v, usage string) string {
	if v == "" {
		return v
	}
	bad := len(v) < 16+2*32 || len(v) > 1024 || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r > '~' })
	if bad || v[0] != 'D' || v[5:7] != usage {
		c.fail(member, WrongValue)
		return v
	}
	if n, err := strconv.Atoi(v[1:5]); err != nil || n != len(v) {
		c.fail(member, WrongValue)
	}
	return v
}

// mustKeyBlock is keyBlock for a required member.
func (c *checker) mustKeyBlock(member, v, usage string) string {
	c.require(member, v != "")
	return c.keyBlock(member, v, usage)
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

func isUpperHex(r rune) bool { return isDigit(r) || r >= 'A' && r <= 'F' }

func isWord(r rune) bool {
	return isDigit(r) || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '_' || r == '-'
}

func isName(r rune) bool { return isWord(r) || r == '.' || r == ':' }

func isASCII(r rune) bool { return r > ' ' && r <= '~' }

// header checks the first line of a file of this format.
func (t *headerText) header(format string) (Header, *jsonline.Fault) {
	var c checker
	if t.Format != format || t.Version != version {
		return Header{}, &jsonline.Fault{Member: "format", Problem: WrongFormat}
	}
	h := Header{
		FileID:    c.must("fileId", t.FileID, 1, 64, isName),
		Vendor:    c.must("vendor", t.Vendor, 1, 32, isWord),
		Issuer:    c.must("issuer", t.Issuer, 1, 64, isName),
		CreatedAt: c.moment("createdAt", t.CreatedAt),
		PINKey:    c.keyBlock("pinKey", t.PINKey, "P0"),
		DataKey:   c.keyBlock("dataKey", t.DataKey, "D0"),
		MACKey:    c.mustKeyBlock("macKey", t.MACKey, "M7"),
	}
	if c.require("transportKey", t.TransportKey != nil) {
		h.TransportKeyID = c.must("transportKey.id", t.TransportKey.ID, 1, 64, isName)
		h.TransportKeyKCV = c.must("transportKey.kcv", t.TransportKey.KCV, 6, 6, isUpperHex)
	}
	if format == orderFormat {
		c.require("dataKey", t.DataKey != "")
	}
	if c.err != nil {
		return Header{}, c.err
	}
	return h, nil
}

// card checks a line of an order.
func (t *cardText) card() (Card, *jsonline.Fault) {
	var c checker
	o := Card{
		OrderID:     c.must("orderId", t.OrderID, 1, 64, isName),
		CardToken:   c.must("cardToken", t.CardToken, 1, 32, isWord),
		Sequence:    t.Sequence,
		MaskedPAN:   c.must("maskedPan", t.MaskedPAN, 12, 19, func(r rune) bool { return isDigit(r) || r == '*' }),
		Expires:     c.must("expires", t.Expires, 7, 7, func(r rune) bool { return isDigit(r) || r == '-' }),
		ServiceCode: c.must("serviceCode", t.ServiceCode, 3, 3, isDigit),
		Number:      c.mustSealed("number", t.Number),
		Track1:      c.sealed("track1", t.Track1),
		Track2:      c.sealed("track2", t.Track2),
		CVV2:        c.mustSealed("cvv2", t.CVV2),
	}
	if t.Sequence < 1 || t.Sequence > 99 {
		c.fail("cardSequenceNo", WrongValue)
	}
	if _, err := time.Parse("2006-01", t.Expires); err != nil {
		c.fail("expires", WrongValue)
	}
	if _, ok := lastFour(t.MaskedPAN); !ok {
		c.fail("maskedPan", WrongValue)
	}
	if c.require("embossing", t.Embossing != nil) {
		o.Embossing = Embossing{
			Type:  c.choice("embossing.type", t.Embossing.Type, "Embossed", "FlatPrinted", "LaserEngraved"),
			Line1: c.free("embossing.line1", t.Embossing.Line1, 40),
			Line2: c.free("embossing.line2", t.Embossing.Line2, 40),
		}
	}
	if p := t.Plastic; c.require("plastic", p != nil) {
		o.Plastic = Plastic{
			Variant: c.must("plastic.variant", p.Variant, 1, 64, isName), Plastic: c.must("plastic.plastic", p.Plastic, 1, 64, isName),
			Design: c.must("plastic.design", p.Design, 1, 64, isName), Carrier: c.text("plastic.carrier", p.Carrier, 1, 64, isName),
			Language: c.text("plastic.language", p.Language, 2, 8, isWord),
		}
	}
	if c.require("chip", t.Chip != nil) {
		o.Chip = c.chip(t.Chip)
	}
	if d := t.Delivery; c.require("delivery", d != nil) {
		o.Delivery = Delivery{
			Method:  c.choice("delivery.method", d.Method, "Courier", "Branch", "Post", "HandDelivery", "None"),
			Courier: c.text("delivery.courier", d.Courier, 1, 64, isName), Branch: c.text("delivery.branch", d.Branch, 1, 64, isName),
			Express: d.Express, Recipient: c.sealed("delivery.recipient", d.Recipient),
		}
	}
	if c.err != nil {
		return Card{}, c.err
	}
	return o, nil
}

// chip checks what goes into a chip.
func (c *checker) chip(t *chipText) Chip {
	o := Chip{
		Profile:    c.must("chip.profile", t.Profile, 1, 16, isWord),
		PSN:        c.must("chip.psn", t.PSN, 2, 2, isDigit),
		KeyVersion: c.must("chip.keyVersion", t.KeyVersion, 2, 2, isWord),
		Secret:     c.mustSealed("chip.secret", t.Secret),
	}
	if c.require("chip.tags", t.Tags != nil) && len(t.Tags) > 64 {
		c.fail("chip.tags", WrongValue)
	}
	seen := map[string]bool{}
	for i, tag := range t.Tags {
		member := "chip.tags[" + strconv.Itoa(i) + "]"
		c.hexBytes(member+".tag", tag.Tag, 1, 3)
		c.hexBytes(member+".value", tag.Value, 1, 252)
		if seen[tag.Tag] {
			c.fail(member+".tag", Repeated)
		}
		seen[tag.Tag] = true
		if secretTags[tag.Tag] {
			c.fail(member+".tag", CardNumber)
		}
		o.Tags = append(o.Tags, Tag{tag.Tag, tag.Value})
	}
	if k := t.Keys; c.require("chip.keys", k != nil) {
		o.KeyAC = c.mustKeyBlock("chip.keys.ac", k.AC, "E0")
		o.KeySMI = c.mustKeyBlock("chip.keys.smi", k.SMI, "E2")
		o.KeySMC = c.mustKeyBlock("chip.keys.smc", k.SMC, "E1")
	}
	if t.PINBlock != "" {
		o.PINBlock = c.hexBytes("chip.pinBlock", t.PINBlock, 16, 16)
	}
	if l := t.Limits; l != nil {
		o.Limits = Limits{l.Currency, l.ContactlessAmount, l.ContactlessCumulative, l.ContactlessCount, l.OfflineCount}
		c.limits(o.Limits)
	}
	return o
}

// secretTags hold the card number, so they stand in the encrypted part only:
// the number itself, both tracks and what discretionary data they have.
var secretTags = map[string]bool{"5A": true, "57": true, "56": true, "9F1F": true, "9F20": true, "9F6B": true}

func (c *checker) limits(l Limits) {
	if l.ContactlessAmount < 0 || l.ContactlessCumulative < 0 || l.ContactlessCount < 0 || l.ContactlessCount > 255 ||
		l.OfflineCount < 0 || l.OfflineCount > 255 || l == (Limits{}) {
		c.fail("chip.limits", WrongValue)
	}
	if l.Currency == "" {
		if l.ContactlessAmount != 0 || l.ContactlessCumulative != 0 {
			c.fail("chip.limits.currency", Missing)
		}
		return
	}
	if currency, err := money.ParseCurrency(l.Currency); err != nil || currency.Code() != l.Currency {
		c.fail("chip.limits.currency", WrongValue)
	}
}

// lastFour reads the last four digits of a masked number as a number.
func lastFour(masked string) (int64, bool) {
	if len(masked) < 12 || len(masked) > 19 {
		return 0, false
	}
	head, middle, tail := masked[:6], masked[6:len(masked)-4], masked[len(masked)-4:]
	middle = strings.TrimLeftFunc(middle, isDigit) // a BIN of eight
	if middle == "" || strings.Trim(middle, "*") != "" || len(masked)-4-len(middle) > 8 || strings.Contains(head, "*") {
		return 0, false
	}
	n, err := strconv.ParseUint(tail, 10, 16)
	return int64(n), err == nil
}

// event checks a line of a status report.
func (t *eventText) event() (Event, *jsonline.Fault) {
	var c checker
	e := Event{
		EventID:     c.must("eventId", t.EventID, 1, 64, isName),
		About:       About(c.choice("about", t.About, string(Production), string(Shipment))),
		OrderID:     c.must("orderId", t.OrderID, 1, 64, isName),
		StatusCode:  c.must("statusCode", t.StatusCode, 1, 32, isName),
		Status:      c.text("status", t.Status, 1, 32, isWord),
		At:          c.moment("eventDate", t.At),
		Description: c.free("description", t.Description, 250),
		Location:    c.free("location", t.Location, 100),

		CourierCode:       c.text("courierCode", t.CourierCode, 1, 64, isName),
		CourierName:       c.free("courierName", t.CourierName, 100),
		TrackingNo:        c.text("trackingNo", t.TrackingNo, 1, 64, isName),
		TrackingURL:       c.text("trackingUrl", t.TrackingURL, 8, 500, isASCII),
		EstimatedDelivery: t.EstimatedDelivery,
		Recipient:         c.sealed("recipient", t.Recipient),
		RecipientRelation: c.free("recipientRelation", t.RecipientRelation, 50),
		ReturnReason:      c.free("returnReason", t.ReturnReason, 100),
	}
	if e.EstimatedDelivery != "" {
		if _, err := clock.ParseDate(e.EstimatedDelivery); err != nil {
			c.fail("estimatedDeliveryDate", WrongValue)
		}
	}
	if c.err != nil {
		return Event{}, c.err
	}
	return e, nil
}

// trailer checks the last line, apart from whether it agrees with the file.
func (t *trailerText) trailer(format string) (Trailer, *jsonline.Fault) {
	var c checker
	out := Trailer{Count: t.Count, MAC: c.mac("mac", t.MAC)}
	copy(out.Digest[:], c.mac("sha256", t.SHA256))
	if t.Count < 0 {
		c.fail("count", WrongValue)
	}
	if hasTotal := t.HashTotal != nil; hasTotal != (format == orderFormat) {
		c.fail("hashTotal", map[bool]Problem{true: UnknownMember, false: Missing}[hasTotal])
	} else if hasTotal {
		out.HashTotal = *t.HashTotal
	}
	if c.err != nil {
		return Trailer{}, c.err
	}
	return out, nil
}

// mac reads 32 bytes in upper-case hexadecimal digits.
func (c *checker) mac(member, v string) []byte {
	c.require(member, v != "")
	return c.hexBytes(member, v, 32, 32)
}
