package platform

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api/apitest"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/hsm/algo"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// stock gives every tenant what cards are made of: a BIN, a range, the products
// PLASTIC and VIRTUAL, and the customers 1 and 2.
func (w *world) stock() *world {
	w.t.Helper()
	for i, name := range []string{"main", "other", "production"} {
		c := access.System(w.tenants[name])
		bin := fmt.Sprintf("97920%d", i+1)
		must(w.t, func() error {
			_, err := w.services.Programs.CreateBIN(w.t.Context(), c, program.BIN{
				BIN: bin, Brand: program.BrandTroy, Network: program.NetworkTroy, CardType: program.Prepaid, CardLevel: program.LevelPrepaid,
				Currency: money.MustCurrency("TRY"), Country: country.Must("TR"), PANLength: 16, KeySetCode: "SET", Status: program.RecordActive,
			})
			return err
		})
		must(w.t, func() error {
			_, err := w.services.Programs.CreateRange(w.t.Context(), c, program.BINRange{
				Code: "RANGE", Name: "Range", BIN: bin, Start: bin + "000000000", End: bin + "000999999",
				Generation: program.RandomPAN, AlertThresholdPercent: 85, Status: program.RecordActive,
			})
			return err
		})
		for code, form := range map[string]program.FormFactor{"PLASTIC": program.PhysicalCard, "VIRTUAL": program.Virtual} {
			p := program.NewProduct(code)
			p.Name, p.BINRangeCode, p.CardType, p.Currency = strings.ToLower(code), "RANGE", program.Prepaid, money.MustCurrency("TRY")
			p.FormFactors, p.ValidityMonths, p.ServiceCode, p.MaxCardsPerCustomer, p.MaxChildCards = []program.FormFactor{form}, 60, "221", 0, 2
			p.Policies = []program.Policy{{Type: program.PolicyNonSecureEcommerce, IsAllowed: true}}
			if form == program.Virtual {
				p.PINDeliveries = []program.PINDelivery{program.PINBySMS, program.PINByAPI}
			}
			if form == program.PhysicalCard {
				p.Plastics = []program.Plastic{{
					Code: "STD", CardArtCode: "BLUE", PlasticCode: "P01", PersoVendorCode: "BUREAU", EmbossType: program.FlatPrinted,
					Line1MaxLength: 24, Line2MaxLength: 24, IsDefault: true, IsActive: true,
				}}
			}
			must(w.t, func() error { _, err := w.services.Programs.CreateProduct(w.t.Context(), c, p); return err })
		}
		for no, tckn := range map[string]string{"1": "10000000146", "2": "19191919190"} {
			must(w.t, func() error {
				_, err := w.services.Customers.Create(w.t.Context(), c, customer.Customer{
					No: no, Type: customer.Individual, KYCLevel: customer.KYCVerified,
					Profile: customer.Profile{
						Name: "Ayşe", Surname: "Yılmaz", BirthDate: clock.Date{Year: 1991, Month: 4, Day: 12},
						Nationality: country.Must("TR"), Language: "tr",
					},
					Identifications: []customer.Identification{{Type: customer.TCKN, Number: tckn}},
					Communications:  []customer.Communication{{Type: customer.MobilePhone, Value: "+905321234567", IsPreferred: true}},
					Addresses: []customer.Address{{
						Type: customer.HomeAddress, Country: country.Must("TR"), CityCode: "34", TownName: "Kadıköy",
						Lines: [4]string{"Moda Cad. 1"}, IsDefault: true,
					}},
				})
				return err
			})
		}
	}
	return w
}

func must(t *testing.T, f func() error) {
	t.Helper()
	if err := f(); err != nil {
		t.Fatal(err)
	}
}

// The conversations in testdata/card begin in a stocked world.
func TestCardConversations(t *testing.T) {
	apitest.RunFiles(t, "testdata/card/*.txt", func(t *testing.T) *apitest.Conversation {
		return newWorld(t, dbtest.SQLite(t)).stock().Conversation
	})
}

