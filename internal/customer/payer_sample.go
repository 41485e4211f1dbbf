package customer

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
)

// samplePayers are those of a sandbox: persons with an address and without, one
// more of a name, and a company. Each is known again by its e-mail.
var samplePayers = []Contact{
	{
		PayerSalutation: "Frau", PayerForename: "Mara", PayerSurname: "Beispiel", PayerGender: "f", PayerEmail: "mara.beispiel@example.org",
		PayerBirthDate: "1988-07-19", PayerPhone: "+49-30-5550199", PayerStreet: "Musterweg", PayerStreetNumber: "7a", PayerPostalCode: "10115",
		PayerCity: "Berlin", PayerCountry: "DE",
	},
	{
		PayerForename: "Jonas", PayerSurname: "Beispiel", PayerGender: "m", PayerEmail: "jonas.beispiel@example.org", PayerBirthDate: "1979-11-02",
		PayerStreet: "Probeallee", PayerStreetNumber: "12", PayerPostalCode: "10117", PayerCity: "Berlin", PayerCountry: "DE",
	},
	{
		PayerForename: "Deniz", PayerSurname: "Kaya", PayerEmail: "deniz.kaya@example.org", PayerMobile: "+90 555 000 01 47",
		PayerStreet: "Deneme Sokak", PayerStreetNumber: "3", PayerPostalCode: "35210", PayerCity: "Izmir", PayerCountry: "TR",
	},
	{
		PayerCompany: "Muster & Mann GmbH", PayerEmail: "einkauf@muster.example", PayerPhone: "+43 1 5550123", PayerWebsite: "https://muster.example",
		PayerStreet: "Testgasse", PayerStreetNumber: "1", PayerPostalCode: "1010", PayerCity: "Wien", PayerCountry: "AT",
	},
	{PayerFullName: "Guest Checkout", PayerEmail: "guest@example.org"},
}

// MakePayerSample makes payers for the caller, a client, to begin with, and returns
// them; reference draws what it calls each by. What is there stays as it is.
func (s *Service) MakePayerSample(ctx context.Context, c access.Caller, reference func() string) ([]Payer, error) {
	all := make([]Payer, 0, len(samplePayers))
	for _, contact := range samplePayers {
		found, err := s.Payers(ctx, c, PayerFilter{Condition: PayerLike{PayerEmail, glyphs(contact[PayerEmail])}, Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(found.Payers) > 0 {
			all = append(all, found.Payers[0])
			continue
		}
		made, err := s.CreatePayer(ctx, c, reference(), contact)
		if err != nil {
			return nil, err
		}
		all = append(all, made)
	}
	return all, nil
}
