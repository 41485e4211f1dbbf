package issuing

import (
	"slices"
	"testing"
)

// The two machines of the contract, written down once more and in full.
func TestPlastic_goesOnlyWhereTheContractLetsIt(t *testing.T) {
	production := map[PersoStatus][]PersoStatus{
		PersoRequested:       {PersoQueued, PersoCancelled, PersoFailed},
		PersoQueued:          {PersoFileSent, PersoCancelled, PersoFailed},
		PersoFileSent:        {PersoInProduction, PersoFailed},
		PersoInProduction:    {PersoProduced, PersoFailed},
		PersoProduced:        {PersoHandedToCourier, PersoFailed},
		PersoHandedToCourier: {PersoFailed},
		PersoFailed:          {PersoRequested},
	}
	all := append(PersoStatuses(), PersoNotRequired)
	for _, from := range all {
		for _, to := range all {
			if got, want := from.CanBecome(to), slices.Contains(production[from], to); got != want {
				t.Errorf("production from %s to %s: got %v, want %v", from, to, got, want)
			}
		}
	}
	shipment := map[ShipmentStatus][]ShipmentStatus{
		ShipmentNotApplicable:  {ShipmentPrintRequested, ShipmentCancelled},
		ShipmentPrintRequested: {ShipmentAtCourier, ShipmentCancelled},
		ShipmentAtCourier:      {ShipmentInTransfer},
		ShipmentInTransfer:     {ShipmentAtBranch, ShipmentOutForDelivery},
		ShipmentAtBranch:       {ShipmentOutForDelivery},
		ShipmentOutForDelivery: {ShipmentDelivered, ShipmentDeliveryFailed},
		ShipmentDeliveryFailed: {ShipmentOutForDelivery, ShipmentReturned},
		ShipmentReturned:       {ShipmentDestroyed, ShipmentAtCourier},
	}
	for _, from := range ShipmentStatuses() {
		for _, to := range ShipmentStatuses() {
			if got, want := from.CanBecome(to), slices.Contains(shipment[from], to); got != want {
				t.Errorf("shipment from %s to %s: got %v, want %v", from, to, got, want)
			}
		}
	}
}
