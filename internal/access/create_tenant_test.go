package access

import "testing"

func TestCodeFrom_keepsLettersWithAccents(t *testing.T) {
	for name, want := range map[string]string{
		"Örnek Bankası":                         "ornek-bankasi",
		"  İş & Şans A.Ş. ":                     "is-sans-a-s",
		"Bank 24":                               "bank-24",
		"銀行":                                    "tenant",
		"A name that is far longer than a code": "a-name-that-is-far-longer-than-a",
	} {
		if got := codeFrom(name); got != want || !validCode(got) {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
