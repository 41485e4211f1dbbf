package program

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// CardArt is the design of a plastic, as agreed with the bureau that prints it.
// Only its name ever changes: a changed design is a new art.
type CardArt struct {
	Code            string
	Name            string
	Description     string
	PersoDesignCode string
	FormFactor      FormFactor // empty: any
	FrontImage      string     // base64 of a PNG or JPEG, or an https URL; empty: none
	BackImage       string
	TextColor       string
	IsActive        bool
	access.Record
}

// cardArtImageMax is the size of an image in bytes, before base64.
const cardArtImageMax = 1 << 20

func (a CardArt) check() error {
	var v fault.Checks
	v.Code("code", a.Code)
	v.Text("name", a.Name, 1, 100)
	v.Text("description", a.Description, 0, 250)
	v.Text("persoDesignCode", a.PersoDesignCode, 1, 32)
	if a.FormFactor != "" {
		fault.OneOf(&v, "formFactor", a.FormFactor, FormFactors())
	}
	checkImage(&v, "frontImage", a.FrontImage)
	checkImage(&v, "backImage", a.BackImage)
	v.Text("textColor", a.TextColor, 0, 20)
	return v.Err(errInvalid)
}

// checkImage checks what is an image, or says where one lies.
func checkImage(v *fault.Checks, name, value string) {
	if value == "" {
		return
	}
	if strings.HasPrefix(value, "https://") {
		at, err := url.Parse(value)
		v.Is(name, err == nil && at.Host != "" && at.User == nil && fault.Printable(value) && len(value) <= 2048,
			"not_a_url", "must be an https URL of at most 2048 characters")
		return
	}
	picture, err := base64.StdEncoding.DecodeString(value)
	isImage := bytes.HasPrefix(picture, []byte("\x89PNG\r\n\x1a\n")) || bytes.HasPrefix(picture, []byte("\xff\xd8\xff"))
	v.Is(name, err == nil && isImage, "not_an_image", "must be a PNG or JPEG in base64, or an https URL")
	v.Is(name, len(picture) <= cardArtImageMax, "too_large", "must have at most 1 MB")
}

// cardArtEntity is what card arts are called in the audit record.
const cardArtEntity = "Art"

// audited is a as the audit record shows it: pictures by their SHA-256.
func (a CardArt) audited() CardArt {
	for _, image := range []*string{&a.FrontImage, &a.BackImage} {
		if *image != "" && !strings.HasPrefix(*image, "https://") {
			hash := sha256.Sum256([]byte(*image))
			*image = "sha256:" + hex.EncodeToString(hash[:])
		}
	}
	return a
}

// CreateCardArt defines a card art.
func (s *Service) CreateCardArt(ctx context.Context, c access.Caller, in CardArt) (CardArt, error) {
	a := in
	if err := a.check(); err != nil {
		return CardArt{}, err
	}
	a.Record = access.NewRecord(c, c.Now(s.Clock))
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		inserted, err := insertCardArt(ctx, tx, c.Tenant, a)
		if err == nil && !inserted {
			return errCardArtExists.With("code", a.Code)
		}
		if err != nil {
			return err
		}
		return s.recordDefinition(ctx, tx, c, cardArtEntity, a.Code, nil, a.audited())
	})
	if err != nil {
		return CardArt{}, err
	}
	return a, nil
}

// RenameCardArt gives a card art another name. stamp must be the present one,
// or empty.
func (s *Service) RenameCardArt(ctx context.Context, c access.Caller, code, name, stamp string) (a CardArt, err error) {
	var v fault.Checks
	v.Text("name", name, 1, 100)
	if err := v.Err(errInvalid); err != nil {
		return CardArt{}, err
	}
	now := c.Now(s.Clock)
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		if a, err = mustCardArt(ctx, tx, c.Tenant, code); err != nil {
			return err
		}
		old := a
		a.Name, a.Record = name, a.Record.Updated(c, now)
		if err := written(renameCardArt(ctx, tx, c.Tenant, a, stamp)); err != nil {
			return err
		}
		return s.recordDefinition(ctx, tx, c, cardArtEntity, code, old.audited(), a.audited())
	})
	if err != nil {
		return CardArt{}, err
	}
	return a, nil
}

// DeleteCardArt deletes a card art that no plastic of a product has. Its code
// stays taken.
func (s *Service) DeleteCardArt(ctx context.Context, c access.Caller, code string) error {
	r := access.Record{}.Updated(c, c.Now(s.Clock))
	// As a change of the configuration, so that no product changes meanwhile.
	return s.Change(ctx, c.Tenant, func(tx db.Tx) error {
		old, err := mustCardArt(ctx, tx, c.Tenant, code)
		if err != nil {
			return err
		}
		products, err := readProducts(ctx, tx, c.Tenant)
		if err != nil {
			return fmt.Errorf("read products: %w", err)
		}
		uses := 0
		for _, p := range products {
			if slices.ContainsFunc(p.Plastics, func(w Plastic) bool { return w.CardArtCode == code }) {
				uses++
			}
		}
		if uses > 0 {
			return errCardArtInUse.With("code", code).With("usedBy", map[string]int{"products": uses})
		}
		if err := deleteCardArt(ctx, tx, c.Tenant, code, r); err != nil {
			return err
		}
		return s.recordDefinition(ctx, tx, c, cardArtEntity, code, old.audited(), nil)
	})
}

// CardArts returns the tenant's card arts by code; active nil means all.
func (s *Service) CardArts(ctx context.Context, c access.Caller, active *bool) (all []CardArt, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		if all, err = readCardArts(ctx, tx, c.Tenant, active); err != nil {
			return fmt.Errorf("list card arts: %w", err)
		}
		return nil
	})
	return all, err
}

func mustCardArt(ctx context.Context, tx db.Tx, tenant access.TenantID, code string) (CardArt, error) {
	a, found, err := ReadCardArt(ctx, tx, tenant, code)
	if err != nil {
		return CardArt{}, fmt.Errorf("read card art: %w", err)
	}
	if !found {
		return CardArt{}, errCardArtNotFound.With("cardArtCode", code)
	}
	return a, nil
}
