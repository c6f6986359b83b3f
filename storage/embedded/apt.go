package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

// Apt installs Postgres with Debian's and Ubuntu's package manager, when this process is root and so allowed to.
type Apt struct{}

// Find installs without asking and without the system cluster that the package would otherwise make and start.
func (Apt) Find(ctx context.Context, major int, progress func(Stage)) (Programs, error) {
	if os.Geteuid() != 0 {
		return Programs{}, errors.New("apt-get: not running as root")
	}
	apt, err := exec.LookPath("apt-get")
	if err != nil {
		return Programs{}, fmt.Errorf("apt-get: %w", err)
	}
	if _, err := os.Stat("/etc/debian_version"); err != nil {
		return Programs{}, fmt.Errorf("apt-get: not a Debian: %w", err)
	}
	progress(StageInstall)
	name := "postgresql"
	if major != 0 {
		name += "-" + strconv.Itoa(major)
	}
	offered, err := aptCandidate(ctx, name)
	updated := false
	if err == nil && offered == 0 { // a fresh image has no package lists
		if err := runApt(ctx, apt, "update"); err != nil {
			return Programs{}, err
		}
		updated = true
		offered, err = aptCandidate(ctx, name)
	}
	if err != nil {
		return Programs{}, err
	}
	if offered < oldestMajor {
		return Programs{}, fmt.Errorf("apt-get: package %s offers version %d, needed is %d or later", name, offered, oldestMajor)
	}

	restore, err := preventSystemCluster()
	if err != nil {
		return Programs{}, err
	}
	err = runApt(ctx, apt, "install", "-y", "--no-install-recommends", name)
	if err != nil && !updated { // lists of last month name files that mirrors no longer have
		if err = runApt(ctx, apt, "update"); err == nil {
			err = runApt(ctx, apt, "install", "-y", "--no-install-recommends", name)
		}
	}
	if err := errors.Join(err, restore()); err != nil {
		return Programs{}, err
	}
	return System{}.Find(ctx, major, progress)
}

func runApt(ctx context.Context, apt string, args ...string) error {
	args = append([]string{"-q", "-o", "DPkg::Lock::Timeout=120"}, args...)
	cmd := exec.CommandContext(ctx, apt, args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get %s: %w: %s", args[3], err, lastLines(string(out)))
	}
	return nil
}

// candidateLine matches apt-cache policy: "  Candidate: 15+248+deb12u1" or "  Candidate: (none)".
var candidateLine = regexp.MustCompile(`(?m)^\s*Candidate: (\d+)`)

// aptCandidate is the major version of Postgres that installing the package would bring; 0 when apt knows of none.
func aptCandidate(ctx context.Context, name string) (int, error) {
	cmd := exec.CommandContext(ctx, "apt-cache", "policy", name)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("apt-cache policy %s: %w", name, withStderr(err))
	}
	return parseCandidate(string(out)), nil
}

func parseCandidate(policy string) int {
	match := candidateLine.FindStringSubmatch(policy)
	if match == nil {
		return 0
	}
	major, err := strconv.Atoi(match[1])
	if err != nil {
		return 0
	}
	return major
}

// preventSystemCluster keeps the package from making and starting a cluster of the system's own. Its installer reads
// createcluster.conf, which includes this folder; a file here, unlike that one, is no configuration file of the package, so nothing
// asks about it. It is taken away afterwards, because the next version that an administrator installs is not our business.
func preventSystemCluster() (restore func() error, err error) {
	const dir = "/etc/postgresql-common/createcluster.d"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("keeping apt-get from starting a cluster: %w", err)
	}
	file := filepath.Join(dir, "huiyin.conf")
	if err := os.WriteFile(file, []byte("create_main_cluster = false\n"), 0o644); err != nil {
		return nil, fmt.Errorf("keeping apt-get from starting a cluster: %w", err)
	}
	return func() error { return os.Remove(file) }, nil
}
