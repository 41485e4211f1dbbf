package issuing

import (
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// plastic is the product's variant that the card is made of.
func (d *draft) plastic() (program.Plastic, bool) {
	if d.card.FormFactor == program.Virtual {
		return program.Plastic{}, false
	}
	var chosen program.Plastic
	var found bool
	for _, p := range d.product.Plastics {
		switch {
		case !p.IsActive:
		case d.in.PhysicalCode != "" && p.Code == d.in.PhysicalCode, d.in.PhysicalCode == "" && p.IsDefault:
			return p, true
		case d.in.PhysicalCode == "" && !found:
			chosen, found = p, true
		}
	}
	return chosen, found
}

// fillPlastic orders the plastic: what it looks like and where it goes.
func (d *draft) fillPlastic(_ access.Caller, now time.Time) error {
	if d.card.FormFactor == program.Virtual {
		return nil
	}
	p, found := d.plastic()
	if !found {
		return errPhysical.OnField("physicalCode", "unknown", "is no active variant of the product")
	}
	if d.in.CardArtCode != "" && d.in.CardArtCode != p.CardArtCode {
		return errPhysical.OnField("cardArtCode", "unknown", "does not belong to the variant")
	}
	if d.in.IsExpress && !p.ExpressAvailable {
		return errPhysical.OnField("isExpress", "not_available", "the variant cannot be sent express")
	}
	method := d.in.DeliveryMethod
	switch {
	case method == "" && (len(p.DeliveryMethods) == 0 || slices.Contains(p.DeliveryMethods, program.ByCourier)):
		method = program.ByCourier
	case method == "":
		method = p.DeliveryMethods[0]
	case len(p.DeliveryMethods) > 0 && !slices.Contains(p.DeliveryMethods, method):
		return errPhysical.OnField("deliveryMethod", "not_available", "the variant is not delivered this way")
	}
	body := &CardBody{
		Code: p.Code, CardArtCode: p.CardArtCode, PlasticCode: p.PlasticCode, DeliveryMethod: method,
		BranchCode: d.in.BranchCode, IsExpress: d.in.IsExpress, PersoStatus: PersoRequested, PersoVendor: p.PersoVendorCode,
		ShipmentStatus: ShipmentNotApplicable, RequestedAt: now, UpdatedAt: now,
		Delivery: Delivery{
			Phone: d.in.DeliveryPhone, Email: d.in.DeliveryEmail, RecipientName: d.in.RecipientName,
			RecipientTCKN: d.in.RecipientTCKN,
		},
	}
	if body.Delivery.Phone == "" {
		body.Delivery.Phone = d.customer.Contact(customer.MobilePhone)
	}
	if body.Delivery.RecipientName == "" {
		body.Delivery.RecipientName = d.customer.DisplayName()
	}
	switch method {
	case program.ByBranch:
		if d.in.BranchCode == "" {
			return errDeliveryAddressRequired.OnField("branchCode", "required", "is needed for delivery to a branch")
		}
	case program.ByCourier, program.ByPost:
		a := d.in.DeliveryAddress
		if a == nil && d.in.DeliveryTo != "" {
			if stored, ok := d.customer.Address(d.in.DeliveryTo); ok {
				a = &stored
			}
		}
		if a == nil {
			return errDeliveryAddressRequired.OnField("deliveryAddress", "required", "names no address of the customer and holds none")
		}
		body.Delivery.Address = a
	}
	d.card.Physical = body
	return nil
}
