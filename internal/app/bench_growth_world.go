package app

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/sim"
)

// growthWorld is a database of its own with a bank, and what runs on it.
type growthWorld struct {
	GrowthWorld
	name  string // small or big
	log   *slog.Logger
	tell  *growthProgress
	keeps bool // it stays when it was filled

	dir      string // its own: root key, what is written down of it, and the database on SQLite
	config   config.Config
	server   string // the address of the database that its schema is in; empty on SQLite
	schema   string
	made     bool // by us, now
	filled   bool
	tenant   access.TenantID
	tokens   []string    // of the cards
	cards    []*sim.Card // those that were read, in the order of tokens
	platform *Platform   // while it runs
	stop     func() error
	bench    *bench
}

// growthNote is what is written down of a world that is kept. Which cards it has is
// in a file beside it, a token in each line.
type growthNote struct {
	Tenant         string `json:"tenant"`
	Schema         string `json:"schema,omitempty"`
	Cards          int    `json:"cards"`
	Authorizations int    `json:"authorizations"`
	Filled         bool   `json:"filled"`
}

const (
	growthNoteFile  = "growth.json"
	growthCardsFile = "cards"
)

// prepare takes the world that is kept in place, or makes and fills it.
func (g *growthWorld) prepare(ctx context.Context, l config.Loaded, place string) error {
	g.dir, g.config = filepath.Join(place, g.name), l.Config
	found, err := g.readNote(l)
	if err != nil {
		return err
	}
	g.config.KeepIn(g.dir)
	if isPostgres(l) {
		g.server = l.Config.DB
		if g.schema == "" {
			g.schema = schemaName(g.name)
		}
		if g.config.DB, err = db.MakeSchema(ctx, g.server, g.schema); err != nil {
			return err
		}
	}
	if found {
		g.filled = true
		g.tell.say("the %s world is there: %d cards, %d stored authorizations", g.name, g.Cards, g.Authorizations)
		return g.measureSize(ctx)
	}
	g.made = true
	if err := os.MkdirAll(g.dir, 0o700); err != nil {
		return err
	}
	if err := g.writeNote(); err != nil {
		return err
	}
	if err := g.found(ctx); err != nil {
		return fmt.Errorf("found a bank: %w", err)
	}
	if err := g.fill(ctx); err != nil {
		return err
	}
	g.filled = true
	if err := g.writeNote(); err != nil {
		return err
	}
	return g.measureSize(ctx)
}

