package dingtalk

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"huiyin/bot"
)

// addresses is what could come in as a response address and is not one (R14). port is the canary's.
func addresses(port string) []string {
	out := []string{
		"", " ", "x", "//", "http://", "https://", "https:///x", "https://:443/", "javascript:alert(1)", "data:text/plain,x", "file:///etc/passwd", "gopher://oapi.dingtalk.com/",
		"ftp://oapi.dingtalk.com/", "ws://oapi.dingtalk.com/", "https:oapi.dingtalk.com/x", "mailto:a@dingtalk.com", "/commands/x", "oapi.dingtalk.com/commands",
		"http://oapi.dingtalk.com/commands", "HTTP://OAPI.DINGTALK.COM/", "https://oapi.dingtalk.com:80/", "https://oapi.dingtalk.com:" + port + "/", "https://oapi.dingtalk.com:8443/",
		"https://oapi.dingtalk.com./x", "https://dingtalk.com./", "https://dingtalk.com.evil.example/", "https://oapi.dingtalk.com.evil.example/", "https://evildingtalk.com/", "https://evil-dingtalk.com/",
		"https://oapi-dingtalk.com/", "https://dingtalk.co/", "https://dingtalk.comm/", "https://xdingtalk.com/", "https://dingtalk.com%2eevil.example/", "https://dingtalk.com%00.evil.example/",
		"https://dingtalk.com\\@evil.example/", "https://evil.example\\.dingtalk.com/", "https://evil.example#.dingtalk.com/", "https://evil.example?.dingtalk.com/", "https://evil.example/.dingtalk.com",
		"https://user@oapi.dingtalk.com/", "https://user:pw@oapi.dingtalk.com/", "https://oapi.dingtalk.com@evil.example/", "https://oapi.dingtalk.com:443@evil.example/",
		"https://oapi.dingtalk.com /", "https://oapi.dingtalk.com\t/", "https://oapi.dingtalk.com/\nx", "https://oapi.dingtalk.com/\r\nHost: evil.example", "https://oapi.dingt\u0430lk.com/", "https://oapi.dingtalk\u3002com/",
		"https://oapi.dingtalk.com/robot/send?access_token=x", "https://oapi.dingtalk.com/robot/sendBySession/", "https://oapi.dingtalk.com/robot/sendBySession/../send?access_token=x",
		"https://oapi.dingtalk.com/robot/send?access_token=x&y=/robot/sendBySession", "https://oapi.dingtalk.com//robot/sendBySession", "https://oapi.dingtalk.com/ROBOT/SENDBYSESSION", "https://oapi.dingtalk.com/robot/sendBySession;x",
		"https://api.dingtalk.com/v1.0/robot/oToMessages/batchSend", "https://oapi.dingtalk.com",
		"https://ᵒapi.dingtalk.com.evil.example/", "https://[oapi.dingtalk.com]/", "https://[::1]:443/.dingtalk.com", "https://xn--slck-5cd.com/", "https://dingtalk.com/", "https://login.dingtalk.com/", "https://x.oapi.dingtalk.com/",
	}
	hosts := []string{
		"127.0.0.1", "127.1", "127.0.1", "127.0.0.2", "127.255.255.254", "0.0.0.0", "0", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "127.0.0.1.", "localhost", "LOCALHOST", "localhost.",
		"localhost.localdomain", "localtest.me", "127.0.0.1.nip.io", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[fe80::1]", "[fe80::1%25eth0]", "[fc00::1]",
		"[fd00:ec2::254]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::ffff:169.254.169.254]", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255", "169.254.169.254",
		"169.254.170.2", "100.64.0.1", "100.100.100.200", "198.18.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1", "metadata.google.internal", "metadata", "instance-data", "kubernetes.default.svc", "postgres", "redis",
		"host.docker.internal", "①②⑦.⓪.⓪.①", "127。0。0。1", "evil.example", "dingtalk.com.localhost", "oapi.dingtalk.com.127.0.0.1.nip.io",
	}
	for _, h := range hosts {
		out = append(out, "http://"+h+":"+port+"/", "https://"+h+"/", "https://oapi.dingtalk.com@"+h+":"+port+"/", "http://"+h+":"+port+"/oapi.dingtalk.com/", "https://"+h+":443/#@oapi.dingtalk.com")
	}
	for _, address := range slices.Clone(out) { // and each that ends where a path may begin, with the right one
		if stem, ok := strings.CutSuffix(address, "/"); ok {
			out = append(out, stem+sessionPath)
		}
	}
	return out
}

