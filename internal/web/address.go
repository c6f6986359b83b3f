package web

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"huiyin/bot"
	"huiyin/bot/card"
)

// The first letter of an address says what it is of.
const (
	formMark   = "f"
	buttonMark = "b"
	idSize     = 16
)

// offer is a button in its address. Names are short because they count.
type offer struct {
	Platform string        `json:"p"`
	Tenant   string        `json:"t"`
	User     string        `json:"u"`
	Lang     string        `json:"l,omitempty"`
	Place    bot.PlaceKind `json:"k,omitempty"`
	Channel  string        `json:"c,omitempty"`
	Message  bot.Ref       `json:"m,omitzero"`
	Action   card.Action   `json:"a"`
	Label    string        `json:"w"`
	Style    card.Style    `json:"s,omitempty"`
	Confirm  *card.Confirm `json:"q,omitempty"`
	Until    int64         `json:"x"` // Unix seconds

	deed string // of pressing it, the same however often it is pressed
}

func (o offer) reader() bot.Reader {
	return bot.Reader{Platform: o.Platform, Tenant: o.Tenant, User: o.User, Lang: o.Lang, Where: bot.Place{Channel: o.Channel, Kind: o.Place, Message: o.Message}}
}

// openOffer reads the address of a button; ok is false for one that we did not give out, or too long ago.
func (p *Pages) openOffer(name string) (o offer, ok bool) {
	rest, is := strings.CutPrefix(name, buttonMark)
	sealed, err := encoding.DecodeString(rest)
	if !is || err != nil || encoding.EncodeToString(sealed) != rest { // the decoder looks past line ends
		return offer{}, false
	}
	raw, ok := p.buttons.open(sealed, nil)
	if !ok || json.Unmarshal(raw, &o) != nil || p.Now().Unix() >= o.Until {
		return offer{}, false
	}
	o.deed = encoding.EncodeToString(sealed[:nonceSize])
	return o, true
}

// formID reads the address of a form; ok is false for one that we did not give out.
func (p *Pages) formID(name string) (id []byte, ok bool) {
	rest, is := strings.CutPrefix(name, formMark)
	first, second, two := strings.Cut(rest, ".")
	id, err := encoding.DecodeString(first)
	proof, err2 := encoding.DecodeString(second)
	if !is || !two || err != nil || err2 != nil || len(id) != idSize || !hmac.Equal(proof, p.proof(id)) {
		return nil, false
	}
	return id, p.formAddress(id) == name
}

func storeKey(id []byte) string { return "page:" + encoding.EncodeToString(id) }

// nonceSize is what cipher.NewGCMWithRandomNonce puts in front of what it seals.
const nonceSize = 12

// box seals values: nobody else can read, make or change them (AES-256-GCM).
type box struct{ aead cipher.AEAD }

func newBox(key []byte, purpose string) (box, error) {
	own, err := derive(key, purpose)
	if err != nil {
		return box{}, err
	}
	block, err := aes.NewCipher(own)
	if err != nil {
		return box{}, fmt.Errorf("making the box of a %s: %w", purpose, err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return box{}, fmt.Errorf("making the box of a %s: %w", purpose, err)
	}
	return box{aead}, nil
}

// seal closes a value. It opens only with the same label.
func (b box) seal(value, label []byte) []byte { return b.aead.Seal(nil, nil, value, label) }

func (b box) open(sealed, label []byte) ([]byte, bool) {
	if len(sealed) < nonceSize {
		return nil, false
	}
	value, err := b.aead.Open(nil, nil, sealed, label)
	return value, err == nil
}

// askedForm is a form on its way to a page.
type askedForm struct {
	To    bot.Reader
	Form  card.Form
	Until time.Time
}

// registerStored names the parts that a form may have to the encoder. Doing it again changes nothing.
func registerStored() {
	for _, part := range []any{
		card.Paragraph{},
		card.Quote{},
		card.Facts{},
		card.Items{},
		card.Aside{},
		card.Divider{},
		card.Buttons{},
		card.TextField{},
		card.PeopleField{},
		card.ChoiceField{},
		card.DateField{},
	} {
		gob.Register(part)
	}
}

func encodeForm(f askedForm) ([]byte, error) {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(f); err != nil {
		return nil, fmt.Errorf("encoding form %s for its page: %w", f.Form.Action.Name, err)
	}
	return b.Bytes(), nil
}

// openForm reads what keep has sealed under the id; ok is false for anything else, and for what is too old.
func (p *Pages) openForm(sealed, id []byte) (f askedForm, ok bool) {
	raw, ok := p.forms.open(sealed, id)
	if !ok || gob.NewDecoder(bytes.NewReader(raw)).Decode(&f) != nil || !p.Now().Before(f.Until) {
		return askedForm{}, false
	}
	return f, true
}
