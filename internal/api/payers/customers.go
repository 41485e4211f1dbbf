package payers

import (
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/customer"
)

func (a *API) create(c access.Caller, w http.ResponseWriter, r *http.Request) (any, error) {
	contact, err := readContact(w, r)
	if err != nil {
		return nil, err
	}
	p, err := a.Customers.CreatePayer(r.Context(), c, NewReference(), contact)
	return shown(p, err)
}

func (a *API) read(c access.Caller, _ http.ResponseWriter, r *http.Request) (any, error) {
	p, err := a.Customers.Payer(r.Context(), c, chi.URLParam(r, "id"))
	return shown(p, err)
}

func (a *API) replace(c access.Caller, w http.ResponseWriter, r *http.Request) (any, error) {
	contact, err := readContact(w, r)
	if err != nil {
		return nil, err
	}
	p, err := a.Customers.ReplacePayer(r.Context(), c, chi.URLParam(r, "id"), contact)
	return shown(p, err)
}

func (a *API) delete(c access.Caller, _ http.ResponseWriter, r *http.Request) (any, error) {
	p, err := a.Customers.DeletePayer(r.Context(), c, chi.URLParam(r, "id"))
	if err != nil {
		return nil, err
	}
	return []any{model(p, nil)}, nil
}

func shown(p customer.Payer, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return model(p, nil), nil
}

// listAnswer is the wrapper of a list. Count is how many were found, not how many
// are here.
type listAnswer struct {
	Count    int    `json:"count"`
	Data     []any  `json:"data"`
	ScrollID string `json:"scroll_id,omitempty"`
}

func (a *API) list(c access.Caller, _ http.ResponseWriter, r *http.Request) (any, error) {
	q, err := a.readQuery(c, r)
	if err != nil {
		return nil, err
	}
	filter, err := q.filter()
	if err != nil {
		return nil, err
	}
	page, err := a.Customers.Payers(r.Context(), c, filter)
	if err != nil {
		return nil, err
	}
	answer := listAnswer{Count: page.Total, Data: []any{}}
	for _, p := range page.Payers {
		answer.Data = append(answer.Data, model(p, q.chosen()))
	}
	if q.Lifetime > 0 && page.Next != nil { // until a page is empty: so end both who wait for that and who wait for no id
		q.After, q.Until = page.Next, a.Clock.Now().Add(q.Lifetime).Truncate(time.Second)
		answer.ScrollID, err = a.sealQuery(r.Context(), c, q)
	}
	return answer, err
}
