package access

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/db"
)

func redirectsOf(ctx context.Context, tx db.Tx, clientID string) ([]string, error) {
	return db.Collect(ctx, tx, func(row db.Scanner) (uri string, err error) {
		err = row.Scan(&uri)
		return uri, err
	}, `SELECT uri FROM client_redirect WHERE client_id = $1 ORDER BY uri`, clientID)
}

func replaceRedirects(ctx context.Context, tx db.Tx, clientID string, uris []string) error {
	if _, err := tx.Exec(ctx, `DELETE FROM client_redirect WHERE client_id = $1`, clientID); err != nil {
		return err
	}
	for _, uri := range uris {
		if _, err := tx.Exec(ctx, `INSERT INTO client_redirect (client_id, uri) VALUES ($1, $2) ON CONFLICT (client_id, uri) DO NOTHING`, clientID, uri); err != nil {
			return err
		}
	}
	return nil
}
