package test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// TestServe_keepsNoSensitiveData sends card data that occurs nowhere else and
// looks for it in everything the platform leaves behind: database, write-ahead
// log, other files, and what it logged at its most talkative. Of PostgreSQL it
// reads the files of the whole cluster, its write-ahead log and its server's
// log included.
func TestServe_keepsNoSensitiveData(t *testing.T) { eachEngine(t, keepsNoSensitiveData) }

func keepsNoSensitiveData(t *testing.T, dir string, flags []string) {
	dirs := []string{dir}
	if i := slices.Index(flags, "--db"); i >= 0 && strings.HasPrefix(flags[i+1], "postgres:") {
		dirs = append(dirs, clusterDirectory(t, flags[i+1]))
	}
	s := serve(t, dir, append(slices.Clone(flags), "--log-level", "debug")...)
	bank := openBank(t, s, flags)
	card := issue(t, bank, 1)[0]
	term := shop(t)
	link := connect(t, s, term, 10*time.Second)
	number := card.Card.PAN.Reveal()

	const (
		cvv2  = "83920174650918273645" // longer than any, so that it is found
		track = "20183746591827"
	)
	pinBlock := []byte{0xC3, 0x9A, 0x51, 0x7E, 0xD4, 0x08, 0xB6, 0xF2}
	send := func(p sim.Payment, spoil func(m *iso8583.Message)) {
		t.Helper()
		r, err := term.Use(card.Card, p)
		if err != nil {
			t.Fatal(err)
		}
		if spoil != nil {
			spoil(r.Message)
		}
		for _, m := range []*iso8583.Message{r.Message, sim.Repeat(r.Message)} {
			if _, _, err := link.Ask(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
	}
	send(sim.Payment{Amount: lira(100), Entry: sim.Chip}, nil)
	send(sim.Payment{Amount: lira(100), Entry: sim.Chip, PIN: card.Card.PIN}, nil)
	send(sim.Payment{Amount: lira(100), Entry: sim.Ecommerce, CVV2: secret.FromString(cvv2)}, nil)
	send(sim.Payment{Amount: lira(100), Entry: sim.Chip}, func(m *iso8583.Message) { m.Set(iso8583.PINData, pinBlock) })
	send(sim.Payment{Amount: lira(100), Entry: sim.Stripe}, func(m *iso8583.Message) {
		m.SetText(iso8583.Track2, number+"=3012201"+track[:12])
	})
	// And a message that cannot be understood.
	send(sim.Payment{Amount: lira(100), Entry: sim.Stripe}, func(m *iso8583.Message) {
		m.SetText(iso8583.Track2, number+"="+track)
	})
	// And by the testing API, which makes messages of what it is given.
	for _, more := range []map[string]any{
		{"pinBlock": hex.EncodeToString(pinBlock)},
		{"posEntryMode": "MagneticStripeFull", "track2": number + "=3012201" + track[:12]},
		{"cardToken": nil, "cardNo": number, "merchantName": number},
	} {
		simulate(t, bank, "process", purchase(card, more))
	}
	left := map[string][]byte{}
	collect := func(when string) {
		for _, dir := range dirs {
			err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
				if errors.Is(err, fs.ErrNotExist) { // a server's files come and go
					return nil
				}
				if err != nil || !e.Type().IsRegular() {
					return err
				}
				content, err := os.ReadFile(path)
				if errors.Is(err, fs.ErrNotExist) {
					return nil
				}
				name := strings.TrimPrefix(path, dir) + " " + when
				left[name] = content
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	collect("while it ran") // the write-ahead log is gone afterwards
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-s.ended
	collect("afterwards")
	left["log"] = s.log.Bytes()

	// What may be kept is there, so this looks in the right places.
	places := map[string]string{"/sarraf.db-wal while it ran": term.Merchant, "/sarraf.db afterwards": term.Merchant, "log": "authorization decided"}
	if len(dirs) > 1 {
		places = map[string]string{"log": "authorization decided"}
		written := slices.ContainsFunc(slices.Collect(maps.Keys(left)), func(name string) bool {
			return strings.Contains(name, "/pg_wal/") && bytes.Contains(left[name], []byte(term.Merchant))
		})
		if !written {
			t.Error("the merchant is not in the write-ahead log of the cluster")
		}
	}
	for place, known := range places {
		if !bytes.Contains(left[place], []byte(known)) {
			t.Errorf("%q is not in %s", known, place)
		}
	}
	for name, canary := range map[string][]byte{
		"card number": []byte(number), "CVV2": []byte(cvv2), "track": []byte(track[:12]), "PIN block": pinBlock,
	} {
		forms := [][]byte{
			canary, []byte(hex.EncodeToString(canary)), []byte(strings.ToUpper(hex.EncodeToString(canary))),
			[]byte(base64.StdEncoding.EncodeToString(canary)),
		}
		for place, content := range left {
			for _, form := range forms {
				if bytes.Contains(content, form) {
					t.Errorf("the %s is in %s", name, place)
				}
			}
		}
	}
}

// clusterDirectory is where the server of a private cluster keeps its files.
func clusterDirectory(t *testing.T, dsn string) string {
	t.Helper()
	if os.Getenv("SARRAF_TEST_POSTGRES") != "" {
		t.Skip("the files of a server that is not ours cannot be searched")
	}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(u.Query().Get("host"), "data") // see dbtest: the socket lies beside it
}