// ask sends a request and decodes its answer, which must have this status.
func (w *world) ask(status int, method, path string, body any, out any) []byte {
	w.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	answer := w.send(method, path, map[string]string{"Accept-Language": "en"}, string(text))
	if answer.Code != status {
		w.t.Fatalf("%s %s: got %d, want %d: %s", method, path, answer.Code, status, answer.Body)
	}
	if out != nil {
		if err := json.Unmarshal(answer.Body.Bytes(), out); err != nil {
			w.t.Fatal(err)
		}
	}
	return answer.Body.Bytes()
}

func (w *world) newCard() (token string) {
	w.t.Helper()
	var made struct {
		CardToken string `json:"cardToken"`
	}
	w.ask(200, "POST", "/api/v1/issuing/card", map[string]any{"customerNo": "1", "productCode": "VIRTUAL"}, &made)
	return made.CardToken
}

type shownCard struct {
	CardNo      string `json:"cardNo"`
	CVV2        string `json:"cvv2"`
	ExpireYear  int    `json:"expireYear"`
	ExpireMonth int    `json:"expireMonth"`
	Track2      string `json:"track2"`
}

func (w *world) clearCard(token string) shownCard {
	w.t.Helper()
	var shown shownCard
	w.ask(200, "POST", "/api/v1/sandbox/card-info", map[string]any{"cardToken": token}, &shown)
	return shown
}

// dataKey exchanges a key for fields and returns it in clear, as a client
// would unwrap it.
func (w *world) dataKey() (keyID string, gcm cipher.AEAD) {
	w.t.Helper()
	private, public := w.clientKey()
	exchanged := w.exchangeKey(private, map[string]any{"publicKey": public})
	block, err := aes.NewCipher(exchanged.key)
	if err != nil {
		w.t.Fatal(err)
	}
	if gcm, err = cipher.NewGCM(block); err != nil {
		w.t.Fatal(err)
	}
	return exchanged.KeyID, gcm
}

// clientKey makes a key pair of a client; the public half is base64 of SPKI.
func (w *world) clientKey() (*rsa.PrivateKey, string) {
	w.t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		w.t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		w.t.Fatal(err)
	}
	return private, base64.StdEncoding.EncodeToString(public)
}

const exchangePath = "/api/v1/issuing/integration/key-exchange"

type exchangedInClear struct {
	KeyID        string `json:"keyId"`
	EncryptedKey []byte `json:"encryptedKey"`
	KeyBlock     string `json:"keyBlock"`
	key          []byte // EncryptedKey in clear
}

func (w *world) exchangeKey(private *rsa.PrivateKey, body map[string]any) exchangedInClear {
	w.t.Helper()
	var out exchangedInClear
	w.ask(200, "POST", exchangePath, body, &out)
	var err error
	if out.key, err = rsa.DecryptOAEP(sha256.New(), nil, private, out.EncryptedKey, nil); err != nil {
		w.t.Fatal(err)
	}
	return out
}

// The idempotency key of a request that was refused for now is free again.
func TestShowCVV2_isThrottledForEachCard(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t)).stock()
	token := w.newCard()
	path := "/api/v1/issuing/card/" + token + "/cvv2/get-with-expire-date"
	body := map[string]any{"reason": "shown in the app"}
	for range 10 {
		w.ask(200, "POST", path, body, nil)
	}
	w.clock.Advance(time.Minute)
	text := `{"reason":"shown in the app"}`
	key := map[string]string{"X-Idempotency-Key": "k", "Accept-Language": "en"}
	answer := w.send("POST", path, key, text)
	if answer.Code != 429 || answer.Header().Get("Retry-After") != "3540" || !strings.Contains(answer.Body.String(), "Common:TooManyRequests") {
		t.Errorf("got %d, Retry-After %s: %s", answer.Code, answer.Header().Get("Retry-After"), answer.Body)
	}
	w.clock.Advance(time.Hour)
	if answer := w.send("POST", path, key, text); answer.Code != 200 {
		t.Errorf("an hour later: %d %s", answer.Code, answer.Body)
	}
}

