package openbanking

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/credit"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger/line"
	"github.com/sarraf-platform/sarraf/internal/locale"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// cardItem is a card in the list.
type cardItem struct {
	CardNumber     string      `json:"CardNumber"`
	CardType       string      `json:"CardType"`
	CardStatus     string      `json:"CardStatus"`
	TotalLimit     json.Number `json:"TotalLimit"`
	RemainingLimit json.Number `json:"RemainingLimit"`
	Owner          string      `json:"CardOwnerNameSurname"`
	ProductName    string      `json:"CardProductName"`
	CardID         int64       `json:"CardID"`
}

func (a *API) list(c access.Caller, r *http.Request, _ request) (any, error) {
	cards, err := a.Credit.CardsOf(r.Context(), c, c.Customer)
	if err != nil {
		return nil, err
	}
	all := make([]cardItem, len(cards))
	for i, card := range cards {
		all[i] = cardItem{
			CardNumber: credit.ShortNumber(card.Card), CardType: typeOf(card), CardStatus: letterOf(card.Card), TotalLimit: number(card.Account.Limit()),
			RemainingLimit: number(card.Remaining()), Owner: card.Card.EmbossLine1, ProductName: card.ProductName, CardID: card.Alias,
		}
	}
	return all, nil
}

// typeOf is A of a main card, E of one that hangs on it.
func typeOf(c credit.Card) string {
	if c.IsMain() {
		return "A"
	}
	return "E"
}

// letterOf is the letter of a card's status.
func letterOf(c issuing.Card) string {
	switch c.Status {
	case issuing.Lost:
		return "K"
	case issuing.Stolen:
		return "C"
	case issuing.Fraud:
		if c.Reason == issuing.CardCloned {
			return "S"
		}
		return "P"
	case issuing.Cancelled, issuing.Damaged, issuing.CardExpired, issuing.CardRenewed:
		return "I"
	}
	return "N"
}

// statusOf is the letter and its word.
func statusOf(c issuing.Card) string {
	letter := letterOf(c)
	word, _ := locale.Text(language, "openbanking.card_status."+letter, nil)
	return letter + " " + word
}

// cardInfo is a card with all of it. What does not apply is left out.
type cardInfo struct {
	CardNumber               string       `json:"CardNumber"`
	CardType                 string       `json:"CardType"`
	CardStatus               string       `json:"CardStatus"`
	TotalLimit               json.Number  `json:"TotalLimit"`
	RemainingLimit           json.Number  `json:"RemainingLimit"`
	Owner                    string       `json:"CardOwnerNameSurname"`
	Balance                  *json.Number `json:"Balance,omitempty"`
	StatementDate            string       `json:"StatementDate,omitempty"`
	LastPaymentDate          string       `json:"LastPaymentDate,omitempty"`
	RemainingDebt            *json.Number `json:"RemainingDebt,omitempty"`
	CardBranch               string       `json:"CardBranch"`
	BranchName               string       `json:"BranchName"`
	BranchCode               string       `json:"BranchCode"`
	VirtualLimit             *json.Number `json:"VirtualLimit,omitempty"`
	Point                    json.Number  `json:"Point"`
	ProductName              string       `json:"CardProductName"`
	MainCardNumber           string       `json:"MainCardNumber"`
	NextStatementDate        string       `json:"NextStatementDate"`
	NextLastPaymentDate      string       `json:"NextLastPaymentDate"`
	InterestRate             json.Number  `json:"InterestRate"`
	TermDebtDomestic         json.Number  `json:"TermDebtBalanceDomestic"`
	TermDebtAbroad           *json.Number `json:"TermDebtBalanceAbroad,omitempty"`
	MinimumDomestic          *json.Number `json:"MinimumPaymentAmountDomestic,omitempty"`
	MinimumAbroad            *json.Number `json:"MinimumPaymentAmountAbroad,omitempty"`
	RemainingMinimumDomestic *json.Number `json:"RemainingMinimumPaymentAmountDomestic,omitempty"`
	RemainingMinimumAbroad   *json.Number `json:"RemainingMinimumPaymentAmountAbroad,omitempty"`
	RemainingDebtDomestic    *json.Number `json:"RemainingDebtDomestic,omitempty"`
	RemainingDebtAbroad      *json.Number `json:"RemainingDebtAbroad,omitempty"`
	TotalTermDebtDomestic    json.Number  `json:"TotalTermDebtBalanceDomestic"`
	TotalTermDebtAbroad      json.Number  `json:"TotalTermDebtBalanceAbroad"`
}

