package config

import (
	"path/filepath"
	"time"
)

// Config is everything that can be set. Use [Load] to make one: the zero value
// is not usable, every default is.
type Config struct {
	Data               string        `koanf:"data" usage:"directory of the default database and of the development root key"`
	DB                 string        `koanf:"db" usage:"database: sqlite:PATH or postgres://… (default sqlite:DATA/sarraf.db)"`
	RootKeyFile        string        `koanf:"root_key_file" usage:"file with the root key of the software HSM (default DATA/root.key, made when absent)"`
	RootPassphraseFile string        `koanf:"root_passphrase_file" usage:"file with the passphrase of the root key, instead of root_key_file"`
	PersoDir           string        `koanf:"perso_dir" usage:"directory where files are exchanged with card bureaus (default DATA/perso)"`
	DrainTimeout       time.Duration `koanf:"drain_timeout" usage:"how long requests in flight may take to finish at the end"`
	HTTP               HTTP          `koanf:"http"`
	Family             Family        `koanf:"family"`
	Credit             Credit        `koanf:"credit"`
	Network            Network       `koanf:"network"`
	Job                Job           `koanf:"job"`
	Webhook            Webhook       `koanf:"webhook"`
	Notification       Notification  `koanf:"notification"`
	Log                Log           `koanf:"log"`
}

// HTTP is the API server.
type HTTP struct {
	Addr           string        `koanf:"addr" usage:"where the API listens"`
	HeaderTimeout  time.Duration `koanf:"header_timeout" usage:"longest wait for the header of a request"`
	RequestTimeout time.Duration `koanf:"request_timeout" usage:"longest wait for a whole request, and again for its answer"`
	IdleTimeout    time.Duration `koanf:"idle_timeout" usage:"how long an unused connection is kept"`
	RateLimit      int           `koanf:"rate_limit" usage:"requests a second that one network address may send; 0 is any number"`
	RateBurst      int           `koanf:"rate_burst" usage:"requests that one network address may send at once"`
	ClientLimit    int           `koanf:"client_rate_limit" usage:"requests a second that one API client may send, unless it or its tenant has a rate of its own; 0 is any number"`
	ClientBurst    int           `koanf:"client_rate_burst" usage:"requests that one API client may send at once"`
	TokenLimit     int           `koanf:"token_rate_limit" usage:"requests for tokens a second that one network address may send; 0 is any number"`
	TokenBurst     int           `koanf:"token_rate_burst" usage:"requests for tokens that one network address may send at once"`
	TrustedProxies string        `koanf:"trusted_proxies" usage:"addresses and networks, with commas between, whose X-Forwarded-For is believed"`
}

// Network is the ISO 8583 listener.
type Network struct {
	Addr           string        `koanf:"addr" usage:"where ISO 8583 links connect"`
	Framing        string        `koanf:"framing" usage:"length before each message: len2be or len4ascii"`
	EchoInterval   time.Duration `koanf:"echo_interval" usage:"a connection on which nothing came for twice this long is closed"`
	StallTimeout   time.Duration `koanf:"stall_timeout" usage:"a connection that stops inside a message, or takes no answers, for this long is closed"`
	InFlightMax    int           `koanf:"in_flight_max" usage:"requests of one connection in flight; what comes on top is answered 91"`
	InFlightTotal  int           `koanf:"in_flight_total" usage:"requests of all connections in flight; what comes on top is answered 91"`
	WorkingMax     int           `koanf:"working_max" usage:"messages worked on at the same time, of all connections; others wait"`
	WaitingMax     int           `koanf:"waiting_max" usage:"requests that wait to be worked on, and again reversals and advices; what comes on top is answered 91"`
	GroupMax       int           `koanf:"group_max" usage:"requests, reversals and advices decided in one commit of the database; 1 commits each alone"`
	AnswerWithin   time.Duration `koanf:"answer_within" usage:"a message that waits longer to be decided, or is expected to, is answered 91"`
	ConnectionsMax int           `koanf:"connections_max" usage:"connections at the same time"`
}

// Job is the background work.
type Job struct {
	HoldExpiryInterval time.Duration `koanf:"hold_expiry_interval" usage:"how often holds past their date are released"`
	CardInterval       time.Duration `koanf:"card_interval" usage:"how often cards are looked for that expire, are to be renewed, or have a change of status due"`
	PersoInterval      time.Duration `koanf:"perso_interval" usage:"how often cards are ordered from bureaus and their reports taken in"`
	SweepInterval      time.Duration `koanf:"sweep_interval" usage:"how often idempotent answers, tokens, transport keys, ended deliveries and messages, and slips past their date are removed"`
}

// Webhook is the delivery of events.
type Webhook struct {
	AllowLoopback bool `koanf:"allow_loopback" usage:"let webhooks of sandbox tenants name this machine, for development"`
}

