package issuing

import (
	"testing"

	"pgregory.net/rapid"
)

func TestEmbossName(t *testing.T) {
	for _, c := range []struct {
		in    string
		limit int
		want  string
		ok    bool
	}{
		{"Ayşe Yılmaz", 26, "AYSE YILMAZ", true},
		{"Çağrı Gökçe Ünlü", 26, "CAGRI GOKCE UNLU", true},
		{"İbrahim ışık", 26, "IBRAHIM ISIK", true},
		{"Ayşe", 26, "AYSE", true}, // s with a combining cedilla
		{"  O'Neill & Sons / A-1.  ", 26, "O'NEILL & SONS / A-1.", true},
		{"Straße Łódź Åse Ñandú", 26, "STRASSE LODZ ASE NANDU", true},
		{"A", 26, "", false},
		{"", 26, "", false},
		{"two  blanks", 26, "", false},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZA", 26, "", false},
		{"SHORTER", 6, "", false},
		{"a@b", 26, "", false},
		{"Дмитрий", 26, "", false},
	} {
		got, ok := EmbossName(c.in, c.limit)
		if got != c.want || ok != c.ok {
			t.Errorf("EmbossName(%q, %d): got %q %t, want %q %t", c.in, c.limit, got, ok, c.want, c.ok)
		}
	}
}

func TestEmbossPerson_shortensUntilItFits(t *testing.T) {
	for _, c := range []struct{ name, middle, surname, want string }{
		{"Ayşe", "", "Yılmaz", "AYSE YILMAZ"},
		{"Ayşe", "Nur", "Yılmaz", "AYSE NUR YILMAZ"},
		{"Abdurrahman", "Muhammed", "Karaosmanoglu", "ABDURRAHMAN KARAOSMANOGLU"},
		{"Abdurrahmangazi", "", "Karaosmanogullari", "A KARAOSMANOGULLARI"},
		{"Ali", "", "Abcdefghijklmnopqrstuvwxyzabc", "A ABCDEFGHIJKLMNOPQRSTUVWX"},
	} {
		got, ok := embossPerson(c.name, c.middle, c.surname, 26)
		if got != c.want || !ok {
			t.Errorf("%s %s %s: got %q %t, want %q", c.name, c.middle, c.surname, got, ok, c.want)
		}
	}
}

func TestEmbossName_onlyEverPrintsWhatABureauCan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.String().Draw(t, "name")
		limit := rapid.IntRange(2, 26).Draw(t, "limit")
		got, ok := EmbossName(in, limit)
		if !ok {
			if got != "" {
				t.Fatalf("refused but returned %q", got)
			}
			return
		}
		if !embossable.MatchString(got) || len(got) > limit {
			t.Fatalf("got %q", got)
		}
		if again, ok := EmbossName(got, limit); !ok || again != got {
			t.Fatalf("printing %q again gives %q %t", got, again, ok)
		}
	})
}
