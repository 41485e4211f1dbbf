package rule

import (
	"fmt"
	"slices"
	"sync"
)

// CategoryRange is a range of merchant categories, both ends included.
type CategoryRange struct{ From, To string }

// CategoryGroup is a list of merchant categories that every tenant has.
type CategoryGroup struct {
	Code   string
	Ranges []CategoryRange
}

// CategoryGroups returns the groups of merchant categories that every tenant
// has, narrow ones before the wide ones that hold them, too: trades that limits
// and reports are made for, then the divisions of ISO 18245. Rules look into
// them as into named lists; a list of the tenant's own takes the place of the
// group of its code. It must not be changed.
func CategoryGroups() []CategoryGroup { return categoryGroups }

var categoryGroups = []CategoryGroup{
	{"GAMBLING", []CategoryRange{{"7800", "7802"}, {"7995", "7995"}, {"9406", "9406"}}},
	{"CASH", []CategoryRange{{"6010", "6011"}}},
	{"QUASI_CASH", []CategoryRange{{"4829", "4829"}, {"6050", "6051"}, {"6540", "6540"}}},
	{"AIRLINES", []CategoryRange{{"3000", "3350"}, {"4511", "4511"}}},
	{"CAR_RENTAL", []CategoryRange{{"3351", "3500"}, {"7512", "7513"}}},
	{"LODGING", []CategoryRange{{"3501", "3999"}, {"7011", "7012"}}},
	{"FUEL", []CategoryRange{{"5541", "5542"}, {"5983", "5983"}}},
	{"GROCERIES", []CategoryRange{{"5411", "5499"}}},
	{"RESTAURANTS", []CategoryRange{{"5811", "5814"}}},
	{"AGRICULTURE", []CategoryRange{{"0001", "1499"}}},
	{"CONTRACTORS", []CategoryRange{{"1500", "2999"}}},
	{"TRANSPORT", []CategoryRange{{"4000", "4799"}}},
	{"UTILITIES", []CategoryRange{{"4800", "4999"}}},
	{"RETAIL", []CategoryRange{{"5000", "5599"}}},
	{"CLOTHING", []CategoryRange{{"5600", "5699"}}},
	{"OTHER_STORES", []CategoryRange{{"5700", "7299"}}},
	{"BUSINESS_SERVICES", []CategoryRange{{"7300", "7999"}}},
	{"PROFESSIONAL_SERVICES", []CategoryRange{{"8000", "8999"}}},
	{"GOVERNMENT", []CategoryRange{{"9000", "9999"}}},
}

// IsCategoryGroup reports whether every tenant has a group of this code.
func IsCategoryGroup(code string) bool {
	return slices.ContainsFunc(categoryGroups, func(g CategoryGroup) bool { return g.Code == code })
}

// Holds reports whether a merchant category is in the group.
func (g CategoryGroup) Holds(mcc string) bool {
	return len(mcc) == 4 && slices.ContainsFunc(g.Ranges, func(r CategoryRange) bool { return r.From <= mcc && mcc <= r.To })
}

// standardLists are the groups as lists.
var standardLists = sync.OnceValue(func() *Lists {
	ls := &Lists{sets: map[string]*set{}, categories: map[string][]string{}}
	for _, g := range categoryGroups {
		ls.sets[g.Code] = &set{code: g.Code, texts: map[string]struct{}{}}
	}
	for n := range 10_000 {
		mcc := fmt.Sprintf("%04d", n)
		for _, g := range categoryGroups {
			if g.Holds(mcc) {
				ls.sets[g.Code].texts[mcc] = struct{}{}
				ls.categories[mcc] = append(ls.categories[mcc], g.Code)
			}
		}
		slices.Sort(ls.categories[mcc])
	}
	return ls
})
