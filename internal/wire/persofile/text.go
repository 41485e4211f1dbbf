package persofile

// What the headers name the two formats.
const (
	orderFormat  = "sarraf-personalization"
	statusFormat = "sarraf-personalization-status"
	version      = 1
)

// The types of lines.
const (
	headerType  = "header"
	cardType    = "card"
	eventType   = "event"
	trailerType = "trailer"
)

type headerText struct {
	Type         string   `json:"type"`
	Format       string   `json:"format"`
	Version      int      `json:"version"`
	FileID       string   `json:"fileId"`
	Vendor       string   `json:"vendor"`
	Issuer       string   `json:"issuer"`
	CreatedAt    string   `json:"createdAt"`
	TransportKey *keyText `json:"transportKey"`
	DataKey      string   `json:"dataKey,omitempty"`
	PINKey       string   `json:"pinKey,omitempty"`
	MACKey       string   `json:"macKey"`
}

type keyText struct {
	ID  string `json:"id"`
	KCV string `json:"kcv"`
}

type cardText struct {
	Type        string         `json:"type"`
	OrderID     string         `json:"orderId"`
	CardToken   string         `json:"cardToken"`
	Sequence    int            `json:"cardSequenceNo"`
	MaskedPAN   string         `json:"maskedPan"`
	Expires     string         `json:"expires"`
	ServiceCode string         `json:"serviceCode"`
	Number      string         `json:"number"`
	Track1      string         `json:"track1,omitempty"`
	Track2      string         `json:"track2,omitempty"`
	CVV2        string         `json:"cvv2"`
	Embossing   *embossingText `json:"embossing"`
	Plastic     *plasticText   `json:"plastic"`
	Chip        *chipText      `json:"chip"`
	Delivery    *deliveryText  `json:"delivery"`
}

type embossingText struct {
	Type  string `json:"type"`
	Line1 string `json:"line1,omitempty"`
	Line2 string `json:"line2,omitempty"`
}

type plasticText struct {
	Variant  string `json:"variant"`
	Plastic  string `json:"plastic"`
	Design   string `json:"design"`
	Carrier  string `json:"carrier,omitempty"`
	Language string `json:"language,omitempty"`
}

type chipText struct {
	Profile    string        `json:"profile"`
	PSN        string        `json:"psn"`
	KeyVersion string        `json:"keyVersion"`
	Tags       []tagText     `json:"tags"`
	Secret     string        `json:"secret"`
	Keys       *chipKeysText `json:"keys"`
	PINBlock   string        `json:"pinBlock,omitempty"`
	Limits     *limitsText   `json:"limits,omitempty"`
}

type tagText struct {
	Tag   string `json:"tag"`
	Value string `json:"value"`
}

type chipKeysText struct {
	AC  string `json:"ac"`
	SMI string `json:"smi"`
	SMC string `json:"smc"`
}

type limitsText struct {
	Currency              string `json:"currency,omitempty"`
	ContactlessAmount     int64  `json:"contactlessAmount,omitempty"`
	ContactlessCumulative int64  `json:"contactlessCumulative,omitempty"`
	ContactlessCount      int    `json:"contactlessCount,omitempty"`
	OfflineCount          int    `json:"offlineCount,omitempty"`
}

type deliveryText struct {
	Method    string `json:"method"`
	Courier   string `json:"courier,omitempty"`
	Branch    string `json:"branch,omitempty"`
	Express   bool   `json:"isExpress,omitempty"`
	Recipient string `json:"recipient,omitempty"`
}

type eventText struct {
	Type              string `json:"type"`
	EventID           string `json:"eventId"`
	About             string `json:"about"`
	OrderID           string `json:"orderId"`
	StatusCode        string `json:"statusCode"`
	Status            string `json:"status,omitempty"`
	At                string `json:"eventDate"`
	Description       string `json:"description,omitempty"`
	Location          string `json:"location,omitempty"`
	CourierCode       string `json:"courierCode,omitempty"`
	CourierName       string `json:"courierName,omitempty"`
	TrackingNo        string `json:"trackingNo,omitempty"`
	TrackingURL       string `json:"trackingUrl,omitempty"`
	EstimatedDelivery string `json:"estimatedDeliveryDate,omitempty"`
	Recipient         string `json:"recipient,omitempty"`
	RecipientRelation string `json:"recipientRelation,omitempty"`
	ReturnReason      string `json:"returnReason,omitempty"`
}

type trailerText struct {
	Type      string `json:"type"`
	Count     int    `json:"count"`
	HashTotal *int64 `json:"hashTotal,omitempty"`
	SHA256    string `json:"sha256"`
	MAC       string `json:"mac"`
}
