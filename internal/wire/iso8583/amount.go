package iso8583

// AdditionalAmount is one of up to six amounts of field 54: account type 2,
// amount type 2, currency 3, sign 1, amount 12.
type AdditionalAmount struct {
	AccountType string // as in the processing code, "00" when not specified
	AmountType  string // such as AvailableBalance
	Currency    string // ISO 4217, three digits
	Negative    bool   // D on the wire; C otherwise
	Minor       int64  // minor units, 0 to 999,999,999,999
}

// Amount types of field 54.
const (
	LedgerBalance    = "01"
	AvailableBalance = "02"
	Cash             = "40" // the cash-back part of a purchase
	Surcharge        = "42"
	Gratuity         = "44"
	OriginalAmount   = "57" // what was asked for, in a partial approval
)

const (
	additionalAmountLen = 20
	additionalCountMax  = 6
	amountDigits        = 12
	amountMax           = 999_999_999_999
)

// ParseAdditionalAmounts reads field 54.
func ParseAdditionalAmounts(v []byte) ([]AdditionalAmount, error) {
	if len(v)%additionalAmountLen != 0 || len(v) > additionalAmountLen*additionalCountMax {
		return nil, &FieldError{AdditionalAmounts, BadStructure}
	}
	amounts := make([]AdditionalAmount, 0, len(v)/additionalAmountLen)
	for ; len(v) > 0; v = v[additionalAmountLen:] {
		_, typed := number(v[:7])
		minor, ok := number(v[8:additionalAmountLen])
		if !typed || !ok || v[7] != 'C' && v[7] != 'D' {
			return nil, &FieldError{AdditionalAmounts, BadContent}
		}
		amounts = append(amounts, AdditionalAmount{
			AccountType: string(v[:2]),
			AmountType:  string(v[2:4]),
			Currency:    string(v[4:7]),
			Negative:    v[7] == 'D',
			Minor:       minor,
		})
	}
	return amounts, nil
}

// AppendAdditionalAmount appends one amount to the value of a field 54. An
// amount that cannot be written leaves dst as it was.
func AppendAdditionalAmount(dst []byte, a AdditionalAmount) ([]byte, error) {
	if len(a.AccountType) != 2 || len(a.AmountType) != 2 || len(a.Currency) != 3 ||
		!kinds["n"].allows([]byte(a.AccountType+a.AmountType+a.Currency)) || a.Minor < 0 || a.Minor > amountMax {
		return dst, &FieldError{AdditionalAmounts, BadContent}
	}
	dst = append(dst, a.AccountType...)
	dst = append(dst, a.AmountType...)
	dst = append(dst, a.Currency...)
	if a.Negative {
		dst = append(dst, 'D')
	} else {
		dst = append(dst, 'C')
	}
	return asciiLength.append(dst, int(a.Minor), amountDigits), nil
}

// Replacement is field 95: the amounts that remain of an authorization after
// a partial reversal – not what is taken off it. Zero means not given, or
// that nothing remains. Minor units.
type Replacement struct {
	Transaction int64
	Settlement  int64
	Billing     int64
}

// replacementLen is the length of field 95: three amounts and six zeros.
const replacementLen = 42

// ParseReplacement reads field 95.
func ParseReplacement(v []byte) (Replacement, error) {
	if len(v) != replacementLen {
		return Replacement{}, &FieldError{ReplacementAmounts, BadStructure}
	}
	transaction, ok1 := number(v[:12])
	settlement, ok2 := number(v[12:24])
	billing, ok3 := number(v[24:36])
	if _, ok := number(v[36:]); !ok || !ok1 || !ok2 || !ok3 {
		return Replacement{}, &FieldError{ReplacementAmounts, BadContent}
	}
	return Replacement{transaction, settlement, billing}, nil
}

// Append appends the value of a field 95. An amount that is negative or
// longer than twelve digits leaves dst as it was.
func (r Replacement) Append(dst []byte) ([]byte, error) {
	for _, a := range []int64{r.Transaction, r.Settlement, r.Billing} {
		if a < 0 || a > amountMax {
			return dst, &FieldError{ReplacementAmounts, BadContent}
		}
	}
	dst = asciiLength.append(dst, int(r.Transaction), amountDigits)
	dst = asciiLength.append(dst, int(r.Settlement), amountDigits)
	dst = asciiLength.append(dst, int(r.Billing), amountDigits)
	return append(dst, "000000"...), nil
}
