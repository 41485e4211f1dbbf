package access

import (
	"context"
	"fmt"
	"time"

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
		made := Client{Family: f.Family, Name: t.Name, Permissions: PermissionsOf(f.permission)}
		if err := insertFamilyClient(ctx, tx, System(t), made, f.Credentials, t.CreatedAt); err != nil {
			return err
		}
	}
	return nil
}

// insertFamilyClient makes a client with these credentials, of a family, name and
// permissions.
func insertFamilyClient(ctx context.Context, tx db.Tx, by Caller, made Client, creds Credentials, now time.Time) error {
	made.ID, made.Tenant, made.IsActive = creds.ClientID, by.Tenant, true
	made.ConcurrencyStamp, made.CreatedAt, made.UpdatedAt = random(16), now, now
	if err := insertClient(ctx, tx, made, hashOf(creds.ClientSecret.Reveal())); err != nil {
		return fmt.Errorf("insert client of %s: %w", made.Family, err)
	}
	return recordClient(ctx, tx, by, now, "ClientCreate", nil, &made)
}

// CreateKeyPairs makes two more clients of stored cards, one for servers and one
// for programs that anybody may look into, in the caller's tenant. It joins tx,
// which says whose they are.
func (s *Service) CreateKeyPairs(ctx context.Context, tx db.Tx, c Caller, name string) (private, public Credentials, err error) {
	private, public = newCredentials(), newCredentials()
	for permission, creds := range map[string]Credentials{CardStoreServer: private, CardStoreBrowser: public} {
		made := Client{Family: CardStore}
		if err := made.set(ClientChange{Name: name, Permissions: []string{permission}}, c.Sandbox); err != nil {
			return private, public, err
		}
		if err := insertFamilyClient(ctx, tx, c, made, creds, s.Clock.Now()); err != nil {
			return private, public, err
		}
	}
	return private, public, nil
}

func newFamilyCredentials() FamilyCredentials {
	return FamilyCredentials{
		OpenBanking: newCredentials(), Payers: newCredentials(), EWallet: newCredentials(),
		CardStorePrivate: newCredentials(), CardStorePublic: newCredentials(),
	}
}
