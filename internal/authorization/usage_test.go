package authorization_test

import (
	"slices"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
)

func TestClassify_derivesUsageFromTheMessage(t *testing.T) {
	type want struct {
		terminal authorization.TerminalType
		presence authorization.CardholderPresence
		domain   authorization.Domain
	}
	for name, c := range map[string]struct {
		message authorization.Details
		card    string
		want    want
	}{
		"chip":         {authorization.Details{EntryMode: "051", ConditionCode: "00", MerchantCountry: "TR"}, "TR", want{"Pos", "Present", "Domestic"}},
		"abroad":       {authorization.Details{EntryMode: "071", ConditionCode: "00", MerchantCountry: "DE", AcquirerCountry: "TR"}, "TR", want{"Pos", "Present", "International"}},
		"acquirer":     {authorization.Details{EntryMode: "902", AcquirerCountry: "TR"}, "TR", want{"Pos", "Present", "Domestic"}},
		"cash":         {authorization.Details{EntryMode: "051", MCC: "6011", ConditionCode: "02"}, "TR", want{"Atm", "Present", ""}},
		"unattended":   {authorization.Details{EntryMode: "051", MCC: "5542", ConditionCode: "02"}, "TR", want{"UnattendedPos", "Present", ""}},
		"shop":         {authorization.Details{EntryMode: "812", ConditionCode: "59"}, "TR", want{"VirtualPos", "ElectronicOrder", ""}},
		"shop, keyed":  {authorization.Details{EntryMode: "010", ConditionCode: "59"}, "TR", want{"VirtualPos", "ElectronicOrder", ""}},
		"chip at shop": {authorization.Details{EntryMode: "051", ConditionCode: "59"}, "TR", want{"Pos", "Present", ""}},
		"on file":      {authorization.Details{EntryMode: "100", ConditionCode: "01"}, "TR", want{"VirtualPos", "NotPresentUnspecified", ""}},
		"series":       {authorization.Details{EntryMode: "812", ConditionCode: "59", Manner: authorization.Manner{StoredCard: "Recurring"}}, "TR", want{"VirtualPos", "Recurring", ""}},
		"instalment":   {authorization.Details{EntryMode: "100", Manner: authorization.Manner{StoredCard: "FurtherInstalment"}}, "TR", want{"VirtualPos", "RecurringInstallment", ""}},
		"chip, series": {authorization.Details{EntryMode: "051", Manner: authorization.Manner{StoredCard: "Recurring"}}, "TR", want{"Pos", "Present", ""}},
		"mail":         {authorization.Details{EntryMode: "012", ConditionCode: "08"}, "TR", want{"Moto", "MailOrder", ""}},
		"phone":        {authorization.Details{EntryMode: "012", ConditionCode: "07"}, "TR", want{"Moto", "PhoneOrder", ""}},
		"card away":    {authorization.Details{EntryMode: "012", ConditionCode: "05"}, "TR", want{"Unspecified", "Present", ""}},
		"nothing":      {authorization.Details{}, "", want{"Unspecified", "", ""}},
		"no BIN":       {authorization.Details{MerchantCountry: "TR"}, "", want{"Unspecified", "", ""}},
	} {
		x := authorization.Transaction{Message: c.message}
		x.Classify(c.card)
		if got := (want{x.Terminal, x.Presence, x.Domain}); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// What is told of the secrets in a message is what the decision made of them: a
// value that was compared and not counted is not told, or it could be tried.
func TestTransactions_tellWhatTheDecisionMadeOfSecrets(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		card := w.NewCard("1000.00")
		ask := func(change func(r *authorization.Request)) authorization.ListedTransaction {
			t.Helper()
			r := w.Request(card, authorization.AuthorizationRequest, money.Must(1000, "TRY"))
			change(r)
			page, _, err := w.Queries.Transactions(t.Context(), w.Caller,
				authorization.TransactionFilter{ID: w.Authorize(r).Transaction, Take: 1, WithFields: true})
			if err != nil || len(page) != 1 {
				t.Fatalf("got %v, %v", page, err)
			}
			return page[0]
		}
		type secrets struct {
			pin, arqc, cvv2 authorization.Result
			cvm             authorization.CVM
			by              string
		}
		check := func(name string, got authorization.ListedTransaction, want secrets) {
			t.Helper()
			if g := (secrets{got.PIN, got.ARQC, got.CVV2, got.CVM, got.DeclinedBy}); g != want {
				t.Errorf("%s: got %+v, want %+v", name, g, want)
			}
		}
		wrong := "9999"
		if card.PIN == wrong {
			wrong = "8888"
		}
		check("nothing", ask(func(*authorization.Request) {}), secrets{})
		var atc int
		check("chip and PIN", ask(func(r *authorization.Request) {
			w.Chip(card, r)
			atc = int(r.Chip.ATC[0])<<8 | int(r.Chip.ATC[1])
			w.WithPIN(card, r, card.PIN)
		}), secrets{pin: "Match", arqc: "Match", cvm: "OnlinePin"})
		check("chip again", ask(func(r *authorization.Request) { w.ChipWith(card, r, atc) }),
			secrets{arqc: "Replayed", by: "Arqc"})
		check("another cryptogram", ask(func(r *authorization.Request) { w.Chip(card, r); r.Chip.ARQC[0] ^= 1 }),
			secrets{arqc: "NoMatch", by: "Arqc"})
		offline := func(name string, chipSays byte, want authorization.CVM) {
			t.Helper()
			check(name, ask(func(r *authorization.Request) { w.Chip(card, r); w.WithOfflinePIN(card, r, chipSays) }),
				secrets{arqc: "Match", cvm: want})
		}
		offline("offline PIN", authorizationtest.ChipComparedPIN, "OfflinePin")
		offline("offline PIN that no chip has seen", 0, "")
		offline("offline PIN that the chip refused", authorizationtest.ChipComparedPIN|authorizationtest.ChipRefusedPIN, "")
		check("offline PIN failed", ask(func(r *authorization.Request) { w.Chip(card, r); r.Chip.CVMResults = [3]byte{0x41, 0x03, 0x01} }),
			secrets{arqc: "Match"})
		check("CVV2", ask(func(r *authorization.Request) { w.WithCVV2(card, r, true) }), secrets{cvv2: "Match", cvm: "None"})
		check("another CVV2", ask(func(r *authorization.Request) { w.WithCVV2(card, r, false) }),
			secrets{cvv2: "NoMatch", cvm: "None", by: "Cvv2"})
		check("another PIN before the CVV2", ask(func(r *authorization.Request) { w.WithCVV2(card, r, true); w.WithPIN(card, r, wrong) }),
			secrets{pin: "NoMatch", cvv2: "Unjudged", cvm: "OnlinePin", by: "Pin"})
		for range 2 {
			check("another PIN", ask(func(r *authorization.Request) { w.WithPIN(card, r, wrong) }),
				secrets{pin: "NoMatch", cvm: "OnlinePin", by: "Pin"})
		}
		for _, digits := range []string{wrong, card.PIN} {
			check("no tries left", ask(func(r *authorization.Request) { w.WithPIN(card, r, digits) }),
				secrets{pin: "Unjudged", cvm: "OnlinePin", by: "Pin"})
		}

		settled := ask(func(r *authorization.Request) {
			r.Settlement, r.ConversionRate, r.SettlementDate, r.ConversionDate = money.Must(275, "EUR"), "61000000", "1121", "1120"
		})
		m := settled.Message
		if m.Settlement != money.Must(275, "EUR") || m.ConversionRate != "61000000" || m.SettlementDate != "1121" || m.ConversionDate != "1120" {
			t.Errorf("settlement: got %+v", m)
		}
		for _, f := range []authorization.MessageField{
			{Number: 4, Name: "amount_transaction", Value: "000000001000"}, {Number: 5, Name: "amount_settlement", Value: "000000000275"},
			{Number: 14, Name: "expiration_date", Value: "***"}, {Number: 43, Name: "card_acceptor_name_location", Value: "TEST MARKET ISTANBUL TR"},
		} {
			if !slices.Contains(settled.Fields, f) {
				t.Errorf("the message has no %+v: %+v", f, settled.Fields)
			}
		}
		if !slices.IsSortedFunc(settled.Fields, func(a, b authorization.MessageField) int { return a.Number - b.Number }) {
			t.Errorf("not in order: %+v", settled.Fields)
		}
	})
}
