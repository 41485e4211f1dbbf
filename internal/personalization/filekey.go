package personalization

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// openFile begins the file of a batch with keys of its own, which stand in it
// under the transport key and are kept nowhere.
func (s *Service) openFile(ctx context.Context, tx db.Tx, b Batch) (File, hsm.BureauKeys, error) {
	transport, found, err := vault.BureauKey(ctx, tx, b.Tenant, b.Vendor)
	if err == nil && !found {
		err = errors.New("no transport key is shared with the bureau")
	}
	if err != nil {
		return File{}, hsm.BureauKeys{}, fmt.Errorf("read bureau key: %w", err)
	}
	keys := hsm.BureauKeys{Transport: transport.Ref}
	file := File{
		ID: b.FileName, Tenant: b.Tenant, Vendor: b.Vendor, CreatedAt: clock.RealNow(s.Clock).Time(),
		TransportKeyID: transport.Ref.ID, TransportKeyKCV: transport.Ref.KCV,
	}
	var mac hsm.KeyRef
	for _, k := range []struct {
		spec  hsm.KeySpec
		ref   *hsm.KeyRef
		block *string
	}{
		{hsm.KeySpec{Usage: hsm.UsageField, Algorithm: hsm.AES, Bits: 256, Mode: hsm.ModeBoth}, &keys.Data, &file.DataKey},
		{hsm.KeySpec{Usage: hsm.UsagePIN, Algorithm: hsm.AES, Bits: 256, Mode: hsm.ModeBoth}, &keys.PIN, &file.PINKey},
		{hsm.KeySpec{Usage: hsm.UsageHMAC, Algorithm: hsm.HMAC, Bits: 256, Mode: hsm.ModeMAC}, &mac, &file.MACKey},
	} {
		k.spec.ID, k.spec.Exportability, k.spec.Test = id.New[vault.Key](s.Clock.Now()).String(), hsm.Exportable, transport.Ref.Test
		if *k.ref, err = s.HSM.GenerateKey(ctx, b.Tenant.String(), k.spec); err != nil {
			return File{}, hsm.BureauKeys{}, fmt.Errorf("make %s key of file: %w", k.spec.Usage, err)
		}
		if *k.block, err = s.HSM.ExportKeyBlock(ctx, transport.Ref, *k.ref); err != nil {
			return File{}, hsm.BureauKeys{}, fmt.Errorf("export %s key of file: %w", k.spec.Usage, err)
		}
	}
	file.Authenticate = func(digest [32]byte) ([]byte, error) {
		return s.HSM.GenerateMAC(ctx, mac, hsm.HMACSHA256, digest[:], 32)
	}
	return file, keys, nil
}

// recipientOf is where a plastic goes and to whom, encrypted for the bureau;
// nil when nothing is known.
func (s *Service) recipientOf(ctx context.Context, p issuing.PlasticToMake, data hsm.KeyRef, place string) ([]byte, error) {
	to := p.Card.Physical.Delivery
	members := map[string]string{
		"name": to.RecipientName, "phone": to.Phone, "email": to.Email, "identityNo": to.RecipientTCKN,
	}
	if a := to.Address; a != nil {
		for name, value := range map[string]string{
			"line1": a.Lines[0], "line2": a.Lines[1], "line3": a.Lines[2], "line4": a.Lines[3], "district": a.District,
			"town": a.TownName, "city": a.CityName, "postalCode": a.ZipCode, "country": a.Country.Alpha2(),
		} {
			members[name] = value
		}
	}
	for name, value := range members {
		if value == "" {
			delete(members, name)
		}
	}
	if len(members) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(members)
	if err != nil {
		return nil, fmt.Errorf("encode recipient: %w", err)
	}
	sealed, err := s.HSM.SealField(ctx, data, secret.New(text), []byte(place+"|recipient"))
	if err != nil {
		return nil, fmt.Errorf("encrypt recipient: %w", err)
	}
	return sealed, nil
}
