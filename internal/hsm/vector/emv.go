package vector

import (
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/hsm/algo"
)

// keyCheck is the first two bytes of the legacy key check value, as some
// sources print it.
func keyCheck(key []byte) (output, error) {
	b, err := algo.NewTDES(key)
	if err != nil {
		return nil, err
	}
	v, err := algo.KCVZeros(b, 2)
	return output{"kcv2": hexText(v)}, err
}

func deriveICC(imk []byte, number, psn string, o algo.Option) ([16]byte, error) {
	b, err := algo.NewTDES(imk)
	if err != nil {
		return [16]byte{}, err
	}
	return algo.ICCMasterKey(b, number, psn, o)
}

func option(in *input, name string) algo.Option {
	if in.text(name) == "B" {
		return algo.OptionB
	}
	return algo.OptionA
}

func iccMasterKey(op string, in *input) (output, error) {
	mk, err := deriveICC(in.bytes("imk"), in.text("pan"), in.text("psn"), option(in, "option"))
	if err != nil {
		return nil, err
	}
	if op == "derive_kcv" {
		return keyCheck(mk[:])
	}
	return output{"icc_mk": hexText(mk[:])}, nil
}

func sessionKey(op string, in *input) (output, error) {
	var mk, sk [16]byte
	var err error
	in.into("icc_mk", mk[:])
	switch op {
	case "csk", "csk_kcv":
		var r [8]byte
		in.into("r", r[:])
		pair, perr := algo.NewPair(mk[:])
		if perr != nil {
			return nil, perr
		}
		sk, err = algo.SessionKey(pair.TDES(), r)
	case "visa_sm", "visa_sm_kcv":
		var atc [2]byte
		in.into("atc", atc[:])
		sk = algo.VisaSMKey(mk, atc)
	case "emv2000_tree":
		var atc [2]byte
		var iv [16]byte
		in.into("atc", atc[:])
		in.into("iv", iv[:])
		sk, err = algo.EMV2000Key(mk, atc, in.number("height"), in.number("branch"), iv)
	}
	if err != nil {
		return nil, err
	}
	if op == "csk_kcv" || op == "visa_sm_kcv" {
		return keyCheck(sk[:])
	}
	return output{"sk": hexText(sk[:])}, nil
}

func padding(in *input) algo.Padding {
	if in.text("padding") == "visa" {
		return algo.Zeros
	}
	return algo.OneZeros
}

func cryptogram(op string, in *input) (output, error) {
	var key []byte
	if op == "ac" {
		key = in.bytes("sk")
	} else {
		mk, err := deriveICC(in.bytes("imk"), in.text("pan"), in.text("psn"), option(in, "mk_option"))
		if err != nil {
			return nil, err
		}
		key = mk[:]
		if method := in.text("session_key"); method != "none" {
			var r [8]byte
			in.into("atc", r[:2])
			if method == "skd" {
				in.into("un", r[4:])
			}
			b, err := algo.NewTDES(key)
			if err != nil {
				return nil, err
			}
			sk, err := algo.SessionKey(b, r)
			if err != nil {
				return nil, err
			}
			key = sk[:]
		}
	}
	pair, err := algo.NewPair(key)
	if err != nil {
		return nil, err
	}
	ac, err := algo.Cryptogram(pair, in.bytes("data"), padding(in))
	return output{"ac": hexText(ac[:])}, err
}

func arpc(op string, in *input) (output, error) {
	pair, err := algo.NewPair(in.bytes("sk"))
	if err != nil {
		return nil, err
	}
	var arqc [8]byte
	in.into("arqc", arqc[:])
	if op == "method1" {
		var arc [2]byte
		in.into("arc", arc[:])
		got, err := algo.ARPC1(pair.TDES(), arqc, arc)
		return output{"arpc": hexText(got[:]), "tag91": hexText(append(got[:], arc[:]...))}, err
	}
	var csu [4]byte
	in.into("csu", csu[:])
	proprietary := in.bytes("prop_auth_data")
	got, err := algo.ARPC2(pair, arqc, csu, proprietary)
	return output{"arpc": hexText(got[:]), "tag91": hexText(append(append(got[:], csu[:]...), proprietary...))}, err
}

