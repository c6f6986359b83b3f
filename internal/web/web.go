// Package web shows forms and buttons as pages of the bot's own, for platforms that cannot show them in a conversation. A page belongs
// to one account, needs no script, and has one effect; what is done on it becomes an event like any other. The package does not know
// what a form asks or what an action does, nor how anything is stored, and it never keeps what a person typed.
package web

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/i18n"
)

// How long pages live, and how long an address may become: ActionCards and some clients cut longer ones.
const (
	formLife   = 24 * time.Hour
	buttonLife = 30 * 24 * time.Hour // the day that an action was agreed for may be weeks ahead
	maxAddress = 1_000               // bytes; bot/dingtalk reckons with as many
)

// Options are what pages are made with. All are needed but Tell.
type Options struct {
	PublicURL string // how browsers reach us
	Key       []byte // 32 bytes; keys of our own are derived from it
	Store     Store
	Catalog   *i18n.Catalog
	Now       func() time.Time
	Log       *slog.Logger
	// Tell sends a card to the reader's own conversation. A private answer goes there and is not shown on the page: whoever was handed an
	// address may act with it, and shall not read with it. Nil: it is shown.
	Tell func(ctx context.Context, to bot.Reader, c card.Card) error
}

// Store keeps what forms ask (sealed) until they are sent. It may lose everything at any time, and gives a fault of kind Unavailable
// when it is away.
type Store interface {
	Put(ctx context.Context, key string, value []byte, ttl time.Duration) error
	Get(ctx context.Context, key string) (value []byte, ok bool, err error)
}

// Pages are bot.Pages, and a bot.Webhook for what is done on them.
type Pages struct {
	Options
	base    string
	address []byte // key of the proofs in addresses of forms
	forms   box
	buttons box
	drawing *template.Template
	policy  string
	guard   *http.CrossOriginProtection
}

//go:embed assets
var assets embed.FS

// New makes pages. The error is for a public address or a key that cannot be one.
func New(o Options) (*Pages, error) {
	public, err := url.Parse(o.PublicURL)
	if err != nil || public.Host == "" || public.Scheme != "http" && public.Scheme != "https" {
		return nil, fmt.Errorf("making pages: %q is not a public address", o.PublicURL)
	}
	if len(o.Key) != 32 {
		return nil, fmt.Errorf("making pages: a key of %d bytes, not 32", len(o.Key))
	}
	registerStored()
	p := &Pages{Options: o, base: strings.TrimSuffix(o.PublicURL, "/") + "/p/"}
	if p.address, err = derive(o.Key, "address of a form"); err != nil {
		return nil, err
	}
	if p.forms, err = newBox(o.Key, "form"); err != nil {
		return nil, err
	}
	if p.buttons, err = newBox(o.Key, "button"); err != nil {
		return nil, err
	}
	if p.drawing, p.policy, err = parseAssets(); err != nil {
		return nil, err
	}
	p.guard = http.NewCrossOriginProtection()
	// A proxy in front of us may change the Host that the origin would be compared with.
	if err := p.guard.AddTrustedOrigin(public.Scheme + "://" + public.Host); err != nil {
		return nil, fmt.Errorf("making pages: %w", err)
	}
	return p, nil
}

// derive makes a key for one purpose of our own.
func derive(key []byte, purpose string) ([]byte, error) {
	out, err := hkdf.Key(sha256.New, key, nil, "huiyin page: "+purpose, 32)
	if err != nil {
		return nil, fmt.Errorf("deriving the key of a %s: %w", purpose, err)
	}
	return out, nil
}

// Form keeps the form for a day and gives the address of its page. What is kept is sealed: who can read the store learns nothing of it,
// and who can write it cannot make a page.
func (p *Pages) Form(ctx context.Context, to bot.Reader, f card.Form) (string, error) {
	name, err := p.keep(ctx, to, f)
	if err != nil {
		return "", err
	}
	return p.base + name, nil
}

// keep stores a form and gives the last part of its address.
func (p *Pages) keep(ctx context.Context, to bot.Reader, f card.Form) (string, error) {
	id := make([]byte, idSize)
	rand.Read(id) // it never fails
	raw, err := encodeForm(askedForm{To: to, Form: f, Until: p.Now().Add(formLife)})
	if err != nil {
		return "", err
	}
	if err := p.Store.Put(ctx, storeKey(id), p.forms.seal(raw, id), formLife); err != nil {
		return "", fmt.Errorf("keeping a form for its page: %w", err)
	}
	return p.formAddress(id), nil
}

// Button gives the address of a page with the button. Nothing is kept: notices for thousands of people carry buttons, and few are
// pressed. All that it takes is in the address, sealed.
func (p *Pages) Button(_ context.Context, to bot.Reader, b card.Button) (string, error) {
	if b.URL != "" {
		return b.URL, nil
	}
	name, err := p.buttonAddress(to, b)
	if err != nil {
		return "", err
	}
	return p.base + name, nil
}

func (p *Pages) buttonAddress(to bot.Reader, b card.Button) (string, error) {
	o := offer{
		Platform: to.Platform, Tenant: to.Tenant, User: to.User, Lang: to.Lang, Place: to.Where.Kind, Channel: to.Where.Channel, Message: to.Where.Message,
		Action: b.Action, Label: b.Label, Style: b.Style, Confirm: b.Confirm, Until: p.Now().Add(buttonLife).Unix(),
	}
	name, err := p.sealOffer(o)
	for _, label := range []int{50, 20} { // characters
		if err != nil || len(p.base)+len(name) <= maxAddress {
			break
		}
		o.Label, o.Confirm = string([]rune(o.Label)[:min(len([]rune(o.Label)), label)]), nil // the page asks in its own words
		name, err = p.sealOffer(o)
	}
	if err == nil && len(p.base)+len(name) > maxAddress {
		err = fmt.Errorf("the address of button %s has %d characters; %d can be carried", b.Action.Name, len(p.base)+len(name), maxAddress)
	}
	return name, err
}

func (p *Pages) sealOffer(o offer) (string, error) {
	raw, err := json.Marshal(o)
	if err != nil {
		return "", fmt.Errorf("writing the address of button %s: %w", o.Action.Name, err)
	}
	return buttonMark + encoding.EncodeToString(p.buttons.seal(raw, nil)), nil
}

// formAddress is a form's id with the proof that we gave it out.
func (p *Pages) formAddress(id []byte) string {
	return formMark + encoding.EncodeToString(id) + "." + encoding.EncodeToString(p.proof(id))
}

func (p *Pages) proof(id []byte) []byte {
	mac := hmac.New(sha256.New, p.address)
	mac.Write(id)
	return mac.Sum(nil)
}

// encoding has one spelling of every value: an address with a changed last letter is a wrong one.
var encoding = base64.RawURLEncoding.Strict()
