package customer

import (
	"net/mail"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// ValidTCKN reports whether s is a Turkish citizen's number.
func ValidTCKN(s string) bool { return country.ValidTCKN(s) }

// ValidYKN reports whether s is a foreigner's number: a [ValidTCKN] that begins
// with 99.
func ValidYKN(s string) bool { return strings.HasPrefix(s, "99") && ValidTCKN(s) }

// ValidVKN reports whether s is a Turkish tax number.
func ValidVKN(s string) bool { return country.ValidVKN(s) }

// validTaxNumber accepts a company's VKN and a sole trader's TCKN.
func validTaxNumber(s string) bool { return ValidVKN(s) || ValidTCKN(s) }

var (
	passportSyntax = regexp.MustCompile(`^[A-Z0-9]{4,20}$`)
	mersisSyntax   = regexp.MustCompile(`^[0-9]{16}$`)
	phoneSyntax    = regexp.MustCompile(`^\+?[0-9 ()./-]{1,40}$`)
	e164Syntax     = regexp.MustCompile(`^\+[1-9][0-9]{4,14}$`)
	gsmSyntax      = regexp.MustCompile(`^\+905[0-9]{9}$`)
	naceSyntax     = regexp.MustCompile(`^[0-9A-Z.]{0,10}$`)
)

// valid reports whether number can be one of this type. Number is in the form
// normalNumber makes.
func (t IdentificationType) valid(number string) bool {
	switch t {
	case TCKN:
		return ValidTCKN(number)
	case YKN:
		return ValidYKN(number)
	case TaxNumber:
		return validTaxNumber(number)
	case Passport:
		return passportSyntax.MatchString(number)
	case Mersis:
		return mersisSyntax.MatchString(number)
	}
	return len(number) >= 1 && len([]rune(number)) <= 30 && fault.Printable(number)
}

// isStrong reports whether the number alone says who a customer is.
func (t IdentificationType) isStrong() bool {
	switch t {
	case TCKN, YKN, Passport, TaxNumber:
		return true
	}
	return false
}

// normalNumber is the one form in which a number is kept and compared: without
// blanks around it, and letters of passports and licences in upper case.
func (t IdentificationType) normalNumber(number string) string {
	number = strings.TrimSpace(number)
	if t == Passport || t == DrivingLicence {
		number = strings.ToUpper(strings.ReplaceAll(number, " ", ""))
	}
	return number
}

// ParsePhone reads a phone number as people write it and returns it in E.164
// form. A number without a country is Turkish. Mobile demands of Turkish
// numbers that they are GSM numbers.
func ParsePhone(text string, mobile bool) (e164 string, ok bool) {
	text = strings.TrimSpace(text)
	if !phoneSyntax.MatchString(text) { // no letters: the library would dial them
		return "", false
	}
	digits := phonenumbers.NormalizeDigitsOnly(text)
	if !strings.HasPrefix(text, "+") && len(digits) == 12 && strings.HasPrefix(digits, "90") {
		text = "+" + digits
	}
	n, err := phonenumbers.Parse(text, "TR")
	if err != nil || n.GetExtension() != "" {
		return "", false
	}
	e164 = phonenumbers.Format(n, phonenumbers.E164)
	if mobile && n.GetCountryCode() == 90 {
		return e164, gsmSyntax.MatchString(e164)
	}
	return e164, phonenumbers.IsValidNumber(n) && e164Syntax.MatchString(e164)
}

// ParseEmail checks an e-mail address (RFC 5321: at most 254 characters).
func ParseEmail(text string) (string, bool) {
	text = strings.TrimSpace(text)
	a, err := mail.ParseAddress(text)
	if err != nil || a.Address != text || len(text) > 254 {
		return "", false
	}
	local, domain, _ := strings.Cut(text, "@")
	return text, len(local) <= 64 && strings.Contains(domain, ".") && hostName(domain) && isPlain(text)
}

// isPlain reports whether what is seen of s is all there is: nothing invisible,
// and no full-width form of another character.
func isPlain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r >= 0xFF00 && r <= 0xFFEF })
}

// hostName takes international names, too, but no address in brackets.
func hostName(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		odd := strings.ContainsFunc(label, func(r rune) bool {
			return r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
		})
		if label == "" || odd || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return false
		}
	}
	return true
}

// validCityCode reports whether s is the plate code of a Turkish province.
func validCityCode(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && len(s) == 2 && n >= 1 && n <= 81
}

// MaskMiddle hides all but the first and last characters, or all of a text too
// short for that.
func MaskMiddle(s string, first, last int) string {
	r := []rune(s)
	if len(r) == 0 {
		return ""
	}
	if len(r) <= first+last {
		return strings.Repeat("*", len(r))
	}
	return string(r[:first]) + strings.Repeat("*", len(r)-first-last) + string(r[len(r)-last:])
}

// MaskEmail shows the first letter and the domain.
func MaskEmail(s string) string {
	local, domain, ok := strings.Cut(s, "@")
	if !ok {
		return MaskMiddle(s, 1, 0)
	}
	return MaskMiddle(local, min(1, len([]rune(local))-1), 0) + "@" + domain
}
