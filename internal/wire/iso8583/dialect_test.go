package iso8583_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

func TestLoadDialect_readsEveryOneThatIsBuiltIn(t *testing.T) {
	if got, want := iso8583.Dialects(), []string{"generic", "generic-len4ascii"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, name := range iso8583.Dialects() {
		d, err := iso8583.LoadDialect(name)
		if err != nil {
			t.Fatal(err)
		}
		if d.Name() != name || d.Version() == "" || d.Note() == "" {
			t.Errorf("%s: name %q, version %q, note %q", name, d.Name(), d.Version(), d.Note())
		}
		for n := 2; n <= 128; n++ {
			var m iso8583.Message
			m.SetText(n, "1")
			if views := d.Describe(&m); len(views) != 1 || views[0].Name == "" {
				t.Errorf("%s does not define field %d", name, n)
			}
		}
	}
	if _, err := iso8583.LoadDialect("../secret"); err == nil {
		t.Error("a name that is no dialect is accepted")
	}
}

func TestLoadDialect_variantDiffersInItsFraming(t *testing.T) {
	d, err := iso8583.LoadDialect("generic-len4ascii")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := d.Framing(), iso8583.Len4ASCII; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := generic(t).Framing(), iso8583.Len2BE; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDialect_knowsTheMessagesOfTheIssuer(t *testing.T) {
	d := generic(t)
	for _, mti := range []iso8583.MTI{0x0100, 0x0101, 0x0120, 0x0121, 0x0200, 0x0201, 0x0220, 0x0221, 0x0400, 0x0401, 0x0420, 0x0421, 0x0800} {
		if !d.Knows(mti) || !d.Answers(mti) || !d.Knows(mti.Response()) || d.Answers(mti.Response()) {
			t.Errorf("%s is not known or not answered", mti)
		}
	}
	if d.Knows(0x0600) || d.Answers(0x0600) || !d.Knows(0x0820) || d.Answers(0x0820) {
		t.Error("0600 is not a message of this dialect, and 0820 is one without an answer")
	}
}

func TestDialect_namesNetworkFunctions(t *testing.T) {
	d := generic(t)
	for name, code := range map[string]string{iso8583.SignOn: "001", iso8583.SignOff: "002", iso8583.EchoTest: "301"} {
		if got := d.NetworkCode(name); got != code {
			t.Errorf("%s: got %s, want %s", name, got, code)
		}
		if got := d.NetworkFunction([]byte(code)); got != name {
			t.Errorf("%s: got %s, want %s", code, got, name)
		}
	}
	if got := d.NetworkFunction([]byte("999")); got != "" {
		t.Errorf("got %q for a code nobody knows", got)
	}
}

// genericText is the file of the generic dialect.
func genericText(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("dialects/generic.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestParseDialect_refusesWhatCannotWork(t *testing.T) {
	text := genericText(t)
	for _, c := range []struct{ name, old, new, want string }{
		{"a field twice", "  3: {name: processing_code", "  2: {name: processing_code", "already defined"},
		{"a key nobody knows", "body_max:", "bodymax:", "bodymax"},
		{"a required field not defined", "  3: {name: processing_code, type: n, len: 6, pad: none}\n", "", "field 3, which is not defined"},
		{"a field number too high", "  128: {name", "  129: {name", "numbers run from 2 to 128"},
		{"fixed and variable at once", "type: n, ll: 19, sensitive", "type: n, ll: 19, len: 19, sensitive", "exactly one of len, ll and lll"},
		{"no length", "type: n, ll: 19, sensitive", "type: n, sensitive", "exactly one of len, ll and lll"},
		{"longer than its prefix counts", "ll: 19, sensitive", "ll: 100, sensitive", "between 1 and 99"},
		{"a binary field as text", "{name: pin_data, type: b,", "{name: pin_data, type: b, encoding: ascii,", "a binary field is raw or hex"},
		{"a text field as bytes", "{name: rrn, type: an,", "{name: rrn, type: an, encoding: raw,", "a binary field is raw or hex"},
		{"a card number in clear", ", sensitive: pan}", "}", "needs a sensitivity class"},
		{"a class nobody knows", "sensitive: icc", "sensitive: chip", `"chip" is none of`},
		{"a type nobody knows", "{name: mcc, type: n,", "{name: mcc, type: m,", `"m" is none of`},
		{"a request without its response", `response: "0110"`, `response: "0210"`, "response must be 0110"},
		{"a response that is not defined", `  "0110": {require: [7, 11, 39]}` + "\n", "", "0110 is not defined"},
		{"a request that is not answered", `response: "0110"`, `response: none`, "response must be 0110"},
		{"a framing nobody knows", "framing: len2be", "framing: len8", "neither len2be nor len4ascii"},
		{"a network nobody knows", "responses: generic", "responses: acme", `"acme" is none of`},
		{"no code for echo", `, echo: "301"}`, "}", "echo has no code"},
		{"no name", "dialect: generic", "dialect: \"\"", "it has no name"},
		{"a longer message than the frame", "body_max: 8192", "body_max: 70000", "body_max must lie"},
	} {
		t.Run(c.name, func(t *testing.T) {
			broken := strings.Replace(text, c.old, c.new, 1)
			if broken == text {
				t.Fatalf("%q is not in the file", c.old)
			}
			_, err := iso8583.ParseDialect([]byte(broken))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestParseDialect_laysAFileOverItsBase(t *testing.T) {
	d, err := iso8583.ParseDialect([]byte(`
dialect: mine
base: generic
bitmap: hex
fields:
  48: {name: mine, type: b, encoding: hex, lll: 20, length: binary, sensitive: private}
responses: visa-like
response_codes: {PinInvalid: "5A"}
`))
	if err != nil {
		t.Fatal(err)
	}
	var m, back iso8583.Message
	m.MTI = iso8583.NetworkRequest
	m.SetText(11, "000001")
	m.Set(48, []byte{0xAB, 0xCD})
	body, err := d.Append(nil, &m)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(body), "0800"+"0020000000010000"+"000001"+"\x00\x02ABCD"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := d.Parse(&back, body); err != nil || string(back.Bytes(48)) != "\xAB\xCD" {
		t.Errorf("read back %x %v", back.Bytes(48), err)
	}
	for reason, want := range map[string]string{"Cvv2Invalid": "N7", "PinInvalid": "5A", "nobody knows it": "96"} {
		if got := d.ResponseCode(reason); got != want {
			t.Errorf("%s: got %s, want %s", reason, got, want)
		}
	}
}

func TestResponseCodes_holdTheSettledTable(t *testing.T) {
	reasons := generic(t).ResponseCodes().Reasons()
	for network, want := range map[string]map[string]string{
		"generic":         {"Approved": "00", "ArqcInvalid": "88", "CardFraud": "59", "Cvv2Invalid": "82", "AccountVerified": "00", "InsufficientFunds": "51", "DuplicateTransaction": "94"},
		"visa-like":       {"Approved": "00", "ArqcInvalid": "82", "CardFraud": "59", "Cvv2Invalid": "N7", "AccountVerified": "85", "ThreeDsRequired": "1A", "CardCancelled": "46"},
		"mastercard-like": {"Approved": "00", "ArqcInvalid": "88", "CardFraud": "63", "Cvv2Invalid": "05", "AccountVerified": "85", "PinRequired": "65", "VelocityCount": "61"},
		"troy-like":       {"Approved": "00", "ArqcInvalid": "82", "CardFraud": "59", "Cvv2Invalid": "82", "AccountVerified": "00", "CardNotActivated": "57"},
	} {
		codes, err := iso8583.LoadResponseCodes(network)
		if err != nil {
			t.Fatal(err)
		}
		for reason, code := range want {
			if got := codes.Code(reason); got != code {
				t.Errorf("%s %s: got %s, want %s", network, reason, got, code)
			}
		}
		if !slices.Equal(codes.Reasons(), reasons) {
			t.Errorf("%s has other reasons than generic", network)
		}
		// A wrong value on a card without tries must not look different.
		if codes.Code("Cvv2Invalid") != codes.Code("Cvv2TriesExceeded") {
			t.Errorf("%s tells an exhausted CVV2 counter from a wrong CVV2", network)
		}
		if !codes.Approves([]byte("00")) || codes.Approves([]byte("51")) || codes.Approves(nil) {
			t.Errorf("%s does not tell approvals", network)
		}
	}
	if codes, _ := iso8583.LoadResponseCodes("generic"); codes.Knows("NoSuchReason") {
		t.Error("a reason nobody knows is known")
	}
	if _, err := iso8583.LoadResponseCodes("acme"); err == nil {
		t.Error("a network nobody knows has codes")
	}
}

func FuzzDialect(f *testing.F) {
	f.Add([]byte(genericText(f)))
	f.Add([]byte("dialect: x\nbase: generic\nframing: len4ascii\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := iso8583.ParseDialect(text)
		if err != nil {
			return
		}
		var m iso8583.Message
		chipPurchase(t, &m)
		body, err := d.Append(nil, &m)
		if err != nil {
			return
		}
		if err := d.Parse(&m, body); err != nil {
			t.Fatalf("a dialect cannot read what it writes: %v", err)
		}
		d.Describe(&m)
	})
}
