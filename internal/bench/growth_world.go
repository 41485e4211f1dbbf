package bench

import (
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
	"github.com/sarraf-platform/sarraf/internal/app"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/sim"
)

// growthWorld is a database of its own with a bank, and what runs on it.
type growthWorld struct {
	GrowthWorld
	name  string // small or big
	log   *slog.Logger
	tell  *growthProgress
	keeps bool // it stays, and what filling it was interrupted at

	dir      string // its own: root key, what is written down of it, and the database on SQLite
	config   config.Config
	server   string // the address of the database that its schema is in; empty on SQLite
	schema   string
	filled   bool
	note     growthNote // what was written down last
	tenant   access.TenantID
	tokens   []string      // of the cards
	cards    []*sim.Card   // those that were read, in the order of tokens
	platform *app.Platform // while it runs
	world    *world
	trace    func(query string, args []any) // is told of the statements of platform, for a test
}

// growthNote is what is written down of a world that is kept.
type growthNote struct {
	Tenant         string `json:"tenant"`
	Schema         string `json:"schema,omitempty"`
	Cards          int    `json:"cards"`
	Authorizations int    `json:"authorizations"`
	Filled         bool   `json:"filled"`
	// Spent is what filling took so far.
	Spent growthSpent `json:"spent,omitzero"`
}

const growthNoteFile = "growth.json"

// prepare takes the world that is kept in place, or makes it, and fills it as far as
// that was not done.
func (g *growthWorld) prepare(ctx context.Context, l config.Loaded, place string) error {
	g.dir, g.config = filepath.Join(place, g.name), l.Config
	found, err := g.readNote(ctx, l)
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
	if !found {
		if err := g.make(ctx); err != nil {
			return err
		}
	}
	stored, err := g.look(ctx)
	if err != nil {
		return err
	}
	g.tell.say("the %s world has %d of %d cards and %d of %d authorizations", g.name, len(g.tokens), g.Cards, stored, g.Authorizations)
	if g.filled {
		return nil
	}
	if err := g.fill(ctx, stored); err != nil {
		return err
	}
	g.filled = true
	if err := g.writeNote(); err != nil {
		return err
	}
	_, err = g.look(ctx)
	return err
}

// make makes the world, with nothing in it but the bank.
func (g *growthWorld) make(ctx context.Context) error {
	if err := os.MkdirAll(g.dir, 0o700); err != nil {
		return err
	}
	if err := g.writeNote(); err != nil {
		return err
	}
	if err := g.found(ctx); err != nil {
		return fmt.Errorf("found a bank: %w", err)
	}
	return g.writeNote()
}

