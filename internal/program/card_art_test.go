package program

import (
	"encoding/base64"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

func TestCardArt_plasticsProtectItFromDeletion(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx, c := t.Context(), h.main
		in := CardArt{
			Code: "BLUE", Name: "Blue", PersoDesignCode: "D-01", FormFactor: PhysicalCard, TextColor: "#FFFFFF", IsActive: true,
			FrontImage: base64.StdEncoding.EncodeToString([]byte("\xff\xd8\xff\xe0")), BackImage: "https://example.com/b.png",
		}
		made, err := h.CreateCardArt(ctx, c, in)
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.CreateCardArt(ctx, c, in)
		wantFault(t, err, "card_art_already_exists")
		if _, err := h.CreateCardArt(ctx, c, CardArt{Code: "OLD", Name: "Old", PersoDesignCode: "D-00"}); err != nil {
			t.Fatal(err)
		}
		active := true
		got, err := h.CardArts(ctx, c, &active)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]CardArt{made}, got); diff != "" {
			t.Errorf("active card arts (-created +read):\n%s", diff)
		}
		_, err = h.RenameCardArt(ctx, c, "BLUE", "Navy", "old stamp")
		wantFault(t, err, "concurrency_conflict")
		if a, err := h.RenameCardArt(ctx, c, "BLUE", "Navy", made.ConcurrencyStamp); err != nil || a.Name != "Navy" || a.FrontImage != in.FrontImage {
			t.Errorf("renamed: %+v (%v)", a, err)
		}
		h.program(c, "979206") // P1, with a plastic in BLUE
		err = h.DeleteCardArt(ctx, c, "BLUE")
		wantFault(t, err, "card_art_in_use")
		if f, _ := fault.As(err); f != nil {
			if diff := cmp.Diff(map[string]int{"products": 1}, f.Params["usedBy"]); diff != "" {
				t.Errorf("usedBy (-want +got):\n%s", diff)
			}
		}
		wantFault(t, h.DeleteCardArt(ctx, h.other, "BLUE"), "card_art_not_found")
		_, err = h.RenameCardArt(ctx, h.other, "BLUE", "Mine", "")
		wantFault(t, err, "card_art_not_found")
		if all, err := h.CardArts(ctx, h.other, nil); err != nil || len(all) != 0 {
			t.Errorf("another tenant sees %d card arts (%v)", len(all), err)
		}
		if err := h.DeleteProduct(ctx, c, "P1"); err != nil {
			t.Fatal(err)
		}
		if err := h.DeleteCardArt(ctx, c, "BLUE"); err != nil {
			t.Fatal(err)
		}
		wantFault(t, h.DeleteCardArt(ctx, c, "BLUE"), "card_art_not_found")
		_, err = h.CreateCardArt(ctx, c, in)
		wantFault(t, err, "card_art_already_exists")
	})
}

func TestCardArt_imagesAreImages(t *testing.T) {
	large := append([]byte("\xff\xd8\xff"), make([]byte, cardArtImageMax)...)
	for image, ok := range map[string]bool{
		"": true, "iVBORw0KGgo=": true, "https://example.com/a.png": true, base64.StdEncoding.EncodeToString(large[:cardArtImageMax]): true,
		base64.StdEncoding.EncodeToString(large): false, "R0lGODlh": false, "not base64": false, "http://example.com/a.png": false,
		"https://": false, "https://user:word@example.com/": false, "https://example.com/\x00": false, "javascript:alert(1)": false,
	} {
		a := CardArt{Code: "A", Name: "A", PersoDesignCode: "D", FrontImage: image}
		if err := a.check(); (err == nil) != ok {
			t.Errorf("%.40q: got %v, want accepted %t", image, err, ok)
		}
	}
}