// Notification is how customers of production tenants are told. Those of
// sandboxes are told in an inbox, whatever stands here.
type Notification struct {
	AllowPrivate bool    `koanf:"allow_private" usage:"let the gateways stand at private addresses, and without TLS"`
	SMS          Gateway `koanf:"sms"`
	Email        Gateway `koanf:"email"`
	PINBodyFile  string  `koanf:"pin_body_file" usage:"file with the body of a request that carries a PIN by SMS"`
	PINKeyFile   string  `koanf:"pin_key_file" usage:"PEM file with the RSA public key of the SMS gateway; without it no PIN is sent"`
}

// Family says where the neighbour families of the API answer: at http.addr
// ([Shared]), nowhere ([Off]), or at an address of their own.
type Family struct {
	OpenBanking string `koanf:"openbanking" usage:"the family of credit cards: shared (at http.addr), off, or an address of its own"`
	Payers      string `koanf:"payers" usage:"the family of payment customers: shared, off, or an address of its own"`
	EWallet     string `koanf:"ewallet" usage:"the family of wallets: shared, off, or an address of its own"`
	CardStore   string `koanf:"cardstore" usage:"the family of stored cards: shared, off, or an address of its own"`

	CardStoreKeysStatus int `koanf:"cardstore_keys_status" usage:"HTTP status with which the family of stored cards answers wrong keys: 200 or 401"`

	PayersTokenStatus int `koanf:"payers_token_status" usage:"HTTP status with which the family of payment customers answers a request without a valid token: 403 or 401"`
}

// Where a family answers that has no address of its own.
const (
	Shared = "shared"
	Off    = "off"
)

// Gateway is an HTTP server that takes messages of one channel.
type Gateway struct {
	URL        string        `koanf:"url" usage:"gateway of this channel; empty: nobody is told by it"`
	Method     string        `koanf:"method" usage:"method of its requests"`
	HeaderFile string        `koanf:"header_file" usage:"file with headers of its requests, one \"Name: value\" a line; mode 0600"`
	BodyFile   string        `koanf:"body_file" usage:"file with the body of its requests, with places such as {to} and {text}"`
	SecretFile string        `koanf:"secret_file" usage:"file with the secret that signs its requests, whsec_ and base64; mode 0600"`
	Timeout    time.Duration `koanf:"timeout" usage:"longest wait for its answer"`
}

// Credit is what holds of all credit accounts.
type Credit struct {
	VirtualCardsMax int `koanf:"virtual_cards_max" usage:"virtual cards that a main card of a credit account may have at once"`
}

// Log is what the program says while it runs.
type Log struct {
	Level  string `koanf:"level" usage:"debug, info, warn or error"`
	Format string `koanf:"format" usage:"text or json"`
}

// defaults are the settings nobody has to make.
func defaults() Config {
	return Config{
		Data:         "./sarraf-data",
		DrainTimeout: 20 * time.Second,
		Family:       Family{OpenBanking: Shared, Payers: Shared, EWallet: Shared, CardStore: Shared, PayersTokenStatus: 403, CardStoreKeysStatus: 200},
		Credit:       Credit{VirtualCardsMax: 5},
		HTTP: HTTP{
			Addr:           "127.0.0.1:8080",
			HeaderTimeout:  5 * time.Second,
			RequestTimeout: 30 * time.Second,
			IdleTimeout:    2 * time.Minute,
			RateLimit:      500,
			RateBurst:      1000,
			ClientLimit:    500,
			ClientBurst:    1000,
			TokenLimit:     20,
			TokenBurst:     100,
		},
		Network: Network{
			Addr:           "127.0.0.1:8583",
			Framing:        "len2be",
			EchoInterval:   2 * time.Minute,
			StallTimeout:   10 * time.Second,
			InFlightMax:    1024,
			InFlightTotal:  8192,
			WorkingMax:     1024,
			WaitingMax:     4096,
			GroupMax:       256,
			AnswerWithin:   3 * time.Second,
			ConnectionsMax: 1024,
		},
		Job: Job{HoldExpiryInterval: time.Minute, CardInterval: time.Minute, PersoInterval: time.Minute, SweepInterval: 10 * time.Minute},
		Notification: Notification{
			SMS:   Gateway{Method: "POST", Timeout: 10 * time.Second},
			Email: Gateway{Method: "POST", Timeout: 10 * time.Second},
		},
		Log: Log{Level: "info", Format: "text"},
	}
}

// KeepIn puts everything that is kept in files into dir, as if it had been
// the data directory from the beginning.
func (c *Config) KeepIn(dir string) {
	c.Data, c.DB, c.RootKeyFile, c.RootPassphraseFile, c.PersoDir = dir, "", "", "", ""
	c.complete()
}

// complete fills what follows from other settings.
func (c *Config) complete() {
	if c.DB == "" {
		c.DB = "sqlite:" + filepath.Join(c.Data, "sarraf.db")
	}
	if c.PersoDir == "" {
		c.PersoDir = filepath.Join(c.Data, "perso")
	}
	if c.RootKeyFile == "" && c.RootPassphraseFile == "" {
		c.RootKeyFile = filepath.Join(c.Data, "root.key")
	}
}
