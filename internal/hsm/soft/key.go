package soft

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/hsm/algo"
)

// loaded is an unwrapped key with its expanded forms. It never changes.
type loaded struct {
	ref   hsm.KeyRef // as the block's header says, without Block
	key   []byte
	block cipher.Block // TDES or AES
	pair  algo.Pair    // double-length TDES only
	field cipher.AEAD  // usage D0 only: GCM with a random nonce in front
}

// use opens ref for an operation that needs mode, with one of usages.
func (b *Backend) use(ref *hsm.KeyRef, mode hsm.Mode, usages ...hsm.Usage) (*loaded, error) {
	k, err := b.peek(ref)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(usages, k.ref.Usage) || !k.ref.Mode.Allows(mode) {
		return nil, hsm.ErrKeyUsage
	}
	return k, nil
}

// peek opens ref whatever it is for.
func (b *Backend) peek(ref *hsm.KeyRef) (*loaded, error) {
	if b.closed.Load() {
		return nil, hsm.ErrUnavailable
	}
	if ref.Block == "" {
		return nil, hsm.ErrKeyNotFound
	}
	k, ok := b.keys.Get(ref.Block)
	if !ok {
		var err error
		if k, err = b.load(ref); err != nil {
			return nil, err
		}
		b.keys.Add(ref.Block, k)
	}
	// The header is authoritative: a reference that says anything else was
	// tampered with or belongs to another row.
	if !sameKey(ref, &k.ref) {
		return nil, hsm.ErrIntegrity
	}
	return k, nil
}

// sameKey compares everything but Block.
func sameKey(a, b *hsm.KeyRef) bool {
	return a.Tenant == b.Tenant && a.ID == b.ID && a.Usage == b.Usage && a.Algorithm == b.Algorithm && a.Mode == b.Mode &&
		a.Exportability == b.Exportability && a.Version == b.Version && a.KCV == b.KCV && a.Test == b.Test
}

// load unwraps the block of ref under its tenant's protection key.
func (b *Backend) load(ref *hsm.KeyRef) (*loaded, error) {
	kbpk, err := b.derive(kindKeyBlock, "", ref.Tenant)
	if err != nil {
		return nil, err
	}
	defer clear(kbpk)
	if ref.Block[0] != 'D' {
		return nil, hsm.ErrIntegrity
	}
	h, key, err := algo.UnwrapKeyBlock(kbpk, ref.Block)
	if err != nil {
		return nil, hsm.ErrIntegrity
	}
	k := &loaded{key: key, ref: hsm.KeyRef{
		Usage: hsm.Usage(h.Usage), Algorithm: hsm.Algorithm(rune(h.Algorithm)), Mode: hsm.Mode(rune(h.Mode)),
		Exportability: hsm.Exportability(rune(h.Exportability)), Version: h.KeyVersion,
	}}
	label, _ := h.Optional("LB")
	parts := strings.Split(label, "|")
	if len(parts) != 4 || parts[0] != "S1" || (parts[3] != "T" && parts[3] != "P") {
		return nil, hsm.ErrIntegrity
	}
	k.ref.Tenant, k.ref.ID, k.ref.Test = parts[1], parts[2], parts[3] == "T"
	check, err := k.expand()
	if err != nil {
		return nil, hsm.ErrIntegrity
	}
	if stored, _ := h.Optional("KC"); stored != check {
		return nil, hsm.ErrIntegrity
	}
	return k, nil
}

// expand fills the expanded forms and the KCV of k from its key. It returns the
// content of the KC block.
func (k *loaded) expand() (check string, err error) {
	switch k.ref.Algorithm {
	case hsm.TDES:
		if k.block, err = algo.NewTDES(k.key); err != nil {
			return "", err
		}
		if len(k.key) == 16 {
			if k.pair, err = algo.NewPair(k.key); err != nil {
				return "", err
			}
		}
		v, err := algo.KCVZeros(k.block, 3)
		if err != nil {
			return "", err
		}
		k.ref.KCV = upperHex(v)
		return "00" + k.ref.KCV, nil
	case hsm.AES:
		if k.block, err = algo.NewAES(k.key); err != nil {
			return "", err
		}
		v, err := algo.KCVCMAC(k.block, 5)
		if err != nil {
			return "", err
		}
		k.ref.KCV = upperHex(v[:3])
		if k.ref.Usage == hsm.UsageField {
			if k.field, err = cipher.NewGCMWithRandomNonce(k.block); err != nil {
				return "", err
			}
		}
		return "01" + upperHex(v), nil
	case hsm.HMAC:
		k.ref.KCV = upperHex(algo.HMAC256(k.key, nil)[:3])
		return "", nil // X9.143 has no check value for them
	}
	return "", algo.ErrKey
}

func upperHex(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }

