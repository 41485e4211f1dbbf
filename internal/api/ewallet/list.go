package ewallet

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/list"
	"github.com/sarraf-platform/sarraf/internal/wallet"
)

// pageView is a part of a list. What it was ordered by is never said.
type pageView struct {
	Results   any     `json:"results"`
	Index     int     `json:"page_index"`
	LastRow   int     `json:"last_row_index"`
	PageCount int     `json:"page_count"`
	Size      int     `json:"page_size"`
	RowCount  int     `json:"row_count"`
	Column    *string `json:"order_column"`
	By        *string `json:"order_by"`
}

// pageMax is how many rows a page may have, pagesMax how many pages are looked
// through.
const (
	pageMax  = 1000
	pagesMax = 100_000
)

// page reads which part of a list is wanted, ordered by one of these columns.
func (f *fields) page(columns ...string) list.Page {
	size, index := f.number("page_size"), f.number("page_index")
	if _, ok := f.members["page_index"]; !ok {
		f.bad("page_index", "'Page Index' must not be empty.")
	}
	f.between("page_size", size, 1, pageMax)
	f.between("page_index", index, 0, pagesMax)
	by, order := f.required("order_column"), strings.ToLower(f.text("order_by"))
	known := ""
	for _, c := range columns {
		if strings.EqualFold(c, by) {
			known = c
		}
	}
	if by != "" && known == "" {
		f.bad("order_column", "The specified condition was not met for 'Order Column'.")
	}
	if order != "" && order != "asc" && order != "desc" {
		f.bad("order_by", "The specified condition was not met for 'Order By'.")
	}
	return list.Page{Skip: size * index, Limit: size, Sort: []list.SortKey{{Name: known, Descending: order == "desc"}}}
}

func (f *fields) between(name string, n, least, most int) {
	if (n < least || n > most) && !f.isMistyped(name) {
		f.bad(name, fmt.Sprintf("'%s' must be between %d and %d. You entered %d.", shown(name), least, most, n))
	}
}

func viewPage(results any, p list.Page, here, total int) pageView {
	return pageView{
		Results: results, Index: p.Skip / p.Limit, LastRow: p.Skip + here, PageCount: (total + p.Limit - 1) / p.Limit, Size: p.Limit, RowCount: total,
	}
}

// moment reads a time that may be left out: with a zone, or in UTC without.
func (f *fields) moment(name string) (t time.Time) {
	s := strings.TrimSpace(f.text(name))
	if s == "" {
		return t
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() >= 1970 && t.Year() < 2200 {
			return t
		}
	}
	f.malformed(name)
	return t
}

// optionalID reads an identifier of ours that may be left out.
func (f *fields) optionalID(name string) wallet.ID {
	if s := f.word(name); strings.TrimSpace(s) == "" {
		return 0
	}
	return f.id(name)
}

// ofTenant reads the tenant that a list is to be of, which can only be the
// caller's: another has nothing in it. The document misspells it once.
func (f *fields) ofTenant(a *API, ctx context.Context, c access.Caller) (own bool, err error) {
	asked := f.word("tenant_id") + f.word("tanant_id")
	if asked == "" {
		return true, nil
	}
	no, err := a.wallets.TenantNo(ctx, c)
	return asked == shownTenant(no), err
}

// kindOfAccount reads the number of a kind of account; 0 is any.
func (f *fields) kindOfAccount(name string) wallet.Kind {
	switch f.number(name) {
	case 0:
		return ""
	case 1:
		return wallet.Personal
	case 2:
		return wallet.Business
	}
	f.bad(name, "The specified condition was not met for '"+shown(name)+"'.")
	return ""
}

// unsupported refuses a filter on what is stored sealed: to pass over it would
// show more than was asked for.
func (f *fields) unsupported(names ...string) {
	for _, name := range names {
		if raw, ok := f.members[name]; ok && string(raw) != "null" && string(raw) != `""` && string(raw) != "0" {
			f.bad(name, "'"+shown(name)+"' cannot be filtered by.")
		}
	}
}

// listWallets is the list of wallets; kind, when set, is the only kind shown.
func (a *API) listWallets(kind wallet.Kind) func(context.Context, access.Caller, *fields) (answer, error) {
	return func(ctx context.Context, c access.Caller, in *fields) (answer, error) {
		p := in.page("CreatedDateUtc", "Id", "Number")
		f := wallet.Filter{
			AccountID: in.optionalID("account_id"), Kind: in.kindOfAccount("account_type_id"), Name: in.text("name"), AccountNo: in.text("account_number"),
			No: in.text("wallet_number"), Currency: in.text("currency_code"), Level: wallet.KYCLevel(in.number("kyc_level_code")),
			From: in.moment("start_date"), Until: in.moment("end_date"), NationalID: in.text("national_id"), TaxNumber: in.text("tax_number"),
		}
		in.unsupported("first_name", "last_name", "min", "max")
		if err := in.err(); err != nil {
			return answer{}, err
		}
		own, err := in.ofTenant(a, ctx, c)
		if err != nil {
			return answer{}, err
		}
		results := []walletView{}
		if !own || in.truth("is_deleted") || kind != "" && f.Kind != "" && f.Kind != kind {
			return answer{payload: viewPage(results, p, 0, 0), silent: true}, nil
		}
		if kind != "" {
			f.Kind = kind
		}
		found, total, err := a.wallets.List(ctx, c, f, p)
		if err != nil {
			return answer{}, err
		}
		for _, s := range found {
			results = append(results, viewWhole(s))
		}
		return answer{payload: viewPage(results, p, len(results), total), silent: true}, nil
	}
}
