package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/personalization"
	"github.com/sarraf-platform/sarraf/internal/wire/persofile"
)

// bureauDirs exchanges files with card bureaus through directories, one for
// each tenant and bureau: orders are taken from out, reports are put into in.
type bureauDirs struct {
	root string
	log  *slog.Logger
}

// The directories of a bureau.
const (
	outDir      = "out"
	inDir       = "in"
	doneDir     = "done"     // reports that were taken in, each with what became of it
	rejectedDir = "rejected" // reports that were refused whole
	preparedDir = "prepared" // orders that are not delivered yet; nobody looks here
)

// orderSuffix is the extension of both kinds of files.
const orderSuffix = ".jsonl"

func (d bureauDirs) of(tenant access.TenantID, vendor string) string {
	return filepath.Join(d.root, tenant.UUID(), vendor)
}

// Prepare implements [personalization.Bureaus].
func (d bureauDirs) Prepare(_ context.Context, f personalization.File) (_ personalization.Prepared, err error) {
	base := d.of(f.Tenant, f.Vendor)
	for _, dir := range []string{preparedDir, outDir, inDir, doneDir, rejectedDir} {
		if err := os.MkdirAll(filepath.Join(base, dir), 0o700); err != nil {
			return personalization.Prepared{}, fmt.Errorf("make directory of bureau: %w", err)
		}
	}
	mark := make([]byte, 6)
	rand.Read(mark) // never fails
	place := f.ID + "." + hex.EncodeToString(mark)
	path := filepath.Join(base, preparedDir, place)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return personalization.Prepared{}, fmt.Errorf("create order: %w", err)
	}
	trailer, err := writeOrder(file, f)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = syncDir(filepath.Join(base, preparedDir))
	}
	if err != nil {
		return personalization.Prepared{}, errors.Join(err, os.Remove(path))
	}
	return personalization.Prepared{
		Tenant: f.Tenant, Vendor: f.Vendor, FileID: f.ID, Place: place, Digest: hex.EncodeToString(trailer.Digest[:]),
	}, nil
}

// writeOrder writes the cards of a file.
func writeOrder(dst io.Writer, f personalization.File) (persofile.Trailer, error) {
	w, err := persofile.NewOrderWriter(dst, persofile.Header{
		FileID: f.ID, Vendor: f.Vendor, Issuer: f.Tenant.UUID(), CreatedAt: f.CreatedAt, TransportKeyID: f.TransportKeyID,
		TransportKeyKCV: f.TransportKeyKCV, DataKey: f.DataKey, PINKey: f.PINKey, MACKey: f.MACKey,
	})
	if err != nil {
		return persofile.Trailer{}, err
	}
	for _, c := range f.Cards {
		card := orderOf(c)
		if err := w.Write(&card); err != nil {
			return persofile.Trailer{}, err
		}
	}
	return w.Close(f.Authenticate)
}

// orderOf is the line of a card.
func orderOf(c personalization.OrderedCard) persofile.Card {
	k, v, body := c.Plastic.Card, c.Plastic.Variant, c.Plastic.Card.Physical
	out := persofile.Card{
		OrderID: c.OrderID, CardToken: k.Token, Sequence: k.Sequence, MaskedPAN: k.Masked(),
		Expires: k.Expires.String(), ServiceCode: k.ServiceCode,
		Number: c.Parts.Number, Track1: c.Parts.Track1, Track2: c.Parts.Track2, CVV2: c.Parts.CVV2,
		Embossing: persofile.Embossing{Type: string(v.EmbossType), Line1: k.EmbossLine1, Line2: k.EmbossLine2},
		Plastic: persofile.Plastic{
			Variant: v.Code, Plastic: v.PlasticCode, Design: c.Plastic.Design, Carrier: v.CarrierCode, Language: v.LanguageCode,
		},
		Chip: persofile.Chip{
			Profile: k.ChipProfile, PSN: k.PSN, KeyVersion: k.KeyVersion, Secret: c.Parts.Chip,
			KeyAC: c.Parts.KeyAC, KeySMI: c.Parts.KeySMI, KeySMC: c.Parts.KeySMC, PINBlock: c.Parts.PINBlock,
			Limits: persofile.Limits(c.Limits),
		},
		Delivery: persofile.Delivery{
			Method: string(body.DeliveryMethod), Courier: v.CourierCode, Branch: body.BranchCode, Express: body.IsExpress,
			Recipient: c.Recipient,
		},
	}
	for _, t := range c.Tags {
		out.Chip.Tags = append(out.Chip.Tags, persofile.Tag(t))
	}
	return out
}

// Deliver implements [personalization.Bureaus]. A prepared file that is no more
// was moved already: nothing else takes it from its place.
func (d bureauDirs) Deliver(_ context.Context, p personalization.Prepared) error {
	base := d.of(p.Tenant, p.Vendor)
	from, to := filepath.Join(base, preparedDir, p.Place), filepath.Join(base, outDir, p.FileID+orderSuffix)
	if err := os.Rename(from, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("move order: %w", err)
	}
	for _, dir := range []string{outDir, preparedDir} {
		if err := syncDir(filepath.Join(base, dir)); err != nil {
			return err
		}
	}
	// What others prepared of this batch is of no use any more.
	left, err := filepath.Glob(filepath.Join(base, preparedDir, p.FileID+".*"))
	for _, path := range left {
		if again := os.Remove(path); again != nil && !errors.Is(again, fs.ErrNotExist) {
			err = errors.Join(err, again)
		}
	}
	return err
}

