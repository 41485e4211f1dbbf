package dbtest

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver for creating databases
)

// startCluster makes a PostgreSQL cluster in a temporary directory, reachable
// only through a socket in it, and starts the server. Server and directory go
// when this process ends, however it ends: a shell beside the server waits
// for the end of a pipe that only we hold open.
func startCluster() (string, error) {
	bin, err := binaries()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(inMemory(), "sarraf-pg")
	if err != nil { // somebody may have room there and no right to it
		dir, err = os.MkdirTemp("", "sarraf-pg")
	}
	if err != nil {
		return "", err
	}
	attr := &syscall.SysProcAttr{}
	if os.Geteuid() == 0 { // the server refuses to run as root
		uid, gid, err := unprivileged()
		if err != nil {
			return "", err
		}
		if err := os.Chown(dir, uid, gid); err != nil {
			return "", err
		}
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	attr.Setpgid = true // an interrupt at the terminal is for the test, not the server
	data := filepath.Join(dir, "data")
	script := `
bin=$1 data=$2 dir=$3
"$bin/initdb" -D "$data" -U sarraf -A trust -E UTF8 --locale=C --no-sync >"$dir/log" 2>&1 || { cat "$dir/log" >&2; rm -rf "$dir"; exit 1; }
"$bin/postgres" -D "$data" -k "$dir" -c listen_addresses= -c fsync=off -c full_page_writes=off -c max_wal_size=256MB -c max_connections=200 >"$dir/log" 2>&1 &
server=$!
cat >/dev/null
kill -QUIT $server 2>/dev/null
wait $server 2>/dev/null
rm -rf "$dir"`
	cmd := exec.Command("/bin/sh", "-c", script, "sh", bin, data, dir)
	cmd.Dir = dir
	cmd.SysProcAttr = attr
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if _, err := cmd.StdinPipe(); err != nil { // held open until we are gone
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()

	u := url.URL{Scheme: "postgres", User: url.User("sarraf"), Path: "/postgres",
		RawQuery: url.Values{"host": {dir}}.Encode()}
	var last error
	for deadline := 0; deadline < 600; deadline++ {
		select {
		case err := <-ended:
			return "", fmt.Errorf("start PostgreSQL: %v: %s", err, stderr.String())
		case <-time.After(50 * time.Millisecond):
		}
		if last = execute(u.String(), "SELECT 1"); last == nil {
			return u.String(), nil
		}
	}
	return "", fmt.Errorf("start PostgreSQL: %w", last)
}

// inMemory is a directory in memory, where there is one with room: each test makes a
// database of some 700 files and removes it again, which takes a disk ten times as long.
// Empty is the directory for temporary files.
func inMemory() string {
	const place, room = "/dev/shm", 4 << 30
	var st syscall.Statfs_t
	if err := syscall.Statfs(place, &st); err != nil || st.Bavail*uint64(st.Bsize) < room {
		return ""
	}
	return place
}

// unprivileged finds a user to run the server as.
func unprivileged() (uid, gid int, err error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, e := user.Lookup(name)
		if e != nil {
			err = e
			continue
		}
		uid, err = strconv.Atoi(u.Uid)
		if err != nil {
			return 0, 0, err
		}
		gid, err = strconv.Atoi(u.Gid)
		return uid, gid, err
	}
	return 0, 0, fmt.Errorf("find an unprivileged user for PostgreSQL: %w", err)
}

func execute(dsn, query string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	handle, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	defer handle.Close()
	_, err = handle.ExecContext(ctx, query)
	return err
}
