package vault

import (
	"context"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// BINEntry is what an issuer says of a range; ids are those of the stored-card
// contract, 0 where nothing is known.
type BINEntry struct {
	BIN                               string // six or eight digits
	BankID                            int
	Bank                              string
	BrandID, FamilyID, KindID, TypeID int
}

// binHeader is the first line of a BIN table.
const binHeader = "bin,bankId,bank,brandId,familyId,kindId,typeId"

// ErrBINTable says that a BIN table is not one.
var ErrBINTable = errors.New("malformed BIN table")

//go:embed bins.csv
var builtIn string

// builtInBINs holds as long as none is loaded.
var builtInBINs = func() map[string]BINEntry {
	all, err := ParseBINTable(strings.NewReader(builtIn))
	if err != nil {
		panic(err) // a fault of this program's
	}
	m := make(map[string]BINEntry, len(all))
	for _, b := range all {
		m[b.BIN] = b
	}
	return m
}()

// ParseBINTable reads a table: a header, then a range a line.
func ParseBINTable(r io.Reader) ([]BINEntry, error) {
	lines := csv.NewReader(r)
	lines.FieldsPerRecord = 7
	header, err := lines.Read()
	if err != nil || strings.TrimPrefix(strings.Join(header, ","), "\ufeff") != binHeader {
		return nil, fmt.Errorf("%w: the first line must be %s", ErrBINTable, binHeader)
	}
	var all []BINEntry
	seen := map[string]bool{}
	for {
		fields, err := lines.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBINTable, err)
		}
		b, ok := parseBIN(fields)
		if line, _ := lines.FieldPos(0); !ok || seen[b.BIN] {
			return nil, fmt.Errorf("%w: line %d", ErrBINTable, line)
		}
		seen[b.BIN] = true
		all = append(all, b)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: it is empty", ErrBINTable)
	}
	return all, nil
}

func parseBIN(fields []string) (b BINEntry, ok bool) {
	b = BINEntry{BIN: fields[0], Bank: fields[2]}
	ok = (len(b.BIN) == 6 || len(b.BIN) == 8) && fault.AllDigits(b.BIN) && fault.Printable(b.Bank) && len(b.Bank) <= 2*textMax
	for to, text := range map[*int]string{
		&b.BankID: fields[1], &b.BrandID: fields[3], &b.FamilyID: fields[4], &b.KindID: fields[5], &b.TypeID: fields[6],
	} {
		n, err := strconv.Atoi(text)
		ok = ok && err == nil && n >= 0 && n <= 1_000_000
		*to = n
	}
	return b, ok
}

// LoadBINTable puts a table in the place of the one before, and returns its
// version.
func (s *Store) LoadBINTable(ctx context.Context, all []BINEntry) (version int, err error) {
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		if version, err = newestBINTable(ctx, tx); err != nil {
			return err
		}
		version++
		return insertBINTable(ctx, tx, version, clock.RealNow(s.Clock).Time(), all)
	})
	if err != nil {
		return 0, fmt.Errorf("load BIN table: %w", err)
	}
	return version, nil
}

// BIN returns what is known of six or eight digits; nothing known is NotFound.
func (s *Store) BIN(ctx context.Context, digits string) (b BINEntry, err error) {
	if len(digits) != 6 && len(digits) != 8 || !fault.AllDigits(digits) {
		return b, errStoredInvalid
	}
	err = s.DB.View(ctx, func(tx db.Tx) error {
		b, err = lookUp(ctx, tx, digits)
		if err == nil && b.BIN == "" {
			err = errBINNotFound
		}
		return err
	})
	return b, err
}

// lookUp finds the range of eight digits, else that of their first six.
func lookUp(ctx context.Context, tx db.Tx, digits string) (BINEntry, error) {
	version, err := newestBINTable(ctx, tx)
	if err != nil {
		return BINEntry{}, err
	}
	for _, n := range []int{8, 6} {
		if len(digits) < n {
			continue
		}
		b, found := builtInBINs[digits[:n]]
		if version > 0 {
			if b, found, err = loadedBIN(ctx, tx, version, digits[:n]); err != nil {
				return BINEntry{}, err
			}
		}
		if found {
			return b, nil
		}
	}
	return BINEntry{}, nil
}