// transaction reads the tags of a vector.
func transaction(p algo.Profile, in *input) algo.ARQCInput {
	t := in.object("tags")
	signed := algo.ARQCInput{Profile: p}
	t.into("9F02", signed.AmountAuthorized[:])
	t.into("9F03", signed.AmountOther[:])
	t.into("9F1A", signed.Country[:])
	t.into("95", signed.TVR[:])
	t.into("5F2A", signed.Currency[:])
	t.into("9A", signed.Date[:])
	var kind [1]byte
	t.into("9C", kind[:])
	signed.Type = kind[0]
	t.into("9F37", signed.UN[:])
	t.into("82", signed.AIP[:])
	t.into("9F36", signed.ATC[:])
	if t.err != nil {
		in.err = t.err
	}
	return signed
}

func iad(op string, in *input) (output, error) {
	switch op {
	case "parse":
		d, err := hsm.ParseIAD(in.bytes("iad"))
		if err != nil {
			return nil, err
		}
		return output{
			"format": d.Format.String(), "dki": hexText([]byte{d.DKI}), "cvn": hexText([]byte{d.CVN}), "cvr": hexText(d.CVR),
			"dac_idn": hexText(d.DACIDN), "counters": hexText(d.Counters), "idd": hexText(d.Discretionary),
		}, nil
	case "build":
		p := algo.MChip16
		if name := in.text("profile"); name != "mchip" {
			var err error
			if p, err = algo.ParseProfile(name); err != nil {
				return nil, errUnsupported
			}
		}
		signed := transaction(p, in)
		signed.IAD = in.bytes("iad")
		data, err := algo.AppendCryptogramInput(nil, &signed)
		if err != nil {
			return nil, err
		}
		method, err := algo.CryptogramPadding(p)
		if err != nil {
			return nil, err
		}
		padded, err := algo.Pad(data, method)
		return output{"data": hexText(data), "padded": hexText(padded)}, err
	}
	c, err := hsm.ParseMChipCVR(in.bytes("cvr"))
	return output{
		"first_gen_ac": c.FirstAC.String(), "second_gen_ac": c.SecondAC.String(), "offline_pin_performed": c.OfflinePINPerformed,
		"international": c.International, "domestic": c.Domestic, "upper_consecutive_exceeded": c.UpperConsecutiveExceeded,
		"upper_cumulative_exceeded": c.UpperCumulativeExceeded, "script_counter": c.ScriptCounter, "pin_try_counter": c.PINTryCounter,
	}, err
}

func script(op string, in *input) (output, error) {
	if op == "pin_block_visa" {
		var mk [16]byte
		in.into("icc_mk_ac", mk[:])
		fresh, current, err := pins(in, "pin")
		if err != nil {
			return nil, err
		}
		b, err := algo.PINBlockVisa(mk, fresh, current)
		return output{"block": hexText(b[:])}, err
	}
	smi, err := algo.NewPair(in.bytes("sk_smi"))
	if err != nil {
		return nil, err
	}
	if op == "mac" {
		m, err := algo.MAC3(smi, in.bytes("data"), algo.OneZeros)
		return output{"mac": hexText(m)}, err
	}
	smc, err := algo.NewTDES(in.bytes("sk_smc"))
	if err != nil {
		return nil, err
	}
	way, ok := map[string]algo.ScriptEncryption{
		"visa": algo.ScriptVisa, "mastercard": algo.ScriptMastercard, "emv": algo.ScriptEMV,
	}[in.text("profile")]
	if !ok {
		return nil, errUnsupported
	}
	enciphered, err := algo.EncryptScript(smc, in.bytes("clear_block"), way)
	if err != nil {
		return nil, err
	}
	var header [5]byte
	in.into("header", header[:])
	command, err := algo.SignScript(smi, header, in.bytes("mac_extra"), enciphered)
	if err != nil {
		return nil, err
	}
	return output{"encrypted_data": hexText(enciphered), "mac": hexText(command[len(command)-8:]), "command": hexText(command)}, nil
}