func TestOnlyDingTalksOwnAddressesAreConnectedTo(t *testing.T) {
	var reached atomic.Int64
	canary, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer canary.Close()
	go func() {
		for {
			conn, err := canary.Accept()
			if err != nil {
				return
			}
			reached.Add(1)
			_ = conn.Close()
		}
	}()
	_, port, _ := net.SplitHostPort(canary.Addr().String())
	api := &url.URL{Scheme: "https", Host: "api.dingtalk.com"}
	toCanary := func(ctx context.Context, network, _ string) (net.Conn, error) {
		reached.Add(1)
		return (&net.Dialer{}).DialContext(ctx, network, canary.Addr().String())
	}
	make1 := func(api *url.URL, found ...string) *guard {
		g := newGuard([]*url.URL{api}, &http.Client{CheckRedirect: noRedirect, Transport: &http.Transport{DialContext: toCanary}})
		g.proxy = ""
		g.public.Transport.(*http.Transport).Proxy = nil
		g.dial = toCanary // whatever is dialled is counted, wherever it was meant to go
		g.lookup = func(context.Context, string, string) ([]netip.Addr, error) {
			var out []netip.Addr
			for _, a := range found {
				out = append(out, netip.MustParseAddr(a))
			}
			return out, nil
		}
		return g
	}
	bad := addresses(port)
	if len(bad) < 300 {
		t.Fatalf("the corpus has %d addresses, want at least 300 (R14)", len(bad))
	}
	for _, api := range []*url.URL{api, {Scheme: "https", Host: "sim.example:8443", Path: "/dingtalk/"}} {
		g := make1(api, "127.0.0.1")
		for _, address := range bad {
			if sent, err := g.post(t.Context(), address, []byte("{}")); sent || !errors.Is(err, errAddress) {
				t.Errorf("posting to %q: %v, want a refusal", address, err)
			}
		}
	}
	rebound := []string{
		"127.0.0.1", "::1", "::ffff:127.0.0.1", "10.1.2.3", "172.20.0.5", "192.168.1.1", "169.254.169.254", "100.64.1.1", "0.0.0.0", "::", "fe80::1", "fd00::1", "224.0.0.1", "64:ff9b::a00:1", "198.18.0.1", "192.0.0.8",
		"2002:7f00:1::", "255.255.255.255", "::ffff:10.0.0.1",
	}
	for _, ip := range rebound {
		for _, found := range [][]string{{ip}, {"3.4.5.6", ip}} {
			if _, err := make1(api, found...).post(t.Context(), "https://oapi.dingtalk.com/robot/sendBySession?session=x", []byte("{}")); !errors.Is(err, errAddress) {
				t.Errorf("posting to a host of DingTalk's whose name leads to %v: %v, want a refusal", found, err)
			}
		}
	}
	if _, err := make1(api).post(t.Context(), "https://oapi.dingtalk.com/robot/sendBySession", []byte("{}")); err == nil {
		t.Error("posting to a host whose name leads nowhere succeeds")
	}
	if n := reached.Load(); n != 0 {
		t.Fatalf("%d connections were made", n)
	}
	// The positive control: what is allowed does reach the canary.
	for _, c := range []struct {
		api     *url.URL
		address string
	}{
		{api, "https://oapi.dingtalk.com/robot/sendBySession?session=x"},
		{api, "https://oapi.dingtalk.com:443/robot/sendBySession?session=x"},
		{api, "https://OAPI.DINGTALK.COM/robot/sendBySession?session=x"},
		{api, "https://api.dingtalk.io/robot/sendBySession?session=x"},
		{&url.URL{Scheme: "http", Host: "127.0.0.1:" + port}, "http://127.0.0.1:" + port + "/robot/sendBySession?session=x"},
	} {
		before := reached.Load()
		if _, err := make1(c.api, "3.4.5.6").post(t.Context(), c.address, []byte("{}")); err == nil || errors.Is(err, errAddress) {
			t.Errorf("posting to %s: %v, want that it is tried", c.address, err)
		}
		if reached.Load() == before {
			t.Errorf("posting to %s connected to nothing; this test would see nothing", c.address)
		}
	}
}

