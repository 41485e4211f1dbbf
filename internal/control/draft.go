package control

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// Draft is what is tried in place of what a tenant has: each of its objects
// stands for the one of its kind and code, or is a new one. It is never stored.
type Draft struct {
	Lists   []NamedList
	Objects []Drafted
}

// Drafted is a definition of a [Draft]; see [Definitions.Drafted].
type Drafted struct {
	kind       Kind
	code       string
	at         string // where it stands, before the names of its members
	definition any
	links      []Link
	tiesAnew   bool
	fitProduct func(program.Product) error // nil: it fits all
	fitTenant  func(*program.Configuration, time.Time) error
}

// Drafted is a definition that a draft holds. With links that are not nil it is
// tied to those alone, else to what it is tied to now. at is where it stands in
// the draft, for messages: "velocityControls[2]".
func (k *Definitions[D]) Drafted(at string, d D, links []Link) Drafted {
	o := Drafted{kind: k.Kind, code: k.Head(&d).Code, at: at, definition: d, links: links, tiesAnew: links != nil}
	if k.FitProduct != nil {
		o.fitProduct = func(p program.Product) error { return k.FitProduct(d, p) }
	}
	if k.FitTenant != nil {
		o.fitTenant = func(cfg *program.Configuration, now time.Time) error { return k.FitTenant(d, cfg, now) }
	}
	return o
}

// draftedPart is what a [Snapshot] of a draft tells of the draft.
type draftedPart struct {
	touched map[Kind]map[string]bool
	anew    map[Kind]map[string]bool // whose links are the draft's alone
	lists   map[string]bool
	// keeps says of velocity controls that are touched, by their versions, that
	// what was counted under them counts under the draft.
	keeps map[string]map[int]bool
	// counts says the same of their latest versions.
	counts map[string]bool
	// since is when each version began.
	since map[string]map[int]time.Time
}

// IsTouched reports whether a definition may hold otherwise under the draft than
// it did: it is in the draft, or in a limit group with what is, or asks for a list
// of the draft. Of what is not touched, what was recorded remains true.
func (k *Snapshot) IsTouched(kind Kind, code string) bool {
	return k.draft != nil && k.draft.touched[kind][code]
}

// KeepsCount reports whether what a velocity control had counted as of a version
// is what it would have counted under the draft.
func (k *Snapshot) KeepsCount(code string, version int) bool {
	return !k.IsTouched(Velocity, code) || k.draft.keeps[code][version]
}

// KeepsCountOf reports whether a velocity control, or another that counts the same,
// had counted what was done on an occasion of which no decision tells, and that is
// what it would have counted under the draft: it was there, in such a version, and a
// link to the card was.
func (k *Snapshot) KeepsCountOf(code string, o *Occasion) bool {
	if !k.IsTouched(Velocity, code) {
		return true
	}
	checks := VelocityChecks.In(k).by
	keeps := false
	o.Links.each(Velocity, &o.Subject, o.At, func(l *Link) {
		c := checks[l.Parent]
		if keeps || c == nil || !c.definition.CountsWith(checks[code].definition) || l.CreatedAt.After(o.At) {
			return
		}
		latest := 0
		for version, since := range k.draft.since[l.Parent] {
			if !since.After(o.At) {
				latest = max(latest, version)
			}
		}
		keeps = k.KeepsCount(l.Parent, latest)
	})
	return keeps
}

// AsksUses reports whether the rule of an authorization control asks what the card
// or its customer was used for before, and since when it is as it is.
func (k *Snapshot) AsksUses(code string) (asks bool, since time.Time) {
	c := AuthorizationChecks.In(k)
	if c == nil || c.by[code] == nil {
		return false, time.Time{}
	}
	d := c.by[code]
	return d.selects.Reads(rule.FieldID.IsStatistic), d.definition.UpdatedAt
}

