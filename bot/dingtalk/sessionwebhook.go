package dingtalk

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

// errAddress is for an address that came in with a message and is not one of DingTalk's.
var errAddress = errors.New("not an address of DingTalk's")

// guard posts to addresses that came in with a request. A signed request may still carry a hostile one, so it goes only to DingTalk's own
// hosts over https, or to the host of a configured API, follows no redirect, and connects to public addresses alone whatever the
// name resolves to (R14).
type guard struct {
	apis   []*url.URL
	local  *http.Client // for the hosts of configured APIs
	public *http.Client // for DingTalk's hosts
	lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)
	dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	proxy  string // host and port of the proxy between us and the world, which may well be private
}

func newGuard(apis []*url.URL, client *http.Client) *guard {
	g := &guard{
		apis: apis, local: client, lookup: net.DefaultResolver.LookupNetIP,
		dial: (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
	}
	if u, err := http.ProxyFromEnvironment(&http.Request{URL: &url.URL{Scheme: "https", Host: "oapi.dingtalk.com"}}); err == nil && u != nil {
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

// sessionPath is that of a session webhook; other paths of the same hosts lead to anybody's robots.
const sessionPath = "/robot/sendBySession"

// client is the client for an address, or errAddress.
func (g *guard) client(address string) (*http.Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.User != nil || u.Opaque != "" || u.Fragment != "" || u.Path != sessionPath || strings.ContainsAny(address, "\\ \t\r\n") {
		return nil, errAddress
	}
	if vendorHost(u.Hostname()) {
		if u.Scheme != "https" || u.Port() != "" && u.Port() != "443" {
			return nil, errAddress
		}
		return g.public, nil
	}
	for _, api := range g.apis {
		if (u.Scheme == "http" || u.Scheme == "https") && strings.EqualFold(u.Host, api.Host) && !vendorHost(api.Hostname()) {
			return g.local, nil
		}
	}
	return nil, errAddress
}

// vendorHosts are where a session webhook leads.
var vendorHosts = map[string]bool{"oapi.dingtalk.com": true, "oapi.dingtalk.io": true, "api.dingtalk.com": true, "api.dingtalk.io": true}

func vendorHost(host string) bool { return vendorHosts[strings.ToLower(host)] }

// connect dials one of DingTalk's hosts at a public address, or the proxy.
func (g *guard) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	if g.proxy != "" && addr == g.proxy {
		return g.dial(ctx, network, addr)
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil || !vendorHost(host) {
		return nil, errAddress
	}
	found, err := g.lookup(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("looking up DingTalk's host: %w", err)
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

// post sends JSON to an address that came in with a request. sent says that it may have been delivered although there is an error.
func (g *guard) post(ctx context.Context, address string, body []byte) (sent bool, err error) {
	client, err := g.client(address)
	if err != nil {
		return false, err
	}
	var reach reach
	req, err := http.NewRequestWithContext(reach.trace(ctx), http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return false, errAddress
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return reach.connected.Load(), withoutAddress(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return true, fmt.Errorf("reading the answer of a session webhook: %w", err)
	}
	if err := refused(resp, answer); err != nil {
		return false, fmt.Errorf("posting to a session webhook: %w", err)
	}
	return true, nil
}
