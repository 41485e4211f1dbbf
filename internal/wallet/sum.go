package wallet

import "github.com/sarraf-platform/sarraf/internal/money"

// plus and minus are of amounts of one wallet, which columns bound.
func plus(a, b money.Amount) money.Amount { return minorOf(a.Minor()+b.Minor(), a.Currency()) }

func minus(a, b money.Amount) money.Amount { return minorOf(a.Minor()-b.Minor(), a.Currency()) }

func lesser(a, b money.Amount) money.Amount {
	if a.Cmp(b) < 0 {
		return a
	}
	return b
}
