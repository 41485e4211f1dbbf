// Command sarraf is the card platform: the server, its tools and its demo in
// one binary. Run it without arguments for a list of what it can do.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/sarraf-platform/sarraf/internal/app"
)

// What the process ends with.
const (
	exitWell  = 0
	exitFail  = 1 // what was asked about is not well, or could not be done
	exitUsage = 2 // it was asked wrongly
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main with its surroundings as parameters.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		stop() // a second signal ends the process at once
	}()
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitWell
	case alone(err) == app.ErrNotWell: // what is wrong has been printed
		return exitFail
	}
	fmt.Fprintf(stderr, "sarraf: %v\n", err)
	if _, usage := errors.AsType[usageError](err); usage || errors.Is(err, app.ErrUsage) {
		return exitUsage
	}
	return exitFail
}

// alone is err without the joins that had nothing to join it with: who closes something
// after an error joins what that returned, mostly nil.
func alone(err error) error {
	for {
		joined, ok := err.(interface{ Unwrap() []error })
		if !ok || len(joined.Unwrap()) != 1 {
			return err
		}
		err = joined.Unwrap()[0]
	}
}

// usageError marks that the command line or the settings are wrong.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }
