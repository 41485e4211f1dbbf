package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/sarraf-platform/sarraf/internal/config"
)

// ImportClearing imports the clearing file at path, or what comes from stdin
// when path is "-", and prints what became of its records.
func ImportClearing(ctx context.Context, c config.Config, log *slog.Logger, stdin io.Reader, w io.Writer, path string, asJSON bool) (err error) {
	k, err := openCore(ctx, c, log, asItIs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.close()) }()
	src := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return fmt.Errorf("open clearing file: %w", err)
		}
		defer f.Close()
		src = f
	}
	lines, err := k.importClearing(ctx, src)
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

func (k *core) importClearing(ctx context.Context, src io.Reader) ([]string, error) {
	return nil, errors.New("clearing is not there yet")
}
