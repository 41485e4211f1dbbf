package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/config"
)

// DemoOptions say how the demo is told.
type DemoOptions struct {
	Once bool // end after the story
	JSON bool // one JSON object for each step
}

// Demo starts the platform and tells the story of its main job. It returns
// [ErrNotWell] when a step ended otherwise than the story says. Unless told to
// end, it then serves until ctx ends.
func Demo(ctx context.Context, l config.Loaded, log *slog.Logger, w io.Writer, o DemoOptions) (err error) {
	c := l.Config
	if !l.IsSet("data") && !l.IsSet("db") {
		dir, err := os.MkdirTemp("", "sarraf-demo-")
		if err != nil {
			return fmt.Errorf("make temporary directory: %w", err)
		}
		defer os.RemoveAll(dir)
		c.KeepIn(dir)
		// What is made here is gone afterwards: nobody needs to be warned of it.
		log = Quieter(log)
	}
	for key, addr := range map[string]*string{"http.addr": &c.HTTP.Addr, "network.addr": &c.Network.Addr} {
		if !l.IsSet(key) {
			*addr = freeAddr(ctx, *addr)
		}
	}
	p, err := Start(ctx, c, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()

	n := &narrator{w: w, asJSON: o.JSON}
	n.say("Sarraf, the main job end to end, on %s (%s).\n", p.DB.Engine(), config.HideSecrets(c.DB))
	world, err := setStage(ctx, p)
	if err != nil {
		return fmt.Errorf("set the stage: %w", err)
	}
	defer world.link.Close()
	s := &story{stage: *world, tell: n}
	for _, chapter := range []func(context.Context) error{s.run, s.nextDoor} {
		if err := chapter(ctx); err != nil {
			return fmt.Errorf("step %d: %w", n.steps+1, err)
		}
	}
	if n.wrong > 0 {
		n.say("%d of %d steps ended otherwise than the story says.", n.wrong, n.steps)
		err = ErrNotWell
	} else {
		n.say("%d steps, all as told.", n.steps)
	}
	if o.Once {
		return err
	}
	n.say("%s", s.whereItIs())
	select {
	case <-ctx.Done():
	case failed := <-p.Failed():
		err = errors.Join(err, failed)
	}
	return err
}

// whereItIs tells how to go on.
func (s *story) whereItIs() string {
	return strings.NewReplacer(
		"{api}", s.platform.APIURL(), "{network}", s.platform.NetworkAddr(), "{framing}", s.platform.Config.Network.Framing,
		"{tenant}", s.Tenant.UUID(), "{id}", s.ClientID, "{secret}", string(s.ClientSecret.Reveal()),
		"{account}", s.Account, "{token}", s.Token, "{declined}", s.declined,
	).Replace(`
It stays up until you press Ctrl-C.

  API             {api}
  its documents   {api}/docs   and   {api}/openapi.json
  ISO 8583        {network}   (dialect generic, {framing} before each message)
  tenant          {tenant}   (sandbox)
  client id       {id}
  client secret   {secret}

The next request, by curl:

  TOKEN=$(curl -s {api}/api/v1/auth/token -H 'Content-Type: application/json' \
    -d '{"clientId":"{id}","clientSecret":"{secret}"}' | sed 's/.*"accessToken":"\([^"]*\)".*/\1/')

  # put 50.00 on the account, and look at it
  curl -s {api}/api/v1/issuing/account/{account}/adjustment -H "Authorization: Bearer $TOKEN" \
    -H 'Content-Type: application/json' \
    -d '{"direction":"Credit","amount":50.00,"currency":"TRY","description":"by hand","externalReference":"by-hand-1"}'
  curl -s {api}/api/v1/issuing/account/{account} -H "Authorization: Bearer $TOKEN"

  # what the card did, and why one of it was declined
  curl -s "{api}/api/v1/issuing-transaction/card-transaction?CardToken={token}" -H "Authorization: Bearer $TOKEN"
  curl -s {api}/api/v1/issuing/transaction/{declined}/trace -H "Authorization: Bearer $TOKEN"

  # what a tester needs to build chip and PIN messages for this card
  curl -s {api}/api/v1/sandbox/card-info -H "Authorization: Bearer $TOKEN" \
    -H 'Content-Type: application/json' -d '{"cardToken":"{token}"}'
`)
}

// freeAddr is addr when it can be listened on, else the same host with a port
// that is free.
func freeAddr(ctx context.Context, addr string) string {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		host, _, _ := net.SplitHostPort(addr) // checked by config
		return net.JoinHostPort(host, "0")
	}
	l.Close()
	return addr
}
