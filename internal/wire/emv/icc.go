package emv

import (
	"fmt"
	"log/slog"
	"strings"
)

// ICC is what card and terminal say in field 55 of a request. The arrays hold
// the bytes as they come; numeric ones are binary coded decimal. A part that
// was not sent is zero: [ICC.Has] tells it from one that was sent as zero.
//
// An ICC is comparable and prints as the tags it has, never their values.
type ICC struct {
	Cryptogram           [8]byte
	CID                  byte
	UnpredictableNumber  [4]byte
	ATC                  [2]byte // big endian
	TVR                  [5]byte
	TransactionDate      [3]byte // YYMMDD
	TransactionType      byte
	AmountAuthorized     [6]byte
	TransactionCurrency  [2]byte // 0949
	AIP                  [2]byte
	TerminalCountry      [2]byte // 0792
	AmountOther          [6]byte
	TerminalCapabilities [3]byte
	CVMResults           [3]byte
	TerminalType         byte
	PSN                  byte
	ARC                  [2]byte
	TTQ                  [4]byte
	CTQ                  [2]byte

	iad       [32]byte
	iadLen    uint8
	results   [20]byte
	resultLen uint8
	has       uint32
}

// parts of an ICC, in the order in which they are written. The place in this
// list is the bit in has.
var parts = [...]Tag{
	Cryptogram, CID, IAD, UnpredictableNumber, ATC, TVR, TransactionDate, TransactionType,
	AmountAuthorized, TransactionCurrency, AIP, TerminalCountry, AmountOther,
	TerminalCapabilities, CVMResults, TerminalType, PSN, ARC, TTQ, CTQ, ScriptResults,
}

// iccLenMax is the longest field 55.
const iccLenMax = 255

// ParseICC reads the value of a field 55. Lengths and digits of the tags this
// package knows are checked, and a tag that comes twice is refused; tags it
// does not know are passed over, as are those that hold card data.
func ParseICC(data []byte) (ICC, error) {
	var c ICC
	if len(data) > iccLenMax {
		return c, &TagError{0, TooLong}
	}
	r := Read(data)
	for r.Next() {
		if p := r.Tag().allows(r.Value()); p != "" {
			return ICC{}, &TagError{r.Tag(), p}
		}
		if c.Has(r.Tag()) {
			return ICC{}, &TagError{r.Tag(), Repeated}
		}
		c.put(r.Tag(), r.Value())
	}
	if r.err != nil {
		return ICC{}, r.err
	}
	return c, nil
}

// put stores a value whose length was checked, and reports whether t is a
// part of an ICC.
func (c *ICC) put(t Tag, v []byte) bool {
	mask := maskOf(t)
	if mask == 0 {
		return false
	}
	c.has |= mask
	switch b := c.single(t); {
	case t == IAD:
		c.iad = [32]byte{}
		c.iadLen = uint8(copy(c.iad[:], v))
	case t == ScriptResults:
		c.results = [20]byte{}
		c.resultLen = uint8(copy(c.results[:], v))
	case b != nil:
		*b = v[0]
	default:
		copy(c.array(t), v)
	}
	return true
}

// maskOf is the bit of t in has, zero when t is no part of an ICC.
func maskOf(t Tag) uint32 {
	for i, p := range parts {
		if p == t {
			return 1 << i
		}
	}
	return 0
}

// array is the field of c that holds t when it is longer than a byte.
func (c *ICC) array(t Tag) []byte {
	switch t {
	case Cryptogram:
		return c.Cryptogram[:]
	case IAD:
		return c.iad[:c.iadLen]
	case ScriptResults:
		return c.results[:c.resultLen]
	case UnpredictableNumber:
		return c.UnpredictableNumber[:]
	case ATC:
		return c.ATC[:]
	case TVR:
		return c.TVR[:]
	case TransactionDate:
		return c.TransactionDate[:]
	case AmountAuthorized:
		return c.AmountAuthorized[:]
	case TransactionCurrency:
		return c.TransactionCurrency[:]
	case AIP:
		return c.AIP[:]
	case TerminalCountry:
		return c.TerminalCountry[:]
	case AmountOther:
		return c.AmountOther[:]
	case TerminalCapabilities:
		return c.TerminalCapabilities[:]
	case CVMResults:
		return c.CVMResults[:]
	case ARC:
		return c.ARC[:]
	case TTQ:
		return c.TTQ[:]
	case CTQ:
		return c.CTQ[:]
	}
	return nil
}

// single is the field of c that holds t when it is one byte.
func (c *ICC) single(t Tag) *byte {
	switch t {
	case CID:
		return &c.CID
	case TransactionType:
		return &c.TransactionType
	case TerminalType:
		return &c.TerminalType
	case PSN:
		return &c.PSN
	}
	return nil
}

// Has reports whether a part was sent.
func (c *ICC) Has(t Tag) bool { return c.has&maskOf(t) != 0 }

// IAD is the issuer application data, 1 to 32 bytes, nil when not sent. The
// caller must not change it.
func (c *ICC) IAD() []byte {
	if c.iadLen == 0 {
		return nil
	}
	return c.iad[:c.iadLen:c.iadLen]
}

// ScriptResults are what the terminal says became of issuer scripts, five bytes
// for each, nil when not sent. The caller must not change them.
func (c *ICC) ScriptResults() []byte {
	if c.resultLen == 0 {
		return nil
	}
	return c.results[:c.resultLen:c.resultLen]
}

// Append appends the value of a field 55 with the parts that c has.
func (c *ICC) Append(dst []byte) []byte {
	for i, t := range parts {
		if c.has&(1<<i) == 0 {
			continue
		}
		if b := c.single(t); b != nil {
			dst = Append(dst, t, []byte{*b})
		} else {
			dst = Append(dst, t, c.array(t))
		}
	}
	return dst
}

// String names the tags that c has.
func (c ICC) String() string {
	var b strings.Builder
	for i, t := range parts {
		if c.has&(1<<i) != 0 {
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(t.String())
		}
	}
	return b.String()
}

// Format prints what [ICC.String] tells, for every verb.
func (c ICC) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.String()) }

// LogValue logs what [ICC.String] tells.
func (c ICC) LogValue() slog.Value { return slog.StringValue(c.String()) }

// AppendDecimal appends v as size bytes of binary coded decimal, filled with
// zeros on the left. It panics when v is negative or longer: our own code
// bounds amounts.
func AppendDecimal(dst []byte, v int64, size int) []byte {
	start := len(dst)
	for range size {
		dst = append(dst, 0)
	}
	rest := v
	for i := len(dst) - 1; i >= start; i-- {
		dst[i] = byte(rest%10) | byte(rest/10%10)<<4
		rest /= 100
	}
	if v < 0 || rest != 0 {
		panic("emv: a number does not fit its digits")
	}
	return dst
}