// CountsFrom is when the earliest window begins that at lies in, of the velocity
// controls of the draft that count otherwise than before; zero when there are
// none. A lifetime begins with what was first.
func (k *Snapshot) CountsFrom(c Calendar, at time.Time) time.Time {
	var first time.Time
	if k.draft == nil {
		return first
	}
	for code, check := range VelocityChecks.In(k).by {
		d := &check.definition
		if !k.IsTouched(Velocity, code) || !d.IsActive || d.Period == PerTransaction || k.draft.counts[code] {
			continue
		}
		if w := c.windowAt(d.Period, d.Span, at); first.IsZero() || w.Start.Before(first) {
			first = w.Start
		}
	}
	return first
}

// DraftSnapshot returns what the tenant of the caller has now, with a draft over
// it. What could not be saved is refused, with where it stands in the draft.
func (s *Service) DraftSnapshot(ctx context.Context, c access.Caller, d Draft) (*Snapshot, error) {
	cfg, err := s.Programs.Configuration(ctx, c.Tenant)
	if err != nil {
		return nil, err
	}
	var k *Snapshot
	err = s.DB.View(ctx, func(tx db.Tx) (err error) {
		k, err = s.draftSnapshot(ctx, tx, c, cfg, d)
		return err
	})
	return k, err
}

func (s *Service) draftSnapshot(ctx context.Context, tx db.Tx, c access.Caller, cfg *program.Configuration, d Draft) (*Snapshot, error) {
	now, heads, err := readLists(ctx, tx, c.Tenant, nil)
	if err != nil {
		return nil, err
	}
	k := &Snapshot{Version: now.Version, parts: make(map[Kind]part, len(s.kinds)), draft: &draftedPart{
		touched: map[Kind]map[string]bool{}, anew: map[Kind]map[string]bool{}, lists: map[string]bool{}, keeps: map[string]map[int]bool{},
		counts: map[string]bool{}, since: map[string]map[int]time.Time{},
	}}
	if k.Lists, err = k.draft.withLists(now.Lists, heads, d.Lists); err != nil {
		return nil, err
	}
	known := 0
	for _, definitions := range s.kinds {
		kind, p, n, err := definitions.draft(ctx, tx, c.Tenant, k, d.Objects)
		if err != nil {
			return nil, err
		}
		k.parts[kind] = p
		k.readsUses = k.readsUses || kind == Authorization && p.reads(rule.FieldID.IsStatistic)
		known += n
	}
	if known != len(d.Objects) {
		return nil, fmt.Errorf("a draft has objects of a kind that no snapshot holds")
	}
	if err := s.tieDraft(ctx, tx, c, cfg, k, d.Objects); err != nil {
		return nil, err
	}
	if k.overridden, err = readOverridden(ctx, tx, c.Tenant); err != nil {
		return nil, err
	}
	return k, k.draft.judgeCounts(ctx, tx, c.Tenant, k)
}

// withLists puts the lists of a draft into the place of the tenant's.
func (p *draftedPart) withLists(now *rule.Lists, heads []NamedList, drafted []NamedList) (*rule.Lists, error) {
	var lists []rule.List
	for i := range drafted {
		l, at := drafted[i], "lists["+strconv.Itoa(i)+"]"
		if err := l.check(); err != nil {
			return nil, Within(at, err)
		}
		if p.lists[l.Code] {
			return nil, Within(at, errInvalid.OnField("code", "repeated", "stands in the draft before"))
		}
		old := slices.IndexFunc(heads, func(h NamedList) bool { return h.Code == l.Code })
		if old >= 0 && heads[old].Type != l.Type {
			return nil, Within(at, errListType)
		}
		p.lists[l.Code] = true
		lists = append(lists, rule.List{Code: l.Code, IsNumeric: l.Type == IntegerValues, Values: l.Values, IsActive: l.IsActive})
	}
	for _, h := range heads {
		if !p.lists[h.Code] {
			lists = append(lists, rule.List{Code: h.Code, IsSame: true})
		}
	}
	return now.Renewed(lists), nil
}

func (p *draftedPart) touch(kind Kind, code string) {
	if p.touched[kind] == nil {
		p.touched[kind] = map[string]bool{}
	}
	p.touched[kind][code] = true
}