// pins reads a new PIN and, when the vector has one, the current one.
func pins(in *input, name string) (fresh, current *algo.PIN, err error) {
	p, err := algo.ParsePIN([]byte(in.text(name)))
	if err != nil {
		return nil, nil, err
	}
	if !in.has("current_pin") {
		return &p, nil, nil
	}
	c, err := algo.ParsePIN([]byte(in.text("current_pin")))
	if err != nil {
		return nil, nil, err
	}
	return &p, &c, nil
}

// profile runs a whole card life: cryptogram, response, a signed command and
// PIN changes, from the issuer master keys on.
func profile(p algo.Profile, in *input) (output, error) {
	o, err := algo.MasterKeyOption(p)
	if err != nil {
		return nil, err
	}
	var mk, mkSMI, mkSMC [16]byte
	for name, into := range map[string]*[16]byte{"imk_ac": &mk, "imk_smi": &mkSMI, "imk_smc": &mkSMC} {
		if *into, err = deriveICC(in.bytes(name), in.text("pan"), in.text("psn"), o); err != nil {
			return nil, err
		}
	}
	ac, err := algo.NewPair(mk[:])
	if err != nil {
		return nil, err
	}
	signed := transaction(p, in)
	key, err := algo.ACKey(p, ac, signed.ATC, signed.UN)
	if err != nil {
		return nil, err
	}
	method, err := algo.CryptogramPadding(p)
	if err != nil {
		return nil, err
	}
	data := append(algo.AppendTransaction(nil, &signed), in.bytes("iad_part_in_ac_data")...)
	if signed.ARQC, err = algo.Cryptogram(key, data, method); err != nil {
		return nil, err
	}
	out := output{"arqc": hexText(signed.ARQC[:])}

	var arc [2]byte
	var csu [4]byte
	arpcLength := 8
	if in.has("csu") {
		in.into("csu", csu[:])
		arpcLength = 4
	} else {
		in.into("arc", arc[:])
	}
	response, err := algo.Response(ac, &signed, arc, csu)
	if err != nil {
		return nil, err
	}
	out["arpc"] = hexText(response[:arpcLength])

	smiKey, err := algo.ScriptKey(p, mkSMI, signed.ATC, signed.ARQC, 0)
	if err != nil {
		return nil, err
	}
	smcKey, err := algo.ScriptKey(p, mkSMC, signed.ATC, signed.ARQC, 0)
	if err != nil {
		return nil, err
	}
	smi, err := algo.NewPair(smiKey[:])
	if err != nil {
		return nil, err
	}
	var unblock [5]byte
	in.into("unblock", unblock[:])
	command, err := algo.Script(p, smi, [4]byte(unblock[:4]), signed.ATC, signed.ARQC, nil)
	if err != nil {
		return nil, err
	}
	out["unblock_mac"] = hexText(command[5:])

	fresh, current, err := pins(in, "new_pin")
	if err != nil {
		return nil, err
	}
	change := func(p2 byte, current *algo.PIN) (string, error) {
		block, err := algo.ChangePINBlock(p, mk, fresh, current)
		if err != nil {
			return "", err
		}
		smc, err := algo.NewTDES(smcKey[:])
		if err != nil {
			return "", err
		}
		way, err := algo.ScriptEncryptionOf(p)
		if err != nil {
			return "", err
		}
		data, err := algo.EncryptScript(smc, block[:], way)
		if err != nil {
			return "", err
		}
		command, err := algo.Script(p, smi, [4]byte{0x84, 0x24, 0x00, p2}, signed.ATC, signed.ARQC, data)
		return hexText(command), err
	}
	if out["pin_change"], err = change(2, nil); err != nil {
		return nil, err
	}
	// Only Visa's command carries the current PIN.
	if text, err := change(1, current); err == nil && current != nil {
		out["pin_change_with_current"] = text
	}
	return out, nil
}
