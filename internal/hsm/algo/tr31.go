package algo

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// OptionalBlock is an optional block of a key block header: an identifier of
// two characters and printable ASCII data.
type OptionalBlock struct{ ID, Data string }

// KeyBlockHeader is the header of a TR-31 key block (ANSI X9.143, §6).
type KeyBlockHeader struct {
	Version       byte // 'A', 'B', 'C' or 'D'
	Length        int  // characters of the whole block; for [WrapKeyBlock] 0 hides the key's length
	Usage         string
	Algorithm     byte
	Mode          byte
	KeyVersion    string
	Exportability byte
	Blocks        []OptionalBlock // without padding blocks (PB)
}

// Optional returns the data of the first optional block id.
func (h *KeyBlockHeader) Optional(id string) (string, bool) {
	for _, b := range h.Blocks {
		if b.ID == id {
			return b.Data, true
		}
	}
	return "", false
}

const (
	headerLen    = 16
	maxBlockLen  = 9999
	maxOptionals = 99
)

// ParseKeyBlockHeader reads header and optional blocks at the start of text and
// returns how many characters they take. It does not compare the declared
// length with anything.
func ParseKeyBlockHeader(text string) (KeyBlockHeader, int, error) {
	var h KeyBlockHeader
	if len(text) < headerLen {
		return h, 0, ErrKeyBlock
	}
	for i := range headerLen {
		if !alnum(text[i]) {
			return h, 0, ErrKeyBlock
		}
	}
	if text[0] < 'A' || text[0] > 'D' || text[14:16] != "00" {
		return h, 0, ErrKeyBlock
	}
	length, ok1 := digits(text[1:5])
	count, ok2 := digits(text[12:14])
	if !ok1 || !ok2 {
		return h, 0, ErrKeyBlock
	}
	h = KeyBlockHeader{
		Version: text[0], Length: length, Usage: text[5:7], Algorithm: text[7], Mode: text[8],
		KeyVersion: text[9:11], Exportability: text[11],
	}
	at := headerLen
	for range count {
		id, data, n, ok := parseOptional(text[at:])
		if !ok {
			return KeyBlockHeader{}, 0, ErrKeyBlock
		}
		at += n
		if id != "PB" {
			h.Blocks = append(h.Blocks, OptionalBlock{ID: id, Data: data})
		}
	}
	return h, at, nil
}

// parseOptional reads one optional block: id, length of two hexadecimal digits
// counting everything, data; or 00, length of the length, length (X9.143, §6.3).
func parseOptional(s string) (id, data string, n int, ok bool) {
	if len(s) < 4 || !alnum(s[0]) || !alnum(s[1]) {
		return "", "", 0, false
	}
	id = s[:2]
	n, ok = hexNumber(s[2:4])
	start := 4
	if ok && n == 0 {
		if len(s) < 6 {
			return "", "", 0, false
		}
		width, ok := hexNumber(s[4:6])
		if !ok || width < 1 || width > 4 || len(s) < 6+width {
			return "", "", 0, false
		}
		if n, ok = hexNumber(s[6 : 6+width]); !ok {
			return "", "", 0, false
		}
		start = 6 + width
	}
	if !ok || n < start || n > len(s) {
		return "", "", 0, false
	}
	data = s[start:n]
	for i := range len(data) {
		if data[i] < 0x20 || data[i] > 0x7E {
			return "", "", 0, false
		}
	}
	return id, data, n, true
}