// readNote reads what is written down of a world that is kept. One that has no bank
// yet is removed; found is false then.
func (g *growthWorld) readNote(ctx context.Context, l config.Loaded) (found bool, err error) {
	text, err := os.ReadFile(filepath.Join(g.dir, growthNoteFile))
	if errors.Is(err, os.ErrNotExist) {
		if entries, err := os.ReadDir(g.dir); err == nil && len(entries) > 0 {
			return false, fmt.Errorf("%w: %s holds something else", app.ErrUsage, g.dir)
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
	if n.Cards != g.Cards || n.Authorizations != g.Authorizations || (n.Schema != "") != isPostgres(l) {
		return false, fmt.Errorf("%w: %s holds another world: %d cards and %d stored authorizations, on %s",
			app.ErrUsage, g.dir, n.Cards, n.Authorizations, map[bool]string{false: "sqlite", true: "postgres"}[n.Schema != ""])
	}
	g.schema = n.Schema
	if n.Tenant == "" {
		if n.Schema != "" {
			if err := db.DropSchema(context.WithoutCancel(ctx), l.Config.DB, n.Schema); err != nil {
				return false, err
			}
		}
		return false, os.RemoveAll(g.dir)
	}
	if g.tenant, err = id.ParseUUID[access.Tenant](n.Tenant); err != nil {
		return false, fmt.Errorf("read tenant of %s: %w", g.dir, err)
	}
	g.note, g.filled = n, n.Filled
	return true, nil
}

// writeNote writes down what there is of the world. Who is killed meanwhile leaves
// what was written before.
func (g *growthWorld) writeNote() error {
	g.note.Schema, g.note.Cards, g.note.Authorizations, g.note.Filled = g.schema, g.Cards, g.Authorizations, g.filled
	if !g.tenant.IsZero() {
		g.note.Tenant = g.tenant.UUID()
	}
	text, err := json.Marshal(g.note)
	if err != nil {
		return err
	}
	name := filepath.Join(g.dir, growthNoteFile)
	if err := os.WriteFile(name+".new", append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// found makes the tenant and what holds for its cards, through the API of a
// platform that ends then.
func (g *growthWorld) found(ctx context.Context) error {
	p, err := startTraced(ctx, g.config, g.log, nil)
	if err != nil {
		return err
	}
	w := &world{platform: p}
	if w.bank, err = p.OpenBank(ctx, "Growth Bank"); err == nil {
		g.tenant = w.bank.Tenant
		err = w.control(ctx)
	}
	return errors.Join(err, p.Stop())
}

// open starts a platform on the world, with o.Cards of its cards for a measurement. They
// are drawn, so that one after another lie nowhere near each other. What
// the jobs have to do at a start is done when it returns.
func (g *growthWorld) open(ctx context.Context, o AuthorizeOptions) (err error) {
	watch := clock.StartStopwatch()
	if g.platform, err = startTraced(ctx, g.config, g.log, g.trace); err != nil {
		return err
	}
	g.tell.say("waiting for the jobs of the %s world", g.name)
	if err := g.platform.AwaitJobs(ctx); err != nil {
		return err
	}
	g.JobSeconds = watch.Elapsed().Seconds()
	cards, err := g.draw(ctx, g.platform.Core, o.Cards)
	if err != nil {
		return fmt.Errorf("read cards: %w", err)
	}
	g.world = &world{platform: g.platform, options: o, cards: cards}
	if err := g.world.openShops(ctx); err != nil {
		return fmt.Errorf("open shops: %w", err)
	}
	return nil
}

// draw returns n cards of all, or all of them, in no order. What their holders have in
// their hands is read as far as it was not; what only others have is forgotten.
func (g *growthWorld) draw(ctx context.Context, k *app.Core, n int) ([]*sim.Card, error) {
	order := make([]int, len(g.tokens))
	for i := range order {
		order[i] = i
	}
	shuffle(order)
	order = order[:min(n, len(order))]
	known := g.cards
	g.cards = make([]*sim.Card, len(g.tokens))
	for _, i := range order {
		g.cards[i] = known[i]
	}
	if err := g.readCards(ctx, k, order); err != nil {
		return nil, err
	}
	cards := make([]*sim.Card, len(order))
	for i, of := range order {
		cards[i] = g.cards[of]
	}
	return cards, nil
}

func shuffle[T any](all []T) {
	drawn := make([]byte, 8*len(all))
	rand.Read(drawn)
	for i := len(all) - 1; i > 0; i-- {
		j := binary.BigEndian.Uint64(drawn[8*i:]) % uint64(i+1)
		all[i], all[j] = all[j], all[i]
	}
}

// close ends what open began.
func (g *growthWorld) close() error {
	if g.world != nil {
		g.world.close()
		g.world = nil
	}
	if g.platform == nil {
		return nil
	}
	p := g.platform
	g.platform = nil
	return p.Stop()
}

// end closes the world, and removes it unless it is kept.
func (g *growthWorld) end(ctx context.Context) error {
	err := g.close()
	if g.keeps {
		return err
	}
	if g.schema != "" {
		err = errors.Join(err, db.DropSchema(ctx, g.server, g.schema))
	}
	return errors.Join(err, os.RemoveAll(g.dir))
}

// readCards reads what the holders of these cards have in their hands, as far as that
// was not read.
func (g *growthWorld) readCards(ctx context.Context, k *app.Core, which []int) error {
	caller, err := g.caller(ctx, k)
	if err != nil {
		return err
	}
	var reading errgroup.Group
	reading.SetLimit(4)
	for n, i := range which {
		if g.cards[i] != nil {
			continue
		}
		reading.Go(func() (err error) {
			g.cards[i], err = readCard(ctx, k, caller, g.tokens[i])
			return err
		})
		if ctx.Err() != nil {
			break
		}
		g.tell.every("reading cards of the "+g.name+" world", n, len(which))
	}
	return reading.Wait()
}

// caller is the platform itself, in the tenant of the world.
func (g *growthWorld) caller(ctx context.Context, k *app.Core) (access.Caller, error) {
	t, err := k.Access.TenantByID(ctx, g.tenant)
	if err != nil {
		return access.Caller{}, err
	}
	return access.System(t), nil
}

func readCard(ctx context.Context, k *app.Core, c access.Caller, token string) (*sim.Card, error) {
	clear, err := k.Issuing.RevealCard(ctx, c, token, 1)
	if err != nil {
		return nil, err
	}
	return app.HeldCard(clear)
}

// look reads which cards the world has and how large it is, and returns how many
// authorizations are stored.
func (g *growthWorld) look(ctx context.Context) (stored int, err error) {
	d, err := db.Open(ctx, g.config.DB, db.Options{MustExist: true})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	err = d.View(ctx, func(tx db.Tx) (err error) {
		tokens, err := issuing.ReadTokens(ctx, tx, g.tenant)
		if err != nil {
			return err
		}
		if !slices.Equal(tokens, g.tokens) { // in another order than they were made in
			g.tokens, g.cards = tokens, nil
		}
		stored, err = authorization.CountDecisions(ctx, tx)
		return err
	})
	if err != nil {
		return 0, err
	}
	if g.cards == nil {
		g.cards = make([]*sim.Card, g.Cards)
	}
	g.Bytes, err = d.Size(ctx)
	return stored, err
}
