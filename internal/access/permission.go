package access

import (
	"maps"
	"slices"
	"strings"
)

// The permissions of the platform family (contract/platform.md §1.7). A parent
// does not include its children: each is granted by itself.
const (
	IssuingCustomer                   = "Issuing.Customer"
	IssuingCustomerCreate             = "Issuing.Customer.Create"
	IssuingCustomerUpdate             = "Issuing.Customer.Update"
	IssuingCustomerNote               = "Issuing.Customer.Note"
	IssuingCustomerSensitive          = "Issuing.Customer.Sensitive"
	IssuingCard                       = "Issuing.Card"
	IssuingCardCreate                 = "Issuing.Card.Create"
	IssuingCardNoname                 = "Issuing.Card.Noname"
	IssuingCardStatus                 = "Issuing.Card.Status"
	IssuingCardStatusPrivileged       = "Issuing.Card.StatusPrivileged"
	IssuingCardPolicy                 = "Issuing.Card.Policy"
	IssuingCardRenew                  = "Issuing.Card.Renew"
	IssuingCardPhone                  = "Issuing.Card.Phone"
	IssuingCardShipment               = "Issuing.Card.Shipment"
	IssuingCardSensitive              = "Issuing.Card.Sensitive"
	IssuingPIN                        = "Issuing.Pin"
	IssuingPINVerify                  = "Issuing.Pin.Verify"
	IssuingPINSet                     = "Issuing.Pin.Set"
	IssuingPINChange                  = "Issuing.Pin.Change"
	IssuingPINUnblock                 = "Issuing.Pin.Unblock"
	IssuingPINSend                    = "Issuing.Pin.Send"
	IssuingProduct                    = "Issuing.Product"
	IssuingProductManage              = "Issuing.Product.Manage"
	IssuingVelocity                   = "Issuing.Velocity"
	IssuingVelocityManage             = "Issuing.Velocity.Manage"
	IssuingAuthorizationControl       = "Issuing.AuthorizationControl"
	IssuingAuthorizationControlManage = "Issuing.AuthorizationControl.Manage"
	IssuingFee                        = "Issuing.Fee"
	IssuingFeeManage                  = "Issuing.Fee.Manage"
	IssuingWebHook                    = "Issuing.WebHook"
	IssuingWebHookManage              = "Issuing.WebHook.Manage"
	IssuingAuditLog                   = "Issuing.AuditLog"
	IssuingTransaction                = "Issuing.Transaction"
	IssuingAccount                    = "Issuing.Account"
	IssuingAccountAdjust              = "Issuing.Account.Adjust"
	SandboxCard                       = "Sandbox.Card"
	SandboxTransaction                = "Sandbox.Transaction"
	AcquiringMerchant                 = "Acquiring.Merchant"
	AcquiringMerchantManage           = "Acquiring.Merchant.Manage"
	AcquiringTerminal                 = "Acquiring.Terminal"
	AcquiringTerminalManage           = "Acquiring.Terminal.Manage"
	AcquiringBatch                    = "Acquiring.Batch"
	AcquiringBatchManage              = "Acquiring.Batch.Manage"
	AcquiringTemplate                 = "Acquiring.Template"
	AcquiringTemplateManage           = "Acquiring.Template.Manage"
	AcquiringTransaction              = "Acquiring.Transaction"
	Settlement                        = "Settlement"
	SettlementManage                  = "Settlement.Manage"
	SystemBIN                         = "System.Bin"
	SystemTenant                      = "System.Tenant"
	SystemExchangeRate                = "System.ExchangeRate"
)

// The permissions of the neighbour families. Their contracts know none, so a
// family has one for each kind of client that it knows.
const (
	OpenBankingCreditCard = "OpenBanking.CreditCard"
	PayersCustomer        = "Payers.Customer"
	EWalletBusiness       = "EWallet.Business"
	CardStoreServer       = "CardStore.Server"  // with the private keys
	CardStoreBrowser      = "CardStore.Browser" // with the public keys
)

const sandboxPrefix = "Sandbox."

// everything is how a grant of all permissions is stored.
const everything = "*"