// wrap makes the reference of a clear key.
func (b *Backend) wrap(tenant string, spec hsm.KeySpec, key []byte) (hsm.KeyRef, error) {
	ref := hsm.KeyRef{
		Tenant: tenant, ID: spec.ID, Usage: spec.Usage, Algorithm: spec.Algorithm, Mode: spec.Mode,
		Exportability: spec.Exportability, Version: spec.Version, Test: spec.Test,
	}
	k := &loaded{ref: ref, key: key}
	check, err := k.expand()
	if err != nil {
		return hsm.KeyRef{}, hsm.ErrFormat
	}
	ref.KCV = k.ref.KCV
	mark := "P"
	if spec.Test {
		mark = "T"
	}
	h := blockHeader('D', &ref)
	h.Blocks = append(h.Blocks, algo.OptionalBlock{ID: "LB", Data: strings.Join([]string{"S1", tenant, spec.ID, mark}, "|")})
	if check != "" {
		h.Blocks = append(h.Blocks, algo.OptionalBlock{ID: "KC", Data: check})
	}
	kbpk, err := b.derive(kindKeyBlock, "", tenant)
	if err != nil {
		return hsm.KeyRef{}, err
	}
	defer clear(kbpk)
	if ref.Block, err = algo.WrapKeyBlock(kbpk, h, key, rand.Reader); err != nil {
		return hsm.KeyRef{}, hsm.ErrFormat
	}
	return ref, nil
}

// blockHeader is the header of a block with ref's attributes.
func blockHeader(blockVersion byte, ref *hsm.KeyRef) algo.KeyBlockHeader {
	h := algo.KeyBlockHeader{
		Version: blockVersion, Usage: string(ref.Usage), Algorithm: ref.Algorithm[0], Mode: ref.Mode[0],
		KeyVersion: ref.Version, Exportability: ref.Exportability[0],
	}
	if ref.Algorithm == hsm.HMAC {
		h.Blocks = []algo.OptionalBlock{{ID: "HM", Data: hmSHA256}}
	}
	return h
}

// hmSHA256 is the hash of HMAC keys in the HM block (X9.143, table 8).
const hmSHA256 = "21"

// rule says which keys a usage may have.
type rule struct {
	usages []hsm.Usage
	modes  string
	bits   map[hsm.Algorithm][]int
}

func ruleOf(u hsm.Usage) (rule, bool) {
	const cipherModes, macModes = "BDEN", "CGVN"
	double := map[hsm.Algorithm][]int{hsm.TDES: {128}}
	tdes := map[hsm.Algorithm][]int{hsm.TDES: {128, 192}}
	aes := []int{128, 192, 256}
	both := map[hsm.Algorithm][]int{hsm.TDES: {128, 192}, hsm.AES: aes}
	for _, r := range [...]rule{
		{[]hsm.Usage{hsm.UsageCVK, hsm.UsageMAC3}, macModes, double},
		{[]hsm.Usage{hsm.UsagePVKIBM3624, hsm.UsagePVKVisa, hsm.UsageMAC1}, macModes, tdes},
		{[]hsm.Usage{hsm.UsageCMAC}, macModes, both},
		{[]hsm.Usage{hsm.UsageHMAC}, macModes, map[hsm.Algorithm][]int{hsm.HMAC: nil}},
		{[]hsm.Usage{hsm.UsageIMKAC, hsm.UsageIMKSMC, hsm.UsageIMKSMI, hsm.UsageIMKDAC, hsm.UsageIMKIDN}, "XN", double},
		{[]hsm.Usage{hsm.UsagePIN, hsm.UsageKEK, hsm.UsageKeyBlock}, cipherModes, both},
		{[]hsm.Usage{hsm.UsageField}, cipherModes, map[hsm.Algorithm][]int{hsm.AES: aes}},
	} {
		if slices.Contains(r.usages, u) {
			return r, true
		}
	}
	return rule{}, false
}

// admit checks tenant and spec, and fills the default version.
func admit(tenant string, spec *hsm.KeySpec) error {
	if !labelText(tenant) || !labelText(spec.ID) {
		return hsm.ErrFormat
	}
	if spec.Version == "" {
		spec.Version = "00"
	}
	if len(spec.Version) != 2 || !upperAlnum(spec.Version) {
		return hsm.ErrFormat
	}
	switch spec.Exportability {
	case hsm.Exportable, hsm.NonExportable, hsm.Sensitive:
	default:
		return hsm.ErrFormat
	}
	r, ok := ruleOf(spec.Usage)
	if !ok || len(spec.Mode) != 1 || !strings.Contains(r.modes, string(spec.Mode)) {
		return hsm.ErrKeyUsage
	}
	lengths, ok := r.bits[spec.Algorithm]
	if !ok {
		return hsm.ErrKeyUsage
	}
	if spec.Algorithm == hsm.HMAC {
		if spec.Bits < 128 || spec.Bits > 512 || spec.Bits%8 != 0 {
			return hsm.ErrKeyUsage
		}
	} else if !slices.Contains(lengths, spec.Bits) {
		return hsm.ErrKeyUsage
	}
	return nil
}

