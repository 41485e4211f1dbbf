package ewallet

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/locale"
)

// staticRow is a row of a list that never changes.
type staticRow struct {
	ID   string `json:"id"`
	Code string `json:"code"`
	Name string `json:"name"`
}

func named(language, key string) string {
	text, _ := locale.Text(language, key, nil)
	return text
}

func (a *API) countries(_ context.Context, c access.Caller, _ *fields) (answer, error) {
	var rows []staticRow
	for _, x := range country.All() {
		rows = append(rows, staticRow{x.Numeric(), x.Alpha2(), named(c.Language, "country."+x.Alpha2())})
	}
	return answer{payload: rows, silent: true}, nil
}

// numbered is the action of a list whose rows have numbers of two digits from 1.
func (a *API) numbered(key string) func(context.Context, access.Caller, *fields) (answer, error) {
	return func(_ context.Context, c access.Caller, _ *fields) (answer, error) {
		var rows []staticRow
		for i := 1; ; i++ {
			code := fmt.Sprintf("%02d", i)
			name, ok := locale.Text(c.Language, key+code, nil)
			if !ok {
				return answer{payload: rows, silent: true}, nil
			}
			rows = append(rows, staticRow{fmt.Sprint(i), code, name})
		}
	}
}

// paymentType is what a payment may be for.
type paymentType struct {
	Code                  string `json:"code"`
	Name                  string `json:"name"`
	IsDescriptionRequired bool   `json:"is_description_required"`
}

// otherPayment is the type that says nothing without a description.
const otherPayment = "99"

func (a *API) paymentTypes(_ context.Context, c access.Caller, _ *fields) (answer, error) {
	var all []paymentType
	for i := 1; i <= 99; i++ {
		code := fmt.Sprintf("%02d", i)
		if name, ok := locale.Text(c.Language, "ewallet.payment-type."+code, nil); ok {
			all = append(all, paymentType{code, name, code == otherPayment})
		}
	}
	return answer{payload: all, silent: true}, nil
}
