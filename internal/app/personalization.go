package app

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/personalization"
)

// personalize takes reports in, orders what is to be made, and settles what was
// lost on the way.
func (k *Core) personalize(ctx context.Context) (int, error) {
	done, err := k.runPersonalization(ctx)
	return done.total(), err
}

// personalized is what a run did, as it is shown.
type personalized struct {
	Reports   int `json:"reports"`
	Rejected  int `json:"rejectedReports"`
	Events    int `json:"events"`
	Refused   int `json:"refusedEvents"`
	Requeued  int `json:"requeued"`
	Queued    int `json:"queued"`
	Files     int `json:"files"`
	Sent      int `json:"sent"`
	Failed    int `json:"failed"`
	Cancelled int `json:"cancelled"`
}

func (p personalized) total() int {
	return p.Reports + p.Rejected + p.Requeued + p.Queued + p.Sent + p.Failed + p.Cancelled
}

func (k *Core) runPersonalization(ctx context.Context) (personalized, error) {
	dirs := bureauDirs{k.Config.PersoDir, k.Log}
	taken, err := dirs.takeReports(ctx, k.Personalization)
	sum, also := k.Personalization.Run(ctx)
	return personalized{
		Reports: taken.Taken, Rejected: taken.Rejected, Events: taken.Events, Refused: taken.Refused, Requeued: sum.Requeued,
		Queued: sum.Queued, Files: sum.Files, Sent: sum.Sent, Failed: sum.Failed, Cancelled: sum.Cancelled,
	}, errors.Join(err, also)
}

// RunPersonalization does once what "serve" does again and again, and prints
// what that was.
func RunPersonalization(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, asJSON bool) error {
	return WithCore(ctx, c, log, AsItIs, func(k *Core) error {
		done, err := k.runPersonalization(ctx)
		if err != nil {
			return err
		}
		if asJSON {
			return PrintJSON(w, done)
		}
		_, err = fmt.Fprintf(w, "reports   %d taken, %d refused; %d events, %d of them refused\nplastics  %d queued, %d ordered in %d files, %d failed, %d begun anew\ncards     %d cancelled because their plastic was destroyed\n",
			done.Reports, done.Rejected, done.Events, done.Refused, done.Queued, done.Sent, done.Files, done.Failed, done.Requeued, done.Cancelled)
		return err
	})
}

// shownBatch is a file of orders as it is shown.
type shownBatch struct {
	BatchID    string       `json:"batchId"`
	TenantID   string       `json:"tenantId"`
	VendorCode string       `json:"vendorCode"`
	BatchNo    int          `json:"batchNo"`
	FileName   string       `json:"fileName"`
	Status     string       `json:"status"`
	CardCount  int          `json:"cardCount"`
	CreatedAt  time.Time    `json:"createdAt"`
	SentAt     *time.Time   `json:"sentAt"`
	Orders     []shownOrder `json:"orders,omitempty"`
}

type shownOrder struct {
	OrderID        string `json:"orderId"`
	CardToken      string `json:"cardToken"`
	CardSequenceNo int    `json:"cardSequenceNo"`
	MaskedCardNo   string `json:"maskedCardNo"`
	IsDropped      bool   `json:"isDropped"`
	PersoStatus    string `json:"persoStatus"`
	ShipmentStatus string `json:"shipmentStatus"`
	ErrorText      string `json:"errorText,omitempty"`
}

func showBatch(b personalization.Batch) shownBatch {
	out := shownBatch{
		BatchID: b.ID.String(), TenantID: b.Tenant.UUID(), VendorCode: b.Vendor, BatchNo: b.No, FileName: b.FileName,
		Status: string(b.Status), CardCount: b.CardCount, CreatedAt: b.CreatedAt,
	}
	if !b.SentAt.IsZero() {
		out.SentAt = &b.SentAt
	}
	return out
}

func (b shownBatch) line() string {
	return fmt.Sprintf("%s  %-8s %5d cards  %s  %s", b.CreatedAt.Format(time.RFC3339), b.Status, b.CardCount, b.FileName, b.BatchID)
}

// batchesShown is how many batches are listed.
const batchesShown = 200