// draft reads the tenant's definitions, puts those of a draft in their place and
// compiles all. n is how many the draft had of the kind.
func (k *Definitions[D]) draft(ctx context.Context, tx db.Tx, tenant access.TenantID, snapshot *Snapshot, objects []Drafted) (Kind, part, int, error) {
	all, err := k.read(ctx, tx, tenant)
	if err != nil {
		return k.Kind, nil, 0, fmt.Errorf("read %s: %w", k.Entity, err)
	}
	mine := slices.DeleteFunc(slices.Clone(objects), func(o Drafted) bool { return o.kind != k.Kind })
	at := map[string]string{}
	stored := map[string]D{}
	for _, d := range all {
		stored[k.Head(&d).Code] = d
	}
	for _, o := range mine {
		d := o.definition.(D)
		if err := k.Check(d); err != nil {
			return k.Kind, nil, 0, Within(o.at, err)
		}
		if at[o.code] != "" {
			return k.Kind, nil, 0, Within(o.at, errInvalid.OnField("code", "repeated", "stands in the draft before"))
		}
		at[o.code] = o.at
		snapshot.draft.touch(k.Kind, o.code)
		h := k.Head(&d)
		h.Version = 1
		if old, known := stored[o.code]; known {
			h.Version = k.Head(&old).Version + 1
		}
		all = append(slices.DeleteFunc(all, func(x D) bool { return k.Head(&x).Code == o.code }), d)
	}
	c := &Compiled[D]{kind: k.Kind, head: k.Head, by: make(map[string]*compiled[D], len(all))}
	for i, d := range all {
		code := k.Head(&d).Code
		if at[code] != "" {
			if d, err = k.fitDraft(d, stored, all); err != nil {
				return k.Kind, nil, 0, Within(at[code], err)
			}
			all[i] = d
		}
		selects := k.selectionOf(d, snapshot.Lists)
		if at[code] != "" && selects.IsBroken() {
			return k.Kind, nil, 0, Within(at[code], ruleFault("rule", selects.broken))
		}
		if err := checkGroups(k.Criteria(d).MCCGroups, snapshot.Lists); at[code] != "" && err != nil {
			return k.Kind, nil, 0, Within(at[code], err)
		}
		if slices.ContainsFunc(slices.Concat(selects.rule.Lists(), k.Criteria(d).MCCGroups), func(l string) bool { return snapshot.draft.lists[l] }) {
			snapshot.draft.touch(k.Kind, code)
		}
		c.by[code] = &compiled[D]{d, selects}
	}
	if k.Kind == Velocity {
		snapshot.draft.touchGroups(any(stored).(map[string]VelocityCheck), any(all).([]VelocityCheck))
	}
	return k.Kind, c, len(mine), nil
}

func (k *Definitions[D]) fitDraft(d D, stored map[string]D, all []D) (D, error) {
	code := k.Head(&d).Code
	others := slices.DeleteFunc(slices.Clone(all), func(o D) bool { return k.Head(&o).Code == code })
	if old, known := stored[code]; known {
		return k.Fit(d, &old, others)
	}
	return k.Fit(d, nil, others)
}

// touchGroups touches what is or was in a limit group with something of the
// draft: of a group the check with the most specific link holds.
func (p *draftedPart) touchGroups(stored map[string]VelocityCheck, all []VelocityCheck) {
	groups := map[string]bool{}
	for _, c := range all {
		if p.touched[Velocity][c.Code] {
			groups[c.LimitGroup], groups[stored[c.Code].LimitGroup] = true, true
		}
	}
	delete(groups, "")
	for _, c := range all {
		if groups[c.LimitGroup] {
			p.touch(Velocity, c.Code)
		}
	}
}

