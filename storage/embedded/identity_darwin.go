package embedded

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// locale of the server. macOS has no C.UTF-8 before version 14; this one is on all of them.
const locale = "en_US.UTF-8"

// identity is who the server runs as.
type identity struct {
	name       string
	uid, gid   int
	credential *syscall.Credential
}

// identities are the ways to run the server, best first: Postgres refuses to run as root. owner is the uid that an existing cluster
// belongs to, negative when it is new.
func identities(owner int) []identity {
	euid, egid := os.Geteuid(), os.Getegid()
	if euid != 0 {
		return []identity{{name: "this user", uid: euid, gid: egid}}
	}
	for _, name := range []string{"_postgres", "postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseInt(account.Uid, 10, 32) // nobody is -2 here
		gid, errGID := strconv.ParseInt(account.Gid, 10, 32)
		if errUID != nil || errGID != nil || uid == 0 {
			continue
		}
		if owner > 0 {
			uid = int64(owner)
		}
		return []identity{{
			name: fmt.Sprintf("uid %d", uid), uid: int(uid), gid: int(gid),
			credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)},
		}}
	}
	return nil
}

// attr gives the child a session of its own, so that Ctrl-C in the terminal reaches this process alone and not the server at the same
// time. macOS cannot tie its life to ours: a server that outlives a kill -9 of this process is stopped by the next start.
func (id identity) attr(bool) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Credential: id.credential}
}

// isPostmaster tells a server on this data folder from an unrelated process that was given the same number after a reboot.
func isPostmaster(pid int, data string) bool {
	out, err := exec.CommandContext(context.Background(), "ps", "-o", "args=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(out), data)
}
