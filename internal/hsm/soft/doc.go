// Package soft is the HSM backend in software: payment cryptography in this
// process, from one root key.
//
// # Hierarchy
//
// Nothing but the root key (32 bytes) has to be kept. It comes from a file with
// mode 0600, or from a passphrase by Argon2id, whose salt and cost stand in a
// parameters file. Everything below is derived by HKDF-SHA-256 (RFC 5869):
//
//	PRK  = HKDF-Extract(salt = "sarraf hsm soft", IKM = root)
//	key  = HKDF-Expand(PRK, info, 32)
//	info = version ‖ len(kind) ‖ kind ‖ len(purpose) ‖ purpose ‖ len(tenant) ‖ tenant
//
// version is the byte 01; a length is two bytes, big endian. The kinds:
//
//	"key-block"  purpose empty: the tenant's key-block protection key, AES-256,
//	             under which its payment keys are wrapped (TR-31 version D)
//	"seal"       AES-256-GCM of data at rest, one for each purpose
//	"index"      HMAC-SHA-256 of look-up values, one for each purpose
//
// So a block, a sealed value or an index of another tenant or purpose is of no
// use: it was made under another key. A later version byte can stand beside
// this one, because sealed values begin with theirs.
//
// # Stored forms
//
// A key block's header is authoritative. Its optional block LB says
// "S1|tenant|id|T" (T a test key, P production), KC holds the key check value:
// method 00 for TDES, 01 for AES. Both are checked on every load against the
// reference that carried the block. A sealed value is 01 ‖ nonce (12) ‖
// ciphertext ‖ tag (16).
//
// # Invariants
//
//   - Usage, mode, tenant and test mark are checked on every call.
//   - Weak and publicly known keys are refused unless they are test keys.
//   - Clear keys live in two bounded caches and nowhere else.
//
// This is no certified HSM: whoever reads the memory of the process reads keys.
package soft
