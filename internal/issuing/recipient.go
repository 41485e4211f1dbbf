package issuing

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/locale"
	"github.com/sarraf-platform/sarraf/internal/notification"
)

var _ notification.Recipients = (*Service)(nil)

// Recipient says who is told of what happened to a card: its customer, at the
// card's phone, else at the customer's own. It implements
// [notification.Recipients].
func (s *Service) Recipient(ctx context.Context, tx db.Tx, tenant access.TenantID, n notification.Notice) (notification.Recipient, bool, error) {
	none := notification.Recipient{}
	cardID, err := id.Parse[Card](n.Card)
	if err != nil {
		return none, false, fmt.Errorf("card of notice: %w", err)
	}
	card, found, err := readCardByID(ctx, tx, tenant, cardID)
	if err != nil || !found {
		return none, false, err
	}
	issuance, found, err := readIssuance(ctx, tx, tenant, card.Issuance)
	if err != nil || !found {
		return none, false, err
	}
	if n.Phone != nil {
		issuance.sealedPhone = n.Phone
	}
	if err := s.openPhone(ctx, &issuance); err != nil {
		return none, false, err
	}
	cfg, err := s.programs.ConfigurationIn(ctx, tx, tenant)
	if err != nil {
		return none, false, err
	}
	r := notification.Recipient{
		CardToken: card.Token, ProductCode: issuance.ProductCode, Phone: issuance.PhoneNumber, Templates: cfg.Attributes.SMSTemplates,
		Values: map[string]string{"lastFour": card.LastFour},
	}
	if product, found := cfg.Product(issuance.ProductCode); found {
		r.Values["product"] = product.Name
	}
	if !issuance.Customer.IsZero() {
		if err := s.tellCustomer(ctx, tx, tenant, issuance, &r); err != nil {
			return none, false, err
		}
	}
	if r.Language == "" {
		r.Language = cfg.Tenant.Language
	}
	if to := n.Values[statusPlace]; to != "" {
		r.Values["status"], _ = locale.Text(r.Language, "notice.status."+to, nil)
	}
	return r, true, nil
}

// tellCustomer fills in what is known of the customer of a card.
func (s *Service) tellCustomer(ctx context.Context, tx db.Tx, tenant access.TenantID, i Issuance, r *notification.Recipient) error {
	u, found, err := s.customers.Read(ctx, tx, tenant, i.Customer)
	if err != nil || !found {
		return fmt.Errorf("read customer %s: %w", i.Customer, db.Missing(err))
	}
	r.CustomerNo, r.Language = u.No, u.Language
	r.WantsSMS, r.WantsEmail = u.Notifications.SMS, u.Notifications.Email
	r.Email, r.Values["name"] = u.Contact(customer.Email), u.DisplayName()
	if r.Phone == "" {
		r.Phone = u.Contact(customer.MobilePhone)
	}
	return nil
}
