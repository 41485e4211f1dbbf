package network

import (
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/wire/emv"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// encodeAnswer fills resp: what the dialect echoes, and what was decided.
func (s *Server) encodeAnswer(req *authorization.Request, a authorization.Answer, m, resp *iso8583.Message) error {
	s.dialect.Echo(m, resp)
	resp.SetText(iso8583.ResponseCode, a.ResponseCode)
	if a.AuthorizationCode != "" {
		resp.SetText(iso8583.AuthorizationCode, a.AuthorizationCode)
	}
	var amounts []byte
	add := func(kind string, v money.Amount) (err error) {
		minor := v.Minor()
		amounts, err = iso8583.AppendAdditionalAmount(amounts, iso8583.AdditionalAmount{
			AccountType: "00", AmountType: kind, Currency: v.Currency().Numeric(), Negative: minor < 0, Minor: max(minor, -minor),
		})
		return err
	}
	if a.Outcome == authorization.OutcomeApprovedPartially {
		resp.SetNumber(iso8583.AmountTransaction, a.Approved.Minor())
		if err := add(iso8583.OriginalAmount, req.Amount); err != nil {
			return fmt.Errorf("amount asked for: %w", err)
		}
	}
	if a.IsApproved() && a.HasBalance && isInquiry(req) {
		if err := add(iso8583.AvailableBalance, a.Available); err != nil {
			return fmt.Errorf("available balance: %w", err)
		}
		if err := add(iso8583.LedgerBalance, a.Posted); err != nil {
			return fmt.Errorf("ledger balance: %w", err)
		}
	}
	if len(amounts) > 0 {
		resp.Set(iso8583.AdditionalAmounts, amounts)
	}
	if len(a.IssuerAuthentication) > 0 || len(a.ScriptCommand) > 0 {
		said := emv.Answer{Authentication: a.IssuerAuthentication}
		if len(a.ScriptCommand) > 0 {
			said.ScriptsAfter = []emv.Script{{Identifier: a.ScriptID, Commands: [][]byte{a.ScriptCommand}}}
		}
		icc, err := said.Append(nil)
		if err != nil {
			return fmt.Errorf("chip data: %w", err)
		}
		resp.Set(iso8583.ICCData, icc)
	}
	return encodeSlip(a, resp)
}

// encodeSlip tells whether the paper slip is left out, and by which reference it
// can be asked for (DE48, tag 99).
func encodeSlip(a authorization.Answer, resp *iso8583.Message) error {
	value := "0"
	switch a.Slip {
	case authorization.DigitalSlip:
		value = "1" + authorization.SlipReference(a.Transaction)
	case authorization.PrintSlip:
	default:
		return nil
	}
	tags, err := iso8583.AppendTag(nil, iso8583.TagDigitalSlip, []byte(value))
	if err != nil {
		return fmt.Errorf("slip: %w", err)
	}
	resp.Set(iso8583.PrivateElements, tags)
	return nil
}

// isInquiry says that the request asked for the balance (DE3 30 and 31).
func isInquiry(req *authorization.Request) bool {
	return len(req.ProcessingCode) == 6 && (req.ProcessingCode[:2] == "30" || req.ProcessingCode[:2] == "31")
}
