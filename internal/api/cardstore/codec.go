package cardstore

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// request is a request with its body.
type request struct {
	*http.Request
	body []byte
}

// decode reads the body; members that nobody knows are passed over.
func (r *request) decode(into any) error {
	if err := json.Unmarshal(r.body, into); err != nil {
		return api.Invalid()
	}
	return nil
}

// header reads a selector.
func (r *request) header(name string) string { return strings.TrimSpace(r.Header.Get(name)) }

// flag reads a boolean in any case.
func (r *request) flag(name string) (bool, error) {
	switch v := r.header(name); {
	case v == "", strings.EqualFold(v, "false"):
		return false, nil
	case strings.EqualFold(v, "true"):
		return true, nil
	}
	return false, api.Invalid()
}

// languageOf is the language of messages.
func languageOf(r *http.Request) string {
	language, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(r.Header.Get("locale"))), "-")
	if language == "en" {
		return "en"
	}
	return "tr"
}

// envelope is every answer of the card wall.
type envelope struct {
	ErrorCode int    `json:"ErrorCode"`
	Result    bool   `json:"Result"`
	Message   string `json:"Message"`
	Body      any    `json:"Body"`
}

// paymentEnvelope is every answer of the payment API.
type paymentEnvelope struct {
	ErrorCodeType int     `json:"ErrorCodeType"`
	ErrorMessage  *string `json:"ErrorMessage"`
	envelope
}

func envelopeOf(r *http.Request, o outcome, message string, body any) any {
	e := envelope{o.number, o.code == "", message, body}
	if strings.HasPrefix(r.URL.Path, "/api/paywall/bin/") {
		return paymentEnvelope{1, nil, e}
	}
	return e
}

func write(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(answer) // the client may be gone
}

// digits is a number that must not be printed.
type digits struct{ secret.Value }

// UnmarshalJSON reads a string.
func (d *digits) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return api.Invalid()
	}
	d.Value = secret.FromString(s)
	return nil
}

// moment is a time as the family writes it; the zero time is in the year 1.
func moment(t time.Time) string {
	if t.IsZero() {
		return "0001-01-01T00:00:00"
	}
	return t.UTC().Format("2006-01-02T15:04:05.999999Z")
}

// The names of the code lists.
var (
	brands       = map[int]string{1: "Master Card", 2: "Visa", 3: "Troy", 4: "Amex"}
	brandNumbers = map[int]int{2: 0, 1: 1, 3: 2, 4: 3} // of an e-commerce card
	families     = map[int]string{1: "World", 4: "Axess", 5: "Paraf", 7: "Combo"}
	kinds        = map[int]string{1: "Bireysel Kart", 2: "Ticari Kart"}
	types        = map[int]string{1: "Credit", 2: "Debit", 3: "Prepaid", 4: "Foreign"}
)

// details are what is known of a card's BIN.
type details struct {
	CardBankID   int    `json:"CardBankId"`
	CardBank     string `json:"CardBank"`
	CardBrandID  int    `json:"CardBrandId"`
	CardBrand    string `json:"CardBrand"`
	CardFamilyID int    `json:"CardFamilyId"`
	CardFamily   string `json:"CardFamily"`
	CardKindID   int    `json:"CardKindId"`
	CardKind     string `json:"CardKind"`
	CardTypeID   int    `json:"CardTypeId"`
	CardType     string `json:"CardType"`
}

func detailsOf(b vault.BINEntry, wanted bool) *details {
	if !wanted {
		return nil
	}
	return &details{
		b.BankID, b.Bank, b.BrandID, brands[b.BrandID], b.FamilyID, families[b.FamilyID], b.KindID, kinds[b.KindID], b.TypeID, types[b.TypeID],
	}
}

// card is a stored card of e-commerce; created ones have no Expired.
type card struct {
	Name           string   `json:"Name"`
	CardBin        string   `json:"CardBin"`
	CardLastFour   string   `json:"CardLastFour"`
	CardHolderName string   `json:"CardHolderName"`
	CardNumber     string   `json:"CardNumber"`
	Expired        *bool    `json:"Expired,omitempty"`
	CardTypeID     int      `json:"CardTypeId"`
	CardType       string   `json:"CardType"`
	Month          int      `json:"Month"`
	Year           int      `json:"Year"`
	UniqueCode     string   `json:"UniqueCode"`
	Details        *details `json:"Details"`
}

func cardOf(k vault.Kept, wanted bool) card {
	b := k.Range
	return card{
		Name: k.Nickname, CardBin: k.BIN[:6], CardLastFour: k.LastFour, CardHolderName: k.Holder,
		CardNumber: k.BIN[:6] + "******" + k.LastFour, CardTypeID: brandNumbers[b.BrandID], CardType: strings.ReplaceAll(brands[b.BrandID], " ", ""),
		Month: k.Month, Year: k.Year, UniqueCode: k.Code, Details: detailsOf(b, wanted),
	}
}

// insuranceCard is a stored card of insurance.
type insuranceCard struct {
	Scope          int      `json:"Scope"`
	Name           string   `json:"Name"`
	Identity       string   `json:"Identity"`
	CardBin        string   `json:"CardBin"`
	CardLastFour   string   `json:"CardLastFour"`
	CardHolderName string   `json:"CardHolderName"`
	Expired        *bool    `json:"Expired,omitempty"`
	CardTypeID     int      `json:"CardTypeId"`
	CardType       string   `json:"CardType"`
	Month          int      `json:"Month"`
	Year           int      `json:"Year"`
	UniqueCode     string   `json:"UniqueCode"`
	Details        *details `json:"Details"`
}

func insuranceCardOf(k vault.Kept, stars int, wanted bool) insuranceCard {
	return insuranceCard{
		Scope: int(k.Scope), Name: k.Nickname, Identity: k.MaskedIdentity(stars), CardBin: k.BIN, CardLastFour: k.LastFour,
		CardHolderName: k.Holder, CardTypeID: k.Range.TypeID, CardType: types[k.Range.TypeID], Month: k.Month, Year: k.Year,
		UniqueCode: k.Code, Details: detailsOf(k.Range, wanted),
	}
}

// maskedName shows every second letter of each word.
func maskedName(name string) string {
	words := strings.Split(name, " ")
	for i, w := range words {
		letters := []rune(w)
		for j := range letters {
			if j%2 == 1 {
				letters[j] = '*'
			}
		}
		words[i] = string(letters)
	}
	return strings.Join(words, " ")
}
