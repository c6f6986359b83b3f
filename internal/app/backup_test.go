package app

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"huiyin/internal/obs"
	"huiyin/storage/postgres"
)

func TestABackupIsProvedByRestoringIt(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "firm.dump")
	if _, err := pgTool(t.Context(), "pg_dump"); err != nil {
		// A Postgres that came through npm has no such programs: then all there is to prove is that the operator hears of it.
		if got := run(t, w.env, "backup", file); got.code != 1 || !strings.Contains(got.err, "pg_dump was not found") {
			t.Errorf("without pg_dump a backup gives %d %q", got.code, got.err)
		}
		return
	}
	if out := w.must(t, "", "backup", file); !strings.Contains(out, "Written: "+file) {
		t.Errorf("backup says %q", out)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("a backup is for its owner alone: %v, %v", info, err)
	}
	out := w.must(t, "", "restore", "--verify", file)
	for _, want := range []string{"people: 3", "OK  firm", "OK  The backup can be restored."} {
		if !strings.Contains(out, want) {
			t.Errorf("the drill does not say %q:\n%s", want, out)
		}
	}

	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("read the backup: %v", err)
	}
	half := filepath.Join(t.TempDir(), "half.dump")
	if err := os.WriteFile(half, text[:len(text)/2], 0o600); err != nil {
		t.Fatalf("write half of it: %v", err)
	}
	if got := run(t, w.env, "restore", "--verify", half); got.code != 1 || !strings.Contains(got.err, "could not be restored") {
		t.Errorf("half a backup gives %d %q, want that it cannot be restored", got.code, got.err)
	}
	if got := run(t, w.env, "restore", "--verify", filepath.Join(t.TempDir(), "none")); got.code != 1 || !strings.Contains(got.err, "There is no file") {
		t.Errorf("a backup that is not there gives %d %q", got.code, got.err)
	}
}

func TestTheHeadOfTheAuditLogIsLoggedAndStillFoundLater(t *testing.T) {
	w := newWorld(t)
	s := w.serve(t)
	if ack, err := w.sim.Slash("U1", w.sim.DM("U1"), "/note", "@kai please be on time"); err != nil || ack.Status != 200 {
		t.Fatalf("write a note: %+v, %v", ack, err)
	}
	w.kaiSees(t, "please be on time")
	s.stop()

	db, err := postgres.Open(t.Context(), w.env["HUIYIN_DATABASE_URL"])
	if err != nil {
		t.Fatalf("open the database: %v", err)
	}
	defer db.Close()
	org, err := onlyOrg(t.Context(), db)
	if err != nil {
		t.Fatalf("find the firm: %v", err)
	}
	log := &buffer{}
	a := &App{background: db, log: obs.NewLogger(log, slog.LevelInfo, obs.Text)}
	if err := a.logAuditHead(t.Context(), org.ID, time.Time{}); err != nil {
		t.Fatalf("log the head: %v", err)
	}
	_, head, ok := strings.Cut(strings.TrimSpace(log.String()), "head=")
	if !ok {
		t.Fatalf("the log has no head: %s", log)
	}
	w.must(t, "", "audit", "log", "--anchor", head)

	if _, err := db.Pool().Exec(t.Context(), "delete from audit_log"); err != nil {
		t.Fatalf("cut the log: %v", err)
	}
	w.must(t, "", "audit", "log") // an empty log holds together
	if got := run(t, w.env, "audit", "log", "--anchor", head); got.code != 1 || !strings.Contains(got.out, "broken at entry 1: it is gone") {
		t.Errorf("a log whose end was cut passes against its anchor: %d %q %q", got.code, got.out, got.err)
	}
}
