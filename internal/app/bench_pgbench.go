package app

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
)

// pgbenchResult is what PostgreSQL's own benchmark measured on the server.
type pgbenchResult struct {
	PerSecond float64 `json:"perSecond"`
	LatencyMS float64 `json:"latencyMs"`
	Options   string  `json:"options"`
}

// pgbenchSchema holds the tables of pgbench while it runs.
const pgbenchSchema = "sarraf_pgbench"

// runPGBench runs pgbench's TPC-B-like load with prepared statements and as
// many clients on the server of dsn, in a schema of its own that is dropped
// afterwards. It returns nil on SQLite and where there is no pgbench.
func runPGBench(ctx context.Context, dsn string, o BenchOptions) (_ *pgbenchResult, err error) {
	if !strings.HasPrefix(dsn, "postgres") {
		return nil, nil
	}
	if _, err := exec.LookPath("pgbench"); err != nil {
		return nil, nil
	}
	env, err := libpqEnvironment(dsn)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "sarraf-pgbench-")
	if err != nil {
		return nil, fmt.Errorf("make temporary directory: %w", err)
	}
	defer os.RemoveAll(dir)
	pgbench := func(ctx context.Context, arguments ...string) (string, error) {
		command := exec.CommandContext(ctx, "pgbench", arguments...)
		command.Env = append(command.Environ(), env...)
		output, err := command.CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("pgbench %s: %w: %s", strings.Join(arguments, " "), err, output)
		}
		return string(output), nil
	}
	script := func(ctx context.Context, name, content string) error {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content+";\n"), 0o600); err != nil {
			return err
		}
		_, err := pgbench(ctx, "-n", "-t", "1", "-f", path)
		return err
	}
	if err := script(ctx, "begin.sql", "create schema if not exists "+pgbenchSchema); err != nil {
		return nil, err
	}
	defer func() {
		err = errors.Join(err, script(context.WithoutCancel(ctx), "end.sql", "drop schema if exists "+pgbenchSchema+" cascade"))
	}()
	scale := min(max(o.Connections, 10), 50)
	if _, err := pgbench(ctx, "-i", "-q", "-s", strconv.Itoa(scale)); err != nil {
		return nil, err
	}
	clients := strconv.Itoa(o.Connections)
	threads := strconv.Itoa(min(o.Connections, 2))
	seconds := strconv.Itoa(max(1, int(o.Duration.Seconds())))
	output, err := pgbench(ctx, "-n", "-M", "prepared", "-c", clients, "-j", threads, "-T", seconds)
	if err != nil {
		return nil, err
	}
	r := &pgbenchResult{Options: fmt.Sprintf("TPC-B, -M prepared -c %s -j %s -T %s -s %d", clients, threads, seconds, scale)}
	if r.PerSecond, err = numberAfter(output, `tps = ([0-9.]+)`); err != nil {
		return nil, err
	}
	r.LatencyMS, err = numberAfter(output, `latency average = ([0-9.]+) ms`)
	return r, err
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
