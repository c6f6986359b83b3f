package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"huiyin/internal/fault"
	"huiyin/storage/embedded"
)

// pgTool finds one of Postgres' own programs: beside the server's, which are seldom on PATH, else on PATH.
func pgTool(ctx context.Context, name string) (string, error) {
	var tried []error
	programs, err := embedded.System{}.Find(ctx, 0, func(embedded.Stage) {})
	if err == nil {
		file := filepath.Join(programs.Dir, name)
		if _, err = os.Stat(file); err == nil {
			return file, nil
		}
	}
	tried = append(tried, err)
	file, err := exec.LookPath(name)
	if err == nil {
		return file, nil
	}
	tried = append(tried, err)
	return "", fault.New(fault.NotFound, "cli.error.tool", "Tool", name).Because(errors.Join(tried...))
}

// runTool runs a program of Postgres' against a database. The password travels in the environment: everybody on a machine can read the
// arguments of a process.
func runTool(ctx context.Context, tool, databaseURL string, args ...string) error {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return errors.New("reading the database URL: it is not a URL")
	}
	env := os.Environ()
	if password, ok := u.User.Password(); ok {
		env = append(env, "PGPASSWORD="+password)
		u.User = url.User(u.User.Username())
	}
	q := u.Query()
	for name := range q { // settings of our pool, which libpq does not know
		if strings.HasPrefix(name, "pool_") {
			q.Del(name)
		}
	}
	u.RawQuery = q.Encode()
	cmd := exec.CommandContext(ctx, tool, append([]string{"--no-password", "--dbname=" + u.String()}, args...)...)
	cmd.Env = append(env, "LC_ALL=C")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(tool), err, lastLine(string(out)))
	}
	return nil
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
