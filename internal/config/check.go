package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/api"
)

// check refuses settings the program could not run with. It reports all of
// them, one a line, each named by its key.
func (c *Config) check() error {
	var errs []error
	bad := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
	}
	for key, addr := range map[string]string{"http.addr": c.HTTP.Addr, "network.addr": c.Network.Addr} {
		if err := checkAddr(addr); err != nil {
			bad(key, "%v", err)
		}
	}
	if c.HTTP.Addr == c.Network.Addr && !strings.HasSuffix(c.HTTP.Addr, ":0") {
		bad("network.addr", "is the same as http.addr")
	}
	for key, place := range map[string]string{
		"family.openbanking": c.Family.OpenBanking, "family.payers": c.Family.Payers,
		"family.ewallet": c.Family.EWallet, "family.cardstore": c.Family.CardStore,
	} {
		switch err := checkAddr(place); {
		case place == Shared || place == Off:
		case err != nil:
			bad(key, "must be %s, %s or an address: %v", Shared, Off, err)
		case place == c.HTTP.Addr:
			bad(key, "is the same as http.addr: say %s", Shared)
		case place == c.Network.Addr:
			bad(key, "is the same as network.addr")
		}
	}
	if status := c.Family.PayersTokenStatus; status != 401 && status != 403 {
		bad("family.payers_token_status", "%d is neither 401 nor 403", status)
	}
	if status := c.Family.CardStoreKeysStatus; status != 200 && status != 401 {
		bad("family.cardstore_keys_status", "%d is neither 200 nor 401", status)
	}
	if err := checkDSN(c.DB); err != nil {
		bad("db", "%v", err)
	}
	if c.RootKeyFile != "" && c.RootPassphraseFile != "" {
		bad("root_passphrase_file", "root_key_file is set too: choose one")
	}
	oneOf(bad, "network.framing", c.Network.Framing, "len2be", "len4ascii")
	oneOf(bad, "log.level", c.Log.Level, "debug", "info", "warn", "error")
	oneOf(bad, "log.format", c.Log.Format, "text", "json")
	for key, n := range map[string]int{
		"network.in_flight_max": c.Network.InFlightMax, "network.connections_max": c.Network.ConnectionsMax,
		"network.in_flight_total": c.Network.InFlightTotal, "network.working_max": c.Network.WorkingMax,
		"network.waiting_max": c.Network.WaitingMax,
	} {
		if n < 1 || n > 65_536 {
			bad(key, "%d is not between 1 and 65536", n)
		}
	}
	if n := c.Network.GroupMax; n < 1 || n > 256 {
		bad("network.group_max", "%d is not between 1 and 256", n)
	}
	for key, n := range map[string][2]int{
		"http.rate_limit":        {c.HTTP.RateLimit, c.HTTP.RateBurst},
		"http.client_rate_limit": {c.HTTP.ClientLimit, c.HTTP.ClientBurst},
		"http.token_rate_limit":  {c.HTTP.TokenLimit, c.HTTP.TokenBurst},
	} {
		if n[0] < 0 {
			bad(key, "%d is below 0", n[0])
		}
		if n[1] < 1 {
			bad(strings.TrimSuffix(key, "limit")+"burst", "%d is below 1", n[1])
		}
	}
	if n := c.Credit.VirtualCardsMax; n < 1 || n > 1000 {
		bad("credit.virtual_cards_max", "%d is not between 1 and 1000", n)
	}
	if _, ok := api.ParseNetworks(c.HTTP.TrustedProxies); !ok {
		bad("http.trusted_proxies", "must be addresses and networks, as 10.0.0.0/8, with commas between")
	}
	positive := []timing{
		{"drain_timeout", c.DrainTimeout},
		{"http.header_timeout", c.HTTP.HeaderTimeout},
		{"http.request_timeout", c.HTTP.RequestTimeout},
		{"http.idle_timeout", c.HTTP.IdleTimeout},
		{"network.echo_interval", c.Network.EchoInterval},
		{"network.stall_timeout", c.Network.StallTimeout},
		{"network.answer_within", c.Network.AnswerWithin},
		{"job.hold_expiry_interval", c.Job.HoldExpiryInterval},
		{"job.card_interval", c.Job.CardInterval},
		{"job.perso_interval", c.Job.PersoInterval},
		{"job.sweep_interval", c.Job.SweepInterval},
		{"notification.sms.timeout", c.Notification.SMS.Timeout},
		{"notification.email.timeout", c.Notification.Email.Timeout},
	}
	for _, t := range positive {
		if t.value <= 0 {
			bad(t.key, "%v is not a time to wait", t.value)
		}
	}
	for key, g := range map[string]Gateway{"notification.sms": c.Notification.SMS, "notification.email": c.Notification.Email} {
		oneOf(bad, key+".method", g.Method, "POST", "PUT")
		if g.URL != "" && g.SecretFile == "" {
			bad(key+".secret_file", "is missing: requests of %s.url are signed", key)
		}
		if g.Timeout > 30*time.Second {
			bad(key+".timeout", "%v is more than 30s", g.Timeout)
		}
	}
	if c.Notification.PINKeyFile != "" && c.Notification.SMS.URL == "" {
		bad("notification.pin_key_file", "notification.sms.url is not set")
	}
	// Each hop gives up before the one in front of it does, so that nobody is
	// still working on a request whose sender is gone.
	for _, order := range [][2]timing{
		{{"network.stall_timeout", c.Network.StallTimeout}, {"network.echo_interval", c.Network.EchoInterval}},
		{{"network.stall_timeout", c.Network.StallTimeout}, {"drain_timeout", c.DrainTimeout}},
		{{"http.header_timeout", c.HTTP.HeaderTimeout}, {"http.request_timeout", c.HTTP.RequestTimeout}},
	} {
		if inner, outer := order[0], order[1]; inner.value >= outer.value {
			bad(inner.key, "%v must be shorter than %s (%v)", inner.value, outer.key, outer.value)
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

type timing struct {
	key   string
	value time.Duration
}

func oneOf(bad func(string, string, ...any), key, value string, allowed ...string) {
	if slices.Contains(allowed, value) {
		return
	}
	bad(key, "%q is none of %s", value, strings.Join(allowed, ", "))
}

// checkAddr refuses what is no HOST:PORT. An empty host listens everywhere.
func checkAddr(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%q is not HOST:PORT", addr)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65_535 {
		return fmt.Errorf("%q is not a port", port)
	}
	return nil
}

// checkDSN refuses addresses that db cannot open. It never quotes one: it may
// hold a password.
func checkDSN(dsn string) error {
	kind, rest, _ := strings.Cut(dsn, ":")
	switch {
	case kind == "sqlite" && rest != "":
		return nil
	case kind == "postgres" || kind == "postgresql":
		if u, err := url.Parse(dsn); err == nil && strings.HasPrefix(rest, "//") && u.Path != "" {
			return nil
		}
		return errors.New("is not postgres://USER@HOST/DATABASE")
	}
	return errors.New("is neither sqlite:PATH nor postgres://…")
}

// HideSecrets is a database address as it may be shown: without its password.
func HideSecrets(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		kind, _, _ := strings.Cut(dsn, ":")
		return kind + ":***"
	}
	if strings.HasPrefix(dsn, "sqlite:") {
		return dsn
	}
	if _, set := u.User.Password(); set {
		u.User = url.UserPassword(u.User.Username(), "***")
	}
	query := u.Query()
	for name := range query {
		if strings.Contains(strings.ToLower(name), "password") {
			query.Set(name, "***")
		}
	}
	u.RawQuery = query.Encode()
	return strings.ReplaceAll(u.String(), "%2A%2A%2A", "***")
}
