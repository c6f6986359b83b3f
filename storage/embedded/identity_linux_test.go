package embedded

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestServerOfRootRunsAsSomebodyElse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil {
		t.Fatal(err)
	}
	p := start(t, Options{Dir: dir})
	info, err := os.Stat(fmt.Sprintf("/proc/%d", serverPID(t, dir)))
	if err != nil {
		t.Fatal(err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		t.Fatal("the process has no owner")
	}
	if stat.Uid == 0 {
		t.Error("the server runs as root")
	}
	if euid := os.Geteuid(); euid != 0 && int(stat.Uid) != euid {
		t.Errorf("the server runs as uid %d, want this user, %d", stat.Uid, euid)
	}
	mustQuery(t, p.URL(), "select 'here'")
}

// capabilities reads the effective set of a process, in hexadecimal.
func capabilities(t *testing.T, pid int) (effective string) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if _, err := fmt.Sscanf(line, "CapEff: %s", &effective); err == nil {
			return effective
		}
	}
	t.Fatal("the process has no capability set")
	return ""
}

func TestServerBelowAFolderClosedToOthersHoldsNoCapability(t *testing.T) {
	t.Parallel()
	dir := clusterDir(t)
	if err := os.Chmod(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	p := start(t, Options{Dir: dir})
	mustQuery(t, p.URL(), "select 'here'")
	if got := capabilities(t, serverPID(t, dir)); got != "0000000000000000" {
		t.Errorf("the server holds the capabilities %s, want none", got)
	}
}
