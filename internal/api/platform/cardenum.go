package platform

import (
	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// The enumerations of the card group with the contract's codes
// (contract/platform.md §4.2, §8.2, §8.8).

type cardStatuses struct{}

func (cardStatuses) Members() []api.Member { return numbered(0, issuing.CardStatuses()) }

type initialStatuses struct{}

func (initialStatuses) Members() []api.Member { return api.Numbered(0, "Pending", "Active") }

type statusReasons struct{}

func (statusReasons) Members() []api.Member {
	all := numbered(0, issuing.StatusReasons())
	all[len(all)-1].Code = 99 // Other
	return all
}

type issuanceStatuses struct{}

func (issuanceStatuses) Members() []api.Member {
	return api.Numbered(0, "Pending", "Active", "Suspended", "Closed")
}

type cardOwnerships struct{}

func (cardOwnerships) Members() []api.Member { return api.Numbered(1, "Main", "Supplementary") }

type deliveryWays struct{}

func (deliveryWays) Members() []api.Member {
	return api.Numbered(1, "Courier", "Branch", "Post", "HandDelivery", "None")
}

type pinSources struct{}

func (pinSources) Members() []api.Member { return api.Numbered(0, "None", "Random", "Encrypted") }

type pinFormats struct{}

func (pinFormats) Members() []api.Member {
	return []api.Member{{Code: 0, Name: "Iso0"}, {Code: 1, Name: "Iso1"}, {Code: 3, Name: "Iso3"}, {Code: 4, Name: "Iso4"}}
}

type renewalModes struct{}

func (renewalModes) Members() []api.Member { return api.Numbered(0, "Disabled", "Enabled") }

type slipTypes struct{}

func (slipTypes) Members() []api.Member {
	return api.Numbered(0, "PaperAlways", "DigitalBelowContactlessLimit", "DigitalAlways")
}

type persoStatuses struct{}

func (persoStatuses) Members() []api.Member {
	return append(api.Numbered(0, "NotRequired", "Requested", "Queued", "FileSent", "InProduction", "Produced", "HandedToCourier"),
		api.Numbered(8, "Cancelled", "Failed")...)
}

type shipmentStatuses struct{}

func (shipmentStatuses) Members() []api.Member {
	return api.Numbered(0, "NotApplicable", "PrintRequested", "AtCourier", "InTransfer", "AtBranch", "OutForDelivery",
		"Delivered", "DeliveryFailed", "ReturnedToSender", "Destroyed", "Cancelled")
}

type deliveryPlaces struct{}

func (deliveryPlaces) Members() []api.Member {
	return append(api.Numbered(1, "Home", "Work", "Billing", "Delivery", "Branch"), api.Member{Code: 9, Name: "Other"})
}

type cardPolicies struct{}

func (cardPolicies) Members() []api.Member {
	types := program.PolicyTypes()
	codes := []int{1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30}
	all := numbered(0, types)
	for i := range all {
		all[i].Code = codes[i]
	}
	return all
}

type channels struct{}

func (channels) Members() []api.Member { return api.Numbered(0, access.Channels()...) }
