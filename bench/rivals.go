package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// rivalVerb makes this program run as one of the rivals, in a process of its own.
const rivalVerb = "rival"

// The rivals. floor verifies the signature and does one INSERT: nothing that records a command can be faster. five does what the product
// does for a praise in five plain statements of one transaction.
const (
	floorRival = "floor"
	fiveRival  = "five"
)

const rivalSchema = `
create table floor_praise (id uuid primary key, author text not null, receiver text not null, text text not null, at timestamptz not null);
create table five_person (id uuid primary key, account text not null unique, active boolean not null);
create table five_inbox (event text primary key, at timestamptz not null);
create table five_praise (id uuid primary key, author uuid not null references five_person, text text not null, at timestamptz not null);
create table five_receiver (praise uuid not null references five_praise, person uuid not null references five_person, primary key (praise, person));
create table five_outbox (id uuid primary key, kind text not null, person uuid not null, subject uuid not null, due timestamptz not null);
create index on five_outbox (due);
create index on five_praise (author, at desc);`

// runRival serves /slack/commands on RIVAL_LISTEN until ctx ends.
func runRival(ctx context.Context, name string) error {
	pool, err := pgxpool.New(ctx, os.Getenv("RIVAL_DATABASE_URL"))
	if err != nil {
		return err
	}
	defer pool.Close()
	work := map[string]func(context.Context, *pgxpool.Pool, command) error{floorRival: oneInsert, fiveRival: fiveStatements}[name]
	if work == nil {
		return fmt.Errorf("no rival is called %s", name)
	}
	secret := []byte(os.Getenv("RIVAL_SECRET"))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("POST /slack/commands", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 256<<10))
		if err != nil || !signed(secret, r.Header, body) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		form, err := url.ParseQuery(string(body))
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		m := mention.FindStringSubmatch(form.Get("text"))
		if m == nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c := command{event: form.Get("trigger_id"), author: form.Get("user_id"), receiver: m[1], text: form.Get("text")}
		if err := work(r.Context(), pool, c); err != nil {
			fmt.Fprintln(os.Stderr, name, err)
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"response_type":"ephemeral","text":"Sent"}`) // a client that left does not matter to the measurement
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", os.Getenv("RIVAL_LISTEN"))
	if err != nil {
		return err
	}
	go func() {
		<-ctx.Done()
		_ = server.Close() // the measurement is over
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

type command struct{ event, author, receiver, text string }

var mention = regexp.MustCompile(`<@(U[A-Z0-9]+)(?:\|[^>]*)?>`)

func oneInsert(ctx context.Context, pool *pgxpool.Pool, c command) error {
	_, err := pool.Exec(ctx, `insert into floor_praise values ($1, $2, $3, $4, $5)`, uuid.New(), c.author, c.receiver, c.text, time.Now())
	return err
}

func fiveStatements(ctx context.Context, pool *pgxpool.Pool, c command) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		now := time.Now()
		rows, err := tx.Query(ctx, `select id, account from five_person where account in ($1, $2) and active`, c.author, c.receiver)
		if err != nil {
			return err
		}
		ids := map[string]uuid.UUID{}
		defer rows.Close()
		for rows.Next() {
			var id uuid.UUID
			var account string
			if err := rows.Scan(&id, &account); err != nil {
				return err
			}
			ids[account] = id
		}
		if err := rows.Err(); err != nil {
			return err
		}
		if len(ids) != 2 {
			return errors.New("somebody is not known")
		}
		if _, err := tx.Exec(ctx, `insert into five_inbox values ($1, $2)`, c.event, now); err != nil {
			return err
		}
		praise := uuid.Must(uuid.NewV7())
		if _, err := tx.Exec(ctx, `insert into five_praise values ($1, $2, $3, $4)`, praise, ids[c.author], c.text, now); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `insert into five_receiver values ($1, $2)`, praise, ids[c.receiver]); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `insert into five_outbox values ($1, 'praise.received', $2, $3, $4)`, uuid.Must(uuid.NewV7()), ids[c.receiver], praise, now)
		return err
	})
}

func signed(secret []byte, h http.Header, body []byte) bool {
	at, err := strconv.ParseInt(h.Get("X-Slack-Request-Timestamp"), 10, 64)
	if err != nil || time.Since(time.Unix(at, 0)).Abs() > 5*time.Minute {
		return false
	}
	return hmac.Equal([]byte(h.Get("X-Slack-Signature")), []byte(signature(secret, at, body)))
}

func signature(secret []byte, at int64, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	_, _ = fmt.Fprintf(mac, "v0:%d:", at) // a hash never fails to write
	mac.Write(body)
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}
