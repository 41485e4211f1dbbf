package wallet

import (
	"crypto/rand"
	"encoding/binary"
	"strconv"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// ID identifies an account, a wallet or a transaction: a random number of 18 or 19
// digits.
type ID int64

// String is the number in decimal.
func (d ID) String() string { return strconv.FormatInt(int64(d), 10) }

// ParseID reads what [ID.String] wrote.
func ParseID(s string) (ID, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return ID(n), err == nil && n > 0 && s == strconv.FormatInt(n, 10)
}

// idFloor is the least number of 18 digits.
const idFloor = 100_000_000_000_000_000

func newID() ID { return ID(idFloor + random(1<<63-1-idFloor)) }

// random returns a number from 0 to below n.
func random(n uint64) int64 {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return int64(binary.BigEndian.Uint64(b[:]) % n)
}

// Kind says whose an account is.
type Kind string

// The kinds.
const (
	Personal Kind = "Personal"
	Business Kind = "Business"
)

// KYCLevel is how well the owner of an account is known.
type KYCLevel int

// The levels.
const (
	Unknown    KYCLevel = 10
	Unverified KYCLevel = 20
	Verified   KYCLevel = 30
	Contracted KYCLevel = 40
)

// String is the name of the level.
func (l KYCLevel) String() string {
	switch l {
	case Unverified:
		return "Unverified"
	case Verified:
		return "Verified"
	case Contracted:
		return "Contracted"
	}
	return "Unknown"
}

// Person is who an account belongs to. It is stored sealed.
type Person struct {
	FirstName, LastName        string
	PhoneCountryCode, PhoneNo  string
	Email                      string
	NationalID                 string
	BirthYear                  int
	SectorID                   string
	MotherName, FatherName     string
	BusinessName               string // of a business
	BusinessType               int
	TaxOffice, TaxNumber       string
	Alias, UserNumber          string
	GroupCode                  string
	Address, City, CountryCode string
}

// Account is who wallets belong to.
type Account struct {
	ID        ID
	Tenant    access.TenantID
	No        string // unique in the tenant, chosen by the caller or made up
	Kind      Kind
	Level     KYCLevel
	Person    Person
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Wallet is four accounts of the ledger under one number.
type Wallet struct {
	ID        ID
	Tenant    access.TenantID
	Account   ID
	Number    string // 8 to 10 digits where it is made up, else at most 20; unique in the tenant
	Name      string
	Currency  money.Currency
	CreatedAt time.Time

	Payment, PaymentHeld, Cash, CashHeld ledger.AccountID
}

// buckets lists the accounts of the ledger.
func (w Wallet) buckets() []ledger.AccountID {
	return []ledger.AccountID{w.Payment, w.PaymentHeld, w.Cash, w.CashHeld}
}

// Balances is what is in a wallet.
type Balances struct{ Payment, PaymentHeld, Cash, CashHeld money.Amount }

// Total is the sum of all four.
func (b Balances) Total() money.Amount {
	total := b.Payment
	for _, part := range []money.Amount{b.PaymentHeld, b.Cash, b.CashHeld} {
		sum, err := total.Add(part)
		if err != nil {
			panic("wallet: balances beyond every amount") // each is bounded by the ledger
		}
		total = sum
	}
	return total
}

// Standing is a wallet as it stands: whose it is, what is in it, what moved this
// month and what still may.
type Standing struct {
	TenantNo int64 // the number that clients know the tenant by
	Account  Account
	Wallet   Wallet
	Balances Balances
	Month    Month
	Limits   Limits
}
