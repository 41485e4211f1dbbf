package sim

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/wire/emv"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// TestCard_andTheHSMUnderstandEachOther issues a card from keys of the
// software HSM and lets each side check what the other made.
func TestCard_andTheHSMUnderstandEachOther(t *testing.T) {
	const tenant = "tnt_test"
	b, err := soft.New([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx := t.Context()
	key := func(id string, usage hsm.Usage, mode hsm.Mode) hsm.KeyRef {
		t.Helper()
		ref, err := b.GenerateKey(ctx, tenant, hsm.KeySpec{
			ID: id, Usage: usage, Algorithm: hsm.TDES, Bits: 128, Mode: mode, Exportability: hsm.NonExportable, Test: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		return ref
	}
	imk := key("imk", "E0", "X")
	zpk := key("zpk", "P0", "B")
	pvk := key("pvk", "V2", "C")
	number, err := pan.Parse(testPAN)
	if err != nil {
		t.Fatal(err)
	}
	for _, profile := range []hsm.Profile{hsm.CVN10, hsm.CVN18, hsm.CVN22, hsm.MChip16, hsm.MChip17, hsm.MChip20, hsm.MChip21} {
		t.Run(profile.String(), func(t *testing.T) {
			master, err := b.ICCMasterKey(ctx, imk, number, "01", profile)
			if err != nil {
				t.Fatal(err)
			}
			clear, err := b.RevealKey(ctx, zpk)
			if err != nil {
				t.Fatal(err)
			}
			info := testInfo(profile.CVN())
			info.ICCMasterKey, info.ZPK = hex.EncodeToString(master.Reveal()), fmt.Sprintf("%X", clear.Reveal())
			card, err := NewCard(info)
			if err != nil {
				t.Fatal(err)
			}
			term := testTerminal(t, 1)
			r, err := term.Use(card, Payment{Amount: lira(12_550), Entry: Chip, PIN: secret.FromString("7392")})
			if err != nil {
				t.Fatal(err)
			}
			// The issuer knows what the message says, nothing else.
			icc, err := emv.ParseICC(r.Message.Bytes(iso8583.ICCData))
			if err != nil {
				t.Fatal(err)
			}
			in := hsm.ARQCInput{
				Profile: profile, PAN: number, PSN: "01", ATC: icc.ATC, UN: icc.UnpredictableNumber,
				AmountAuthorized: icc.AmountAuthorized, AmountOther: icc.AmountOther, Country: icc.TerminalCountry,
				TVR: icc.TVR, Currency: icc.TransactionCurrency, Date: icc.TransactionDate, Type: icc.TransactionType,
				AIP: icc.AIP, IAD: icc.IAD(), ARQC: icc.Cryptogram,
			}
			if ok, err := b.VerifyARQC(ctx, imk, in); !ok || err != nil {
				t.Errorf("the issuer does not believe the card: %v, %v", ok, err)
			}
			for code, approved := range map[string]bool{"00": true, "51": false} {
				tag91, err := b.ResponseCryptogram(ctx, imk, in, [2]byte([]byte(code)), approved)
				if err != nil {
					t.Fatal(err)
				}
				answer := &iso8583.Message{MTI: iso8583.AuthorizationResponse}
				answer.SetText(iso8583.ResponseCode, code)
				answer.Set(iso8583.ICCData, emv.Append(nil, emv.IssuerAuthentication, tag91))
				if present, err := r.CheckIssuer(answer); !present || err != nil {
					t.Errorf("%s: the card does not believe the issuer: %v, %v", code, present, err)
				}
			}
			block := hsm.PINBlock{Block: r.Message.Bytes(iso8583.PINData), Format: hsm.ISO0, PAN: number, Key: zpk}
			verifier, err := b.NewVerifier(ctx, pvk, block, hsm.PINRules{})
			if err != nil {
				t.Fatal(err)
			}
			if ok, err := b.VerifyPIN(ctx, pvk, block, verifier); !ok || err != nil {
				t.Errorf("the PIN does not verify: %v, %v", ok, err)
			}
		})
	}
}
