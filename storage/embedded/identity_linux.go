package embedded

import (
	"bytes"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// locale of the server. It exists on every glibc and musl without being generated, unlike zh_CN.UTF-8.
const locale = "C.UTF-8"

// nobody is the uid and gid that a process without an account is shown as.
const nobody = 65534

// identities are the ways to run the server, best first. Postgres refuses to run as root, and initdb to run as a uid without an account.
// owner is the uid that an existing cluster belongs to, negative when it is new.
func identities(owner int) []identity {
	euid, egid := os.Geteuid(), os.Getegid()
	if euid != 0 {
		plain := identity{name: "this user", uid: euid, gid: egid}
		if _, err := user.LookupId(strconv.Itoa(euid)); err == nil {
			return []identity{plain}
		}
		return []identity{mapped("this user, shown as nobody", nobody, nobody), plain}
	}
	uid, gid := nobody, nobody
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		u, errUID := strconv.Atoi(account.Uid)
		g, errGID := strconv.Atoi(account.Gid)
		if errUID == nil && errGID == nil && u != 0 {
			uid, gid = u, g
			break
		}
	}
	if owner > 0 {
		uid = owner
	}
	dropped := identity{
		name: fmt.Sprintf("uid %d", uid), uid: uid, gid: gid,
		credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)},
	}
	within := mapped(fmt.Sprintf("root, shown as uid %d", uid), uid, gid)
	switch {
	case owner == 0: // made in a user namespace, so its files are root's
		return []identity{within}
	case owner > 0:
		return []identity{dropped}
	default:
		return []identity{dropped, within}
	}
}

// mapped runs the server in a user namespace in which this process's uid has another number. On the outside its files stay ours, so a
// data folder below a home that nobody else may enter works; inside it holds no capability.
func mapped(name string, uid, gid int) identity {
	return identity{
		name: name, uid: os.Geteuid(), gid: os.Getegid(),
		credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)},
		mapUID:     []syscall.SysProcIDMap{{ContainerID: uid, HostID: os.Geteuid(), Size: 1}},
		mapGID:     []syscall.SysProcIDMap{{ContainerID: gid, HostID: os.Getegid(), Size: 1}},
	}
}

// identity is who the server runs as. uid and gid are the owners of its files, seen from outside.
type identity struct {
	name           string
	uid, gid       int
	credential     *syscall.Credential
	mapUID, mapGID []syscall.SysProcIDMap
}

// attr gives the child a session of its own, so that Ctrl-C in the terminal reaches this process alone and not the server at the
// same time. With dies, the child gets SIGINT (a fast, clean shutdown) when the thread that started it ends.
func (id identity) attr(dies bool) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setsid: true, Credential: id.credential}
	if id.mapUID != nil {
		attr.Cloneflags = syscall.CLONE_NEWUSER
		attr.UidMappings, attr.GidMappings = id.mapUID, id.mapGID
	}
	if dies {
		attr.Pdeathsig = syscall.SIGINT
	}
	return attr
}

// isPostmaster tells a server on this data folder from an unrelated process that was given the same number after a reboot.
func isPostmaster(pid int, data string) bool {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return false
	}
	for arg := range bytes.SplitSeq(line, []byte{0}) {
		if string(arg) == data {
			return true
		}
	}
	return false
}
