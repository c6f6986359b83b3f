package config

import (
	"encoding/base64"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Each function here makes a parser that checks a value and puts it where it belongs. A parser never repeats the value of a secret in its
// problem, nor an error of net/url, which repeats the whole URL.

type (
	parser  = func(s Setting, c *Config, v string) *Problem
	textAt  = func(*Config) *string
	secrets = func(*Config) *Secret
)

func text(at textAt) parser {
	return func(_ Setting, c *Config, v string) *Problem {
		if spaced(v) {
			return problem("space")
		}
		*at(c) = v
		return nil
	}
}

func secret(at secrets) parser {
	return func(_ Setting, c *Config, v string) *Problem {
		if spaced(v) { // a line too much was copied
			return problem("space")
		}
		*at(c) = Hide(v)
		return nil
	}
}

func spaced(v string) bool {
	return strings.ContainsFunc(v, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}

func address(at textAt) parser {
	return func(_ Setting, c *Config, v string) *Problem {
		host, port, err := net.SplitHostPort(v)
		n, err2 := strconv.ParseUint(port, 10, 16)
		if err != nil || err2 != nil || spaced(host) || strconv.FormatUint(n, 10) != port {
			return problem("address", "Value", v)
		}
		*at(c) = v
		return nil
	}
}

// web takes an address of a site; end is what the address shall end in: a slash, or nothing.
func web(at textAt, end string) parser {
	return func(_ Setting, c *Config, v string) *Problem {
		u, err := url.Parse(v)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return problem("web")
		}
		*at(c) = strings.TrimRight(v, "/") + end
		return nil
	}
}

// server takes the URL of a database; it is a secret because of the password in it.
func server(at secrets) parser {
	return func(s Setting, c *Config, v string) *Problem {
		u, err := url.Parse(v)
		if err != nil || !slices.Contains(s.Schemes, u.Scheme) {
			return problem("server", "Schemes", strings.Join(s.Schemes, "://, ")+"://")
		}
		*at(c) = Hide(v)
		return nil
	}
}

func folder(at textAt) parser {
	return func(_ Setting, c *Config, v string) *Problem {
		abs, err := filepath.Abs(v)
		if err != nil {
			return problem("folder", "Value", v)
		}
		*at(c) = abs
		return nil
	}
}

// keySize is what AES-256 and HMAC-SHA256 want.
const keySize = 32

// key takes any of the four ways to write base64, and keeps the bytes.
func key(at secrets) parser {
	return func(_ Setting, c *Config, v string) *Problem {
		v = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(v), "=")
		raw, err := base64.RawStdEncoding.DecodeString(v)
		if err != nil || len(raw) != keySize {
			return problem("key", "Bytes", keySize)
		}
		*at(c) = Hide(string(raw))
		return nil
	}
}

func zone(at textAt) parser {
	return func(_ Setting, c *Config, v string) *Problem {
		if _, err := time.LoadLocation(v); err != nil || v == "Local" {
			return problem("zone", "Value", v)
		}
		*at(c) = v
		return nil
	}
}

func choice(at textAt) parser {
	return func(s Setting, c *Config, v string) *Problem {
		i := slices.IndexFunc(s.Choices, func(one string) bool { return strings.EqualFold(one, v) })
		if i < 0 {
			return problem("choice", "Value", v, "Choices", strings.Join(s.Choices, ", "))
		}
		*at(c) = s.Choices[i]
		return nil
	}
}

// number takes a whole number that is not negative.
func number(at func(*Config) *int64) parser {
	return func(_ Setting, c *Config, v string) *Problem {
		n, err := strconv.ParseUint(v, 10, 40)
		if err != nil {
			return problem("number", "Value", v)
		}
		*at(c) = int64(n)
		return nil
	}
}

func onOff(at func(*Config) *bool) parser {
	return func(s Setting, c *Config, v string) *Problem {
		word := ""
		p := choice(func(*Config) *string { return &word })(s, c, v)
		*at(c) = word == "on"
		return p
	}
}

// level takes the names that slog gives its levels.
func level(s Setting, c *Config, v string) *Problem {
	word := ""
	p := choice(func(*Config) *string { return &word })(s, c, v)
	if p == nil && c.LogLevel.UnmarshalText([]byte(word)) != nil {
		return problem("choice", "Value", v, "Choices", strings.Join(s.Choices, ", "))
	}
	return p
}