// Discard implements [personalization.Bureaus].
func (d bureauDirs) Discard(_ context.Context, p personalization.Prepared) error {
	err := os.Remove(filepath.Join(d.of(p.Tenant, p.Vendor), preparedDir, p.Place))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove order: %w", err)
	}
	return nil
}

// syncDir makes the names in a directory durable.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open directory of bureau: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// takenReports is what became of the reports that lay ready.
type takenReports struct{ Taken, Rejected, Events, Refused int }

// takeReports takes in what bureaus have put into their directories, in the
// order of the names. A name that begins with a dot or ends in .tmp is not
// finished.
func (d bureauDirs) takeReports(ctx context.Context, s *personalization.Service) (n takenReports, err error) {
	paths, err := filepath.Glob(filepath.Join(d.root, "*", "*", inDir, "*"))
	if err != nil {
		return n, fmt.Errorf("look for reports: %w", err)
	}
	var errs []error
	for _, path := range paths {
		name := filepath.Base(path)
		if strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".tmp") {
			continue
		}
		if err := d.takeReport(ctx, s, path, &n); err != nil {
			errs = append(errs, fmt.Errorf("report %s: %w", name, err))
		}
	}
	return n, errors.Join(errs...)
}

// takeReport takes one report in and puts it aside with what became of it.
func (d bureauDirs) takeReport(ctx context.Context, s *personalization.Service, path string, n *takenReports) error {
	base := filepath.Dir(filepath.Dir(path))
	r, err := readReport(path)
	if err == nil && (r.Vendor != filepath.Base(base) || r.Tenant.UUID() != filepath.Base(filepath.Dir(base))) {
		err = errOtherBureau
	}
	var told []personalization.Told
	if err == nil {
		told, err = s.TakeReport(ctx, r)
	}
	var broken *persofile.FormatError
	_, refused := fault.AsRefusal(err)
	switch {
	case err == nil:
		n.Taken++
		n.Events += len(told)
		for _, t := range told {
			if t.Refusal != nil {
				n.Refused++
			}
		}
		return putAside(path, filepath.Join(base, doneDir), resultsOf(told))
	case errors.As(err, &broken), errors.Is(err, errOtherBureau), refused:
		n.Rejected++
		d.log.Error("report of a bureau is refused", "file", filepath.Base(path), "error", err)
		return putAside(path, filepath.Join(base, rejectedDir), []byte(err.Error()+"\n"))
	}
	return err
}

var errOtherBureau = errors.New("the report is of another tenant or bureau than the directory")

// putAside writes what became of a report beside its new place and moves it
// there. Broken off in between, the report is taken again and changes nothing.
func putAside(path, dir string, results []byte) error {
	name := filepath.Base(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make directory of bureau: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".result"), results, 0o600); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	if err := os.Rename(path, filepath.Join(dir, name)); err != nil {
		return fmt.Errorf("put report aside: %w", err)
	}
	return syncDir(dir)
}

// resultsOf says in a line for each event what became of it.
func resultsOf(told []personalization.Told) []byte {
	var b strings.Builder
	for _, t := range told {
		switch {
		case t.Refusal != nil:
			fmt.Fprintf(&b, "%s refused %s %v\n", t.EventID, t.Refusal.Code, t.Refusal.Params)
		case t.Outcome.Duplicate:
			fmt.Fprintf(&b, "%s known\n", t.EventID)
		case t.Outcome.Outdated:
			fmt.Fprintf(&b, "%s outdated %s\n", t.EventID, t.Outcome.Current)
		default:
			fmt.Fprintf(&b, "%s taken %s\n", t.EventID, t.Outcome.Current)
		}
	}
	return []byte(b.String())
}

// readReport reads a report to its end.
func readReport(path string) (personalization.Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return personalization.Report{}, fmt.Errorf("open report: %w", err)
	}
	defer f.Close()
	r, err := persofile.NewStatusReader(f)
	if err != nil {
		return personalization.Report{}, err
	}
	h := r.Header()
	out := personalization.Report{
		FileID: h.FileID, Vendor: h.Vendor, TransportKeyID: h.TransportKeyID, DataKey: h.DataKey, MACKey: h.MACKey,
	}
	if out.Tenant, err = id.ParseUUID[access.Tenant](h.Issuer); err != nil {
		return out, errOtherBureau
	}
	for {
		e, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return out, err
		}
		out.Events = append(out.Events, eventOf(h.FileID, e))
	}
	out.Digest, out.MAC = r.Trailer().Digest, r.Trailer().MAC
	return out, nil
}

func eventOf(fileID string, e persofile.Event) personalization.ReportedEvent {
	about := personalization.AboutProduction
	if e.About == persofile.Shipment {
		about = personalization.AboutShipment
	}
	return personalization.ReportedEvent{
		Event: personalization.Event{
			About: about, ID: e.EventID, OrderID: e.OrderID, StatusCode: e.StatusCode, Status: e.Status, At: e.At,
			Description: e.Description, Location: e.Location, CourierCode: e.CourierCode, CourierName: e.CourierName,
			TrackingNo: e.TrackingNo, TrackingURL: e.TrackingURL, EstimatedDelivery: e.EstimatedDelivery,
			RecipientRelation: e.RecipientRelation, ReturnReason: e.ReturnReason,
		},
		Recipient: e.Recipient, RecipientPlace: persofile.AAD(fileID, e.EventID, "recipient"),
	}
}
