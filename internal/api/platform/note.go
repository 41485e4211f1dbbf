package platform

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/customer"
)

type noteEntities struct{}

// Members of the enumeration of this resource.
func (noteEntities) Members() []api.Member {
	return api.Numbered(1, "Customer", "Issuance", "Card", "Merchant", "Terminal")
}

type userNoteRequest struct {
	EntityType api.Enum[noteEntities] `json:"entityType,omitempty" doc:"Absent: what the path says. Anything else is refused."`
	EntityKey  string                 `json:"entityKey" required:"true" minLength:"1" maxLength:"64" doc:"A customer number or a card token."`
	Note       api.FreeText           `json:"note" required:"true" minLength:"1" maxLength:"2000"`
	Category   api.FreeText           `json:"category,omitempty" maxLength:"50"`
	IsPinned   bool                   `json:"isPinned,omitempty"`
}

type userNote struct {
	ID              string    `json:"id"`
	EntityType      string    `json:"entityType"`
	EntityKey       string    `json:"entityKey"`
	Note            string    `json:"note"`
	Category        *string   `json:"category"`
	IsPinned        bool      `json:"isPinned"`
	CreatorID       string    `json:"creatorId"`
	CreatorUserName string    `json:"creatorUserName"`
	CreationTime    time.Time `json:"creationTime"`
}

func (a *API) addCustomerNote(ctx context.Context, c access.Caller, in *struct{ Body userNoteRequest }) (userNote, error) {
	return a.addNote(ctx, c, customer.NoteOnCustomer, in.Body)
}

func (a *API) addCardNote(ctx context.Context, c access.Caller, in *struct{ Body userNoteRequest }) (userNote, error) {
	return a.addNote(ctx, c, customer.NoteOnCard, in.Body)
}

func (a *API) addNote(ctx context.Context, c access.Caller, on customer.NoteSubject, in userNoteRequest) (userNote, error) {
	var d decoding
	if in.EntityType != "" && string(in.EntityType) != string(on) {
		d.fail("entityType", "unknown", "must be "+string(on)+" at this path")
	}
	if on == customer.NoteOnCard { // a customer number may look like a card number
		d.noPAN("entityKey", in.EntityKey)
	}
	if err := d.err(); err != nil {
		return userNote{}, err
	}
	n, err := a.Customers.AddNote(ctx, c, customer.Note{
		Subject: on, Key: in.EntityKey, Text: string(in.Note), Category: string(in.Category), IsPinned: in.IsPinned,
	})
	return encodeNote(n), err
}

func (a *API) listCustomerNotes(ctx context.Context, c access.Caller, in *struct {
	api.Paging
	CustomerNo string `query:"customerNo" required:"true" maxLength:"20"`
}) (api.Page[userNote], error) {
	return a.listNotes(ctx, c, customer.NoteOnCustomer, in.CustomerNo, in.Paging)
}

func (a *API) listCardNotes(ctx context.Context, c access.Caller, in *struct {
	api.Paging
	CardToken string `query:"cardToken" required:"true" maxLength:"64"`
}) (api.Page[userNote], error) {
	return a.listNotes(ctx, c, customer.NoteOnCard, in.CardToken, in.Paging)
}

// listNotes answers newest first; there is no other order.
func (a *API) listNotes(ctx context.Context, c access.Caller, on customer.NoteSubject, key string, p api.Paging) (api.Page[userNote], error) {
	var d decoding
	page := d.page(p)
	if err := d.err(); err != nil {
		return api.Page[userNote]{}, err
	}
	notes, total, err := a.Customers.Notes(ctx, c, on, key, page)
	return api.PageOf(total, encodeAll(notes, encodeNote)), err
}

func encodeNote(n customer.Note) userNote {
	return userNote{
		ID: n.ID.String(), EntityType: string(n.Subject), EntityKey: n.Key, Note: n.Text, Category: orNil(n.Category),
		IsPinned: n.IsPinned, CreatorID: n.CreatedBy, CreatorUserName: n.Author, CreationTime: n.CreatedAt,
	}
}
