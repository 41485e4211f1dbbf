package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/sim"
)

// creditCards tells the scenarios at the family of credit cards: the card is one of
// its list, and the term that runs is the statement. Its clients move no money, so
// the account is loaded and the card used where those of the platform are.
type creditCards struct {
	*cards
	token string
	id    int64
}

func (c *creditCards) issue() {
	lending, err := c.bank.OpenCredit(c.t.Context(), "GOLD")
	c.must(err)
	c.credit("terms", "GOLD", "--default")
	var account struct{ AccountNo string }
	c.must(json.Unmarshal(c.credit("open", "--customer", c.customer, "--product", "GOLD", "--limit", "0", "--json"), &account))
	c.card, err = lending.On(account.AccountNo).Issue(c.t.Context(), c.customer, "7392")
	c.must(err)
	var consent struct{ ConsentID string }
	c.must(json.Unmarshal(c.credit("consent", "--client", c.made.OpenBanking.ClientID, "--customer", c.customer, "--json"), &consent))
	query := url.Values{
		"grant_type": {"b2b_credentials"}, "consentId": {consent.ConsentID}, "scope": {"creditcard"}, "resource": {"sandbox"},
		"client_id": {c.made.OpenBanking.ClientID}, "client_secret": {c.made.OpenBanking.ClientSecret},
	}
	var token struct {
		Access string `json:"access_token"`
	}
	c.do(http.MethodPost, "/auth/oauth/v2/token?"+query.Encode(), nil, "", &token)
	c.token = token.Access
	var list struct {
		Data struct {
			CreditCards []struct {
				CardID     int64
				CardNumber string
			}
		}
	}
	c.do(http.MethodPost, "/creditCardList", c.header(), "{}", &list)
	number := string(c.card.Card.PAN.Reveal())
	if all := list.Data.CreditCards; len(all) != 1 || !strings.HasSuffix(all[0].CardNumber, number[len(number)-4:]) {
		c.t.Fatalf("the customer has the cards %+v", list)
	}
	c.id = list.Data.CreditCards[0].CardID
}

func (c *creditCards) credit(words ...string) []byte {
	c.t.Helper()
	return run(c.t, slices.Concat([]string{"credit"}, words[:1], []string{"--tenant", c.made.ID}, words[1:], c.flags)...)
}

func (c *creditCards) header() map[string]string {
	return map[string]string{"Authorization": "Bearer " + c.token}
}

func (c *creditCards) statement() (all []int64) {
	var term struct {
		Data struct {
			CreditCardTransactions []struct{ Description, AmountDomestic string }
		}
	}
	c.do(http.MethodPost, "/creditCardCurrentTermTransactions", c.header(), fmt.Sprintf(`{"CardID":%d}`, c.id), &term)
	for _, x := range term.Data.CreditCardTransactions {
		if x.Description == "" {
			c.t.Errorf("a line of %s says not what it is", x.AmountDomestic)
		}
		all = append(all, -c.minor(json.Number(x.AmountDomestic))) // what is owed, there
	}
	return all
}

// wallet tells them at the family of wallets, which can express every step.
type wallet struct {
	*doorway
	client       *sim.Wallets
	loadBy       []string // the actions that load it, in turn
	number, shop string
	paid, whole  string // the last payment, and all of it
	keys         int
}

func (w *doorway) wallet(loadBy ...string) *wallet {
	own := w.families.EWallet
	client, err := sim.SignInWallets(w.t.Context(), "http://"+w.s.api, own.ClientID, secret.FromString(own.ClientSecret))
	w.must(err)
	return &wallet{doorway: w, client: client, loadBy: loadBy}
}

// try asks for an action, and tells whether it was done.
func (w *wallet) try(action string, in map[string]any, out any) bool {
	w.t.Helper()
	w.keys++
	if in["ext_transaction_id"] == nil {
		in["ext_transaction_id"] = fmt.Sprintf("K-%d", w.keys)
	}
	in["currency_code"] = "TRY"
	_, err := w.client.Do(w.t.Context(), action, in, out)
	if _, refused := err.(*sim.Refusal); refused {
		return false
	}
	w.must(err)
	return true
}

func (w *wallet) open(kind, no string) string {
	var made struct {
		Wallet string `json:"wallet_number"`
	}
	in := map[string]any{
		"account_number": no, "user_first_name": "Ada", "user_last_name": "Deniz", "user_phone_country_code": "90", "user_phone_number": "5321234567",
		"user_email": "ada@example.org", "tax_office": "Kadikoy", "tax_number": "1234567890",
	}
	wants(w.t, w.try("Account/Register"+kind+"Account", in, &made), true)
	wants(w.t, w.try("Account/Upgrade"+kind+"AccountKycLevelToContracted", map[string]any{"account_number": no}, nil), true)
	return made.Wallet
}

