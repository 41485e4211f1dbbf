package emv

import (
	"fmt"
	"log/slog"
	"math/bits"
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

// part numbers the parts of an ICC in the order in which they are written. It is
// the bit in has, of which the lowest is never set.
type part uint8

const (
	noPart part = iota // that of a tag which an ICC does not keep
	cryptogram
	cid
	iad
	unpredictableNumber
	atc
	tvr
	transactionDate
	transactionType
	amountAuthorized
	transactionCurrency
	aip
	terminalCountry
	amountOther
	terminalCapabilities
	cvmResults
	terminalType
	psn
	arc
	ttq
	ctq
	scriptResults
	partEnd
)

// bit is the bit of p in has.
func (p part) bit() uint32 { return 1 << (p & 31) }

// partTags gives each part its tag.
var partTags = [partEnd]Tag{
	cryptogram: Cryptogram, cid: CID, iad: IAD, unpredictableNumber: UnpredictableNumber, atc: ATC, tvr: TVR,
	transactionDate: TransactionDate, transactionType: TransactionType, amountAuthorized: AmountAuthorized,
	transactionCurrency: TransactionCurrency, aip: AIP, terminalCountry: TerminalCountry, amountOther: AmountOther,
	terminalCapabilities: TerminalCapabilities, cvmResults: CVMResults, terminalType: TerminalType, psn: PSN, arc: ARC,
	ttq: TTQ, ctq: CTQ, scriptResults: ScriptResults,
}

// iccLenMax is the longest field 55.
const iccLenMax = 255

// ParseICC reads the value of a field 55. Lengths and digits of the tags this
// package knows are checked, and a tag that comes twice is refused; tags it
// does not know are passed over, as are those that hold card data.
func ParseICC(data []byte) (c ICC, err error) {
	if len(data) > iccLenMax {
		return ICC{}, &TagError{0, TooLong}
	}
	r := Read(data)
	for r.Next() {
		rule := r.tag.rule()
		if p := rule.allows(r.Value()); p != "" {
			return ICC{}, &TagError{r.tag, p}
		}
		if c.has&rule.part.bit() != 0 {
			return ICC{}, &TagError{r.tag, Repeated}
		}
		c.put(rule.part, r.Value())
	}
	if r.err != nil {
		return ICC{}, r.err
	}
	return c, nil
}

// put stores the value of a part that c does not have, whose length was checked.
func (c *ICC) put(p part, v []byte) {
	switch p {
	case noPart:
		return
	case cryptogram:
		c.Cryptogram = [8]byte(v)
	case cid:
		c.CID = v[0]
	case iad:
		c.iadLen = uint8(copy(c.iad[:], v))
	case unpredictableNumber:
		c.UnpredictableNumber = [4]byte(v)
	case atc:
		c.ATC = [2]byte(v)
	case tvr:
		c.TVR = [5]byte(v)
	case transactionDate:
		c.TransactionDate = [3]byte(v)
	case transactionType:
		c.TransactionType = v[0]
	case amountAuthorized:
		c.AmountAuthorized = [6]byte(v)
	case transactionCurrency:
		c.TransactionCurrency = [2]byte(v)
	case aip:
		c.AIP = [2]byte(v)
	case terminalCountry:
		c.TerminalCountry = [2]byte(v)
	case amountOther:
		c.AmountOther = [6]byte(v)
	case terminalCapabilities:
		c.TerminalCapabilities = [3]byte(v)
	case cvmResults:
		c.CVMResults = [3]byte(v)
	case terminalType:
		c.TerminalType = v[0]
	case psn:
		c.PSN = v[0]
	case arc:
		c.ARC = [2]byte(v)
	case ttq:
		c.TTQ = [4]byte(v)
	case ctq:
		c.CTQ = [2]byte(v)
	case scriptResults:
		c.resultLen = uint8(copy(c.results[:], v))
	}
	c.has |= p.bit()
}

// appendPart appends p, which c has, with its tag.
func (c *ICC) appendPart(dst []byte, p part) []byte {
	var v []byte
	switch p {
	case cryptogram:
		v = c.Cryptogram[:]
	case cid:
		v = []byte{c.CID}
	case iad:
		v = c.iad[:c.iadLen]
	case unpredictableNumber:
		v = c.UnpredictableNumber[:]
	case atc:
		v = c.ATC[:]
	case tvr:
		v = c.TVR[:]
	case transactionDate:
		v = c.TransactionDate[:]
	case transactionType:
		v = []byte{c.TransactionType}
	case amountAuthorized:
		v = c.AmountAuthorized[:]
	case transactionCurrency:
		v = c.TransactionCurrency[:]
	case aip:
		v = c.AIP[:]
	case terminalCountry:
		v = c.TerminalCountry[:]
	case amountOther:
		v = c.AmountOther[:]
	case terminalCapabilities:
		v = c.TerminalCapabilities[:]
	case cvmResults:
		v = c.CVMResults[:]
	case terminalType:
		v = []byte{c.TerminalType}
	case psn:
		v = []byte{c.PSN}
	case arc:
		v = c.ARC[:]
	case ttq:
		v = c.TTQ[:]
	case ctq:
		v = c.CTQ[:]
	case scriptResults:
		v = c.results[:c.resultLen]
	}
	return Append(dst, partTags[p], v)
}

// Has reports whether a part was sent.
func (c *ICC) Has(t Tag) bool { return c.has&t.rule().part.bit() != 0 }

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
	for set := c.has; set != 0; set &= set - 1 {
		dst = c.appendPart(dst, part(bits.TrailingZeros32(set)))
	}
	return dst
}

// String names the tags that c has.
func (c ICC) String() string {
	var b strings.Builder
	for set := c.has; set != 0; set &= set - 1 {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(partTags[bits.TrailingZeros32(set)].String())
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
