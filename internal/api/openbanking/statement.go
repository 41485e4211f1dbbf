package openbanking

import (
	"encoding/json"
	"net/http"
	"regexp"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/credit"
	"github.com/sarraf-platform/sarraf/internal/ledger/line"
)

// currency is what this family calls the Turkish lira.
const currency = "TL"

// statementItem is a statement in the list.
type statementItem struct {
	Currency        string      `json:"CurrencyCode"`
	StatementDate   string      `json:"StatementDate"`
	LastPaymentDate string      `json:"LastPaymentDate"`
	TotalDebt       json.Number `json:"TotalDebt"`
	MinimumDebt     json.Number `json:"MinimumDebt"`
}

func (a *API) statements(c access.Caller, r *http.Request, in request) (any, error) {
	cardID, err := in.cardID("CardID")
	if err != nil {
		return nil, err
	}
	card, found, err := a.Credit.StatementsOfCard(r.Context(), c, c.Customer, cardID)
	if err != nil {
		return nil, err
	}
	all := make([]statementItem, len(found))
	for i, s := range found {
		all[i] = statementItem{currency, moment(s.On), moment(s.Due), number(card.Account.Amount(s.Debt())), number(card.Account.Amount(s.Minimum()))}
	}
	return all, nil
}

// statementInfo is a statement in one region, with its lines.
type statementInfo struct {
	Code            string          `json:"StatementCode"`
	TermDebt        json.Number     `json:"TermDebtBalance"`
	Minimum         json.Number     `json:"MinimumPaymentAmount"`
	StatementDate   string          `json:"StatementDate"`
	LastPaymentDate string          `json:"LastPaymentDate"`
	Outstanding     json.Number     `json:"OutstandingBalance"`
	Points          json.Number     `json:"WorldpointAmount"`
	Detail          []statementLine `json:"StatementDetail"`
}

type statementLine struct {
	CardNumber           string      `json:"CardNumber"`
	Owner                string      `json:"CardOwnerNameSurname"`
	Date                 string      `json:"TransactionDate"`
	Description          string      `json:"Description"`
	Amount               json.Number `json:"Amount"`
	RemainingInstallment int         `json:"RemainingInstallment"`
	Points               json.Number `json:"PointAmount"`
}

var statementCode = regexp.MustCompile(`^([0-9]{4})([0-9]{2})([0-9]{2})$`)

// regions are the types of statements.
var regions = map[string]line.Region{"YI": line.Domestic, "YD": line.Abroad}

func (a *API) statement(c access.Caller, r *http.Request, in request) (any, error) {
	cardID, err := in.cardID("CardID")
	if err != nil {
		return nil, err
	}
	code := in.text("StatementCode")
	on, err := clock.ParseDate(statementCode.ReplaceAllString(code, "$1-$2-$3"))
	if err != nil || !statementCode.MatchString(code) {
		return nil, errStatementCode
	}
	kind := in.text("StatementType")
	region, known := regions[kind]
	switch {
	case kind == "":
		return nil, errNoType
	case !known:
		return nil, errType
	}
	card, s, err := a.Credit.StatementOfCard(r.Context(), c, c.Customer, cardID, on)
	if err != nil {
		return nil, err
	}
	of, account := s.Regions[region], card.Account
	out := statementInfo{
		Code: code, TermDebt: number(account.Amount(of.Debt)), Minimum: number(account.Amount(of.Minimum)), StatementDate: moment(s.On),
		LastPaymentDate: moment(s.Due), Outstanding: number(account.Amount(of.Outstanding)), Points: points(s.Points), Detail: []statementLine{},
	}
	for _, l := range s.Lines {
		minor := l.In(region)
		if minor == 0 {
			continue
		}
		shown, owner := cardOf(card, l)
		out.Detail = append(out.Detail, statementLine{
			CardNumber: shown, Owner: owner, Date: moment(l.On), Description: l.Description, Amount: number(account.Amount(minor)), Points: points(l.Points),
		})
	}
	return out, nil
}

// cardOf is the number and the owner of the card of a line; of what no card did, of
// the main card.
func cardOf(main credit.Card, l credit.Line) (shown, owner string) {
	if l.Card.ID.IsZero() {
		return credit.ShortNumber(main.Card), main.Card.EmbossLine1
	}
	return credit.ShortNumber(l.Card), l.Card.EmbossLine1
}

func points(tenths int64) json.Number { return json.Number(trimmed(credit.PointsText(tenths))) }

// termLine is a line of the term that runs, all of it text.
type termLine struct {
	CardNumber           string `json:"CardNumber"`
	Currency             string `json:"CurrencyCode"`
	Date                 string `json:"TransactionDate"`
	Description          string `json:"Description"`
	Domestic             string `json:"AmountDomestic"`
	Abroad               string `json:"AmountAbroad"`
	TotalInstallment     string `json:"TotalInstallment"`
	RemainingInstallment string `json:"RemainingInstallment"`
	TotalAmount          string `json:"TotalInstallmentAmount"`
	RemainingAmount      string `json:"RemainingInstallmentAmount"`
	Points               string `json:"PointAmount"`
}

// noInstallments is how many instalments there are of what is paid in one.
const noInstallments = "00"

func (a *API) currentTerm(c access.Caller, r *http.Request, in request) (any, error) {
	cardID, err := in.cardID("CardID")
	if err != nil {
		return nil, err
	}
	card, lines, err := a.Credit.RunningTerm(r.Context(), c, c.Customer, cardID)
	if err != nil {
		return nil, err
	}
	all := make([]termLine, len(lines))
	for i, l := range lines {
		shown, _ := cardOf(card, l)
		all[i] = termLine{
			CardNumber: shown, Currency: currency, Date: moment(l.On), Description: l.Description,
			Domestic: figure(card.Account.Amount(l.In(line.Domestic))), Abroad: figure(card.Account.Amount(l.In(line.Abroad))),
			TotalInstallment: noInstallments, RemainingInstallment: noInstallments,
		}
		if l.Points != 0 {
			all[i].Points = credit.PointsText(l.Points)
		}
	}
	return all, nil
}
