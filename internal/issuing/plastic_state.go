package issuing

import "slices"

// CanBecome reports whether production may go from one status to another.
// Failure may befall every step, and only a failed production begins anew.
func (from PersoStatus) CanBecome(to PersoStatus) bool {
	switch from {
	case PersoRequested:
		return to == PersoQueued || to == PersoCancelled || to == PersoFailed
	case PersoQueued:
		return to == PersoFileSent || to == PersoCancelled || to == PersoFailed
	case PersoFileSent:
		return to == PersoInProduction || to == PersoFailed
	case PersoInProduction:
		return to == PersoProduced || to == PersoFailed
	case PersoProduced:
		return to == PersoHandedToCourier || to == PersoFailed
	case PersoHandedToCourier:
		return to == PersoFailed
	case PersoFailed:
		return to == PersoRequested
	}
	return false // NotRequired and Cancelled are ends
}

// shipmentNext is where a shipment may go from each status. NotApplicable is a
// plastic that nobody has been told of yet; what is with the courier is
// cancelled no more.
var shipmentNext = map[ShipmentStatus][]ShipmentStatus{
	ShipmentNotApplicable:  {ShipmentPrintRequested, ShipmentCancelled},
	ShipmentPrintRequested: {ShipmentAtCourier, ShipmentCancelled},
	ShipmentAtCourier:      {ShipmentInTransfer},
	ShipmentInTransfer:     {ShipmentAtBranch, ShipmentOutForDelivery},
	ShipmentAtBranch:       {ShipmentOutForDelivery},
	ShipmentOutForDelivery: {ShipmentDelivered, ShipmentDeliveryFailed},
	ShipmentDeliveryFailed: {ShipmentOutForDelivery, ShipmentReturned},
	ShipmentReturned:       {ShipmentDestroyed, ShipmentAtCourier},
}

// CanBecome reports whether a shipment may go from one status to another.
func (from ShipmentStatus) CanBecome(to ShipmentStatus) bool {
	return slices.Contains(shipmentNext[from], to)
}

// PersoStatuses lists the production statuses of a plastic.
func PersoStatuses() []PersoStatus {
	return []PersoStatus{
		PersoRequested, PersoQueued, PersoFileSent, PersoInProduction, PersoProduced, PersoHandedToCourier, PersoCancelled,
		PersoFailed,
	}
}

// ShipmentStatuses lists the shipment statuses of a plastic.
func ShipmentStatuses() []ShipmentStatus {
	return []ShipmentStatus{
		ShipmentNotApplicable, ShipmentPrintRequested, ShipmentAtCourier, ShipmentInTransfer, ShipmentAtBranch,
		ShipmentOutForDelivery, ShipmentDelivered, ShipmentDeliveryFailed, ShipmentReturned, ShipmentDestroyed,
		ShipmentCancelled,
	}
}
