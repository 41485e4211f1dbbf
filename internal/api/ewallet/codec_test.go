package ewallet

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/money"
)

// The stories reach every row of the error table.
func TestConversations_reachEveryCode(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	var stories strings.Builder
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		stories.Write(text)
	}
	codes := map[string]bool{"100": true, validationFailed: true}
	for _, code := range refusals {
		codes[code] = true
	}
	for code := range codes {
		if !strings.Contains(stories.String(), `"code": "`+code+`"`) {
			t.Errorf("no story ends with %s", code)
		}
	}
}

// Whatever a body says, reading it ends in values that can be used or in what is
// wrong with it.
func FuzzFields(f *testing.F) {
	for _, body := range []string{
		`{"amount":"100.00","currency_code":"TRY"}`, `{"amount":1e3,"currency_code":"TRY"}`, `{"amount":"","id":"7","page_size":"1"}`, `{"amount":-0.001}`,
		`{"id":99999999999999999999,"transaction_type_code_list":[1,"2",null]}`, `[]`, `{"start_date":"2031-03-12","receiver_iban":"tr 33"}`,
	} {
		f.Add(body)
	}
	lira, _ := money.ParseCurrency("TRY")
	f.Fuzz(func(t *testing.T, body string) {
		in, err := parseFields([]byte(body))
		if err != nil {
			if in != nil {
				t.Error("a body that is no object has fields")
			}
			return
		}
		a := in.amount("amount", lira)
		in.currency()
		in.id("id")
		in.iban("receiver_iban")
		in.moment("start_date")
		in.texts("transaction_type_code_list")
		p := in.page("Id")
		switch err := in.err(); {
		case err == nil:
			if a.Sign() < 0 || p.Limit < 1 || p.Skip < 0 {
				t.Errorf("%v, %+v were taken", a, p)
			}
		case !errors.As(err, new(unreadable)) && !errors.As(err, new(notValid)):
			t.Errorf("got %v", err)
		}
	})
}