func (a *API) details(c access.Caller, r *http.Request, in request) (any, error) {
	number, err := in.cardID("CardID")
	if err != nil {
		return nil, err
	}
	card, err := a.Credit.CardOf(r.Context(), c, c.Customer, number)
	if err != nil {
		return nil, err
	}
	return encodeCard(card), nil
}

func encodeCard(card credit.Card) cardInfo {
	account := card.Account
	last := lastOf(account)
	out := cardInfo{
		CardNumber: credit.ShortNumber(card.Card), CardType: typeOf(card), CardStatus: statusOf(card.Card), TotalLimit: number(account.Limit()),
		RemainingLimit: number(card.Remaining()), Owner: card.Card.EmbossLine1, Balance: above(account.Debt()), CardBranch: account.BranchName,
		BranchName: account.BranchName, BranchCode: account.BranchCode, Point: json.Number(trimmed(credit.PointsText(account.Points))),
		ProductName: card.ProductName, MainCardNumber: card.MainNumber, NextStatementDate: moment(account.NextCut),
		NextLastPaymentDate: moment(account.NextDue), InterestRate: percent(account.LateRate), TermDebtDomestic: number(card.Billed[line.Domestic]),
		TermDebtAbroad: above(card.Billed[line.Abroad]), TotalTermDebtDomestic: number(last.debt[line.Domestic]), TotalTermDebtAbroad: number(last.debt[line.Abroad]),
	}
	if account.Last != nil {
		out.StatementDate, out.LastPaymentDate = moment(account.Last.On), moment(account.Last.Due)
	}
	if limit, has := card.OwnLimit(); has && card.Card.FormFactor == program.Virtual {
		out.VirtualLimit = new(number(limit))
	}
	if !card.IsMain() {
		return out
	}
	remaining := [2]money.Amount{account.Billed(line.Domestic), account.Billed(line.Abroad)}
	if sum, err := remaining[0].Add(remaining[1]); err == nil {
		out.RemainingDebt = above(sum)
	}
	out.MinimumDomestic, out.RemainingMinimumDomestic = new(number(last.minimum[line.Domestic])), new(number(account.Minimum(line.Domestic)))
	out.RemainingDebtDomestic = new(number(remaining[line.Domestic]))
	if last.debt[line.Abroad].Sign() > 0 {
		out.MinimumAbroad, out.RemainingMinimumAbroad = new(number(last.minimum[line.Abroad])), new(number(account.Minimum(line.Abroad)))
		out.RemainingDebtAbroad = new(number(remaining[line.Abroad]))
	}
	return out
}

// term is what the last term ended with, by region; zeros without one.
type term struct{ debt, minimum [2]money.Amount }

func lastOf(a credit.Account) (t term) {
	for _, r := range []line.Region{line.Domestic, line.Abroad} {
		t.debt[r], t.minimum[r] = a.Amount(0), a.Amount(0)
		if a.Last != nil {
			t.debt[r], t.minimum[r] = a.Amount(a.Last.Regions[r].Debt), a.Amount(a.Last.Regions[r].Minimum)
		}
	}
	return t
}

