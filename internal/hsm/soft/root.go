package soft

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Refusals to open a root key.
var (
	// ErrRootKeyMissing: the file does not exist and may not be created.
	ErrRootKeyMissing = errors.New("soft: root key file is missing")
	// ErrRootKeyFile: the file is not a regular file of mode 0600 or stricter,
	// or does not hold what it must hold.
	ErrRootKeyFile = errors.New("soft: root key file is malformed or open to others")
	// ErrPassphrase: the passphrase is too short, or not the one the parameters
	// file was made with.
	ErrPassphrase = errors.New("soft: passphrase refused")
)

const (
	rootLen = 32
	version = 0x01

	// Argon2id cost of new parameter files; less than the floor is refused, so
	// that editing the file cannot weaken the derivation.
	argonMemory, argonTime, argonThreads = 128 * 1024, 3, 1
	argonMemoryFloor, argonTimeFloor     = 64 * 1024, 3
	argonMemoryCeiling, argonTimeCeiling = 4 * 1024 * 1024, 64

	passphraseMin = 15
)

// readPrivate reads a small file that only its owner may open.
func readPrivate(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 || info.Size() > 4096 {
		return nil, ErrRootKeyFile
	}
	return os.ReadFile(path)
}

// createPrivate writes a file of mode 0600 that did not exist. It appears whole
// or not at all; when another process was faster its file stays.
func createPrivate(path string, content []byte) error {
	dir := filepath.Dir(path)
	var suffix [8]byte
	if _, err := rand.Read(suffix[:]); err != nil {
		return err
	}
	temp := filepath.Join(dir, "."+filepath.Base(path)+"."+hex.EncodeToString(suffix[:]))
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(temp) //nolint:errcheck // the link stays
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	// A link fails when the name exists: that is O_EXCL for whole files.
	if err := os.Link(temp, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close() //nolint:errcheck // read only
	return d.Sync()
}

// rootFromFile reads 64 hexadecimal digits, creating the file when asked to.
func rootFromFile(path string, create bool) ([]byte, error) {
	text, err := readPrivate(path)
	if errors.Is(err, fs.ErrNotExist) {
		if !create {
			return nil, fmt.Errorf("%w: %s", ErrRootKeyMissing, path)
		}
		root := make([]byte, rootLen)
		if _, err := rand.Read(root); err != nil {
			return nil, fmt.Errorf("draw root key: %w", err)
		}
		fresh := append(hex.AppendEncode(nil, root), '\n')
		clear(root)
		if err := createPrivate(path, fresh); err != nil {
			return nil, fmt.Errorf("create root key file: %w", err)
		}
		clear(fresh)
		text, err = readPrivate(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read root key file %s: %w", path, err)
	}
	defer clear(text)
	root := make([]byte, rootLen)
	digits := bytes.TrimSpace(text)
	if len(digits) != 2*rootLen {
		return nil, fmt.Errorf("read root key file %s: %w", path, ErrRootKeyFile)
	}
	if _, err := hex.Decode(root, digits); err != nil {
		return nil, fmt.Errorf("read root key file %s: %w", path, ErrRootKeyFile)
	}
	return root, nil
}

// rootFromPassphrase derives the root key. The parameters file holds one line:
// argon2id v=1 m=KIB t=PASSES p=THREADS salt=HEX check=HEX, where check are 8
// bytes of HMAC-SHA-256 under the root key that tell a wrong passphrase.
func rootFromPassphrase(passphrase []byte, path string, create bool) ([]byte, error) {
	if len(passphrase) < passphraseMin {
		return nil, fmt.Errorf("%w: fewer than %d bytes", ErrPassphrase, passphraseMin)
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && create {
		salt := make([]byte, 16)
		if _, err := rand.Read(salt); err != nil {
			return nil, fmt.Errorf("draw salt: %w", err)
		}
		root := argon2.IDKey(passphrase, salt, argonTime, argonMemory, argonThreads, rootLen)
		line := fmt.Sprintf("argon2id v=1 m=%d t=%d p=%d salt=%x check=%x\n", argonMemory, argonTime, argonThreads, salt, rootCheck(root))
		clear(root)
		if err := createPrivate(path, []byte(line)); err != nil {
			return nil, fmt.Errorf("create parameters file: %w", err)
		}
		text, err = os.ReadFile(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrRootKeyMissing, path)
	}
	if err != nil {
		return nil, fmt.Errorf("read parameters file: %w", err)
	}
	var memory, passes uint32
	var threads uint8
	var salt, check []byte
	line := strings.TrimSpace(string(text))
	n, err := fmt.Sscanf(line, "argon2id v=1 m=%d t=%d p=%d salt=%x check=%x", &memory, &passes, &threads, &salt, &check)
	if err != nil || n != 5 || len(salt) < 16 || len(check) != 8 || threads < 1 ||
		memory < argonMemoryFloor || memory > argonMemoryCeiling || passes < argonTimeFloor || passes > argonTimeCeiling {
		return nil, fmt.Errorf("read parameters file %s: %w", path, ErrRootKeyFile)
	}
	root := argon2.IDKey(passphrase, salt, passes, memory, threads, rootLen)
	if subtle.ConstantTimeCompare(rootCheck(root), check) != 1 {
		clear(root)
		return nil, ErrPassphrase
	}
	return root, nil
}

func rootCheck(root []byte) []byte {
	h := hmac.New(sha256.New, root)
	h.Write([]byte("sarraf hsm soft root check"))
	return h.Sum(nil)[:8]
}

// extract turns the root key into the key all others are expanded from.
func extract(root []byte) ([]byte, error) {
	return hkdf.Extract(sha256.New, root, []byte("sarraf hsm soft"))
}

// The kinds of derived keys.
const (
	kindKeyBlock = "key-block"
	kindSeal     = "seal"
	kindIndex    = "index"
	kindTag      = "conceal-tag"
	kindConceal  = "conceal"
)

// derivationLabel is the info of the package comment.
func derivationLabel(kind, purpose, tenant string) string {
	out := []byte{version}
	for _, s := range [...]string{kind, purpose, tenant} {
		out = binary.BigEndian.AppendUint16(out, uint16(len(s)))
		out = append(out, s...)
	}
	return string(out)
}
