package bench

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// pgbenchResult is what PostgreSQL's own benchmark measured on the server.
type pgbenchResult struct {
	PerSecond float64 `json:"perSecond"`
	LatencyMS float64 `json:"latencyMs"`
	Options   string  `json:"options"`
}

// pgbenchSchema holds the tables of pgbench while it runs.
const pgbenchSchema = "sarraf_pgbench"

// pgbenchOptions say how it runs.
type pgbenchOptions struct {
	clients, threads, scale int
	duration                time.Duration
}

func (o pgbenchOptions) seconds() int { return max(1, int(o.duration.Seconds())) }

func (o pgbenchOptions) String() string {
	return fmt.Sprintf("TPC-B, -M prepared -c %d -j %d -T %d -s %d", o.clients, o.threads, o.seconds(), o.scale)
}

// pgbench is PostgreSQL's own benchmark, with its tables in a schema of their own
// on a server.
type pgbench struct {
	options     pgbenchOptions
	environment []string
	dir         string
}

// runPGBench runs pgbench once with as many clients, on the server of dsn. It
// returns nil on SQLite and where there is no pgbench.
func runPGBench(ctx context.Context, dsn string, o AuthorizeOptions) (_ *pgbenchResult, err error) {
	p, err := openPGBench(ctx, dsn, pgbenchOptions{
		clients: o.Connections, threads: min(o.Connections, 2), scale: min(max(o.Connections, 10), 50), duration: o.Duration,
	})
	if p == nil || err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.close(context.WithoutCancel(ctx))) }()
	return p.run(ctx)
}

// openPGBench makes the tables of pgbench on the server of dsn. It returns nil on
// SQLite and where there is no pgbench. close drops them.
func openPGBench(ctx context.Context, dsn string, o pgbenchOptions) (_ *pgbench, err error) {
	if !strings.HasPrefix(dsn, "postgres") {
		return nil, nil
	}
	if _, err := exec.LookPath("pgbench"); err != nil {
		return nil, nil
	}
	p := &pgbench{options: o}
	if p.environment, err = libpqEnvironment(dsn); err != nil {
		return nil, err
	}
	if p.dir, err = os.MkdirTemp("", "sarraf-pgbench-"); err != nil {
		return nil, fmt.Errorf("make temporary directory: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close(context.WithoutCancel(ctx)))
		}
	}()
	if err := p.script(ctx, "begin.sql", "create schema if not exists "+pgbenchSchema); err != nil {
		return nil, err
	}
	_, err = p.call(ctx, "-i", "-q", "-s", strconv.Itoa(o.scale))
	return p, err
}

func (p *pgbench) close(ctx context.Context) error {
	return errors.Join(p.script(ctx, "end.sql", "drop schema if exists "+pgbenchSchema+" cascade"), os.RemoveAll(p.dir))
}

// run runs its TPC-B-like load with prepared statements.
func (p *pgbench) run(ctx context.Context) (*pgbenchResult, error) {
	output, err := p.call(ctx, "-n", "-M", "prepared", "-c", strconv.Itoa(p.options.clients), "-j", strconv.Itoa(p.options.threads),
		"-T", strconv.Itoa(p.options.seconds()))
	if err != nil {
		return nil, err
	}
	r := &pgbenchResult{Options: p.options.String()}
	if r.PerSecond, err = numberAfter(output, `tps = ([0-9.]+)`); err != nil {
		return nil, err
	}
	r.LatencyMS, err = numberAfter(output, `latency average = ([0-9.]+) ms`)
	return r, err
}

func (p *pgbench) call(ctx context.Context, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, "pgbench", arguments...)
	command.Env = append(command.Environ(), p.environment...)
	output, err := command.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("pgbench %s: %w: %s", strings.Join(arguments, " "), err, output)
	}
	return string(output), nil
}

func (p *pgbench) script(ctx context.Context, name, content string) error {
	path := filepath.Join(p.dir, name)
	if err := os.WriteFile(path, []byte(content+";\n"), 0o600); err != nil {
		return err
	}
	_, err := p.call(ctx, "-n", "-t", "1", "-f", path)
	return err
}

func numberAfter(text, pattern string) (float64, error) {
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if found == nil {
		return 0, fmt.Errorf("pgbench did not print %s", pattern)
	}
	return strconv.ParseFloat(found[1], 64)
}

// libpqEnvironment is the environment in which PostgreSQL's programs find the
// server of dsn. A password in it stays out of the list of processes.
func libpqEnvironment(dsn string) ([]string, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, errors.New("the address of the database is no URL")
	}
	settings := map[string]string{
		"PGHOST": u.Hostname(), "PGPORT": u.Port(), "PGUSER": u.User.Username(),
		"PGDATABASE": strings.TrimPrefix(u.Path, "/"), "PGOPTIONS": "-c search_path=" + pgbenchSchema,
	}
	settings["PGPASSWORD"], _ = u.User.Password()
	for name, variable := range map[string]string{
		"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE",
		"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY",
	} {
		if v := u.Query().Get(name); v != "" {
			settings[variable] = v
		}
	}
	var env []string
	for name, value := range settings {
		if value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env, nil
}
