package soft

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/hsm/algo"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// PersonalizeCard makes an order for a card; see [hsm.Personalization].
func (b *Backend) PersonalizeCard(ctx context.Context, issuer hsm.IssuerKeys, bureau hsm.BureauKeys, in hsm.CardOrder) (hsm.PersonalizedCard, error) {
	p, err := b.newPersonalizer(ctx, &issuer, &bureau, &in)
	if err != nil {
		return hsm.PersonalizedCard{}, fmt.Errorf("personalize card: %w", err)
	}
	out, err := p.card()
	if err != nil {
		return hsm.PersonalizedCard{}, fmt.Errorf("personalize card: %w", err)
	}
	return out, nil
}

// personalizer makes one order.
type personalizer struct {
	b               *Backend
	issuer          *hsm.IssuerKeys
	bureau          *hsm.BureauKeys
	in              *hsm.CardOrder
	transport, data *loaded
	pan             pan.PAN
}

func (b *Backend) newPersonalizer(ctx context.Context, issuer *hsm.IssuerKeys, bureau *hsm.BureauKeys, in *hsm.CardOrder) (*personalizer, error) {
	p := &personalizer{b: b, issuer: issuer, bureau: bureau, in: in}
	var err error
	if p.transport, err = b.use(&bureau.Transport, hsm.ModeEncrypt, hsm.UsageKeyBlock, hsm.UsageKEK); err != nil {
		return nil, err
	}
	if p.data, err = b.use(&bureau.Data, hsm.ModeEncrypt, hsm.UsageField); err != nil {
		return nil, err
	}
	for _, ref := range []*hsm.KeyRef{&bureau.Data, &issuer.CVK, &issuer.IMKAC, &issuer.IMKSMI, &issuer.IMKSMC} {
		if err := belongTogether(&bureau.Transport, ref); err != nil {
			return nil, err
		}
	}
	if !protects(p.transport, hsm.TDES, 16) {
		return nil, hsm.ErrKeyPolicy
	}
	if !nameOnTrack(in.Name) || strings.Trim(in.PINField, "0123456789") != "" {
		return nil, hsm.ErrFormat
	}
	digits, err := b.Open(ctx, bureau.Transport.Tenant, in.PAN.Purpose, in.PAN.Sealed, in.PAN.AAD)
	if err != nil {
		return nil, err
	}
	defer clear(digits)
	if p.pan, err = pan.Parse(string(digits)); err != nil {
		return nil, hsm.ErrFormat
	}
	return p, nil
}

// nameOnTrack reports whether a name can stand on track 1 and in tag 5F20.
func nameOnTrack(s string) bool {
	if len(s) < 2 || len(s) > 26 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '_' || strings.IndexByte("%?^", c) >= 0 {
			return false
		}
	}
	return true
}

func (p *personalizer) card() (out hsm.PersonalizedCard, err error) {
	if out.KeyAC, err = p.key(&p.issuer.IMKAC, hsm.UsageIMKAC); err != nil {
		return out, err
	}
	if out.KeySMI, err = p.key(&p.issuer.IMKSMI, hsm.UsageIMKSMI); err != nil {
		return out, err
	}
	if out.KeySMC, err = p.key(&p.issuer.IMKSMC, hsm.UsageIMKSMC); err != nil {
		return out, err
	}
	if err := p.values(&out); err != nil {
		return hsm.PersonalizedCard{}, err
	}
	if out.PINBlock, err = p.pin(); err != nil {
		return hsm.PersonalizedCard{}, err
	}
	return out, nil
}

// key derives the card's own key and wraps it for the bureau. It leaves the
// chip no more, so its block says that it is not exportable.
func (p *personalizer) key(imk *hsm.KeyRef, usage hsm.Usage) (string, error) {
	k, err := p.b.use(imk, hsm.ModeDerive, usage)
	if err != nil {
		return "", err
	}
	if k.ref.Exportability == hsm.NonExportable {
		return "", hsm.ErrKeyPolicy
	}
	mk, err := p.b.icc(k, p.pan, p.in.PSN, p.in.Profile)
	if err != nil {
		return "", err
	}
	ref := k.ref
	ref.Mode, ref.Exportability = hsm.ModeDerive, hsm.NonExportable
	block, err := algo.WrapKeyBlock(p.transport.key, blockHeader(exportVersion(p.transport), &ref), mk.raw[:], rand.Reader)
	if err != nil {
		return "", hsm.ErrFormat
	}
	return block, nil
}

