package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"huiyin/storage/embedded"
)

// run measures the three programs in turns and prints the tables.
func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "huiyin-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // the next run makes its own
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	logs := io.Discard
	if o.verbose {
		logs = os.Stderr
	}
	binary := filepath.Join(dir, "huiyin")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "./cmd/huiyin")
	build.Stderr = os.Stderr
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if err := build.Run(); err != nil {
		return fmt.Errorf("building the product: %w", err)
	}
	pg, err := embedded.Start(ctx, embedded.Options{Dir: filepath.Join(dir, "pg"), Durable: true, Log: logs})
	if err != nil {
		return fmt.Errorf("starting Postgres: %w", err)
	}
	defer func() { _ = pg.Stop(context.WithoutCancel(ctx)) }() // its folder goes with it
	b := bench{options: o, dir: dir, binary: binary, logs: logs, url: pg.URL(), secret: "bench-signing-secret"}
	return b.measure(ctx)
}

type bench struct {
	options
	dir, binary, url, secret string
	logs                     io.Writer
}

func (b *bench) measure(ctx context.Context) error {
	if err := b.seedRivals(ctx); err != nil {
		return fmt.Errorf("making the rivals' tables: %w", err)
	}
	vendor := httptest.NewServer(http.HandlerFunc(silentSlack))
	defer vendor.Close()
	env := []string{
		"HUIYIN_DATABASE_URL=" + b.url, "HUIYIN_DATA_DIR=" + b.dir, "HUIYIN_KEYSTORE_DIR=" + filepath.Join(b.dir, "keys"),
		"HUIYIN_SECRET_KEY=" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)),
		"HUIYIN_SLACK_SIGNING_SECRET=" + b.secret, "HUIYIN_SLACK_BOT_TOKEN=xoxb-bench", "HUIYIN_SLACK_API_URL=" + vendor.URL + "/api/",
		"HUIYIN_LOG_LEVEL=warn",
	}
	if err := b.importPeople(ctx, env); err != nil {
		return err
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	product, err := start(ctx, "huiyin", address, b.logs, append(env, "HUIYIN_LISTEN="+address), b.binary, "serve")
	if err != nil {
		return err
	}
	defer product.stop()
	ready := time.Since(began)
	programs := []*program{product}
	for _, name := range []string{floorRival, fiveRival} {
		address, err := freeAddress(ctx)
		if err != nil {
			return err
		}
		self, err := os.Executable()
		if err != nil {
			return err
		}
		rival, err := start(ctx, name, address, b.logs, []string{"RIVAL_DATABASE_URL=" + b.url, "RIVAL_LISTEN=" + address, "RIVAL_SECRET=" + b.secret}, self, rivalVerb, name)
		if err != nil {
			return err
		}
		defer rival.stop()
		programs = append(programs, rival)
	}
	time.Sleep(2 * time.Second) // let it settle before its idle memory is read
	idle := product.memory("VmRSS")
	for _, p := range programs { // caches, plans and connections as they are in the middle of a day
		if _, err := (load{base: p.base, secret: []byte(b.secret), people: b.people, conns: 16, each: time.Second}).run(ctx); err != nil {
			return fmt.Errorf("warming up %s: %w", p.name, err)
		}
	}
	samples := map[int]map[string][]sample{}
	for _, conns := range b.conns {
		samples[conns] = map[string][]sample{}
		for range b.rounds {
			for _, p := range programs {
				s, err := b.one(ctx, p, conns)
				if err != nil {
					return fmt.Errorf("measuring %s: %w", p.name, err)
				}
				samples[conns][p.name] = append(samples[conns][p.name], s)
			}
		}
	}
	b.print(samples, ready, idle, product)
	return ctx.Err()
}

// one measures a program once. The notices that the product still delivers from the round before are given a moment, so that a rival is not
// measured against them; what the product delivers during its own round counts against it.
func (b *bench) one(ctx context.Context, p *program, conns int) (sample, error) {
	time.Sleep(500 * time.Millisecond)
	before := p.cpu()
	s, err := load{base: p.base, secret: []byte(b.secret), people: b.people, conns: conns, each: b.each}.run(ctx)
	if err != nil {
		return sample{}, err
	}
	s.cpu = time.Duration(float64(p.cpu()-before) / (s.rate * b.each.Seconds()) * 1000)
	s.peak = p.memory("VmHWM")
	if s.refused > 0 {
		return sample{}, fmt.Errorf("%d commands were refused; run with -v to see why", s.refused)
	}
	return s, nil
}

