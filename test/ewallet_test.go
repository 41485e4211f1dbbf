package test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// wallets is a client of the family of wallets at a running program.
type wallets struct {
	t     *testing.T
	token string
}

func walletClient(t *testing.T, s *server, flags []string) (*wallets, families) {
	t.Helper()
	made := newFamilies(t, flags)
	answer, err := http.PostForm("http://"+s.api+"/connect/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {made.EWallet.ClientID}, "client_secret": {made.EWallet.ClientSecret}, "scope": {"sts_business_api"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var token struct {
		Access string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&token); err != nil || token.Access == "" {
		t.Fatalf("no token: %d, %v", answer.StatusCode, err)
	}
	return &wallets{t, token.Access}, made
}

// Clients of wallets take a 400 for what it says, and a 401 for a failure of HTTP; who
// shows credentials by HTTP gets that.
func TestEWallet_wrongSecret(t *testing.T) {
	dir := t.TempDir()
	flags := []string{"--data", dir, "--db", "sqlite:" + dir + "/sarraf.db"}
	s := serve(t, dir, flags...)
	made := newFamilies(t, flags)
	send := over(t, s)
	for _, c := range []struct {
		form, basic string
		want        int
	}{
		{"&scope=sts_business_api&client_secret=x&client_id=" + made.EWallet.ClientID, "", 400},
		{"&scope=sts_business_api", "Basic eDp4", 401},
		{"&client_secret=x&client_id=" + made.EWallet.ClientID, "", 401},
	} {
		header := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
		if c.basic != "" {
			header["Authorization"] = c.basic
		}
		w := send("POST", "/connect/token", header, "grant_type=client_credentials"+c.form)
		if w.Code != c.want || !strings.Contains(w.Body.String(), `"error":"invalid_client"`) || (w.Header().Get("WWW-Authenticate") != "") != (c.want == 401) {
			t.Errorf("%s %s: %d %s", c.form, c.basic, w.Code, w.Body)
		}
	}
}

// walletAnswer is what the tests read of answers.
type walletAnswer struct {
	Status  int
	Code    string
	Payload json.RawMessage
}

func readWallet(w *httptest.ResponseRecorder) (out walletAnswer) {
	_ = json.Unmarshal(w.Body.Bytes(), &out)
	return out
}