// tieDraft puts the links of a draft in the place of those of its objects.
func (s *Service) tieDraft(ctx context.Context, tx db.Tx, c access.Caller, cfg *program.Configuration, k *Snapshot, objects []Drafted) error {
	links, personal, err := readGeneralLinks(ctx, tx, c.Tenant)
	if err != nil {
		return fmt.Errorf("read links: %w", err)
	}
	for _, o := range objects {
		if !o.tiesAnew {
			continue
		}
		if k.draft.anew[o.kind] == nil {
			k.draft.anew[o.kind] = map[string]bool{}
		}
		k.draft.anew[o.kind][o.code] = true
	}
	links = slices.DeleteFunc(links, k.isUntied)
	for _, o := range objects {
		if o.fitTenant != nil {
			if err := o.fitTenant(cfg, c.Now(s.Clock)); err != nil {
				return Within(o.at, err)
			}
		}
		if err := checkLinks(o.links); err != nil {
			return Within(o.at, err)
		}
		for i, l := range o.links {
			l.Kind, l.Parent, l.CreatedAt = o.kind, o.code, c.Now(s.Clock)
			if l.Target, err = s.target(ctx, tx, c, l); err != nil {
				return Within(o.at+".links["+strconv.Itoa(i)+"]", err)
			}
			if err := s.fitDrafted(ctx, tx, c, o, l); err != nil {
				return Within(o.at+".links["+strconv.Itoa(i)+"]", err)
			}
			links = append(links, l)
		}
		if err := s.fitTies(ctx, tx, c, o); err != nil {
			return Within(o.at, err)
		}
	}
	k.links, k.personal = NewLinks(links), personal
	return nil
}

// fitTies checks an object of a draft against what it is tied to and stays so.
func (s *Service) fitTies(ctx context.Context, tx db.Tx, c access.Caller, o Drafted) error {
	if o.tiesAnew || o.fitProduct == nil {
		return nil
	}
	links, err := readLinks(ctx, tx, c.Tenant, LinkFilter{Kind: o.kind, Parent: o.code})
	if err != nil {
		return fmt.Errorf("read links: %w", err)
	}
	for _, l := range links {
		if err := s.fitDrafted(ctx, tx, c, o, l); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) fitDrafted(ctx context.Context, tx db.Tx, c access.Caller, o Drafted, l Link) error {
	if o.fitProduct == nil {
		return nil
	}
	return s.fitLink(ctx, tx, c, l, o.fitProduct)
}

// isUntied reports whether a link that is stored counts for nothing under the
// draft.
func (k *Snapshot) isUntied(l Link) bool { return k.draft != nil && k.draft.anew[l.Kind][l.Parent] }

// judgeCounts finds out of which versions of the touched controls the counts go
// on under the draft: those that counted the same, for the same cards.
func (p *draftedPart) judgeCounts(ctx context.Context, tx db.Tx, tenant access.TenantID, k *Snapshot) error {
	broken := map[string]bool{} // limit groups whose cards are others
	checks := VelocityChecks.In(k)
	if checks == nil {
		return nil
	}
	versions := map[string]map[int]VelocityCheck{}
	for code := range p.touched[Velocity] {
		var err error
		if versions[code], err = VelocityChecks.versions(ctx, tx, tenant, code); err != nil {
			return err
		}
		check := checks.by[code]
		latest := versions[code][len(versions[code])] // none of a new one
		if g := check.definition.LimitGroup; g != "" && (p.anew[Velocity][code] || latest.LimitGroup != g) {
			broken[g] = true
		}
	}
	for code, all := range versions {
		check := checks.by[code]
		p.keeps[code], p.since[code] = map[int]bool{}, map[int]time.Time{}
		readsList := slices.ContainsFunc(slices.Concat(check.selects.rule.Lists(), check.definition.Criteria.MCCGroups), func(l string) bool { return p.lists[l] })
		for version, was := range all {
			p.since[code][version] = was.UpdatedAt
			_, differ := was.differsFrom(check.definition)
			p.keeps[code][version] = !differ && !readsList && was.CountsWith(check.definition) &&
				!p.anew[Velocity][code] && !broken[check.definition.LimitGroup]
		}
		p.counts[code] = p.keeps[code][len(all)]
	}
	return nil
}

// Within says where in a draft a refusal arose.
func Within(at string, err error) error {
	f, ok := fault.As(err)
	if !ok || at == "" {
		return err
	}
	c := *f
	if len(f.Fields) == 0 {
		return f.OnField(at, string(f.Code), f.Text).With("at", at)
	}
	c.Fields = make([]fault.Field, len(f.Fields))
	for i, field := range f.Fields {
		c.Fields[i] = fault.Field{Name: at + "." + field.Name, Code: field.Code, Text: field.Text}
	}
	return &c
}