// readNote reads what is written down of a world that is kept. One that was not
// filled to its end is removed; found is false then.
func (g *growthWorld) readNote(l config.Loaded) (found bool, err error) {
	text, err := os.ReadFile(filepath.Join(g.dir, growthNoteFile))
	if errors.Is(err, os.ErrNotExist) {
		if entries, err := os.ReadDir(g.dir); err == nil && len(entries) > 0 {
			return false, fmt.Errorf("%w: %s holds something else", ErrUsage, g.dir)
		}
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var n growthNote
	if err := json.Unmarshal(text, &n); err != nil {
		return false, fmt.Errorf("read %s: %w", filepath.Join(g.dir, growthNoteFile), err)
	}
	switch {
	case !n.Filled:
		g.schema = n.Schema
		if n.Schema != "" && isPostgres(l) {
			if err := db.DropSchema(context.Background(), l.Config.DB, n.Schema); err != nil {
				return false, err
			}
		}
		return false, os.RemoveAll(g.dir)
	case n.Cards != g.Cards || n.Authorizations != g.Authorizations || (n.Schema != "") != isPostgres(l):
		return false, fmt.Errorf("%w: %s holds another world: %d cards and %d stored authorizations, on %s",
			ErrUsage, g.dir, n.Cards, n.Authorizations, map[bool]string{false: "sqlite", true: "postgres"}[n.Schema != ""])
	}
	g.schema = n.Schema
	if g.tenant, err = id.ParseUUID[access.Tenant](n.Tenant); err != nil {
		return false, fmt.Errorf("read tenant of %s: %w", g.dir, err)
	}
	return true, g.readTokens()
}

func (g *growthWorld) writeNote() error {
	n := growthNote{Schema: g.schema, Cards: g.Cards, Authorizations: g.Authorizations, Filled: g.filled}
	if !g.tenant.IsZero() {
		n.Tenant = g.tenant.UUID()
	}
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	if g.filled {
		if err := g.writeTokens(); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(g.dir, growthNoteFile), append(text, '\n'), 0o600)
}

func (g *growthWorld) writeTokens() (err error) {
	f, err := os.OpenFile(filepath.Join(g.dir, growthCardsFile), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	for _, token := range g.tokens {
		fmt.Fprintln(w, token)
	}
	return w.Flush()
}

func (g *growthWorld) readTokens() error {
	f, err := os.Open(filepath.Join(g.dir, growthCardsFile))
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		g.tokens = append(g.tokens, lines.Text())
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if len(g.tokens) != g.Cards {
		return fmt.Errorf("%s names %d cards of %d", f.Name(), len(g.tokens), g.Cards)
	}
	g.cards = make([]*sim.Card, len(g.tokens))
	return nil
}

// found makes the tenant and what holds for its cards, through the API of a
// platform that ends then.
func (g *growthWorld) found(ctx context.Context) error {
	p, stop, err := startBenchAs(ctx, g.config, g.log, func() error { return nil })
	if err != nil {
		return err
	}
	b := &bench{platform: p}
	if b.bank, err = openBank(ctx, p, "Growth Bank"); err == nil {
		g.tenant = b.bank.tenant
		err = b.control(ctx)
	}
	return errors.Join(err, stop())
}

// open starts a platform on the world, with cards and links for a measurement. The
// cards are in no order, so that one after another lie nowhere near each other. What
// the jobs have to do at a start is done when it returns.
func (g *growthWorld) open(ctx context.Context, o BenchOptions) (err error) {
	watch := clock.StartStopwatch()
	if g.platform, g.stop, err = startBenchAs(ctx, g.config, g.log, func() error { return nil }); err != nil {
		return err
	}
	g.tell.say("waiting for the jobs of the %s world", g.name)
	if err := waitFor(ctx, &g.platform.jobsBegun); err != nil {
		return err
	}
	g.JobSeconds = watch.Elapsed().Seconds()
	if err := g.readCards(ctx, g.platform.core); err != nil {
		return fmt.Errorf("read cards: %w", err)
	}
	g.bench = &bench{platform: g.platform, options: o, cards: g.shuffled()}
	return g.bench.openShops(ctx)
}

func (g *growthWorld) shuffled() []*sim.Card {
	cards := slices.Clone(g.cards)
	drawn := make([]byte, 8*len(cards))
	rand.Read(drawn)
	for i := len(cards) - 1; i > 0; i-- {
		j := binary.BigEndian.Uint64(drawn[8*i:]) % uint64(i+1)
		cards[i], cards[j] = cards[j], cards[i]
	}
	return cards
}

// close ends what open began.
func (g *growthWorld) close() error {
	if g.bench != nil {
		g.bench.close()
		g.bench = nil
	}
	if g.stop == nil {
		return nil
	}
	stop := g.stop
	g.platform, g.stop = nil, nil
	return stop()
}

// end closes the world, and removes it unless it is kept and was filled.
func (g *growthWorld) end(ctx context.Context) error {
	err := g.close()
	if !g.made || g.keeps && g.filled {
		return err
	}
	if g.schema != "" {
		err = errors.Join(err, db.DropSchema(ctx, g.server, g.schema))
	}
	return errors.Join(err, os.RemoveAll(g.dir))
}

// readCards reads what the holders of all cards have in their hands, as far as that
// was not read.
func (g *growthWorld) readCards(ctx context.Context, k *core) error {
	caller, err := g.caller(ctx, k)
	if err != nil {
		return err
	}
	var reading errgroup.Group
	reading.SetLimit(4)
	for i, token := range g.tokens {
		if g.cards[i] != nil {
			continue
		}
		reading.Go(func() (err error) {
			g.cards[i], err = readCard(ctx, k, caller, token)
			return err
		})
		if ctx.Err() != nil {
			break
		}
		g.tell.every("reading cards of the "+g.name+" world", i, len(g.tokens))
	}
	return reading.Wait()
}

// caller is the platform itself, in the tenant of the world.
func (g *growthWorld) caller(ctx context.Context, k *core) (access.Caller, error) {
	t, err := k.access.TenantByID(ctx, g.tenant)
	if err != nil {
		return access.Caller{}, err
	}
	return access.System(t), nil
}

func readCard(ctx context.Context, k *core, c access.Caller, token string) (*sim.Card, error) {
	clear, err := k.issuing.RevealCard(ctx, c, token, 1)
	if err != nil {
		return nil, err
	}
	return sim.NewCard(knownCard(clear))
}

// measureSize reads how much the database of the world takes.
func (g *growthWorld) measureSize(ctx context.Context) (err error) {
	d, err := db.Open(ctx, g.config.DB, db.Options{MustExist: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	g.Bytes, err = d.Size(ctx)
	return err
}