// ask sends a request that must be done.
func (c *wallets) ask(s *server, path, body string) walletAnswer {
	c.t.Helper()
	w := over(c.t, s)("POST", "/v1/"+path, map[string]string{"Authorization": "Bearer " + c.token}, body)
	out := readWallet(w)
	if w.Code != 200 || out.Status != 0 {
		c.t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return out
}

// try sends a request to a program that may die: false means that no answer came.
func (c *wallets) try(s *server, path, body string) (walletAnswer, bool) {
	r, err := http.NewRequest(http.MethodPost, "http://"+s.api+"/v1/"+path, strings.NewReader(body))
	if err != nil {
		c.t.Error(err)
		return walletAnswer{}, false
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+c.token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return walletAnswer{}, false
	}
	defer answer.Body.Close()
	var out walletAnswer
	if err := json.NewDecoder(answer.Body).Decode(&out); err != nil || answer.StatusCode != 200 {
		return walletAnswer{}, false
	}
	return out, true
}

// register opens an account that may do everything, with cash from a bank.
func (c *wallets) register(s *server, kind, no string, cash int) (number string) {
	c.t.Helper()
	out := c.ask(s, "Account/Register"+kind+"Account", `{"currency_code":"TRY","user_first_name":"Deniz","user_last_name":"Kaya","user_phone_country_code":"90",
		"user_phone_number":"5550000147","user_email":"deniz@example.org","tax_office":"Kadikoy","tax_number":"1234567890","account_number":"`+no+`"}`)
	var payload struct {
		Wallet string `json:"wallet_number"`
	}
	if err := json.Unmarshal(out.Payload, &payload); err != nil {
		c.t.Fatal(err)
	}
	c.ask(s, "Account/Upgrade"+kind+"AccountKycLevelToContracted", `{"account_number":"`+no+`"}`)
	if cash > 0 {
		c.ask(s, "Transaction/TopupCash", fmt.Sprintf(`{"tenant_code":"7","amount":%d,"currency_code":"TRY","bank_transaction_date":"2031-03-14 08:20",
			"bank_receipt_no":"CASH-%s","wallet_number":"%s"}`, cash, no, payload.Wallet))
	}
	return payload.Wallet
}

// cents is the total balance of a wallet in minor units.
func (c *wallets) cents(s *server, number string) int64 {
	c.t.Helper()
	var payload struct {
		Wallet struct {
			Total json.Number `json:"total_balance"`
		} `json:"wallet_info"`
	}
	if err := json.Unmarshal(c.ask(s, "Wallet/Info", `{"wallet_number":"`+number+`"}`).Payload, &payload); err != nil {
		c.t.Fatal(err)
	}
	whole, fraction, _ := strings.Cut(payload.Wallet.Total.String(), ".")
	var n int64
	fmt.Sscan(whole+fraction, &n)
	return n
}

// TestEWallet_losesNothingItAnswered kills the real binary while people pay, again
// and again. What was answered is there, a repeat of what got no answer moves money
// once, and the books are right to the cent.
func TestEWallet_losesNothingItAnswered(t *testing.T) {
	const kills, people = 5, 4
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		s := serve(t, dir, flags...)
		c, _ := walletClient(t, s, flags)
		shop := c.register(s, "Business", "SHOP", 0)
		numbers := make([]string, people)
		for i := range numbers {
			numbers[i] = c.register(s, "Personal", fmt.Sprintf("P%d", i), 10_000)
		}
		var mu sync.Mutex
		paid := make([]int64, people)
		open := map[int]string{} // sent, and no answer came
		pay := func(i, n int) string {
			return fmt.Sprintf(`{"ext_transaction_id":"PAY-%d-%d","sender_account_number":"P%d","sender_wallet_number":"%s","receiver_wallet_number":"%s",
				"amount":0.25,"currency_code":"TRY"}`, i, n, i, numbers[i], shop)
		}
		sent := make([]int, people)
		for range kills {
			var running sync.WaitGroup
			for i := range people {
				running.Go(func() {
					for {
						body := pay(i, sent[i])
						sent[i]++
						out, answered := c.try(s, "Transaction/Payment", body)
						mu.Lock()
						switch {
						case !answered:
							open[i] = body
							mu.Unlock()
							return
						case out.Code == "100":
							paid[i]++
						default:
							t.Errorf("payment %s: %s", body, out.Code)
						}
						mu.Unlock()
					}
				})
			}
			time.Sleep(time.Duration(50+random.IntN(250)) * time.Millisecond) // the moment of death is the point
			s.command.Process.Kill()
			running.Wait()
			<-s.ended
			s = serve(t, dir, flags...)
			for i, body := range open {
				out, answered := c.try(s, "Transaction/Payment", body)
				if !answered || out.Code != "100" && out.Code != "301" {
					t.Fatalf("repeat of %s: %v %s", body, answered, out.Code)
				}
				paid[i]++ // now or before it died: once
			}
			clear(open)
		}
		var all int64
		for i, number := range numbers {
			if got, want := c.cents(s, number), 1_000_000-25*paid[i]; got != want {
				t.Errorf("person %d has %d, and should have %d", i, got, want)
			}
			all += 25 * paid[i]
		}
		if got := c.cents(s, shop); got != all || all == 0 {
			t.Errorf("the shop has %d, and should have %d", got, all)
		}
		run(t, append([]string{"verify"}, flags...)...)
	})
}

// TestEWallet_sampleAndBankLegs sends the sample of the document as it stands, and
// takes a withdrawal through its bank by the command line.
func TestEWallet_sampleAndBankLegs(t *testing.T) {
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, flags...)
		c, made := walletClient(t, s, flags)
		run(t, append([]string{"tenant", "sample", made.TenantID}, flags...)...)
		c.ask(s, "Transaction/TopupCreditCard", `{"ext_transaction_id" :"23132132ABC","credit_card_post_type_id" :"fastpay_pos_123","amount": "100.00",
			"currency_code": "TRY","account_number" : "565663432432","wallet_number": "4853534863917","hash_key" : " ","source_type" : "","channel_type": ""}`)
		if got := c.cents(s, "4853534863917"); got != 10_000 {
			t.Errorf("the sample's wallet has %d", got)
		}
		shop := c.register(s, "Business", "SHOP", 500)
		c.ask(s, "Transaction/SendMoneyToBankAccount", `{"ext_transaction_id":"WD-1","sender_account_number":"SHOP","sender_wallet_number":"`+shop+`",
			"receiver_account_holder_name":"Deniz Kaya","receiver_iban":"TR330006100519786457841326","receiver_national_id_or_tax_no":"10000000146",
			"amount":100,"currency_code":"TRY"}`)
		tenant := []string{"--tenant", made.TenantID}
		var waiting []struct{ Transaction, Status, IBAN string }
		output := run(t, append(append([]string{"wallet", "withdrawals", "--json"}, tenant...), flags...)...)
		if err := json.Unmarshal(output, &waiting); err != nil || len(waiting) != 1 || waiting[0].IBAN != "TR330006100519786457841326" {
			t.Fatalf("%s waits (%v)", output, err)
		}
		for _, status := range []string{"Sent", "Completed"} {
			run(t, append(append([]string{"wallet", "advance", waiting[0].Transaction, status}, tenant...), flags...)...)
		}
		if got := c.cents(s, shop); got != 40_000 {
			t.Errorf("the shop has %d", got)
		}
		run(t, append([]string{"verify"}, flags...)...)
	})
}