// A production client sees no card number but an encrypted one, and sends no
// PIN but in a block under a key it exchanged.
func TestKeyExchange_letsAProductionClientSetAPIN(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t)).stock()
	w.bearer = "production"
	token := w.newCard()
	path := "/api/v1/issuing/card/" + token
	private, public := w.clientKey()
	forFields := map[string]any{"publicKey": public}
	if got := string(w.ask(422, "POST", exchangePath, forFields, nil)); !strings.Contains(got, "Issuing:ClientKeyNotRegistered") {
		t.Errorf("before it was registered: %s", got)
	}
	if _, err := w.services.Vault.RegisterClientKey(t.Context(), w.clients["production"].ClientID, public); err != nil {
		t.Fatal(err)
	}
	fields := w.exchangeKey(private, forFields)
	zpk := w.exchangeKey(private, map[string]any{"publicKey": public, "keyUsage": "PinBlock"})
	header, key, err := algo.UnwrapKeyBlock(zpk.key, zpk.KeyBlock)
	if err != nil || header.Usage != "P0" {
		t.Fatalf("key block of %q: %v", header.Usage, err)
	}

	var shown struct {
		EncryptedCardNo string `json:"encryptedCardNo"`
	}
	w.ask(200, "POST", path+"/cvv2/get-with-expire-date", map[string]any{"keyId": fields.KeyID, "includeCardNo": true}, &shown)
	aesOfFields, err := aes.NewCipher(fields.key)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(aesOfFields)
	if err != nil {
		t.Fatal(err)
	}
	number := w.openField(gcm, token, "encryptedCardNo", shown.EncryptedCardNo)

	block := func(digits string) string {
		t.Helper()
		pin, err := algo.ParsePIN([]byte(digits))
		if err != nil {
			t.Fatal(err)
		}
		clear, err := algo.EncodePINBlock(0, &pin, number, nil)
		if err != nil {
			t.Fatal(err)
		}
		tdes, err := algo.NewTDES(key)
		if err != nil {
			t.Fatal(err)
		}
		tdes.Encrypt(clear[:], clear[:])
		return hex.EncodeToString(clear[:])
	}
	pin := func(status int, verb, text string) string {
		t.Helper()
		return string(w.ask(status, "POST", path+"/pin/"+verb, map[string]any{
			"pinBlock": text, "encryption": map[string]any{"keyId": zpk.KeyID},
		}, nil))
	}
	digits, other := "7392", "8274"
	if strings.HasSuffix(number, digits) { // a weak PIN for this card
		digits, other = other, digits
	}
	pin(200, "set", block(digits))
	for algorithm, status := range map[string]int{"A256GCM": 400, "AES-ZPK": 400, "TDES-ZPK": 200} {
		w.ask(status, "POST", path+"/pin/verify", map[string]any{
			"pinBlock": block(digits), "encryption": map[string]any{"keyId": zpk.KeyID, "algorithm": algorithm},
		}, nil)
	}
	if got := pin(200, "verify", block(digits)); !strings.Contains(got, `"isValid":true`) {
		t.Errorf("the right PIN: %s", got)
	}
	// One wrong PIN in ten thousand has the right one's verification value; two do not.
	first, second := pin(200, "verify", block(other)), pin(200, "verify", block("5160"))
	if !strings.Contains(first, `"isValid":false`) && !strings.Contains(second, `"isValid":false`) {
		t.Errorf("wrong PINs: %s, %s", first, second)
	}
}

func (w *world) place(token, member string) []byte {
	return []byte(w.tenants[w.bearer].ID.UUID() + "|" + token + "|" + member)
}

func (w *world) sealField(gcm cipher.AEAD, token, member, value string) string {
	iv := make([]byte, 12)
	rand.Read(iv)
	return base64.StdEncoding.EncodeToString(gcm.Seal(iv, iv, []byte(value), w.place(token, member)))
}

