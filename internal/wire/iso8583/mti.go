package iso8583

// MTI is a message type indicator, four decimal digits held as binary coded
// decimal, so that constants read like the standard: 0x0100 is "0100".
type MTI uint16

// The messages of the 1987 edition that this platform exchanges.
const (
	AuthorizationRequest        MTI = 0x0100
	AuthorizationRepeat         MTI = 0x0101
	AuthorizationResponse       MTI = 0x0110
	AuthorizationAdvice         MTI = 0x0120
	AuthorizationAdviceRepeat   MTI = 0x0121
	AuthorizationAdviceResponse MTI = 0x0130
	FinancialRequest            MTI = 0x0200
	FinancialRepeat             MTI = 0x0201
	FinancialResponse           MTI = 0x0210
	FinancialAdvice             MTI = 0x0220
	FinancialAdviceRepeat       MTI = 0x0221
	FinancialAdviceResponse     MTI = 0x0230
	ReversalRequest             MTI = 0x0400
	ReversalRepeat              MTI = 0x0401
	ReversalResponse            MTI = 0x0410
	ReversalAdvice              MTI = 0x0420
	ReversalAdviceRepeat        MTI = 0x0421
	ReversalAdviceResponse      MTI = 0x0430
	NetworkRequest              MTI = 0x0800
	NetworkRepeat               MTI = 0x0801
	NetworkResponse             MTI = 0x0810
	NetworkAdvice               MTI = 0x0820
)

// Message classes, the second digit of an MTI.
const (
	ClassAuthorization byte = 1
	ClassFinancial     byte = 2
	ClassReversal      byte = 4
	ClassNetwork       byte = 8
)

// ParseMTI reads four ASCII digits.
func ParseMTI(s string) (MTI, error) {
	m, ok := mtiOf([]byte(s))
	if !ok {
		return 0, &FieldError{Field: 0, Problem: BadContent}
	}
	return m, nil
}

// mtiOf reads an MTI from exactly four ASCII digits.
func mtiOf(b []byte) (MTI, bool) {
	if len(b) != 4 {
		return 0, false
	}
	var m MTI
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		m = m<<4 | MTI(c-'0')
	}
	return m, true
}

// Version is the first digit: 0 for the 1987 edition.
func (m MTI) Version() byte { return byte(m >> 12) }

// Class is the second digit: 1 authorization, 2 financial, 4 reversal,
// 8 network management.
func (m MTI) Class() byte { return byte(m>>8) & 0xF }

// Function is the third digit: 0 request, 1 request response, 2 advice,
// 3 advice response.
func (m MTI) Function() byte { return byte(m>>4) & 0xF }

// Origin is the fourth digit; odd origins are repeats.
func (m MTI) Origin() byte { return byte(m) & 0xF }

// IsRepeat reports whether the sender marks the message as sent before.
func (m MTI) IsRepeat() bool { return m&1 == 1 }

// IsRequest reports whether the message asks for a decision.
func (m MTI) IsRequest() bool { return m.Function() == 0 }

// IsAdvice reports whether the message reports a fact, which its receiver
// must accept.
func (m MTI) IsAdvice() bool { return m.Function() == 2 }

// IsResponse reports whether the message answers another: its function digit
// is odd.
func (m MTI) IsResponse() bool { return m.Function()&1 == 1 }

// Original is the MTI of the message that a repeat repeats: 0401 gives 0400.
// An MTI that is no repeat is its own original.
func (m MTI) Original() MTI { return m &^ 1 }

// Repeat is the MTI under which m is sent again: 0420 gives 0421.
func (m MTI) Repeat() MTI { return m | 1 }

// Response is the MTI that answers m: 0100 and 0101 give 0110, 0421 gives
// 0430. A response is its own.
func (m MTI) Response() MTI {
	if m.IsResponse() {
		return m
	}
	return m.Original() + 0x10
}

// String is the four digits.
func (m MTI) String() string {
	var b [4]byte
	return string(m.append(b[:0]))
}

// append appends the MTI as it stands in a message with ASCII digits.
func (m MTI) append(dst []byte) []byte {
	return append(dst, '0'+m.Version(), '0'+m.Class(), '0'+m.Function(), '0'+m.Origin())
}

// isDecimal reports whether no digit of m is above 9, of which the highest bit is
// set and one of the next two.
func (m MTI) isDecimal() bool { return m&(m<<1|m<<2)&0x8888 == 0 }
