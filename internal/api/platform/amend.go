package platform

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/customer"
)

// What a customer has one of per type is added or replaced by its type.

func (a *API) putCustomerAddress(ctx context.Context, c access.Caller, in *struct {
	CustomerNo string `path:"customerNo"`
	Body       customerAddress
}) (customerAddress, error) {
	var d decoding
	x := decodeAddress(&d, "", in.Body)
	if err := d.err(); err != nil {
		return customerAddress{}, err
	}
	x, err := a.Customers.PutAddress(ctx, c, in.CustomerNo, x)
	return encodeAddress(x), err
}

func (a *API) putCustomerCommunication(ctx context.Context, c access.Caller, in *struct {
	CustomerNo string `path:"customerNo"`
	Body       customerCommunication
}) (customerCommunication, error) {
	var d decoding
	m := decodeCommunication(&d, "", in.Body)
	if err := d.err(); err != nil {
		return customerCommunication{}, err
	}
	m, err := a.Customers.PutCommunication(ctx, c, in.CustomerNo, m)
	return encodeCommunication(m), err
}

func (a *API) putCustomerIdentification(ctx context.Context, c access.Caller, in *struct {
	CustomerNo string `path:"customerNo"`
	Body       customerIdentification
}) (customerIdentification, error) {
	var d decoding
	n := decodeIdentification(&d, "", in.Body)
	if err := d.err(); err != nil {
		return customerIdentification{}, err
	}
	n, err := a.Customers.PutIdentification(ctx, c, in.CustomerNo, n)
	return encodeIdentification(n), err
}

// decodeCommunication reads a communication; at is its path with a dot behind,
// or empty.
func decodeCommunication(d *decoding, at string, in customerCommunication) customer.Communication {
	return customer.Communication{
		Type: customer.CommunicationType(in.Type), Value: d.contact(at+"value", in), IsPreferred: in.IsPreferred,
		IsVerified: in.IsVerified, VerifiedAt: value(utc(in.VerifiedAt)),
	}
}