var known = map[string]bool{
	IssuingCustomer: true, IssuingCustomerCreate: true, IssuingCustomerUpdate: true, IssuingCustomerNote: true,
	IssuingCustomerSensitive: true,
	IssuingCard:              true, IssuingCardCreate: true, IssuingCardNoname: true, IssuingCardStatus: true,
	IssuingCardStatusPrivileged: true, IssuingCardPolicy: true, IssuingCardRenew: true, IssuingCardPhone: true,
	IssuingCardShipment: true, IssuingCardSensitive: true,
	IssuingPIN: true, IssuingPINVerify: true, IssuingPINSet: true, IssuingPINChange: true, IssuingPINUnblock: true,
	IssuingPINSend: true,
	IssuingProduct: true, IssuingProductManage: true, IssuingVelocity: true, IssuingVelocityManage: true,
	IssuingAuthorizationControl: true, IssuingAuthorizationControlManage: true, IssuingFee: true, IssuingFeeManage: true,
	IssuingWebHook: true, IssuingWebHookManage: true, IssuingAuditLog: true, IssuingTransaction: true,
	IssuingAccount: true, IssuingAccountAdjust: true,
	SandboxCard: true, SandboxTransaction: true,
	AcquiringMerchant: true, AcquiringMerchantManage: true, AcquiringTerminal: true, AcquiringTerminalManage: true,
	AcquiringBatch: true, AcquiringBatchManage: true, AcquiringTemplate: true, AcquiringTemplateManage: true,
	AcquiringTransaction: true, Settlement: true, SettlementManage: true,
	SystemBIN: true, SystemTenant: true, SystemExchangeRate: true,
	OpenBankingCreditCard: true, PayersCustomer: true, EWalletBusiness: true, CardStoreServer: true, CardStoreBrowser: true,
}

// KnownPermission reports whether name is a permission at all, so that a route
// cannot demand one that nobody can hold.
func KnownPermission(name string) bool { return known[name] }

// SandboxPermission reports whether name is held in sandbox tenants only.
func SandboxPermission(name string) bool { return strings.HasPrefix(name, sandboxPrefix) }

// Permissions is a set of permissions. The zero value holds none. It is
// immutable and safe for concurrent use.
type Permissions struct {
	all   bool // every one there is, those of later versions included
	names map[string]bool
}

// EveryPermission is the grant of the client that comes with a new tenant.
func EveryPermission() Permissions { return Permissions{all: true} }

// PermissionsOf returns the set of these names. Unknown names are kept and
// permit nothing.
func PermissionsOf(names ...string) Permissions {
	p := Permissions{names: make(map[string]bool, len(names))}
	for _, n := range names {
		p.names[n] = true
	}
	return p
}

// parsePermissions reads the stored form: "*", or names separated by spaces.
func parsePermissions(stored string) Permissions {
	if stored == everything {
		return EveryPermission()
	}
	return PermissionsOf(strings.Fields(stored)...)
}

// stored is the form parsePermissions reads.
func (p Permissions) stored() string {
	if p.all {
		return everything
	}
	return strings.Join(slices.Sorted(maps.Keys(p.names)), " ")
}

// Has reports whether the set holds permission.
func (p Permissions) Has(permission string) bool {
	if p.all {
		return known[permission]
	}
	return p.names[permission]
}

// and returns what both sets hold.
func (p Permissions) and(q Permissions) Permissions {
	switch {
	case p.all:
		return q
	case q.all:
		return p
	}
	both := map[string]bool{}
	for n := range p.names {
		if q.names[n] {
			both[n] = true
		}
	}
	return Permissions{names: both}
}

// restrictedTo returns the part of p that the token's scope leaves: all of it
// for the scope "api", and for that of wallets, else the permissions that scope names.
func (p Permissions) restrictedTo(scope string) Permissions {
	names := strings.Fields(scope)
	if slices.Contains(names, ScopeAPI) || slices.Contains(names, ScopeWallet) {
		return p
	}
	var kept []string
	for _, n := range names {
		if p.Has(n) {
			kept = append(kept, n)
		}
	}
	return PermissionsOf(kept...)
}

// Names lists the set in order; "*" alone is every one there is.
func (p Permissions) Names() []string { return strings.Fields(p.stored()) }
