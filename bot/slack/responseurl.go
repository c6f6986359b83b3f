package slack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// errAddress is for an address that came in with a message and is not one of Slack's.
var errAddress = errors.New("not an address of Slack's")

// guard posts to addresses that came in with a request. A signed request may still carry a hostile one, so it goes only to Slack's own
// hosts over https, or to the host of the configured API, follows no redirect, and connects to public addresses alone whatever the
// name resolves to (R14).
type guard struct {
	api    *url.URL
	local  *http.Client // for the host of the API
	public *http.Client // for Slack's hosts
	lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)
	dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	proxy  string // host and port of the proxy between us and the world, which may well be private
}

func newGuard(api *url.URL, client *http.Client) *guard {
	g := &guard{
		api: api, local: client, lookup: net.DefaultResolver.LookupNetIP,
		dial: (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
	}
	if u, err := http.ProxyFromEnvironment(&http.Request{URL: &url.URL{Scheme: "https", Host: "hooks.slack.com"}}); err == nil && u != nil {
		port := map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
		g.proxy = net.JoinHostPort(u.Hostname(), orElse(u.Port(), port))
	}
	g.public = &http.Client{
		Timeout: callTimeout, CheckRedirect: noRedirect,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: g.connect, ForceAttemptHTTP2: true,
			TLSHandshakeTimeout: 5 * time.Second, IdleConnTimeout: 60 * time.Second, MaxIdleConnsPerHost: 8,
		},
	}
	return g
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// client is the client for an address, or errAddress.
func (g *guard) client(address string) (*http.Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.User != nil || u.Opaque != "" || u.Fragment != "" || strings.ContainsAny(address, "\\ \t\r\n") {
		return nil, errAddress
	}
	if slackHost(u.Hostname()) {
		if u.Scheme != "https" || u.Port() != "" && u.Port() != "443" {
			return nil, errAddress
		}
		return g.public, nil
	}
	if (u.Scheme == "http" || u.Scheme == "https") && strings.EqualFold(u.Host, g.api.Host) && !slackHost(g.api.Hostname()) {
		return g.local, nil
	}
	return nil, errAddress
}

// slackHost reports whether a host is slack.com or under it.
func slackHost(host string) bool {
	host = strings.ToLower(host)
	return host == "slack.com" || strings.HasSuffix(host, ".slack.com")
}

// connect dials one of Slack's hosts at a public address, or the proxy.
func (g *guard) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	if g.proxy != "" && addr == g.proxy {
		return g.dial(ctx, network, addr)
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil || !slackHost(host) {
		return nil, errAddress
	}
	found, err := g.lookup(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("looking up Slack's host: %w", err)
	}
	for _, ip := range found {
		if !public(ip) {
			return nil, fmt.Errorf("%w: its name leads to %s", errAddress, ip)
		}
	}
	err = errAddress
	for _, ip := range found {
		var conn net.Conn
		if conn, err = g.dial(ctx, network, net.JoinHostPort(ip.String(), port)); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// reserved are networks that are global unicast by their form and yet nobody's on the internet. RFC 6890 and its successors.
var reserved = func() []netip.Prefix {
	var out []netip.Prefix
	for _, p := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10", "5f00::/16",
	} {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}()

// public reports whether an address is one of the internet's.
func public(ip netip.Addr) bool {
	if ip.Zone() != "" {
		return false
	}
	ip = ip.Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	for _, p := range reserved {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

// post sends JSON to an address that came in with a request.
func (g *guard) post(ctx context.Context, address string, body []byte) error {
	client, err := g.client(address)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return errAddress
	}
	req.Header.Set("Content-Type", jsonType)
	resp, err := client.Do(req)
	if err != nil {
		return withoutAddress(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err != nil {
		return fmt.Errorf("reading the answer of a response address: %w", err)
	}
	if resp.StatusCode != http.StatusOK || bytes.Contains(answer, []byte(`"ok":false`)) {
		return fmt.Errorf("a response address answered %d", resp.StatusCode)
	}
	return nil
}

// withoutAddress takes the address out of an error: whoever knows it can write into the conversation.
func withoutAddress(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