// labelText reports whether s may stand in a label block.
func labelText(s string) bool {
	if len(s) < 1 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		if s[i] < 0x21 || s[i] > 0x7E || s[i] == '|' {
			return false
		}
	}
	return true
}

func upperAlnum(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// GenerateKey makes a random key of tenant; see [hsm.Keys].
func (b *Backend) GenerateKey(_ context.Context, tenant string, spec hsm.KeySpec) (hsm.KeyRef, error) {
	if b.closed.Load() {
		return hsm.KeyRef{}, hsm.ErrUnavailable
	}
	if err := admit(tenant, &spec); err != nil {
		return hsm.KeyRef{}, fmt.Errorf("generate key: %w", err)
	}
	key, err := freshKey(spec.Algorithm, spec.Bits/8)
	if err != nil {
		return hsm.KeyRef{}, fmt.Errorf("generate key: %w", err)
	}
	defer clear(key)
	ref, err := b.wrap(tenant, spec, key)
	if err != nil {
		return hsm.KeyRef{}, fmt.Errorf("generate key: %w", err)
	}
	return ref, nil
}

func freshKey(a hsm.Algorithm, n int) ([]byte, error) {
	key := make([]byte, n)
	for {
		if _, err := rand.Read(key); err != nil {
			return nil, err
		}
		if a != hsm.TDES {
			return key, nil
		}
		algo.OddParity(key)
		if algo.CheckTDES(key) == nil {
			return key, nil
		}
	}
}

// ImportKeyBlock takes a key over; see [hsm.Keys].
func (b *Backend) ImportKeyBlock(_ context.Context, tenant string, kek hsm.KeyRef, block string, spec hsm.KeySpec) (hsm.KeyRef, error) {
	ref, err := b.importKeyBlock(tenant, &kek, block, spec)
	if err != nil {
		return hsm.KeyRef{}, fmt.Errorf("import key block: %w", err)
	}
	return ref, nil
}

func (b *Backend) importKeyBlock(tenant string, kek *hsm.KeyRef, block string, spec hsm.KeySpec) (hsm.KeyRef, error) {
	k, err := b.use(kek, hsm.ModeDecrypt, hsm.UsageKEK, hsm.UsageKeyBlock)
	if err != nil {
		return hsm.KeyRef{}, err
	}
	if kek.Tenant != tenant || kek.Test != spec.Test {
		return hsm.KeyRef{}, hsm.ErrKeyPolicy
	}
	h, _, err := algo.ParseKeyBlockHeader(block)
	if err != nil {
		return hsm.KeyRef{}, hsm.ErrFormat
	}
	if h.Version != exportVersion(k) {
		return hsm.KeyRef{}, hsm.ErrKeyPolicy // A and C are of old; B is TDES, D is AES
	}
	given := spec.Mode
	spec.Mode = hsm.Mode(rune(h.Mode))
	if h.Usage != string(spec.Usage) || string(rune(h.Algorithm)) != string(spec.Algorithm) || !narrows(given, spec.Mode) ||
		(spec.Version != "" && spec.Version != h.KeyVersion) {
		return hsm.KeyRef{}, hsm.ErrKeyUsage
	}
	spec.Mode, spec.Version = given, h.KeyVersion
	switch hsm.Exportability(rune(h.Exportability)) {
	case hsm.Exportable:
	case hsm.Sensitive:
		if spec.Exportability == hsm.Exportable {
			return hsm.KeyRef{}, hsm.ErrKeyPolicy
		}
	case hsm.NonExportable:
		if spec.Exportability != hsm.NonExportable {
			return hsm.KeyRef{}, hsm.ErrKeyPolicy
		}
	default:
		return hsm.KeyRef{}, hsm.ErrFormat
	}
	if hash, ok := h.Optional("HM"); spec.Algorithm == hsm.HMAC && (!ok || hash != hmSHA256) {
		return hsm.KeyRef{}, hsm.ErrKeyUsage
	}
	_, key, err := algo.UnwrapKeyBlock(k.key, block)
	if err != nil {
		return hsm.KeyRef{}, hsm.ErrFormat
	}
	defer clear(key)
	if spec.Bits != 0 && spec.Bits != len(key)*8 {
		return hsm.KeyRef{}, hsm.ErrKeyUsage
	}
	spec.Bits = len(key) * 8
	if err := admit(tenant, &spec); err != nil {
		return hsm.KeyRef{}, err
	}
	if spec.Algorithm == hsm.TDES {
		algo.OddParity(key)
	}
	if !spec.Test && (algo.PubliclyKnown(key) || spec.Algorithm == hsm.TDES && algo.CheckTDES(key) != nil) {
		return hsm.KeyRef{}, hsm.ErrKeyPolicy
	}
	if !protects(k, spec.Algorithm, len(key)) {
		return hsm.KeyRef{}, hsm.ErrKeyPolicy
	}
	return b.wrap(tenant, spec, key)
}

// narrows reports whether want is have or a part of it.
func narrows(want, have hsm.Mode) bool {
	switch {
	case want == have, have == hsm.ModeUnlimited:
		return true
	case have == hsm.ModeBoth:
		return want == hsm.ModeDecrypt || want == hsm.ModeEncrypt
	case have == hsm.ModeMAC:
		return want == hsm.ModeGenerate || want == hsm.ModeVerify
	}
	return false
}

// exportVersion is the version of blocks under a key-encryption key.
func exportVersion(kek *loaded) byte {
	if kek.ref.Algorithm == hsm.AES {
		return 'D'
	}
	return 'B'
}

// protects reports whether kek is at least as strong as a key of n bytes.
func protects(kek *loaded, a hsm.Algorithm, n int) bool {
	switch {
	case kek.ref.Algorithm == hsm.AES && a == hsm.TDES:
		return true
	case kek.ref.Algorithm == hsm.AES && a == hsm.HMAC:
		return len(kek.key) >= min(n, 32)
	case kek.ref.Algorithm != a:
		return false
	}
	return len(kek.key) >= n
}

// ExportKeyBlock hands a key out; see [hsm.Keys].
func (b *Backend) ExportKeyBlock(_ context.Context, kek, key hsm.KeyRef) (string, error) {
	block, err := b.exportKeyBlock(&kek, &key)
	if err != nil {
		return "", fmt.Errorf("export key block: %w", err)
	}
	return block, nil
}

func (b *Backend) exportKeyBlock(kek, key *hsm.KeyRef) (string, error) {
	k, err := b.use(kek, hsm.ModeEncrypt, hsm.UsageKEK, hsm.UsageKeyBlock)
	if err != nil {
		return "", err
	}
	v, err := b.peek(key)
	if err != nil {
		return "", err
	}
	if v.ref.Tenant != k.ref.Tenant || v.ref.Test != k.ref.Test || v.ref.Exportability == hsm.NonExportable ||
		!protects(k, v.ref.Algorithm, len(v.key)) {
		return "", hsm.ErrKeyPolicy
	}
	block, err := algo.WrapKeyBlock(k.key, blockHeader(exportVersion(k), &v.ref), v.key, rand.Reader)
	if err != nil {
		return "", hsm.ErrFormat
	}
	return block, nil
}

// GenerateTransportKey makes a key shared with an API client; see [hsm.Keys].
func (b *Backend) GenerateTransportKey(_ context.Context, tenant, id string, client *rsa.PublicKey, use hsm.TransportUse, test bool) (hsm.TransportKey, error) {
	t, err := b.generateTransportKey(tenant, id, client, use, test)
	if err != nil {
		return hsm.TransportKey{}, fmt.Errorf("generate transport key: %w", err)
	}
	return t, nil
}

func (b *Backend) generateTransportKey(tenant, id string, client *rsa.PublicKey, use hsm.TransportUse, test bool) (hsm.TransportKey, error) {
	if b.closed.Load() {
		return hsm.TransportKey{}, hsm.ErrUnavailable
	}
	if client == nil || client.N == nil || client.N.BitLen() < 2048 || client.N.BitLen() > 8192 {
		return hsm.TransportKey{}, hsm.ErrKeyPolicy
	}
	spec := hsm.KeySpec{
		ID: id, Algorithm: hsm.AES, Bits: 256, Mode: hsm.ModeBoth, Exportability: hsm.NonExportable, Test: test,
	}
	switch use {
	case hsm.Fields:
		spec.Usage = hsm.UsageField
	case hsm.KeyBlocks:
		spec.Usage = hsm.UsageKeyBlock
	default:
		return hsm.TransportKey{}, hsm.ErrFormat
	}
	if err := admit(tenant, &spec); err != nil {
		return hsm.TransportKey{}, err
	}
	key, err := freshKey(hsm.AES, 32)
	if err != nil {
		return hsm.TransportKey{}, err
	}
	defer clear(key)
	wrapped, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, client, key, nil)
	if err != nil {
		return hsm.TransportKey{}, hsm.ErrKeyPolicy
	}
	ref, err := b.wrap(tenant, spec, key)
	if err != nil {
		return hsm.TransportKey{}, err
	}
	return hsm.TransportKey{Ref: ref, Wrapped: wrapped, KCV: ref.KCV}, nil
}
