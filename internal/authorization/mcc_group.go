package authorization

// MCCGroup is a named list of merchant categories.
type MCCGroup struct {
	Code   string
	Ranges []MCCRange
}

// mccGroups are the groups every tenant has, those that are looked for first
// before the wide ones that hold them, too: trades that limits and reports are
// made for, then the divisions of ISO 18245.
var mccGroups = []MCCGroup{
	{"GAMBLING", []MCCRange{{"7800", "7802"}, {"7995", "7995"}, {"9406", "9406"}}},
	{"CASH", []MCCRange{{"6010", "6011"}}},
	{"QUASI_CASH", []MCCRange{{"4829", "4829"}, {"6050", "6051"}, {"6540", "6540"}}},
	{"AIRLINES", []MCCRange{{"3000", "3350"}, {"4511", "4511"}}},
	{"CAR_RENTAL", []MCCRange{{"3351", "3500"}, {"7512", "7513"}}},
	{"LODGING", []MCCRange{{"3501", "3999"}, {"7011", "7012"}}},
	{"FUEL", []MCCRange{{"5541", "5542"}, {"5983", "5983"}}},
	{"GROCERIES", []MCCRange{{"5411", "5499"}}},
	{"RESTAURANTS", []MCCRange{{"5811", "5814"}}},
	{"AGRICULTURE", []MCCRange{{"0001", "1499"}}},
	{"CONTRACTORS", []MCCRange{{"1500", "2999"}}},
	{"TRANSPORT", []MCCRange{{"4000", "4799"}}},
	{"UTILITIES", []MCCRange{{"4800", "4999"}}},
	{"RETAIL", []MCCRange{{"5000", "5599"}}},
	{"CLOTHING", []MCCRange{{"5600", "5699"}}},
	{"OTHER_STORES", []MCCRange{{"5700", "7299"}}},
	{"BUSINESS_SERVICES", []MCCRange{{"7300", "7999"}}},
	{"PROFESSIONAL_SERVICES", []MCCRange{{"8000", "8999"}}},
	{"GOVERNMENT", []MCCRange{{"9000", "9999"}}},
}

// MCCGroupRanges returns the merchant categories of a group, and whether there
// is one of that code.
func MCCGroupRanges(code string) ([]MCCRange, bool) {
	for _, g := range mccGroups {
		if g.Code == code {
			return g.Ranges, true
		}
	}
	return nil, false
}

// MCCGroupCodes lists the codes of all groups.
func MCCGroupCodes() []string {
	codes := make([]string, len(mccGroups))
	for i, g := range mccGroups {
		codes[i] = g.Code
	}
	return codes
}

// MCCGroupOf returns the code of the narrowest group that holds a merchant
// category; empty for what is none.
func MCCGroupOf(mcc string) string {
	if len(mcc) != 4 {
		return ""
	}
	for _, g := range mccGroups {
		for _, r := range g.Ranges {
			if r.From <= mcc && mcc <= r.To {
				return g.Code
			}
		}
	}
	return ""
}