func (w *world) openField(gcm cipher.AEAD, token, member, text string) string {
	w.t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) < 12 {
		w.t.Fatalf("%s is no encrypted field", member)
	}
	clear, err := gcm.Open(nil, raw[:12], raw[12:], w.place(token, member))
	if err != nil {
		w.t.Fatalf("open %s: %v", member, err)
	}
	return string(clear)
}

func TestCards_encryptedMembers(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t)).stock()
	token := w.newCard()
	path := "/api/v1/issuing/card/" + token
	known := w.clearCard(token)
	keyID, gcm := w.dataKey()

	var shown struct {
		EncryptedCVV2   string                 `json:"encryptedCvv2"`
		EncryptedCardNo string                 `json:"encryptedCardNo"`
		Encryption      struct{ KeyID string } `json:"encryption"`
	}
	w.ask(200, "POST", path+"/cvv2/get-with-expire-date", map[string]any{"cardToken": token, "keyId": keyID, "includeCardNo": true}, &shown)
	if got := w.openField(gcm, token, "encryptedCvv2", shown.EncryptedCVV2); got != known.CVV2 || shown.Encryption.KeyID != keyID {
		t.Error("the encrypted CVV2 is another one")
	}
	if got := w.openField(gcm, token, "encryptedCardNo", shown.EncryptedCardNo); got != known.CardNo {
		t.Error("the encrypted card number is another one")
	}

	verify := func(status int, text string) []byte {
		return w.ask(status, "POST", path+"/cvv2/verify", map[string]any{
			"encryptedCvv2": text, "expireYear": known.ExpireYear, "expireMonth": known.ExpireMonth, "encryption": map[string]any{"keyId": keyID},
		}, nil)
	}
	if got := string(verify(200, w.sealField(gcm, token, "encryptedCvv2", known.CVV2))); !strings.Contains(got, `"isValid":true`) {
		t.Errorf("got %s", got)
	}
	// A field that was made for another member or card does not open.
	for _, moved := range []string{
		w.sealField(gcm, token, "encryptedCardNo", known.CVV2), w.sealField(gcm, w.newCard(), "encryptedCvv2", known.CVV2),
	} {
		if got := string(verify(400, moved)); !strings.Contains(got, "Issuing:DecryptionFailed") {
			t.Errorf("got %s", got)
		}
	}

	// What says that it is protected in another way is not opened in ours.
	sealed := w.sealField(gcm, token, "encryptedCvv2", known.CVV2)
	for _, algorithm := range []string{"none", "a256gcm", "", "A128GCM", "TDES-ZPK"} {
		got := w.ask(400, "POST", path+"/cvv2/verify", map[string]any{
			"encryptedCvv2": sealed, "expireYear": known.ExpireYear, "expireMonth": known.ExpireMonth,
			"encryption": map[string]any{"keyId": keyID, "algorithm": algorithm},
		}, nil)
		if !strings.Contains(string(got), `"members":["encryption.algorithm"]`) {
			t.Errorf("%q: got %s", algorithm, got)
		}
	}

	pin := func(status int, verb, digits string) []byte {
		return w.ask(status, "POST", path+"/pin/"+verb, map[string]any{
			"encryptedPin": w.sealField(gcm, token, "encryptedPin", digits), "encryption": map[string]any{"keyId": keyID},
		}, nil)
	}
	pin(200, "set", "7392")
	for algorithm, status := range map[string]int{"none": 400, "AES-ZPK": 400, "A256GCM": 200} {
		w.ask(status, "POST", path+"/pin/verify", map[string]any{
			"encryptedPin": w.sealField(gcm, token, "encryptedPin", "7392"), "encryption": map[string]any{"keyId": keyID, "algorithm": algorithm},
		}, nil)
	}
	if got := string(pin(200, "verify", "7392")); !strings.Contains(got, `"isValid":true`) {
		t.Errorf("got %s", got)
	}
	w.ask(200, "POST", "/api/v1/issuing/card", map[string]any{
		"customerNo": "1", "productCode": "VIRTUAL", "pinSource": "Encrypted",
		"encryptedPin": w.sealField(gcm, "", "encryptedPin", "7392"), "encryption": map[string]any{"keyId": keyID},
	}, nil)

	// The key is the client's own.
	w.bearer = "other"
	other := w.newCard()
	got := w.ask(422, "POST", "/api/v1/issuing/card/"+other+"/cvv2/get-with-expire-date", map[string]any{"keyId": keyID}, nil)
	if !strings.Contains(string(got), "Issuing:EncryptionKeyNotFound") {
		t.Errorf("got %s", got)
	}
}