// ListBatches prints the files of orders made last, of one tenant (a UUID) or
// of all.
func ListBatches(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant string, asJSON bool) error {
	of, err := tenantOf(tenant)
	if err != nil {
		return err
	}
	return WithCore(ctx, c, log, AsItIs, func(k *Core) error {
		batches, err := k.Personalization.Batches(ctx, of, batchesShown)
		if err != nil {
			return err
		}
		shown := make([]shownBatch, len(batches))
		for i, b := range batches {
			shown[i] = showBatch(b)
		}
		if asJSON {
			return PrintJSON(w, shown)
		}
		for _, b := range shown {
			if _, err := fmt.Fprintln(w, b.line()); err != nil {
				return err
			}
		}
		if len(shown) == 0 {
			_, err = fmt.Fprintln(w, "nothing was ordered")
		}
		return err
	})
}

// tenantOf reads the UUID of a tenant; none is the zero identifier.
func tenantOf(text string) (access.TenantID, error) {
	if text == "" {
		return access.TenantID{}, nil
	}
	return namedTenant(text)
}

// ShowBatch prints a file of orders, named by its identifier or file name, and
// what became of each.
func ShowBatch(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, name string, asJSON bool) error {
	return WithCore(ctx, c, log, AsItIs, func(k *Core) error {
		b, orders, err := k.Personalization.BatchWithOrders(ctx, name)
		if err != nil {
			return err
		}
		shown := showBatch(b)
		for _, o := range orders {
			shown.Orders = append(shown.Orders, shownOrder{
				OrderID: o.ID.String(), CardToken: o.CardToken, CardSequenceNo: o.Sequence, MaskedCardNo: o.MaskedNo,
				IsDropped: o.Dropped, PersoStatus: string(o.PersoStatus), ShipmentStatus: string(o.ShipmentStatus), ErrorText: o.ErrorText,
			})
		}
		if asJSON {
			return PrintJSON(w, shown)
		}
		if _, err := fmt.Fprintln(w, shown.line()); err != nil {
			return err
		}
		for _, o := range shown.Orders {
			if _, err := fmt.Fprintf(w, "  %s  %s  %-15s %s %s\n", o.OrderID, o.MaskedCardNo, o.PersoStatus, o.ShipmentStatus, o.ErrorText); err != nil {
				return err
			}
		}
		return nil
	})
}

// Bureau names a card bureau of a tenant.
type Bureau struct {
	Tenant string // UUID
	Vendor string // the code on products
}

// ShareBureauKey makes a transport key for a bureau and prints it, encrypted to
// the RSA public key in a file ("-" is standard input).
func ShareBureauKey(ctx context.Context, c config.Config, log *slog.Logger, stdin io.Reader, w io.Writer, in Bureau, path string, asJSON bool) error {
	tenant, err := tenantOf(in.Tenant)
	if err != nil {
		return err
	}
	public, err := readPublicKey(stdin, path)
	if err != nil {
		return err
	}
	return WithCore(ctx, c, log, AsItIs, func(k *Core) error {
		shared, err := k.Vault.ShareBureauKey(ctx, tenant, in.Vendor, public)
		if err != nil {
			return err
		}
		wrapped := base64.StdEncoding.EncodeToString(shared.Wrapped)
		if asJSON {
			return PrintJSON(w, struct {
				TenantID     string `json:"tenantId"`
				VendorCode   string `json:"vendorCode"`
				KeyID        string `json:"keyId"`
				KCV          string `json:"kcv"`
				Fingerprint  string `json:"fingerprint"`
				EncryptedKey string `json:"encryptedKey"`
			}{tenant.UUID(), in.Vendor, shared.Key.Ref.ID, shared.Key.Ref.KCV, shared.Fingerprint, wrapped})
		}
		_, err = fmt.Fprintf(w, "tenant        %s\nbureau        %s\nfingerprint   %s\nkey id        %s\ncheck value   %s\nencrypted key %s\n",
			tenant.UUID(), in.Vendor, shared.Fingerprint, shared.Key.Ref.ID, shared.Key.Ref.KCV, wrapped)
		return err
	})
}