func (b *bench) print(samples map[int]map[string][]sample, ready time.Duration, idle int64, product *program) {
	fmt.Fprintf(os.Stdout, "Signed /praise commands over HTTP, %d people, %d rounds of %s in turns, %d cores, Postgres on the same machine, synchronous_commit on. Medians; a ratio is the median of those within each round.\n\n",
		b.people, b.rounds, b.each, runtime.NumCPU())
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "connections\tprogram\tcommands/s\t× floor\t× five\tp50 ms\tp99 ms\tp99 × floor\tCPU s per 1,000\tpeak MiB\t")
	for _, conns := range b.conns {
		floor, five := samples[conns][floorRival], samples[conns][fiveRival]
		for _, name := range []string{"huiyin", floorRival, fiveRival} {
			these := samples[conns][name]
			s := median(these)
			fmt.Fprintf(w, "%d\t%s\t%.0f\t%.2f\t%.2f\t%.1f\t%.1f\t%.2f\t%.3f\t%.0f\t\n", conns, name, s.rate, times(these, floor, rate), times(these, five, rate),
				ms(s.p50), ms(s.p99), times(these, floor, p99), s.cpu.Seconds(), mib(s.peak))
		}
	}
	_ = w.Flush() // standard output is gone when this fails
	size := int64(0)
	if info, err := os.Stat(b.binary); err == nil {
		size = info.Size()
	}
	fmt.Fprintf(os.Stdout, "\nhuiyin: ready %.2f s after start, idle %.0f MiB, at most %.0f MiB, binary %.0f MiB\n", ready.Seconds(), mib(idle), mib(product.memory("VmHWM")), mib(size))
	at16 := samples[16]
	if at16 == nil {
		return
	}
	h, floor, five := at16["huiyin"], at16[floorRival], at16[fiveRival]
	ofFloor, ofFive, late := times(h, floor, rate), times(h, five, rate), times(h, floor, p99)
	fmt.Fprintln(os.Stdout, "\nBudgets at 16 connections:")
	budget("throughput at least 0.5 of the floor", ofFloor, ofFloor >= 0.5)
	budget("throughput at least 1.3 of five statements", ofFive, ofFive >= 1.3)
	budget("p99 under 2 of the floor's", late, late < 2)
	budget("idle memory under 64 MiB", mib(idle), idle < 64<<20)
}

func budget(what string, got float64, met bool) {
	word := "met"
	if !met {
		word = "MISSED"
	}
	fmt.Fprintf(os.Stdout, "  %-45s %6.2f  %s\n", what, got, word)
}

// times is how many times a figure of one program is that of another: the median over the rounds of what it is within a round. What else the
// machine does comes and goes from round to round, and so falls on both.
func times(these, those []sample, of func(sample) float64) float64 {
	ratios := make([]float64, len(these))
	for i := range these {
		ratios[i] = of(these[i]) / of(those[i])
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

func rate(s sample) float64 { return s.rate }
func p99(s sample) float64  { return float64(s.p99) }

// median takes each figure's own median over the rounds.
func median(s []sample) sample {
	return sample{
		rate: middle(s, func(s sample) float64 { return s.rate }),
		p50:  middle(s, func(s sample) time.Duration { return s.p50 }),
		p99:  middle(s, func(s sample) time.Duration { return s.p99 }),
		cpu:  middle(s, func(s sample) time.Duration { return s.cpu }),
		peak: middle(s, func(s sample) int64 { return s.peak }),
	}
}

func middle[T cmp.Ordered](s []sample, of func(sample) T) T {
	values := make([]T, len(s))
	for i := range s {
		values[i] = of(s[i])
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
func mib(n int64) float64        { return float64(n) / (1 << 20) }

// seedRivals gives the rivals a database of their own, with the same people.
func (b *bench) seedRivals(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, b.url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }() // nothing is lost with it
	if _, err := conn.Exec(ctx, "create schema rivals"); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "set search_path to rivals"); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, rivalSchema); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "alter role current_user set search_path to public, rivals"); err != nil {
		return err
	}
	_, err = conn.CopyFrom(ctx, pgx.Identifier{"five_person"}, []string{"id", "account", "active"}, pgx.CopyFromSlice(b.people, func(i int) ([]any, error) {
		return []any{uuid.New(), account(i), true}, nil
	}))
	return err
}

// importPeople fills the product's firm through its own import.
func (b *bench) importPeople(ctx context.Context, env []string) error {
	var file bytes.Buffer
	w := csv.NewWriter(&file)
	rows := [][]string{{"employee_no", "name", "name_en", "department", "manager", "slack_id"}}
	for i := range b.people {
		manager := ""
		if i > 0 {
			manager = fmt.Sprintf("E%05d", (i-1)/8)
		}
		rows = append(rows, []string{fmt.Sprintf("E%05d", i), fmt.Sprintf("员工%d", i), fmt.Sprintf("Person %d", i), "研发部", manager, account(i)})
	}
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	path := filepath.Join(b.dir, "people.csv")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		return err
	}
	for _, args := range [][]string{{"migrate"}, {"import", "people", path}} {
		cmd := exec.CommandContext(ctx, b.binary, args...)
		cmd.Env = append(os.Environ(), env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("huiyin %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return nil
}

// silentSlack says yes to everything at once: what a vendor does is not measured here.
func silentSlack(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // so that the connection is used again
	w.Header().Set("Content-Type", "application/json")
	answer := `{"ok":true}`
	switch {
	case strings.HasSuffix(r.URL.Path, "/auth.test"):
		answer = `{"ok":true,"team_id":"` + team + `","user_id":"UBOT","bot_id":"BBOT"}`
	case strings.HasSuffix(r.URL.Path, "/conversations.open"):
		answer = `{"ok":true,"channel":{"id":"DBENCH"}}`
	case strings.HasSuffix(r.URL.Path, "/chat.postMessage"):
		answer = `{"ok":true,"channel":"DBENCH","ts":"1700000000.000100"}`
	case strings.HasSuffix(r.URL.Path, "/users.list"):
		answer = `{"ok":true,"members":[],"response_metadata":{"next_cursor":""}}`
	}
	_, _ = io.WriteString(w, answer) // the product notices by itself
}