func TestCards_noAnswerOrLogHoldsAPIN(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t)).stock()
	token := w.newCard()
	path := "/api/v1/issuing/card/" + token
	const first, second = "739264", "8274"
	var said []byte
	said = append(said, w.ask(400, "POST", path+"/pin/set", map[string]any{"encryptedPin": first}, nil)...)
	said = append(said, w.ask(200, "POST", path+"/pin/set", map[string]any{"encryptedPin": second}, nil)...)
	said = append(said, w.ask(200, "POST", path+"/pin/verify", map[string]any{"pinBlock": second}, nil)...)
	said = append(said, w.ask(422, "POST", path+"/pin/change", map[string]any{"oldPinBlock": "5061", "newPinBlock": "3917"}, nil)...)
	said = append(said, w.ask(200, "POST", path+"/pin/change", map[string]any{"oldPinBlock": second, "newPinBlock": "3917"}, nil)...)
	said = append(said, w.ask(200, "GET", path+"/details", nil, nil)...)
	said = append(said, w.log.Bytes()...)
	// The ends of masked and outward names are four digits, too.
	text := strings.NewReplacer(token, "", token[12:], "").Replace(string(said))
	for _, digits := range []string{first, second, "5061", "3917"} {
		// As a word of its own: identifiers hold any four digits now and then.
		if regexp.MustCompile(`(^|[^0-9A-Za-z])` + digits + `([^0-9A-Za-z]|$)`).MatchString(text) {
			t.Errorf("an answer or the log holds %s", digits)
		}
	}
	number := w.clearCard(token).CardNo
	if strings.Contains(string(said)+w.log.String(), number) {
		t.Error("an answer or the log holds the card number")
	}
}

func TestCards_ofAnotherTenantAreNotFound(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t)).stock()
	token := w.newCard()
	path := "/api/v1/issuing/card/" + token
	w.bearer = "other"
	for _, c := range []struct {
		method, path string
		body         any
	}{
		{"GET", path, nil},
		{"GET", path + "/details", nil},
		{"GET", path + "/policy", nil},
		{"PUT", path + "/policy", map[string]any{"policies": []any{map[string]any{"policyType": "Recurring", "isAllowed": false}}}},
		{"GET", path + "/perso-info", nil},
		{"GET", path + "/shipment-info", nil},
		{"PUT", path + "/phone-number", map[string]any{"phoneNumber": "+905321112233"}},
		{"PUT", path + "/digital-slip-type", map[string]any{"digitalSlipType": "DigitalAlways"}},
		{"PUT", path + "/auto-renewal-status", map[string]any{"autoRenewalStatus": "Disabled"}},
		{"PUT", path + "/status", map[string]any{"status": "Inactive", "reason": "CustomerRequest"}},
		{"POST", path + "/cvv2/get-with-expire-date", map[string]any{}},
		{"POST", path + "/cvv2/verify", map[string]any{"encryptedCvv2": "123", "expireYear": 2031, "expireMonth": 3}},
		{"POST", path + "/cvv2/reset-counters", map[string]any{}},
		{"POST", path + "/pin/set", map[string]any{"encryptedPin": "7392"}},
		{"POST", path + "/pin/verify", map[string]any{"encryptedPin": "7392"}},
		{"POST", path + "/pin/change", map[string]any{"oldPinBlock": "7392", "newPinBlock": "8274"}},
		{"POST", "/api/v1/sandbox/card-info", map[string]any{"cardToken": token}},
	} {
		foreign := w.ask(404, c.method, c.path, c.body, nil)
		unknown := w.ask(404, c.method, strings.Replace(c.path, token, "979201aaaaaa0000", 1), replaceToken(c.body), nil)
		if string(foreign) != string(unknown) {
			t.Errorf("%s %s: another tenant's card and an unknown one differ:\n%s\n%s", c.method, c.path, foreign, unknown)
		}
	}
}

