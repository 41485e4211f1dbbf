package control

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

// LinkName is what the two ends of a link are called, for people.
type LinkName struct {
	Parent string
	// Target is empty for what has no name: everything, a BIN, and a customer, whose
	// name lies sealed. A card is called by the token of the one in force.
	Target string
}

// Names returns what links of this kind name, in their order.
func (k *Definitions[D]) Names(ctx context.Context, s *Service, c access.Caller, links []Link) ([]LinkName, error) {
	if len(links) == 0 {
		return nil, nil
	}
	names := make([]LinkName, len(links))
	err := s.DB.View(ctx, func(tx db.Tx) error {
		parents := map[string]string{}
		all, err := k.read(ctx, tx, c.Tenant)
		if err != nil {
			return fmt.Errorf("read %s: %w", k.Entity, err)
		}
		for i := range all {
			h := k.Head(&all[i])
			parents[h.Code] = h.Name
		}
		targets, err := s.targetNames(ctx, tx, c, links)
		if err != nil {
			return err
		}
		for i, l := range links {
			names[i] = LinkName{parents[l.Parent], targets[linkTarget{kindOf: l.Type, target: l.Target}]}
		}
		return nil
	})
	return names, err
}

// targetNames are the names of what links are to.
func (s *Service) targetNames(ctx context.Context, tx db.Tx, c access.Caller, links []Link) (map[linkTarget]string, error) {
	cfg, err := s.Programs.ConfigurationIn(ctx, tx, c.Tenant)
	if err != nil {
		return nil, err
	}
	names := map[linkTarget]string{}
	var segments, cards []string
	for _, l := range links {
		at := linkTarget{kindOf: l.Type, target: l.Target}
		switch l.Type {
		case LinkBINRange:
			names[at] = cfg.Ranges[l.Target].Name
		case LinkProductGroup:
			names[at] = cfg.Groups[l.Target].Name
		case LinkProduct:
			names[at] = cfg.Products[l.Target].Name
		case LinkSegment:
			segments = append(segments, l.Target)
		case LinkCard:
			cards = append(cards, l.Target)
		}
	}
	for _, of := range []struct {
		kind LinkType
		read func(context.Context, db.Tx, access.TenantID, []string) (map[string]string, error)
		keys []string
	}{{LinkSegment, customer.SegmentNames, segments}, {LinkCard, issuing.TokensInForce, cards}} {
		found, err := of.read(ctx, tx, c.Tenant, of.keys)
		if err != nil {
			return nil, fmt.Errorf("read names of %s links: %w", of.kind, err)
		}
		for target, name := range found {
			names[linkTarget{kindOf: of.kind, target: target}] = name
		}
	}
	return names, nil
}
