package vector

import (
	"bytes"
	"crypto/cipher"
	"io"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/hsm/algo"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// output is what an operation computed, by the names the vectors use.
type output map[string]any

// compute runs one operation. An error other than errUnsupported is the
// algorithm's refusal.
func compute(algorithm, op string, in *input) (output, error) {
	switch algorithm + "/" + op {
	case "luhn/check":
		return output{"valid": pan.ValidLuhn(in.text("number"))}, nil
	case "luhn/digit":
		return output{"check_digit": string(rune(pan.CheckDigit(in.text("body"))))}, nil
	case "bin_ranges/network":
		name, ok := algo.Network(in.text("pan"))
		if !ok {
			return nil, algo.ErrInput
		}
		return output{"network": name}, nil
	case "bin_ranges/mask_max":
		masked, err := algo.MaskWidest(in.text("pan"))
		return output{"masked": masked}, err
	case "cvv/cvv":
		return cvv(in)
	case "pvv/pvv":
		return pvv(in)
	case "ibm3624/natural", "ibm3624/pin", "ibm3624/offset", "ibm3624/decimalise":
		return ibm3624(op, in)
	case "pin_block/encode", "pin_block/decode", "pin_block/encipher4", "pin_block/decipher4", "pin_block/pan_field4":
		return pinBlock(op, in)
	case "pin_translate/translate":
		return translate(in)
	case "pin_translate/policy":
		return output{"allowed": algo.MayTranslate(in.number("in_format"), in.number("out_format"), in.truth("pan_changes"))}, nil
	case "kcv/kcv":
		return kcv(in.text("method"), in.bytes("key"), in.number("bytes"))
	case "mac/iso9797_1", "mac/iso9797_3", "mac/cmac_aes", "mac/cmac_tdes", "mac/hmac_sha256":
		return mac(op, in)
	case "key_components/combine":
		return combine(in)
	case "key_components/parity":
		key := in.bytes("key")
		algo.OddParity(key)
		return output{"key": hexText(key)}, nil
	case "tr31/unwrap", "tr31/wrap", "tr31/parse_header":
		return tr31(op, in)
	case "aes_gcm/seal", "aes_gcm/open":
		return gcm(op, in)
	case "aes_keywrap/kw", "aes_keywrap/kw_unwrap", "aes_keywrap/kwp", "aes_keywrap/kwp_unwrap":
		return keyWrap(op, in)
	}
	return computeEMV(algorithm, op, in)
}

func cvv(in *input) (output, error) {
	cvk, err := algo.NewPair(in.bytes("cvk"))
	if err != nil {
		return nil, err
	}
	v, err := algo.CVV(cvk, in.text("pan"), in.text("expiry"), in.text("service_code"))
	return output{"cvv": string(v[:])}, err
}

func pvv(in *input) (output, error) {
	pvk, err := algo.NewTDES(in.bytes("pvk"))
	if err != nil {
		return nil, err
	}
	pin, err := algo.ParsePIN([]byte(in.text("pin")))
	if err != nil {
		return nil, err
	}
	index := in.text("pvki")
	if len(index) != 1 {
		return nil, algo.ErrInput
	}
	v, err := algo.PINVerificationValue(pvk, in.text("pan"), index[0]-'0', &pin)
	return output{"pvv": string(v[:])}, err
}

// ibm3624Key expands a PVK. Single DES, of old data, is TDES with equal thirds.
func ibm3624Key(key []byte) (cipher.Block, error) {
	if len(key) == 8 {
		key = bytes.Repeat(key, 3)
	}
	return algo.NewTDES(key)
}

func ibm3624(op string, in *input) (output, error) {
	var block [8]byte
	if op == "decimalise" {
		in.into("cipher_block", block[:])
	} else {
		pvk, err := ibm3624Key(in.bytes("pvk"))
		if err != nil {
			return nil, err
		}
		in.into("validation_data", block[:])
		if block, err = algo.IBM3624Block(pvk, block); err != nil {
			return nil, err
		}
	}
	length := 0
	switch op {
	case "pin":
		length = len(in.text("offset"))
	case "offset":
		length = len(in.text("pin"))
	default:
		length = in.number("length")
	}
	natural, err := algo.IBM3624Natural(block, in.text("decimalisation_table"), length)
	if err != nil {
		return nil, err
	}
	out := output{"natural_pin": string(natural.Digits())}
	switch op {
	case "pin":
		pin, err := algo.AddDigits(&natural, in.text("offset"))
		if err != nil {
			return nil, err
		}
		out["pin"] = string(pin.Digits())
	case "offset":
		pin, err := algo.ParsePIN([]byte(in.text("pin")))
		if err != nil {
			return nil, err
		}
		if out["offset"], err = algo.Offset(&pin, &natural); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// repeating gives the same bytes again and again: the "random" fill of a vector.
type repeating struct{ b []byte }

func (r repeating) Read(p []byte) (int, error) {
	if len(r.b) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	for i := range p {
		p[i] = r.b[i%len(r.b)]
	}
	return len(p), nil
}

func fill(in *input, name string) io.Reader {
	if !in.has(name) {
		return repeating{}
	}
	return repeating{in.bytes(name)}
}

func optionalText(in *input, name string) string {
	if !in.has(name) {
		return ""
	}
	return in.text(name)
}

func pinBlock(op string, in *input) (output, error) {
	number := optionalText(in, "pan")
	switch op {
	case "pan_field4":
		f, err := algo.PANField4(number)
		return output{"pan_field": hexText(f[:])}, err
	case "decode":
		pin, err := algo.DecodePINBlock(in.number("format"), in.bytes("block"), number)
		return output{"pin": string(pin.Digits())}, err
	case "decipher4":
		key, err := algo.NewAES(in.bytes("key"))
		if err != nil {
			return nil, err
		}
		pin, err := algo.DecipherPIN4(key, in.bytes("block"), number)
		return output{"pin": string(pin.Digits())}, err
	}
	pin, err := algo.ParsePIN([]byte(in.text("pin")))
	if err != nil {
		return nil, err
	}
	if op == "encode" {
		b, err := algo.EncodePINBlock(in.number("format"), &pin, number, fill(in, "fill"))
		return output{"block": hexText(b[:])}, err
	}
	key, err := algo.NewAES(in.bytes("key"))
	if err != nil {
		return nil, err
	}
	b, err := algo.EncipherPIN4(key, &pin, number, fill(in, "random"))
	return output{"block": hexText(b[:])}, err
}

func translate(in *input) (output, error) {
	from, to := in.number("in_format"), in.number("out_format")
	if !algo.MayTranslate(from, to, false) {
		return nil, algo.ErrInput
	}
	inKey, err := algo.NewTDES(in.bytes("in_key"))
	if err != nil {
		return nil, err
	}
	outKey, err := algo.NewTDES(in.bytes("out_key"))
	if err != nil {
		return nil, err
	}
	var b [8]byte
	in.into("in_block", b[:])
	inKey.Decrypt(b[:], b[:])
	pin, err := algo.DecodePINBlock(from, b[:], in.text("pan"))
	if err != nil {
		return nil, err
	}
	if b, err = algo.EncodePINBlock(to, &pin, in.text("pan"), fill(in, "fill")); err != nil {
		return nil, err
	}
	outKey.Encrypt(b[:], b[:])
	return output{"block": hexText(b[:])}, nil
}

func kcv(method string, key []byte, n int) (output, error) {
	expand, compute := algo.NewTDES, algo.KCVZeros
	switch method {
	case "tdes_legacy":
	case "tdes_cmac":
		compute = algo.KCVCMAC
	case "aes_cmac":
		expand, compute = algo.NewAES, algo.KCVCMAC
	case "aes_legacy":
		expand = algo.NewAES
	default:
		return nil, errUnsupported
	}
	b, err := expand(key)
	if err != nil {
		return nil, err
	}
	v, err := compute(b, n)
	return output{"kcv": hexText(v)}, err
}

func mac(op string, in *input) (output, error) {
	key, data := in.bytes("key"), in.bytes("data")
	var m []byte
	var err error
	switch op {
	case "iso9797_1":
		var b cipher.Block
		if b, err = algo.NewTDES(key); err == nil {
			m, err = algo.MAC1(b, data, algo.Padding(in.number("padding")))
		}
	case "iso9797_3":
		var k algo.Pair
		if k, err = algo.NewPair(key); err == nil {
			m, err = algo.MAC3(k, data, algo.Padding(in.number("padding")))
		}
	case "hmac_sha256":
		m = algo.HMAC256(key, data)
	default:
		expand := algo.NewAES
		if op == "cmac_tdes" {
			expand = algo.NewTDES
		}
		var b cipher.Block
		if b, err = expand(key); err == nil {
			m = algo.CMAC(b, data)
		}
	}
	if err != nil {
		return nil, err
	}
	n := in.number("bytes")
	if n < 1 || n > len(m) {
		return nil, algo.ErrInput
	}
	return output{"mac": hexText(m[:n])}, nil
}

func combine(in *input) (output, error) {
	var parts [][]byte
	for _, c := range in.texts("components") {
		part := &input{values: in.values}
		parts = append(parts, part.hex(c))
		if part.err != nil {
			in.err = part.err
		}
	}
	tdes := in.text("algorithm") == "TDES"
	key, err := algo.Combine(parts, tdes)
	if err != nil {
		return nil, err
	}
	out := output{"key": hexText(key)}
	method := "aes_cmac"
	if tdes {
		method = "tdes_legacy"
	}
	check, err := kcv(method, key, 3)
	if err != nil {
		return nil, err
	}
	out["kcv"] = check["kcv"]
	return out, nil
}

func optionals(h algo.KeyBlockHeader) map[string]string {
	m := map[string]string{}
	for _, b := range h.Blocks {
		m[b.ID] = b.Data
	}
	return m
}

func tr31(op string, in *input) (output, error) {
	switch op {
	case "parse_header":
		h, _, err := algo.ParseKeyBlockHeader(in.text("header"))
		return output{"optional_blocks_without_pad": optionals(h)}, err
	case "wrap":
		h, n, err := algo.ParseKeyBlockHeader(in.text("header"))
		if err != nil {
			return nil, err
		}
		if n != len(in.text("header")) {
			return nil, vectorError{"header has trailing characters"}
		}
		block, err := algo.WrapKeyBlock(in.bytes("kbpk"), h, in.bytes("key"), bytes.NewReader(in.bytes("padding")))
		return output{"key_block": block}, err
	}
	h, key, err := algo.UnwrapKeyBlock(in.bytes("kbpk"), in.text("key_block"))
	if err != nil {
		return nil, err
	}
	return output{
		"key": hexText(key), "version": string(rune(h.Version)), "length": h.Length, "usage": h.Usage,
		"algorithm": string(rune(h.Algorithm)), "mode_of_use": string(rune(h.Mode)), "key_version": h.KeyVersion,
		"exportability": string(rune(h.Exportability)), "optional_blocks": optionals(h),
	}, nil
}

func gcm(op string, in *input) (output, error) {
	key, err := algo.NewAES(in.bytes("key"))
	if err != nil {
		return nil, err
	}
	if op == "seal" {
		sealed, err := algo.SealGCM(key, in.bytes("iv"), in.bytes("plaintext"), in.bytes("aad"))
		if err != nil {
			return nil, err
		}
		n := len(sealed) - 16
		return output{"ciphertext": hexText(sealed[:n]), "tag": hexText(sealed[n:])}, nil
	}
	plain, err := algo.OpenGCM(key, in.bytes("iv"), append(in.bytes("ciphertext"), in.bytes("tag")...), in.bytes("aad"))
	return output{"plaintext": hexText(plain)}, err
}

func keyWrap(op string, in *input) (output, error) {
	kek, err := algo.NewAES(in.bytes("kek"))
	if err != nil {
		return nil, err
	}
	run := map[string]func(cipher.Block, []byte) ([]byte, error){
		"kw": algo.WrapAES, "kw_unwrap": algo.UnwrapAES, "kwp": algo.WrapAESPadded, "kwp_unwrap": algo.UnwrapAESPadded,
	}[op]
	from, to := "key", "wrapped"
	if strings.HasSuffix(op, "_unwrap") {
		from, to = to, from
	}
	got, err := run(kek, in.bytes(from))
	return output{to: hexText(got)}, err
}

// computeEMV runs the operations of chip cards.
func computeEMV(algorithm, op string, in *input) (output, error) {
	switch algorithm + "/" + op {
	case "emv_icc_mk/derive", "emv_icc_mk/derive_kcv":
		return iccMasterKey(op, in)
	case "emv_session_key/csk", "emv_session_key/csk_kcv", "emv_session_key/visa_sm", "emv_session_key/visa_sm_kcv", "emv_session_key/emv2000_tree":
		return sessionKey(op, in)
	case "emv_ac/ac", "emv_ac/full":
		return cryptogram(op, in)
	case "emv_arpc/method1", "emv_arpc/method2":
		return arpc(op, in)
	case "emv_iad/parse", "emv_iad/build", "emv_iad/cvr_mchip":
		return iad(op, in)
	case "emv_script/mac", "emv_script/pin_block_visa", "emv_script/pin_change":
		return script(op, in)
	}
	if algorithm == "emv_profiles" {
		if p, err := hsm.ParseProfile(op); err == nil {
			return profile(p, in)
		}
	}
	return nil, errUnsupported
}
