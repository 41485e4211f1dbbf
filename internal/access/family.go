package access

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/db"
)

// Family is an API dialect. A client speaks one, and its credentials are worth
// nothing in another.
type Family string

// The families. Platform is our own contract; the others are those of systems
// whose clients work unchanged against ours.
const (
	Platform    Family = "platform"
	OpenBanking Family = "openbanking" // credit cards
	Payers      Family = "payers"      // payment customers
	EWallet     Family = "ewallet"     // wallets
	CardStore   Family = "cardstore"   // stored cards
)

// Families lists them.
func Families() []Family { return []Family{Platform, OpenBanking, Payers, EWallet, CardStore} }

// FamilyCredentials are those of the clients that a new tenant gets beside its
// first one. Stored cards have two: one for servers, one for programs that
// anybody may look into.
type FamilyCredentials struct {
	OpenBanking, Payers, EWallet      Credentials
	CardStorePrivate, CardStorePublic Credentials
}

// insertFamilyClients makes the clients of a new tenant in the neighbour
// families.
func (s *Service) insertFamilyClients(ctx context.Context, tx db.Tx, t Tenant, creds FamilyCredentials) error {
	for _, f := range []struct {
		Family
		permission string
		Credentials
	}{
		{OpenBanking, OpenBankingCreditCard, creds.OpenBanking},
		{Payers, PayersCustomer, creds.Payers},
		{EWallet, EWalletBusiness, creds.EWallet},
		{CardStore, CardStoreServer, creds.CardStorePrivate},
		{CardStore, CardStoreBrowser, creds.CardStorePublic},
	} {
		c := Client{
			ID: f.ClientID, Tenant: t.ID, Family: f.Family, Name: t.Name, Permissions: PermissionsOf(f.permission), IsActive: true,
			ConcurrencyStamp: random(16), CreatedAt: t.CreatedAt, UpdatedAt: t.CreatedAt,
		}
		if err := insertClient(ctx, tx, c, hashOf(f.ClientSecret.Reveal())); err != nil {
			return fmt.Errorf("insert client of %s: %w", f.Family, err)
		}
		if err := recordClient(ctx, tx, System(t), t.CreatedAt, "ClientCreate", nil, &c); err != nil {
			return err
		}
	}
	return nil
}

func newFamilyCredentials() FamilyCredentials {
	return FamilyCredentials{
		OpenBanking: newCredentials(), Payers: newCredentials(), EWallet: newCredentials(),
		CardStorePrivate: newCredentials(), CardStorePublic: newCredentials(),
	}
}
