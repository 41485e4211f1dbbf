package platform

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/notification"
)

// inboxItem is what a customer of a sandbox was told. PINs stand in it.
type inboxItem struct {
	Reference  string    `json:"reference"`
	EventType  string    `json:"eventType"`
	Channel    string    `json:"channel"`
	To         string    `json:"to"`
	Subject    *string   `json:"subject"`
	Text       string    `json:"text"`
	CustomerNo *string   `json:"customerNo"`
	CardToken  *string   `json:"cardToken"`
	CreatedAt  time.Time `json:"creationTime"`
}

type noticeChannels struct{}

// Members implements api.Members.
func (noticeChannels) Members() []api.Member { return api.Numbered(1, "Sms", "Email") }

func (a *API) listInbox(ctx context.Context, c access.Caller, in *struct {
	api.Paging
	CustomerNo string                   `query:"CustomerNo" maxLength:"20"`
	CardToken  string                   `query:"CardToken" maxLength:"64"`
	Channel    api.Enum[noticeChannels] `query:"Channel"`
}) (api.Page[inboxItem], error) {
	var d decoding
	page := d.page(in.Paging)
	if err := d.err(); err != nil {
		return api.Page[inboxItem]{}, err
	}
	all, total, err := a.Notices.Inbox(ctx, c, notification.InboxQuery{
		CustomerNo: in.CustomerNo, CardToken: in.CardToken, Channel: notification.Channel(in.Channel), Skip: page.Skip, Limit: page.Limit,
	})
	return api.PageOf(total, encodeAll(all, func(m notification.Message) inboxItem {
		return inboxItem{
			Reference: m.ID.UUID(), EventType: m.Event, Channel: string(m.Channel), To: m.Content.To, Subject: orNil(m.Content.Subject),
			Text: m.Content.Text, CustomerNo: orNil(m.CustomerNo), CardToken: orNil(m.CardToken), CreatedAt: m.CreatedAt,
		}
	})), err
}