func replaceToken(body any) any {
	if m, ok := body.(map[string]any); ok && m["cardToken"] != nil {
		return map[string]any{"cardToken": "979201aaaaaa0000"}
	}
	return body
}

// Tokens are opened under an exchanged key only, and a number finds its card
// when it is encrypted without a token.
func TestDetokenize_andFindAreEachOthersInverse(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t)).stock()
	token := w.newCard()
	number := w.clearCard(token).CardNo
	w.bearer = "other"
	foreign := w.newCard()
	w.bearer = "main"
	keyID, gcm := w.dataKey()
	const path = "/api/v1/issuing/card/detokenize"

	var opened struct {
		Cards []struct {
			CardToken, EncryptedCardNo, ErrorCode string
			CardSequenceNo, ExpireYear            int
		}
		Encryption struct{ KeyID string }
	}
	text := w.ask(200, "POST", path, map[string]any{"cardTokens": []string{foreign, token}, "keyId": keyID, "purpose": "dispute"}, &opened)
	if len(opened.Cards) != 2 || opened.Encryption.KeyID != keyID {
		t.Fatalf("got %s", text)
	}
	if first := opened.Cards[0]; first.CardToken != foreign || first.ErrorCode != "Issuing:CardNotFound" || first.EncryptedCardNo != "" {
		t.Errorf("another tenant's card: %+v", first)
	}
	if got := w.openField(gcm, token, "encryptedCardNo", opened.Cards[1].EncryptedCardNo); got != number || opened.Cards[1].CardSequenceNo != 1 {
		t.Error("the number is another one")
	}
	if strings.Contains(string(text), number) {
		t.Error("the answer holds the number in clear")
	}
	for _, bad := range []map[string]any{
		{"cardTokens": []string{token}, "purpose": "dispute"},
		{"cardTokens": []string{token}, "keyId": keyID, "purpose": "x"},
		{"keyId": keyID, "purpose": "dispute"},
		{"cardTokens": []string{token, token}, "keyId": keyID, "purpose": "dispute"},
		{"cardTokens": []string{token}, "cardToken": token, "keyId": keyID, "purpose": "dispute"},
		{"cardToken": number, "keyId": keyID, "purpose": "dispute"},
	} {
		if got := w.ask(400, "POST", path, bad, nil); strings.Contains(string(got), number) {
			t.Errorf("the refusal holds the number")
		}
	}
	w.ask(422, "POST", path, map[string]any{"cardToken": token, "keyId": "no-such-key", "purpose": "dispute"}, nil)

	find := func(status int, number string) string {
		return string(w.ask(status, "POST", "/api/v1/issuing/card/find", map[string]any{
			"encryptedCardNo": w.sealField(gcm, "", "encryptedCardNo", number), "encryption": map[string]any{"keyId": keyID}, "purpose": "call",
		}, nil))
	}
	if got := find(200, number); !strings.Contains(got, token) || strings.Contains(got, number) {
		t.Errorf("got %s", got)
	}
	if got := find(404, "4539578763621486"); !strings.Contains(got, "Issuing:CardNotFound") {
		t.Errorf("an unknown number: %s", got)
	}
	find(400, "4539578763621487")
	w.bearer = "other"
	w.ask(404, "POST", "/api/v1/issuing/card/find", map[string]any{"encryptedCardNo": number}, nil)
	w.bearer = "production"
	if got := w.ask(422, "POST", "/api/v1/issuing/card/find", map[string]any{"encryptedCardNo": number}, nil); !strings.Contains(string(got), "ClearSensitiveDataNotAllowed") {
		t.Errorf("a clear number in production: %s", got)
	}
	if strings.Contains(w.log.String(), number) {
		t.Error("the log holds the number")
	}
}