func (w *wallet) issue() { w.number, w.shop = w.open("Personal", "ADA"), w.open("Business", "SHOP") }

func (w *wallet) load(minor int64) {
	action := w.loadBy[0]
	w.loadBy = append(w.loadBy[1:], action)
	in := map[string]any{"amount": lira(minor).Decimal(), "wallet_number": w.number}
	if action == "TopupCash" {
		in["tenant_code"], in["bank_transaction_date"], in["bank_receipt_no"] = "7", "2031-03-14 08:20", fmt.Sprintf("D-%d", w.keys)
	} else {
		in["account_number"] = "ADA"
	}
	wants(w.t, w.try("Transaction/"+action, in, nil), true)
}

func (w *wallet) pay(minor int64) bool {
	var made struct {
		ID string `json:"transaction_id"`
	}
	ok := w.try("Transaction/Payment", map[string]any{
		"sender_account_number": "ADA", "sender_wallet_number": w.number, "receiver_wallet_number": w.shop, "amount": lira(minor).Decimal(),
	}, &made)
	if ok {
		w.paid, w.whole = made.ID, lira(minor).Decimal()
	}
	return ok
}

func (w *wallet) giveBack(action, amount string) bool {
	return w.try("Transaction/"+action, map[string]any{"tx_correlation_id": w.paid, "refund_amount": amount}, nil)
}

func (w *wallet) reverse() bool { return w.giveBack("RefundPayment", w.whole) }
func (w *wallet) refund(minor int64) bool {
	return w.giveBack("RefundPaymentInstant", lira(minor).Decimal())
}

func (w *wallet) statement() (all []int64) {
	var page struct {
		Results []struct {
			To     string      `json:"to_wallet_number"`
			Amount json.Number `json:"tx_base_amount"`
		}
	}
	wants(w.t, w.try("TransactionData/SummaryRecordByFilter", map[string]any{
		"page_size": 50, "page_index": 0, "order_column": "CreatedDateUtc", "order_by": "asc", "start_date": "2020-01-01T00:00:00Z",
		"end_date": "2099-01-01T00:00:00Z", "ext_transaction_id": "",
	}, &page), true)
	for _, r := range page.Results {
		minor := w.minor(r.Amount)
		if r.To != w.number {
			minor = -minor
		}
		all = append(all, minor)
	}
	return all
}

// keptCards tells them with a card that a merchant keeps: the family stores it, and
// every payment begins with its list, which must have the card that is used.
type keptCards struct{ *cards }

func (c *keptCards) wall() cardWall { return cardWall{c.t, over(c.t, c.s), c.families} }

func (c *keptCards) issue() {
	c.cards.issue()
	number := string(c.card.Card.PAN.Reveal())
	c.wall().want(0, http.MethodPost, "/paywall/card", nil, `{"RelationalId1":"ada","Card":{"Nickname":"ada","HolderName":"Ada Deniz","Number":"`+number+`","Month":12,"Year":2099}}`)
}

func (c *keptCards) pay(minor int64) bool {
	kept := c.wall().list("/paywall/card", map[string]string{"relationalid1": "ada"})
	number := string(c.card.Card.PAN.Reveal())
	if len(kept) != 1 || kept[0].UniqueCode == "" || !strings.HasPrefix(number, kept[0].CardBin) || !strings.HasSuffix(number, kept[0].CardLastFour) {
		c.t.Errorf("the merchant keeps %+v", kept)
	}
	return c.cards.pay(minor)
}

// payingCustomers tells them of a payer whom the family keeps, as who is issued to.
type payingCustomers struct {
	*cards
	auth  map[string]string
	payer string
}

func (c *payingCustomers) issue() {
	c.cards.issue()
	own := c.families.Payers
	var token struct {
		Access string `json:"access_token"`
	}
	c.do(http.MethodPost, "/oauth/token", nil, `{"grant_type":"client_credentials","client_id":"`+own.ClientID+`","client_secret":"`+own.ClientSecret+`"}`, &token)
	c.auth = map[string]string{"Authorization": "Bearer " + token.Access}
	var made struct{ ID string }
	c.do(http.MethodPost, "/api/v2/Payment/Customers", c.auth, `{"contact":{"forename":"Ada","surname":"Deniz","email":"ada@example.org"}}`, &made)
	c.payer = made.ID
}

func (c *payingCustomers) pay(minor int64) bool {
	var payer struct{ Contact struct{ Surname string } }
	c.do(http.MethodGet, "/api/v2/Payment/Customers/"+c.payer, c.auth, "", &payer)
	if payer.Contact.Surname != "Deniz" {
		c.t.Errorf("the payer is %+v", payer)
	}
	return c.cards.pay(minor)
}
