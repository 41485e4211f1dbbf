package platform

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/sim"
)

// Two images of the size that the contract allows fit into one request; no
// other route takes as much.
func TestCreateCardArt_takesImagesOfFullSize(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	picture := image.NewRGBA(image.Rect(0, 0, 500, 500))
	if _, err := sim.Random(1).Read(picture.Pix); err != nil { // noise, which does not compress
		t.Fatal(err)
	}
	for i := 3; i < len(picture.Pix); i += 4 {
		picture.Pix[i] = 255
	}
	var file bytes.Buffer
	if err := png.Encode(&file, picture); err != nil {
		t.Fatal(err)
	}
	if n := file.Len(); n < 700<<10 || n > 1<<20 {
		t.Fatalf("the picture has %d bytes", n)
	}
	text := base64.StdEncoding.EncodeToString(file.Bytes())
	body := fmt.Sprintf(`{"code": "ART", "name": "Art", "persoDesignCode": "A", "frontImage": %q, "backImage": %q}`, text, text)
	if out := w.send(post, "/api/v1/issuing/product/card-art", nil, body); out.Code != http.StatusOK {
		t.Errorf("answered %d %.300s", out.Code, out.Body)
	}
	if out := w.send(post, "/api/v1/issuing/product/group", nil, body); out.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("another route answered %d", out.Code)
	}
}