// balanceInfo is what is owed and left. Zeros and what does not apply are left out.
type balanceInfo struct {
	TotalLimit            *json.Number `json:"TotalLimit,omitempty"`
	RemainingLimit        *json.Number `json:"RemainingLimit,omitempty"`
	CashLimit             *json.Number `json:"CashLimit,omitempty"`
	RemainingCashLimit    *json.Number `json:"RemainingCashLimit,omitempty"`
	SpendingDomestic      *json.Number `json:"CurrentTermSpendingDomestic,omitempty"`
	SpendingAbroad        *json.Number `json:"CurrentTermSpendingAbroad,omitempty"`
	DebtDomestic          *json.Number `json:"DebtDomestic,omitempty"`
	DebtAbroad            *json.Number `json:"DebtAbroad,omitempty"`
	RemainingDebtDomestic *json.Number `json:"RemainingDebtDomestic,omitempty"`
	RemainingDebtAbroad   *json.Number `json:"RemainingDebtAbroad,omitempty"`
	MinimumDomestic       *json.Number `json:"MinimumPaymentAmountDomestic,omitempty"`
	MinimumAbroad         *json.Number `json:"MinimumPaymentAmountAbroad,omitempty"`
	CurrentDebtDomestic   *json.Number `json:"CurrentDebtDomestic,omitempty"`
	CurrentDebtAbroad     *json.Number `json:"CurrentDebtAbroad,omitempty"`
}

func (a *API) balance(c access.Caller, r *http.Request, in request) (any, error) {
	number, err := in.cardID("CardID")
	if err != nil {
		return nil, err
	}
	card, err := a.Credit.CardOf(r.Context(), c, c.Customer, number)
	if err != nil {
		return nil, err
	}
	return encodeBalance(card), nil
}

func encodeBalance(card credit.Card) balanceInfo {
	account := card.Account
	out := balanceInfo{
		TotalLimit: nonZero(account.Limit()), RemainingLimit: nonZero(card.Remaining()), CashLimit: nonZero(account.CashLimit()),
		RemainingCashLimit: nonZero(card.RemainingCash()), SpendingDomestic: nonZero(card.Spent[line.Domestic]), SpendingAbroad: nonZero(card.Spent[line.Abroad]),
	}
	if !card.IsMain() {
		return out
	}
	last := lastOf(account)
	all := []line.Kind{line.Retail, line.Cash, line.Fee, line.Interest}
	out.DebtDomestic, out.DebtAbroad = nonZero(last.debt[line.Domestic]), nonZero(last.debt[line.Abroad])
	out.RemainingDebtDomestic, out.RemainingDebtAbroad = nonZero(account.Billed(line.Domestic)), nonZero(account.Billed(line.Abroad))
	out.MinimumDomestic, out.MinimumAbroad = nonZero(last.minimum[line.Domestic]), nonZero(last.minimum[line.Abroad])
	out.CurrentDebtDomestic, out.CurrentDebtAbroad = nonZero(account.Owed(line.Domestic, all...)), nonZero(account.Owed(line.Abroad, all...))
	return out
}

// nonZero is an amount unless it is zero.
func nonZero(a money.Amount) *json.Number {
	if a.IsZero() {
		return nil
	}
	return new(number(a))
}

// virtualInfo is a virtual card that was just made.
type virtualInfo struct {
	Number    string      `json:"VirtualCardNumber"`
	Limit     json.Number `json:"VirtualCardLimit"`
	Next      json.Number `json:"VirtualCardLimitAfterCD"`
	Remaining int         `json:"RemainingCreationQuantity"`
}

// createVirtual makes a virtual card. An absent limit is zero; an absent limit after
// the cut is the limit.
func (a *API) createVirtual(c access.Caller, r *http.Request, in request) (any, error) {
	number, err := in.cardID("MainCardID")
	if err != nil {
		return nil, err
	}
	limit, _, good := in.whole("VirtualCardLimit")
	next, hasNext, goodNext := in.whole("VirtualCardLimitAfterCD")
	if !hasNext {
		next = limit
	}
	if !good || !goodNext || limit < 0 || next < 0 {
		return nil, errLimit
	}
	share := credit.Share{Limit: strconv.FormatInt(limit, 10), Next: strconv.FormatInt(next, 10)}
	made, err := a.Credit.VirtualCardOf(r.Context(), c, c.Customer, number, share)
	if err != nil {
		return nil, err
	}
	return virtualInfo{credit.ShortNumber(made.Card), json.Number(share.Limit), json.Number(share.Next), made.Left}, nil
}
