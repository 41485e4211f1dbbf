package line

import "fmt"

// Region is where a debt was made: at home, or anywhere else. Both are owed in the
// currency of the account.
type Region int

// The regions, in the order in which payments go to them.
const (
	Domestic Region = iota
	Abroad
	regions
)

// Kind is what a debt is of.
type Kind int

// The kinds. Payments go to the last of them first.
const (
	Retail Kind = iota
	Cash
	Fee      // with its taxes
	Interest // with its taxes
	kinds
)

// Bucket is a part of what is owed, or what is in credit.
type Bucket struct {
	Region Region
	Kind   Kind
	// IsCredit is the bucket of what the customer has paid beyond what is owed.
	IsCredit bool
}

// Credit is the bucket of what was paid beyond what is owed.
var credit = Bucket{IsCredit: true}

// Buckets lists them all.
func Buckets() []Bucket {
	all := []Bucket{credit}
	for r := range regions {
		for k := range kinds {
			all = append(all, Bucket{Region: r, Kind: k})
		}
	}
	return all
}

// Account is the account of the ledger that the bucket is a part of.
func (b Bucket) Account() string {
	if b.IsCredit {
		return "L.CUST.CREDIT"
	}
	return "A.LOAN." + [...]string{"RETAIL", "CASH", "FEE", "INTEREST"}[b.Kind]
}

// String is the name of the bucket: RETAIL.D, CASH.A, CREDIT.
func (b Bucket) String() string {
	if b.IsCredit {
		return "CREDIT"
	}
	return b.Account()[len("A.LOAN."):] + "." + b.Region.String()
}

// String is D or A.
func (r Region) String() string { return [...]string{"D", "A"}[r] }

// ParseBucket reads what [Bucket.String] wrote.
func ParseBucket(name string) (Bucket, error) {
	for _, b := range Buckets() {
		if b.String() == name {
			return b, nil
		}
	}
	return Bucket{}, fmt.Errorf("%q is no bucket of a credit line", name)
}

// Part is what is added to a bucket, in minor units; below zero it is taken off.
// Of the bucket of what is in credit, adding is owing less.
type Part struct {
	Bucket Bucket
	Amount int64
}
