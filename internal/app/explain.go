package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/sarraf-platform/sarraf/internal/config"
)

// Explain prints why a transaction ended as it did.
func Explain(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, transaction string, asJSON bool) (err error) {
	k, err := openCore(ctx, c, log, asItIs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.close()) }()
	lines, err := k.explain(ctx, transaction)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(w, lines)
	}
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
	return nil
}

func (k *core) explain(ctx context.Context, transaction string) ([]string, error) {
	return nil, errors.New("explanations are not there yet")
}
