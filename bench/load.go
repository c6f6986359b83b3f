package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// sample is one program measured once.
type sample struct {
	rate     float64 // commands a second
	p50, p99 time.Duration
	cpu      time.Duration // of the program alone, per 1,000 commands
	peak     int64         // resident bytes at most
	refused  int           // answers other than 200
}

// load sends signed /praise commands over that many connections for a while, each as soon as the one before is answered.
type load struct {
	base   string
	secret []byte
	people int
	conns  int
	each   time.Duration
}

var commandCount atomic.Int64 // makes every trigger id of a run its own

func (l load) run(ctx context.Context) (sample, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: l.conns, MaxConnsPerHost: l.conns}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	start := time.Now()
	deadline := start.Add(l.each)
	took := make([][]time.Duration, l.conns)
	refused := make([]int, l.conns)
	failed := make([]error, l.conns)
	var wg sync.WaitGroup
	for i := range l.conns {
		wg.Go(func() {
			for time.Now().Before(deadline) && ctx.Err() == nil {
				began := time.Now()
				status, err := l.send(ctx, client)
				if err != nil {
					failed[i] = err
					return
				}
				if status != http.StatusOK {
					refused[i]++
				}
				took[i] = append(took[i], time.Since(began))
			}
		})
	}
	wg.Wait()
	elapsed := time.Since(start)
	all := slices.Concat(took...)
	slices.Sort(all)
	for _, err := range failed {
		if err != nil {
			return sample{}, err
		}
	}
	s := sample{rate: float64(len(all)) / elapsed.Seconds(), p50: quantile(all, 0.50), p99: quantile(all, 0.99)}
	for _, n := range refused {
		s.refused += n
	}
	return s, nil
}

func (l load) send(ctx context.Context, client *http.Client) (int, error) {
	n := commandCount.Add(1)
	author := rand.IntN(l.people)
	receiver := (author + 1 + rand.IntN(l.people-1)) % l.people
	body := []byte(url.Values{
		"token": {"t"}, "team_id": {team}, "team_domain": {"bench"}, "channel_id": {"D1"}, "channel_name": {"directmessage"},
		"user_id": {account(author)}, "user_name": {"u"}, "command": {"/praise"}, "api_app_id": {"A1"}, "is_enterprise_install": {"false"},
		"text":         {fmt.Sprintf("<@%s|u> Thank you for the clear handover, number %d #teamwork", account(receiver), n)},
		"response_url": {"https://hooks.slack.com/commands/T1/1/x"}, "trigger_id": {fmt.Sprintf("%d.%d", time.Now().UnixNano(), n)},
	}.Encode())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.base+"/slack/commands", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	at := time.Now().Unix()
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Slack-Request-Timestamp", strconv.FormatInt(at, 10))
	req.Header.Set("X-Slack-Signature", signature(l.secret, at, body))
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, errorsJoin(err, resp.Body.Close())
}

func errorsJoin(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

const team = "TBENCH"

func account(i int) string { return fmt.Sprintf("UBENCH%05d", i) }

func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
