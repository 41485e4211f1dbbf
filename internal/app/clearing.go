package app

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clearing"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/wire/clearingfile"
)

// ClearingFile says what to import.
type ClearingFile struct {
	Path   string // "-" is standard input
	Tenant string // UUID; takes records of BINs that nobody has into its suspense account
}

// ImportClearing imports a clearing file and prints what became of its
// records.
func ImportClearing(ctx context.Context, c config.Config, log *slog.Logger, stdin io.Reader, w io.Writer, in ClearingFile, asJSON bool) error {
	fallback, err := tenantOf(in.Tenant)
	if err != nil {
		return err
	}
	return WithCore(ctx, c, log, AsItIs, func(k *Core) error {
		src, err := openClearing(stdin, in.Path)
		if err != nil {
			return err
		}
		defer src.Close()
		imported, err := k.importClearing(ctx, src, fallback)
		if err != nil {
			return err
		}
		if asJSON {
			return PrintJSON(w, imported)
		}
		_, err = fmt.Fprintln(w, strings.Join(imported.lines(), "\n"))
		return err
	})
}

// openClearing opens a file that is read twice. What comes from standard input
// is kept in memory: it holds card numbers, which a temporary file must not.
func openClearing(stdin io.Reader, path string) (io.ReadSeekCloser, error) {
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("open clearing file: %w", err)
		}
		return f, nil
	}
	content, err := io.ReadAll(stdin)
	if err != nil {
		return nil, fmt.Errorf("read clearing file: %w", err)
	}
	return inMemory{bytes.NewReader(content)}, nil
}

type inMemory struct{ io.ReadSeeker }

// Close has nothing to close.
func (inMemory) Close() error { return nil }

// imported is what became of a clearing file, as it is shown.
type imported struct {
	Network      string          `json:"network"`
	FileID       string          `json:"fileId"`
	BusinessDate string          `json:"businessDate"`
	Records      int             `json:"records"`
	Totals       []importedTotal `json:"totals"`
	ByStatus     map[string]int  `json:"byStatus"`
	Exceptions   map[string]int  `json:"exceptions"`
}

type importedTotal struct {
	Currency string `json:"currency"`
	Debit    int64  `json:"debit"` // minor units
	Credit   int64  `json:"credit"`
}

func (k *Core) importClearing(ctx context.Context, src io.ReadSeeker, fallback access.TenantID) (imported, error) {
	sum, err := k.Clearing.Import(ctx, clearingSource{src}, clearing.Options{Tenant: fallback})
	if err != nil {
		return imported{}, err
	}
	out := imported{
		Network: sum.Network, FileID: sum.Name, BusinessDate: sum.BusinessOn.String(), Records: sum.Count,
		ByStatus: map[string]int{}, Exceptions: map[string]int{},
	}
	for _, t := range sum.Totals {
		out.Totals = append(out.Totals, importedTotal{t.Currency.Code(), t.Debit, t.Credit})
	}
	for status, n := range sum.ByStatus {
		out.ByStatus[string(status)] = n
	}
	for cause, n := range sum.ByCause {
		out.Exceptions[string(cause)] = n
	}
	return out, nil
}

func (i imported) lines() []string {
	lines := []string{fmt.Sprintf("file %s of %s, business date %s: %d records", i.FileID, i.Network, i.BusinessDate, i.Records)}
	for _, status := range slices.Sorted(maps.Keys(i.ByStatus)) {
		lines = append(lines, fmt.Sprintf("%6d  %s", i.ByStatus[status], status))
	}
	for _, cause := range slices.Sorted(maps.Keys(i.Exceptions)) {
		lines = append(lines, fmt.Sprintf("%6d  to be looked at: %s", i.Exceptions[cause], cause))
	}
	return lines
}

// shownException is a clearing record that a person must look at, as it is shown.
type shownException struct {
	ExceptionID   string    `json:"exceptionId"`
	Cause         string    `json:"cause"`
	Status        string    `json:"status"`
	FileID        string    `json:"fileId"` // as the network calls it
	Line          int       `json:"line"`
	TransactionID string    `json:"transactionId,omitempty"`
	AccountID     string    `json:"accountId,omitempty"` // of the record's card
	CreatedAt     time.Time `json:"createdAt"`
}

// ListExceptions prints the clearing records of a tenant that a person must look
// at.
func ListExceptions(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant string, p Page, asJSON bool) error {
	if err := p.check(); err != nil {
		return err
	}
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		page, total, err := k.Clearing.Exceptions(ctx, caller, p.Skip, p.Limit)
		if err != nil {
			return err
		}
		shown := make([]shownException, len(page))
		for i, x := range page {
			shown[i] = shownException{
				ExceptionID: x.ID.String(), Cause: string(x.Cause), Status: string(x.Status), FileID: x.FileName, Line: x.Line,
				CreatedAt: x.CreatedAt,
			}
			if !x.Transaction.IsZero() {
				shown[i].TransactionID = x.Transaction.UUID()
			}
			if !x.Account.IsZero() {
				shown[i].AccountID = x.Account.String()
			}
		}
		return printPage(w, shown, total, asJSON, func(x shownException) string {
			return fmt.Sprintf("%s  %-20s  %-8s  %s line %d  %s  %s", x.CreatedAt.Format(time.RFC3339), x.Cause, x.Status, x.FileID, x.Line, x.AccountID, x.TransactionID)
		})
	})
}

// clearingSource reads our clearing format for the domain.
type clearingSource struct{ file io.ReadSeeker }

// Read implements [clearing.Source].
func (s clearingSource) Read(each func(*clearing.Presentment) error) (clearing.File, error) {
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return clearing.File{}, fmt.Errorf("begin anew: %w", err)
	}
	r, err := clearingfile.NewReader(s.file)
	if err != nil {
		return clearing.File{}, err
	}
	for {
		record, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return clearing.File{}, err
		}
		p := decodePresentment(&record)
		if err := each(&p); err != nil {
			return clearing.File{}, err
		}
	}
	h, t := r.Header(), r.Trailer()
	f := clearing.File{Network: h.Network, Name: h.FileID, BusinessOn: h.BusinessDate, Hash: r.ContentHash(), Count: t.Count}
	for _, total := range t.Totals {
		f.Totals = append(f.Totals, clearing.Total{Currency: total.Currency, Debit: total.Debit, Credit: total.Credit})
	}
	return f, nil
}

func decodePresentment(r *clearingfile.Presentment) clearing.Presentment {
	return clearing.Presentment{
		Line: r.Line, Kind: clearing.Kind(r.Kind), Function: clearing.Function(r.Function), Reversal: r.Reversal,
		PAN: r.PAN, ARN: r.ARN, OriginalARN: r.OriginalARN, Transaction: r.Transaction, Billing: r.Billing,
		AuthorizationCode: r.AuthorizationCode, RRN: r.RRN, STAN: r.STAN, NetworkTransactionID: r.NetworkTransactionID,
		AcquirerID: r.AcquiringInstitutionID, TerminalID: r.TerminalID, CardAcceptorID: r.CardAcceptorID,
		MerchantName: r.MerchantName, MerchantCity: r.MerchantCity, MerchantCountry: r.MerchantCountry, MCC: r.MCC,
		LocalTime: r.LocalDateTime, EntryMode: r.POSEntryMode,
		Sequence: r.SequenceNumber, Count: r.SequenceCount, Final: r.Final,
	}
}