func alnum(c byte) bool { return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' }

func digits(s string) (int, bool) {
	if !decimal(s) {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

func hexNumber(s string) (int, bool) {
	n := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			n = n<<4 | int(c-'0')
		case c >= 'A' && c <= 'F':
			n = n<<4 | int(c-'A'+10)
		default:
			return 0, false
		}
	}
	return n, true
}

// text renders the header with optional blocks, padded by a PB block to
// blocks of size, and with total as its length.
func (h *KeyBlockHeader) text(size, total int) (string, error) {
	blocks := h.Blocks
	var opt strings.Builder
	for _, b := range blocks {
		if err := writeOptional(&opt, b); err != nil {
			return "", err
		}
	}
	count := len(blocks)
	if rest := opt.Len() % size; rest != 0 {
		pad := size - rest
		if pad < 4 {
			pad += size
		}
		if err := writeOptional(&opt, OptionalBlock{ID: "PB", Data: strings.Repeat("0", pad-4)}); err != nil {
			return "", err
		}
		count++
	}
	if count > maxOptionals || total < 0 || total > maxBlockLen {
		return "", ErrKeyBlock
	}
	head := fmt.Sprintf("%c%04d%s%c%c%s%c%02d00", h.Version, total, h.Usage, h.Algorithm, h.Mode, h.KeyVersion, h.Exportability, count)
	if len(head) != headerLen {
		return "", ErrKeyBlock
	}
	return head + opt.String(), nil
}

func writeOptional(w *strings.Builder, b OptionalBlock) error {
	n := 4 + len(b.Data)
	if len(b.ID) != 2 || n > 0xFFFF-10 {
		return ErrKeyBlock
	}
	if n <= 0xFF {
		_, err := fmt.Fprintf(w, "%s%02X%s", b.ID, n, b.Data)
		return err
	}
	_, err := fmt.Fprintf(w, "%s0004%04X%s", b.ID, n+6, b.Data)
	return err
}

// protection is the pair of keys derived from a key block protection key.
type protection struct {
	enc, mac cipher.Block
	size     int // cipher block
	macLen   int
	binding  bool // versions B and D: MAC over plain text, which is also the IV
}

func protectionKeys(version byte, kbpk []byte) (protection, error) {
	switch version {
	case 'A', 'C':
		enc, err := variantKey(kbpk, 0x45)
		if err != nil {
			return protection{}, err
		}
		mac, err := variantKey(kbpk, 0x4D)
		return protection{enc: enc, mac: mac, size: 8, macLen: 4}, err
	case 'B':
		enc, err := derivedKey(kbpk, 0, NewTDES)
		if err != nil {
			return protection{}, err
		}
		mac, err := derivedKey(kbpk, 1, NewTDES)
		return protection{enc: enc, mac: mac, size: 8, macLen: 8, binding: true}, err
	case 'D':
		enc, err := derivedKey(kbpk, 0, NewAES)
		if err != nil {
			return protection{}, err
		}
		mac, err := derivedKey(kbpk, 1, NewAES)
		return protection{enc: enc, mac: mac, size: 16, macLen: 16, binding: true}, err
	}
	return protection{}, ErrKeyBlock
}

// variantKey is the variant method (X9.143, §7.2.1).
func variantKey(kbpk []byte, mask byte) (cipher.Block, error) {
	k := make([]byte, len(kbpk))
	defer clear(k)
	for i := range k {
		k[i] = kbpk[i] ^ mask
	}
	return NewTDES(k)
}

// derivedKey is the derivation method (X9.143, §7.2.2): CMAC in counter mode.
func derivedKey(kbpk []byte, usage byte, expand func([]byte) (cipher.Block, error)) (cipher.Block, error) {
	b, err := expand(kbpk)
	if err != nil {
		return nil, ErrKey
	}
	n := len(kbpk)
	var alg byte
	if b.BlockSize() == 16 {
		alg = byte(n / 8) // 2, 3 and 4 for AES-128, -192 and -256
	} else if n == 24 {
		alg = 1
	}
	var key []byte
	defer func() { clear(key) }()
	for i := byte(1); len(key) < n; i++ {
		in := []byte{i, 0, usage, 0, 0, alg, byte(n * 8 >> 8), byte(n * 8)}
		key = append(key, CMAC(b, in)...)
	}
	return expand(key[:n])
}

// keyLengthFits reports whether bits is a length a key of the algorithm can have.
func keyLengthFits(algorithm byte, bits int) bool {
	switch algorithm {
	case 'T':
		return bits == 64 || bits == 128 || bits == 192
	case 'D':
		return bits == 64
	case 'A':
		return bits == 128 || bits == 192 || bits == 256
	}
	return bits >= 8 && bits%8 == 0 && bits <= 32*1024
}

// UnwrapKeyBlock opens a TR-31 key block of version A, B, C or D (X9.143, §7).
// The caller decides which versions and header values it accepts, before or
// after. Every refusal is [ErrKeyBlock]; all comparisons are in constant time.
func UnwrapKeyBlock(kbpk []byte, block string) (KeyBlockHeader, []byte, error) {
	h, n, err := ParseKeyBlockHeader(block)
	if err != nil {
		return h, nil, err
	}
	p, err := protectionKeys(h.Version, kbpk)
	if err != nil {
		return KeyBlockHeader{}, nil, ErrKeyBlock
	}
	key, ok := p.unwrap(&h, block, n)
	if !ok {
		return KeyBlockHeader{}, nil, ErrKeyBlock
	}
	return h, key, nil
}

func (p protection) unwrap(h *KeyBlockHeader, block string, n int) ([]byte, bool) {
	if len(block) != h.Length || len(block)%p.size != 0 || n%p.size != 0 {
		return nil, false
	}
	for i := n; i < len(block); i++ {
		if c := block[i]; (c < '0' || c > '9') && (c < 'A' || c > 'F') {
			return nil, false
		}
	}
	body, err := hex.DecodeString(block[n:])
	if err != nil || len(body) <= p.macLen {
		return nil, false
	}
	text, mac := body[:len(body)-p.macLen], body[len(body)-p.macLen:]
	if len(text) < p.size || len(text)%p.size != 0 {
		return nil, false
	}
	head := []byte(block[:n])
	iv := head[:p.size]
	var want []byte
	if p.binding {
		iv = mac
	} else {
		want = cbcMAC(p.mac, append(append([]byte(nil), head...), text...))
	}
	plain := make([]byte, len(text))
	cipher.NewCBCDecrypter(p.enc, iv).CryptBlocks(plain, text)
	defer clear(plain)
	if p.binding {
		want = CMAC(p.mac, append(append([]byte(nil), head...), plain...))
	}
	if subtle.ConstantTimeCompare(want[:p.macLen], mac) != 1 {
		return nil, false
	}
	length := int(binary.BigEndian.Uint16(plain))
	if !keyLengthFits(h.Algorithm, length) || 2+length/8 > len(plain) {
		return nil, false
	}
	return append([]byte(nil), plain[2:2+length/8]...), true
}

// longestKey is the length to which a key is padded to hide its own, in bytes.
func longestKey(algorithm byte, key int) int {
	longest := 0
	switch algorithm {
	case 'T', 'D':
		longest = 24
	case 'A':
		longest = 32
	case 'H':
		longest = 64
	}
	return max(longest, key)
}

// WrapKeyBlock makes a TR-31 key block of h.Version under kbpk. Padding comes
// from random. When h.Length is 0 the key is padded to the longest of its
// algorithm; else the block has exactly that length.
func WrapKeyBlock(kbpk []byte, h KeyBlockHeader, key []byte, random io.Reader) (string, error) {
	p, err := protectionKeys(h.Version, kbpk)
	if err != nil {
		return "", ErrKeyBlock
	}
	if !keyLengthFits(h.Algorithm, len(key)*8) {
		return "", ErrKey
	}
	head, err := h.text(p.size, 0)
	if err != nil {
		return "", err
	}
	total := h.Length
	if total == 0 {
		field := 2 + longestKey(h.Algorithm, len(key))
		field += (p.size - field%p.size) % p.size
		total = len(head) + 2*(field+p.macLen)
	}
	if head, err = h.text(p.size, total); err != nil {
		return "", err
	}
	field := (total-len(head))/2 - p.macLen
	if (total-len(head))%2 != 0 || field < 2+len(key) || field%p.size != 0 {
		return "", ErrKeyBlock
	}
	plain := make([]byte, field)
	defer clear(plain)
	binary.BigEndian.PutUint16(plain, uint16(len(key)*8))
	copy(plain[2:], key)
	if _, err := io.ReadFull(random, plain[2+len(key):]); err != nil {
		return "", err
	}
	text := make([]byte, field)
	var mac []byte
	if p.binding {
		mac = CMAC(p.mac, append([]byte(head), plain...))[:p.macLen]
		cipher.NewCBCEncrypter(p.enc, mac).CryptBlocks(text, plain)
	} else {
		cipher.NewCBCEncrypter(p.enc, []byte(head[:p.size])).CryptBlocks(text, plain)
		mac = cbcMAC(p.mac, append([]byte(head), text...))[:p.macLen]
	}
	return head + strings.ToUpper(hex.EncodeToString(text)+hex.EncodeToString(mac)), nil
}
