package sim

import (
	"crypto/cipher"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/hsm/algo"
	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/wire/emv"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// chip is what a chip keeps for issuer scripts.
type chip struct {
	ac, smi, smc [16]byte
	takesScripts bool
	pin          secret.Value // as the chip itself verifies it; zero until a script brought one
	unblocked    int          // how often its tries began anew
	last         scriptsDone
}

// scriptsDone is what a chip remembers of the scripts of its last transaction,
// and tells in the next.
type scriptsDone struct {
	count  byte
	failed bool
}

func flag(set bool, bit byte) byte {
	if set {
		return bit
	}
	return 0
}

func newChip(i KnownCard) (c chip, err error) {
	if i.ICCSMIKey == "" || i.ICCSMCKey == "" {
		return c, nil
	}
	for _, k := range []struct {
		to   *[16]byte
		text string
		name string
	}{{&c.ac, i.ICCMasterKey, "iccMasterKey"}, {&c.smi, i.ICCSMIKey, "iccSmiKey"}, {&c.smc, i.ICCSMCKey, "iccSmcKey"}} {
		b, err := hex.DecodeString(k.text)
		if err != nil || len(b) != len(k.to) {
			return c, fmt.Errorf("%s: is not 32 hexadecimal digits", k.name)
		}
		copy(k.to[:], b)
	}
	c.takesScripts = true
	return c, nil
}

// OfflinePIN is the PIN that the chip verifies itself, as far as a script has
// brought one.
func (c *Card) OfflinePIN() secret.Value {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.chip.pin
}

// Unblocked is how often a script let the chip's PIN tries begin anew.
func (c *Card) Unblocked() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.chip.unblocked
}

// RunScripts lets the chip carry out the issuer scripts of an answer, as a
// terminal does after the second cryptogram. It returns what the terminal
// reports of them (tag 9F5B), nil when there were none. What the chip has done,
// it tells in its next cryptogram.
func (r *Request) RunScripts(answer *iso8583.Message) ([]byte, error) {
	said, err := emv.ParseAnswer(answer.Bytes(iso8583.ICCData))
	if err != nil {
		return nil, fmt.Errorf("read chip data of the answer: %w", err)
	}
	c := r.card
	c.mu.Lock()
	defer c.mu.Unlock()
	c.chip.last = scriptsDone{}
	var results []byte
	sequence := 0
	for _, s := range said.ScriptsAfter {
		const succeeded, failed = 0x20, 0x10
		result := byte(succeeded)
		for _, command := range s.Commands {
			err := c.execute(command, r.signed, sequence)
			sequence++
			if err != nil {
				result, c.chip.last.failed = failed|byte(sequence), true
				break
			}
			c.chip.last.count++
		}
		results = append(append(results, result), s.Identifier[:]...)
	}
	return results, nil
}

var errScript = errors.New("the chip refuses the script")

const macLen = 8

// execute carries out one command of an issuer script.
func (c *Card) execute(command []byte, signed algo.ARQCInput, sequence int) error {
	if !c.chip.takesScripts || len(command) < 5+macLen || int(command[4]) != len(command)-5 {
		return errScript
	}
	header := [4]byte(command[:4])
	body := command[5 : len(command)-macLen]
	smi, err := sessionKey(c.Profile, c.chip.smi, signed, sequence)
	if err != nil {
		return err
	}
	want, err := algo.Script(c.Profile, smi, header, signed.ATC, signed.ARQC, body)
	if err != nil || string(want) != string(command) {
		return errScript // the MAC is wrong
	}
	switch header {
	case [4]byte{0x84, 0x24, 0, 0}:
		c.chip.unblocked++
		return nil
	case [4]byte{0x84, 0x24, 0, 2}:
		pin, err := c.decipherPIN(body, signed, sequence)
		if err == nil {
			c.chip.pin = pin
			c.chip.unblocked++
		}
		return err
	}
	return errScript
}

func sessionKey(p algo.Profile, master [16]byte, signed algo.ARQCInput, sequence int) (algo.Pair, error) {
	sk, err := algo.ScriptKey(p, master, signed.ATC, signed.ARQC, sequence)
	if err != nil {
		return algo.Pair{}, err
	}
	return algo.NewPair(sk[:])
}

// decipherPIN reads the PIN of a PIN change.
func (c *Card) decipherPIN(body []byte, signed algo.ARQCInput, sequence int) (secret.Value, error) {
	smc, err := sessionKey(c.Profile, c.chip.smc, signed, sequence)
	if err != nil {
		return secret.Value{}, err
	}
	way, err := algo.ScriptEncryptionOf(c.Profile)
	if err != nil || len(body) == 0 || len(body)%8 != 0 {
		return secret.Value{}, errScript
	}
	plain := make([]byte, len(body))
	if way == algo.ScriptVisa {
		for i := 0; i < len(body); i += 8 {
			smc.TDES().Decrypt(plain[i:], body[i:i+8])
		}
		plain = plain[1:] // its length stands before it
	} else {
		cipher.NewCBCDecrypter(smc.TDES(), make([]byte, 8)).CryptBlocks(plain, body)
	}
	if len(plain) < 8 {
		return secret.Value{}, errScript
	}
	block := plain[:8]
	control := byte(2)
	if c.Profile == algo.CVN10 || c.Profile == algo.CVN18 {
		control = 0
		for i := range 4 {
			block[4+i] ^= c.chip.ac[4+i]
		}
	}
	n := int(block[0] & 0x0F)
	if block[0]>>4 != control || n < 4 || n > 12 {
		return secret.Value{}, errScript
	}
	digits := make([]byte, n)
	for i := range digits {
		digits[i] = '0' + block[1+i/2]>>(4*(1-i%2))&0x0F
	}
	return secret.New(digits), nil
}
