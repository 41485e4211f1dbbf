package main

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sarraf-platform/sarraf/internal/app"
	"github.com/sarraf-platform/sarraf/internal/config"
)

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "sarraf",
		Short: "An open card platform: issue, authorize, clear, explain",
		Long: `Sarraf issues cards, decides authorizations that arrive over ISO 8583, keeps the
money in a double-entry ledger, clears, and explains every decision it made.
It needs nothing but itself: without settings it keeps everything in
./sarraf-data, serves the API on 127.0.0.1:8080 and ISO 8583 on 127.0.0.1:8583.

A setting is given as a flag, an environment variable (SARRAF_NETWORK_ADDR for
--network-addr) or in a file (network: {addr: …}), and the first of these wins;
"sarraf config check" shows what is in force.

Exit codes: 0 all is well; 1 what was asked about is not well, or could not be
done; 2 the command line or the settings are wrong.`,
		Example: `  sarraf demo                  see the main job happen, then play with it
  sarraf serve                 run the platform
  sarraf verify                prove that the books balance`,
		Args:              noArguments,
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w (see %s --help)", err, c.CommandPath())}
	})
	root.PersistentFlags().SortFlags = false
	root.AddCommand(
		newServe(), newDemo(), newMigrate(), newTenant(), newClient(), newUser(), newRole(), newClearing(), newCustomer(), newCredit(), newWallet(), newPerso(), newNotification(), newVerify(), newAudit(), newExplain(), newReplay(), newBIN(), newCardStore(),
		newVectors(), newBench(), newConfig(), newVersion(),
	)
	for _, c := range root.Commands() {
		c.Flags().SortFlags = false
	}
	return root
}

// noArguments refuses words after a command; for a word that is no command it
// names those that look like it.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := fmt.Errorf("%s has no %q", c.CommandPath(), args[0])
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		err = fmt.Errorf("%w; did you mean %s?", err, strings.Join(near, " or "))
	}
	return usageError{err}
}

// arguments demands between least and most words, called by their name in
// errors. most 0 means any number.
func arguments(name string, least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usageError{fmt.Errorf("%s needs %s (see --help)", c.CommandPath(), name)}
		case most > 0 && len(args) > most:
			return usageError{fmt.Errorf("%s takes only %s", c.CommandPath(), name)}
		}
		return nil
	}
}

// Which settings a command offers as flags.
var (
	storage = []string{"data", "db", "root_key_file", "root_passphrase_file", "log.level", "log.format"}
	all     []string // nil: every setting
)

// addSettings gives c the flags of the settings with these keys.
func addSettings(c *cobra.Command, keys []string) {
	c.Flags().String("config", "", "read settings from this YAML `file` (default: the one in SARRAF_CONFIG)")
	for _, s := range config.Settings() {
		if keys != nil && !slices.Contains(keys, s.Key) {
			continue
		}
		usage := s.Usage
		if s.Default != "" {
			usage += " (default " + s.Default + ")"
		}
		c.Flags().String(s.Flag(), "", usage)
	}
}

// load reads the settings for c. A mistake in them is one of usage.
func load(c *cobra.Command) (config.Loaded, error) {
	src := config.Source{Flags: map[string]string{}}
	for _, s := range config.Settings() {
		if f := c.Flags().Lookup(s.Flag()); f != nil && f.Changed {
			src.Flags[s.Key] = f.Value.String()
		}
	}
	if f := c.Flags().Lookup("config"); f != nil {
		src.File = f.Value.String()
	}
	l, err := config.Load(src)
	if err != nil {
		err = usageError{err}
	}
	return l, err
}

// prepare reads the settings of c and makes its logger, which writes to
// standard error: standard output belongs to what the command prints.
func prepare(c *cobra.Command) (config.Loaded, *slog.Logger, error) { return prepareAt(c, "") }

// prepareQuiet is [prepare] with a logger that leaves out what only an
// operator wants to know, unless the level was set.
func prepareQuiet(c *cobra.Command) (config.Loaded, *slog.Logger, error) { return prepareAt(c, "warn") }

func prepareAt(c *cobra.Command, level string) (config.Loaded, *slog.Logger, error) {
	l, err := load(c)
	if err != nil {
		return l, nil, err
	}
	if level != "" && !l.IsSet("log.level") {
		l.Config.Log.Level = level
	}
	log, err := app.NewLogger(c.ErrOrStderr(), l.Config.Log)
	if err != nil {
		return l, nil, usageError{err}
	}
	for _, w := range l.Warnings {
		log.Warn("setting ignored", "reason", w)
	}
	return l, log, nil
}

// addPage gives c the flags that choose a part of a list.
func addPage(c *cobra.Command) *app.Page {
	var p app.Page
	c.Flags().IntVar(&p.Skip, "skip", 0, "leave out the first `n`")
	c.Flags().IntVar(&p.Limit, "limit", 100, "show at most `n`")
	return &p
}

func addJSON(c *cobra.Command) *bool {
	return c.Flags().Bool("json", false, "print JSON")
}
