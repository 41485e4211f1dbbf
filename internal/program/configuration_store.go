package program

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
)

var versionLookup = db.Lookup{Head: `SELECT tenant_id, version FROM configuration WHERE tenant_id IN `}

// ConfigurationVersions returns the configuration version of each of these
// tenants as tx sees it; a tenant that never defined anything has version 0.
func ConfigurationVersions(ctx context.Context, tx db.Tx, tenants []access.TenantID) (map[access.TenantID]int64, error) {
	versions := make(map[access.TenantID]int64, len(tenants))
	keys := make([]string, len(tenants))
	for i, t := range tenants {
		keys[i] = t.String()
	}
	err := versionLookup.Query(ctx, tx, nil, keys, func(row db.Scanner) error {
		var tenant access.TenantID
		var version int64
		if err := row.Scan(&tenant, &version); err != nil {
			return err
		}
		versions[tenant] = version
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read configuration versions: %w", err)
	}
	return versions, nil
}

// raiseVersion returns the new version.
func raiseVersion(ctx context.Context, tx db.Tx, tenant access.TenantID) (version int64, err error) {
	err = tx.QueryRow(ctx, `INSERT INTO configuration (tenant_id, version) VALUES ($1, 1)
		ON CONFLICT (tenant_id) DO UPDATE SET version = configuration.version + 1 RETURNING version`, tenant).Scan(&version)
	return version, err
}

// readConfiguration loads everything anew. On PostgreSQL the caller's
// transaction may see later changes in later statements; the version is read
// first, so that such a mixture counts as old.
func readConfiguration(ctx context.Context, tx db.Tx, tenant access.TenantID) (*Configuration, error) {
	versions, err := ConfigurationVersions(ctx, tx, []access.TenantID{tenant})
	if err != nil {
		return nil, err
	}
	cfg := &Configuration{
		Version:  versions[tenant],
		BINs:     map[string]BIN{},
		Ranges:   map[string]BINRange{},
		Groups:   map[string]Group{},
		Products: map[string]Product{},
		Keys:     map[string]KeySet{},
	}
	var found bool
	if cfg.Tenant, found, err = access.ReadTenant(ctx, tx, tenant); err != nil {
		return nil, fmt.Errorf("read tenant: %w", err)
	}
	if !found {
		return nil, fmt.Errorf("tenant %s does not exist", tenant)
	}
	if cfg.Attributes, _, err = readAttributes(ctx, tx, cfg.Tenant); err != nil {
		return nil, fmt.Errorf("read issuing attributes: %w", err)
	}
	if cfg.Conversion, _, err = readConversion(ctx, tx, tenant); err != nil {
		return nil, fmt.Errorf("read currency conversion: %w", err)
	}
	bins, err := readBINs(ctx, tx, tenant)
	if err != nil {
		return nil, fmt.Errorf("read BINs: %w", err)
	}
	for _, b := range bins {
		cfg.BINs[b.BIN] = b
		if _, known := cfg.Keys[b.KeySetCode]; !known {
			keys, _, err := readKeySet(ctx, tx, tenant, b.KeySetCode)
			if err != nil {
				return nil, fmt.Errorf("read key set: %w", err)
			}
			cfg.Keys[b.KeySetCode] = keys
		}
	}
	ranges, err := readRanges(ctx, tx, tenant)
	if err != nil {
		return nil, fmt.Errorf("read BIN ranges: %w", err)
	}
	for _, r := range ranges {
		r.UsedCount = 0 // changes with every card and without a new version
		cfg.Ranges[r.Code] = r
	}
	groups, err := readGroups(ctx, tx, tenant)
	if err != nil {
		return nil, fmt.Errorf("read product groups: %w", err)
	}
	for _, g := range groups {
		cfg.Groups[g.Code] = g
	}
	products, err := readProducts(ctx, tx, tenant)
	if err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	for _, p := range products {
		cfg.Products[p.Code] = p
	}
	cfg.Hash = cfg.hash()
	return cfg, nil
}