func TestASessionWebhookFollowsNoRedirectAndNamesNobody(t *testing.T) {
	elsewhere := newFake(t)
	r := newRig(t)
	r.fake.do(sessionPath, func(w http.ResponseWriter, q *http.Request) {
		http.Redirect(w, q, elsewhere.URL+sessionPath, http.StatusTemporaryRedirect)
	})
	_, err := r.guard.post(t.Context(), r.fake.URL+sessionPath+"?session=secret", []byte("{}"))
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a redirecting session webhook: %v", err)
	}
	elsewhere.quiet(t)
	elsewhere.Close()
	r.guard.apis = []*url.URL{{Scheme: "http", Host: elsewhere.Listener.Addr().String()}}
	if sent, err := r.guard.post(t.Context(), elsewhere.URL+sessionPath+"?session=secret", []byte("{}")); sent || err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a dead session webhook: %v, %v", sent, err)
	}
}

// A message with a forged address gets its answer nowhere: not there, and by no other call either. For an answer to one person over webhooks
// the address does not matter.
func TestAForgedSessionWebhookEndsTheAnswer(t *testing.T) {
	canary := newFake(t)
	forged := func(r *rig, change map[string]any) []byte {
		change["sessionWebhook"] = canary.URL + sessionPath
		return r.said(t, "help", change)
	}
	private, public := bot.Reply{Card: aCard("Done")}, bot.Reply{Card: aCard("Done"), Public: true}
	r := newRig(t, inStream)
	if status := r.hear(t, reply(private), forged(r, map[string]any{})); status != 200 {
		t.Errorf("answered %d", status)
	}
	r.finish(t)
	r.fake.quiet(t)
	r = newRig(t)
	if w := r.serve(reply(public), r.request(t, pathMessages, forged(r, inGroup()))); w.Code != 200 {
		t.Errorf("in a group answered %d", w.Code)
	}
	r.finish(t)
	r.fake.quiet(t)
	r = newRig(t)
	if w := r.serve(reply(private), r.request(t, pathMessages, forged(r, map[string]any{}))); w.Code != 200 {
		t.Errorf("over webhooks answered %d", w.Code)
	}
	r.finish(t)
	r.fake.next(t, batchPath)
	r.fake.quiet(t)
	canary.quiet(t)
}

func TestASessionWebhookIsNotUsedTooOften(t *testing.T) {
	r := newRig(t, inStream)
	for n := range talkMost + 1 {
		r.hear(t, reply(bot.Reply{Card: aCard("Hello")}), r.said(t, "help", map[string]any{"msgId": fmt.Sprint(n)}))
	}
	r.finish(t)
	sessions, batches := 0, 0
	for range talkMost + 1 {
		switch c := <-r.fake.calls; c.Path {
		case sessionPath:
			sessions++
		case batchPath:
			batches++
		}
	}
	if sessions != talkMost || batches != 1 {
		t.Errorf("of %d answers within a minute %d went through the session and %d by the API", talkMost+1, sessions, batches)
	}
	one := newTalks()
	one.mute("c", signedAt)
	if one.mayTalk("c", signedAt.Add(mutedFor-time.Second)) || !one.mayTalk("c", signedAt.Add(mutedFor)) || !one.mayTalk("d", signedAt) {
		t.Error("a conversation that was muted is not left alone for ten minutes, or another is")
	}
}

func TestPublicAddressesAreTold(t *testing.T) {
	for address, want := range map[string]bool{
		"3.4.5.6": true, "2600:1f18::1": true, "::ffff:3.4.5.6": true, "10.0.0.1": false, "::1": false, "fe80::1%eth0": false, "2001:db8::1": false, "100.64.0.1": false, "198.19.0.1": false,
	} {
		if got := public(netip.MustParseAddr(address)); got != want {
			t.Errorf("public(%s) = %v, want %v", address, got, want)
		}
	}
}