// values computes the card values and encrypts what they stand in.
func (p *personalizer) values(out *hsm.PersonalizedCard) error {
	value := func(kind hsm.CardValueKind) (string, error) {
		v, err := p.b.cardValue(&p.issuer.CVK, hsm.ModeGenerate, kind,
			&hsm.CardValueInput{PAN: p.pan, Expiry: p.in.Expiry, ServiceCode: p.in.ServiceCode})
		return string(v[:]), err
	}
	cvv, err := value(hsm.CVV)
	if err != nil {
		return err
	}
	icvv, err := value(hsm.ICVV)
	if err != nil {
		return err
	}
	cvv2, err := value(hsm.CVV2)
	if err != nil {
		return err
	}
	number, after := p.pan.Reveal(), p.in.Expiry+p.in.ServiceCode+p.in.PINField
	out.Number = p.seal("number", groups(number))
	out.CVV2 = p.seal("cvv2", cvv2)
	if p.in.Stripe {
		out.Track1 = p.seal("track1", "B"+number+"^"+p.in.Name+"^"+after+"00"+cvv+"000000")
		out.Track2 = p.seal("track2", number+"="+after+cvv)
	}
	chip, err := p.tlv(number, number+"D"+after+icvv)
	if err != nil {
		return err
	}
	out.Chip = p.seal("chip", chip)
	return nil
}

// tlv is what the chip holds of the number and the name.
func (p *personalizer) tlv(number, track2 string) (string, error) {
	var out strings.Builder
	for _, e := range []struct{ tag, digits string }{{"\x5A", number}, {"\x57", track2}} {
		if len(e.digits)%2 != 0 {
			e.digits += "F"
		}
		value, err := hex.DecodeString(e.digits)
		if err != nil {
			return "", hsm.ErrFormat
		}
		out.WriteString(e.tag)
		out.WriteByte(byte(len(value)))
		out.Write(value)
	}
	out.WriteString("\x5F\x20")
	out.WriteByte(byte(len(p.in.Name)))
	out.WriteString(p.in.Name)
	return out.String(), nil
}

// seal encrypts one part for its place.
func (p *personalizer) seal(part, value string) []byte {
	aad := append(append([]byte(nil), p.in.Place...), "|"+part...)
	return p.data.field.Seal(nil, nil, []byte(value), aad)
}

// groups puts digits into groups of four, as they are embossed.
func groups(digits string) string {
	var out strings.Builder
	for i, d := range []byte(digits) {
		if i > 0 && i%4 == 0 {
			out.WriteByte(' ')
		}
		out.WriteByte(d)
	}
	return out.String()
}

// pin is the PIN block for the chip; nil when the order has no PIN.
func (p *personalizer) pin() ([]byte, error) {
	if p.in.PIN == nil && p.in.Offset == nil {
		return nil, nil
	}
	if err := belongTogether(&p.bureau.Transport, &p.bureau.PIN); err != nil {
		return nil, err
	}
	to, err := p.b.pinKey(&p.bureau.PIN, hsm.ISO4, hsm.ModeEncrypt)
	if err != nil {
		return nil, err
	}
	pin, err := p.clearPIN()
	if err != nil {
		return nil, err
	}
	block, err := algo.EncipherPIN4(to.block, &pin, p.pan.Reveal(), rand.Reader)
	if err != nil {
		return nil, hsm.ErrFormat
	}
	return block[:], nil
}

// clearPIN opens a kept PIN, or finds the one an offset belongs to.
func (p *personalizer) clearPIN() (algo.PIN, error) {
	if kept := p.in.PIN; kept != nil {
		if err := belongTogether(&p.bureau.Transport, &kept.Key); err != nil {
			return algo.PIN{}, err
		}
		if !kept.PAN.IsZero() && kept.PAN != p.pan {
			return algo.PIN{}, hsm.ErrKeyPolicy
		}
		own := *kept
		own.PAN = p.pan
		pin, _, err := p.b.openStored(&own)
		return pin, err
	}
	if p.in.Offset.Method != hsm.IBM3624 {
		return algo.PIN{}, hsm.ErrNotSupported
	}
	if err := belongTogether(&p.bureau.Transport, &p.in.PVK); err != nil {
		return algo.PIN{}, err
	}
	k, err := p.b.use(&p.in.PVK, hsm.ModeGenerate, hsm.UsagePVKIBM3624)
	if err != nil {
		return algo.PIN{}, err
	}
	offset := p.in.Offset.Value
	if len(offset) < 4 || len(offset) > 12 {
		return algo.PIN{}, hsm.ErrIntegrity // it was stored so
	}
	natural, err := naturalPIN(k, p.pan.Reveal(), len(offset))
	if err != nil {
		return algo.PIN{}, hsm.ErrFormat
	}
	pin, err := algo.AddDigits(&natural, offset)
	if err != nil {
		return algo.PIN{}, hsm.ErrIntegrity
	}
	return pin, nil
}
